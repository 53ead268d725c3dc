package keepset_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/keepset/jsmodule"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestNode: what branches not taken need is kept, with what that needs to be
// loaded, and nothing that only its own functions load.
func TestNode(t *testing.T) {
	const modules = "/app/node_modules/"
	app := func(text string) Image {
		return Image{
			"/app/package.json": "{}", "/app/server.js": text, "/app/unused.js": "",
			modules + "csv/package.json": `{"main": "lib/csv.js"}`, modules + "csv/lib/csv.js": "require('./row'); require('dep'); exports.later = () => require('./later')",
			modules + "csv/lib/row.js": "", modules + "csv/lib/later.js": "", modules + "csv/README.md": "",
			modules + "dep/package.json": "{}", modules + "dep/index.json": "{}", modules + "typescript/index.js": "", modules + "typescript/package.json": "{}",
			modules + "sql/package.json": "{}", modules + "sql/index.js": "require('bindings')('sql.node'); var d = require('path').join(__dirname, 'schema')",
			modules + "sql/build/Release/sql.node": lib("liba.so"), modules + "sql/prebuilds/linux-arm64/sql.node": "", modules + "sql/prebuilds/linux-x64/sql.node": lib(),
			modules + "sql/schema/a.sql": "", modules + "sql/schema/b.js": "", triplet + "liba.so": lib(),
			modules + "gyp/package.json": "{}", modules + "gyp/index.js": "require('node-pre-gyp').find()", modules + "gyp/lib/binding/gyp.node": lib(),
			modules + "node-pre-gyp/package.json": "{}", modules + "node-pre-gyp/index.js": "module.exports = { get find() { return require('./lib/pre-binding').find } }",
			modules + "node-pre-gyp/lib/pre-binding.js": "require('..'); require('./versioning')", modules + "node-pre-gyp/lib/versioning.js": "", modules + "node-pre-gyp/lib/install.js": "",
			"/app/locale/de.js": "", "/app/locale/fr.json": "{}", "/app/locale/notes.txt": "", "/app/public/a.css": "", "/app/public/app.js": "require('csv')",
			"/app/lib/other.js": "", "/app/late.js": "exports.f = () => require('csv')",
		}
	}
	csv := []string{modules + "csv/lib/csv.js", modules + "csv/lib/row.js", modules + "csv/package.json", modules + "dep/index.json", modules + "dep/package.json"}
	tests := []struct {
		name string
		text string
		want []string // besides the app's package.json and server.js
	}{
		{"nothing", "require('http')", nil},
		{"a package in a function", "app.get('/csv', () => require('csv'))", csv},
		{"a package by its import", "async () => await import('csv')", csv},
		{"an own module", "function f() { require('./unused') }", []string{"/app/unused.js"}},
		{"what an own module loads later", "function f() { require('./late') }", append([]string{"/app/late.js"}, csv...)},
		{"a template's engine", "render('page.csv')", csv},
		{"a developer's tool", "function f() { require('typescript') }", nil},
		{"a name that is computed", "function f(l) { require('./locale/' + l) }", []string{"/app/locale/de.js", "/app/locale/fr.json"}},
		{"a name in a text", "connect({client: 'csv'})", csv},
		{"a native addon", "() => require('sql')", []string{
			modules + "sql/build/Release/sql.node", modules + "sql/index.js", modules + "sql/package.json", modules + "sql/prebuilds/linux-x64/sql.node",
			modules + "sql/schema", modules + "sql/schema/a.sql", triplet + "liba.so",
		}},
		{"a native addon behind a getter", "() => require('gyp')", []string{
			modules + "gyp/index.js", modules + "gyp/lib/binding/gyp.node", modules + "gyp/package.json",
			modules + "node-pre-gyp/index.js", modules + "node-pre-gyp/lib/pre-binding.js", modules + "node-pre-gyp/lib/versioning.js", modules + "node-pre-gyp/package.json",
		}},
		{"a folder of data", "serve('public')", []string{"/app/public", "/app/public/a.css"}},
		{"a word like a folder's name", "f('lib'); f('..'); f('../etc'); f('.')", nil},
		{"no module at all", "\x00 \xff {{{", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := resolve(t, rootfstest.Make(t, app(tt.text)), amd64(), "opened /app/server.js")
			must(t, err)
			got := slices.DeleteFunc(paths(set), func(p string) bool {
				return p == "/" || p == "/app/package.json" || p == "/app/server.js"
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestNodeLeavesOthersAlone: a module that the run did not load is not followed.
// TestNodeCopied: pages that are found by names that are computed.
func TestNodeCopied(t *testing.T) {
	image := Image{
		"/app/server.mjs": "await import(new URL(name, import.meta.url))", "/app/pages/a.mjs": "import h from 'dep'", "/app/public/b.js": "import 'other'",
		"/app/node_modules/dep/package.json": "{}", "/app/node_modules/dep/index.js": "", "/app/node_modules/other/index.js": "",
	}
	pack := amd64()
	pack.Copied = []manifest.Copy{{Dest: "/app"}}
	set, err := resolve(t, rootfstest.Make(t, image), pack, "opened /app/server.mjs")
	must(t, err)
	got := paths(set)
	for path, want := range map[string]bool{"/app/node_modules/dep/index.js": true, "/app/node_modules/other/index.js": false, "/app/public/b.js": true} {
		if slices.Contains(got, path) != want {
			t.Errorf("%s is kept: %t, want %t", path, !want, want)
		}
	}
}

func TestNodeLeavesOthersAlone(t *testing.T) {
	image := Image{"/app/a.js": "require('./b')", "/app/b.js": "", "/app/c.js": "require('./d')", "/app/d.js": ""}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "checked /app/a.js", "opened /app/c.js")
	must(t, err)
	if got, want := paths(set), []string{"/", "/app/a.js", "/app/c.js", "/app/d.js"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNodeGlobalModules: packages outside of node_modules are found where the
// image's environment and its distribution have Node look.
func TestNodeGlobalModules(t *testing.T) {
	const text = "() => require('dep')"
	tests := []struct {
		name, dir string
		env       []string
		want      bool
	}{
		{"NODE_PATH", "/srv/b", []string{"NODE_PATH=/srv/a::/srv/b"}, true},
		{"NODE_PATH from WORKDIR", "/work/lib", []string{"NODE_PATH=lib"}, true},
		{"no NODE_PATH", "/srv/b", nil, false},
		{"HOME", "/home/app/.node_modules", []string{"HOME=/home/app"}, true},
		{"HOME's older name", "/home/app/.node_libraries", []string{"HOME=/home/app"}, true},
		{"another's home", "/home/app/.node_modules", []string{"HOME=/home/other"}, false},
		{"the prefix", "/opt/node/lib/node", []string{"PATH=/opt/node/bin:/bin"}, true},
		{"the default PATH's prefix", "/usr/local/lib/node", nil, true},
		{"Debian's", "/usr/share/nodejs", nil, true},
		{"Debian's for native code", "/usr/lib/x86_64-linux-gnu/nodejs", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			image := Image{"/app/server.js": text, tt.dir + "/dep/package.json": "{}", tt.dir + "/dep/index.js": ""}
			pack := amd64()
			pack.Image.Env, pack.Image.WorkingDir = tt.env, "/work"
			set, err := resolve(t, rootfstest.Make(t, image), pack, "opened /app/server.js")
			must(t, err)
			for _, file := range []string{"/dep/package.json", "/dep/index.js"} {
				if got := slices.Contains(paths(set), tt.dir+file); got != tt.want {
					t.Errorf("%s is kept: %t, want %t", file, got, tt.want)
				}
			}
		})
	}
}

// TestResolutionAgainstNode compares where names lead with what Node itself
// says, for every name in every module of a real installation.
func TestResolutionAgainstNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	out, err := exec.CommandContext(t.Context(), "../../hack/modules.sh", "../../examples/express").Output()
	if err != nil {
		missing(t, "an npm installation (hack/modules.sh examples/express)")
	}
	top, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)) + "/app")
	must(t, err)
	type question struct{ From, Name string }
	var questions []question
	must(t, filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".js") || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, load := range jsmodule.Scan(text).Loads {
			if !load.Prefix && !load.ESM {
				questions = append(questions, question{path, load.Name})
			}
		}
		return err
	}))
	if len(questions) < 300 {
		t.Fatalf("only %d names in %s", len(questions), top)
	}
	input, err := json.Marshal(questions)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), node, "-e", `
		const { createRequire } = require("module");
		const questions = JSON.parse(require("fs").readFileSync(0));
		console.log(JSON.stringify(questions.map(q => {
			try { return createRequire(q.From).resolve(q.Name) } catch { return "" }
		})))`)
	cmd.Stdin = bytes.NewReader(input)
	answer, err := cmd.Output()
	must(t, err)
	var want []string
	must(t, json.Unmarshal(answer, &want))
	resolver := jsmodule.NewResolver(disk{}, nil)
	for i, q := range questions {
		got, _ := resolver.Resolve(q.From, jsmodule.Load{Name: q.Name})
		if !filepath.IsAbs(want[i]) {
			want[i] = "" // Node's own
		}
		if got.Path != want[i] {
			t.Errorf("%s in %s: got %q, Node says %q", q.Name, q.From, got.Path, want[i])
		}
	}
	t.Logf("compared %d names", len(questions))
}

// disk is this machine's files.
type disk struct{}

func (disk) IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (disk) IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (disk) Read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}
