package jsmodule

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	tests := []struct {
		name   string
		module string
		loads  []Load
		texts  []string
	}{
		{"required", `const a = require("a"), b = require('./b').c; require(x)`, []Load{{Name: "a"}, {Name: "./b"}}, nil},
		{"in a branch", `if (process.env.X) { a = require("a") } else try { require("b") } catch {}`, []Load{{Name: "a"}, {Name: "b"}}, nil},
		{"in a function", `function f() { return require("a") }; const g = () => require("b"); class C { m() { import("c") } }`,
			[]Load{{Name: "a", Lazy: true}, {Name: "b", Lazy: true}, {Name: "c", ESM: true, Lazy: true}}, nil},
		{"in a function that is called at once", `(function (r) { r(require("a")); return () => require("b") })(this); (() => { require("c") })(); (function () { require("d") }).call(this)`,
			[]Load{{Name: "a"}, {Name: "b", Lazy: true}, {Name: "c"}, {Name: "d"}}, nil},
		{"imported", `import a from "a"; import "b"; export * from "c"; export { d } from './d'; const e = await import("e")`,
			[]Load{{Name: "a", ESM: true}, {Name: "b", ESM: true}, {Name: "c", ESM: true}, {Name: "./d", ESM: true}, {Name: "e", ESM: true}}, nil},
		{"resolved", "require.resolve(`a`)", []Load{{Name: "a"}}, nil},
		{"computed", "require('./locale/' + x + '.js'); import(`./langs/${x}`); require('x' + y); require(`${x}/y`)",
			[]Load{{Name: "./locale/", Prefix: true}, {Name: "./langs/", ESM: true, Prefix: true}}, []string{"x"}},
		{"not in comments and strings", `// require("a")` + "\n/* require('b') */ x = 'require(\"c\")'; y = /require('d')/", nil, []string{`require("c")`}},
		{"texts", `f("views"); path.join(__dirname, "..", 'x.json'); resolve(__dirname, "a", "b"); __dirname + "/c"; new URL("./d", import.meta.url); "has blank"; "esc\n"`,
			nil, []string{"views", "../x.json", "./a/b", "./c", "./d"}},
		{"no grammar", `@@@ require("a"); import x from 'b'`, []Load{{Name: "a"}, {Name: "b", ESM: true}}, nil},
		{"script of a shell's interpreter", "#!/usr/bin/env node\nrequire('a')", []Load{{Name: "a"}}, nil},
		{"modern", "class A { #p = 1; static { require('a') } get x() { return this.#p ?? 0 } }; a?.b; a ||= 1n; label: for await (const x of y) {}", []Load{{Name: "a"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Scan([]byte(tt.module))
			if !slices.Equal(got.Loads, tt.loads) {
				t.Errorf("loads %+v, want %+v", got.Loads, tt.loads)
			}
			if !slices.Equal(got.Texts, tt.texts) {
				t.Errorf("texts %q, want %q", got.Texts, tt.texts)
			}
		})
	}
}

// tree is a set of files, by path.
type tree map[string]string

func (t tree) IsFile(p string) bool { _, ok := t[p]; return ok }

func (t tree) IsDir(p string) bool {
	for file := range t {
		if strings.HasPrefix(file, strings.TrimSuffix(p, "/")+"/") {
			return true
		}
	}
	return false
}

func (t tree) Read(p string) []byte {
	if text, ok := t[p]; ok {
		return []byte(text)
	}
	return nil
}

func TestResolve(t *testing.T) {
	files := tree{
		"/app/package.json": `{"name": "app", "imports": {"#db": {"node": "./db.js", "default": "./web.js"}, "#dep": "plain", "#int/*": "./lib/*.js"}}`,
		"/app/db.js":        "", "/app/web.js": "", "/app/lib/x.js": "", "/app/lib/y/index.json": "", "/app/lib/z.node": "", "/app/lib.js": "",
		"/app/lib/main/package.json": `{"main": "./start"}`, "/app/lib/main/start.js": "", "/app/lib/bad/package.json": `{"main": 7`, "/app/lib/bad/index.js": "",
		"/app/node_modules/plain/package.json": `{"main": "lib"}`, "/app/node_modules/plain/lib/index.js": "", "/app/node_modules/plain/sub.js": "",
		"/app/node_modules/@s/p/package.json": `{"exports": {".": {"types": "./t.d.ts", "import": {"node": "./n.mjs"}, "require": "./c.cjs"}, "./sub": "./lib/sub.js", "./f/*": "./lib/*.js", "./f/no/*": null, "./old/": "./lib/", "./list": ["missing:", "./c.cjs"], "./out": "../../../db.js"}}`,
		"/app/node_modules/@s/p/n.mjs":        "", "/app/node_modules/@s/p/c.cjs": "", "/app/node_modules/@s/p/lib/sub.js": "", "/app/node_modules/@s/p/lib/no/x.js": "",
		"/app/node_modules/one/package.json": `{"name": "one", "exports": "./o.js"}`, "/app/node_modules/one/o.js": "", "/app/node_modules/one/deep/x.js": "",
		"/node_modules/up/index.js": "", "/app/node_modules/fs/index.js": "", "/app/node_modules/punycode/index.js": "",
		"/usr/share/nodejs/semver/index.js": "", "/usr/share/nodejs/both/index.js": "", "/srv/modules/both/package.json": `{"exports": "./b.js"}`, "/srv/modules/both/b.js": "",
		"/srv/modules/up/index.js": "",
	}
	global := []string{"/nowhere", "/srv/modules", "/usr/share/nodejs"}
	tests := []struct {
		from string
		load Load
		want string
		read []string
	}{
		{"/app/db.js", Load{Name: "./lib/x"}, "/app/lib/x.js", nil},
		{"/app/db.js", Load{Name: "./lib/y"}, "/app/lib/y/index.json", nil},
		{"/app/db.js", Load{Name: "./lib/z"}, "/app/lib/z.node", nil},
		{"/app/db.js", Load{Name: "./lib"}, "/app/lib.js", nil},
		{"/app/db.js", Load{Name: "./lib/"}, "", nil},
		{"/app/lib/x.js", Load{Name: "../lib/main"}, "/app/lib/main/start.js", []string{"/app/lib/main/package.json"}},
		{"/app/lib/x.js", Load{Name: "./bad"}, "/app/lib/bad/index.js", []string{"/app/lib/bad/package.json"}},
		{"/app/lib/x.js", Load{Name: "/app/web"}, "/app/web.js", nil},
		{"/app/lib/x.js", Load{Name: "plain"}, "/app/node_modules/plain/lib/index.js", []string{"/app/node_modules/plain/package.json"}},
		{"/app/lib/x.js", Load{Name: "plain/sub"}, "/app/node_modules/plain/sub.js", nil},
		{"/app/lib/x.js", Load{Name: "@s/p"}, "/app/node_modules/@s/p/c.cjs", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p", ESM: true}, "/app/node_modules/@s/p/n.mjs", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/sub"}, "/app/node_modules/@s/p/lib/sub.js", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/f/sub"}, "/app/node_modules/@s/p/lib/sub.js", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/f/no/x"}, "", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/old/sub.js"}, "/app/node_modules/@s/p/lib/sub.js", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/list"}, "/app/node_modules/@s/p/c.cjs", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/out"}, "", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "@s/p/lib/sub.js"}, "", []string{"/app/node_modules/@s/p/package.json"}},
		{"/app/lib/x.js", Load{Name: "one"}, "/app/node_modules/one/o.js", []string{"/app/node_modules/one/package.json"}},
		{"/app/lib/x.js", Load{Name: "one/deep/x.js"}, "", []string{"/app/node_modules/one/package.json"}},
		{"/app/node_modules/one/deep/x.js", Load{Name: "one"}, "/app/node_modules/one/o.js", []string{"/app/node_modules/one/package.json"}},
		{"/app/node_modules/one/o.js", Load{Name: "plain"}, "/app/node_modules/plain/lib/index.js", []string{"/app/node_modules/plain/package.json"}},
		{"/app/lib/x.js", Load{Name: "up"}, "/node_modules/up/index.js", nil},
		{"/app/lib/x.js", Load{Name: "semver"}, "/usr/share/nodejs/semver/index.js", nil},
		{"/app/lib/x.js", Load{Name: "both"}, "/srv/modules/both/b.js", []string{"/srv/modules/both/package.json"}},
		{"/app/lib/x.js", Load{Name: "#db"}, "/app/db.js", []string{"/app/package.json"}},
		{"/app/lib/x.js", Load{Name: "#int/x"}, "/app/lib/x.js", []string{"/app/package.json"}},
		{"/app/lib/x.js", Load{Name: "#dep"}, "/app/node_modules/plain/lib/index.js", []string{"/app/package.json", "/app/node_modules/plain/package.json"}},
		{"/app/lib/x.js", Load{Name: "fs"}, "", nil},
		{"/app/lib/x.js", Load{Name: "node:fs/promises"}, "", nil},
		{"/app/lib/x.js", Load{Name: "punycode/"}, "/app/node_modules/punycode/index.js", nil},
		{"/app/lib/x.js", Load{Name: "absent"}, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.load.Name+" from "+path.Base(tt.from), func(t *testing.T) {
			got, ok := NewResolver(files, global).Resolve(tt.from, tt.load)
			if got.Path != tt.want || ok != (tt.want != "") || !slices.Equal(got.Read, tt.read) {
				t.Errorf("got %+v, want %q and %q", got, tt.want, tt.read)
			}
		})
	}
}

func TestScope(t *testing.T) {
	r := NewResolver(tree{"/app/package.json": "{}", "/app/node_modules/m/x.js": "", "/app/node_modules/n/package.json": "{}"}, nil)
	for file, want := range map[string]string{
		"/app/lib/x.js": "/app/package.json", "/app/node_modules/m/x.js": "", "/app/node_modules/n/a/b.js": "/app/node_modules/n/package.json", "/x.js": "",
	} {
		if got := r.Scope(file); got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{`require("a")`, "import x from 'y'", "`${a}`", `(function(){})()`, "__dirname + '/x'", "a?.[`b`]", "class{static{}}", "/[/]/", "\\", "#!x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		before := slices.Clone(module)
		s := Scan(module)
		if !slices.Equal(before, module) {
			t.Error("the module was changed")
		}
		for _, load := range s.Loads {
			if load.Name == "" {
				t.Error("a load without a name")
			}
		}
		for _, text := range s.Texts {
			if text == "" || len(text) > maxText {
				t.Errorf("text %q", text)
			}
		}
	})
}

func FuzzResolve(f *testing.F) {
	f.Add(`{"exports": {"./*": ["./*.js", {"node": "x"}]}, "imports": {"#a": "#b", "#b": "#a"}}`, "p/a", true)
	f.Add(`{"name": "p", "exports": {".": {"import": "p"}}}`, "#a", false)
	f.Add(`{"main": "../../etc/passwd"}`, "p", false)
	f.Fuzz(func(t *testing.T, data, name string, esm bool) {
		files := tree{"/app/node_modules/p/package.json": data, "/app/package.json": data, "/app/x.js": "", "/app/node_modules/p/index.js": ""}
		found, ok := NewResolver(files, []string{"/app/node_modules"}).Resolve("/app/x.js", Load{Name: name, ESM: esm})
		if ok && !files.IsFile(found.Path) {
			t.Errorf("found %q", found.Path)
		}
	})
}
