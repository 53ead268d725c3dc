package keepset

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/jsmodule"
	"github.com/org/slimfile/sensor/rootfs"
)

var nodeFamilies = []family{
	{rule: "node", name: regexp.MustCompile(`^node(js)?$`), folder: regexp.MustCompile(`/bin$`), keep: keepNodeRuntime},
	{rule: "node", name: regexp.MustCompile(`\.[cm]?js$`), keep: keepNodeModule},
}

// keepNodeRuntime keeps what Node itself reads when a program first asks for
// it: the modules that Debian builds it without, and the ICU data that the
// environment names (nodejs.org/api/intl.html).
func keepNodeRuntime(b *builder, f familyFile) error {
	if dir := b.env["NODE_ICU_DATA"]; dir != "" {
		if err := b.keepUnder(b.abs(dir), "icudt*.dat", RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return b.followAll(RuntimeRule, f.id,
		"/usr/share/nodejs/acorn/dist/acorn.js", "/usr/share/nodejs/acorn-walk/dist/walk.js",
		"/usr/share/nodejs/cjs-module-lexer/lexer.js", "/usr/share/nodejs/cjs-module-lexer/dist/lexer.js",
		"/usr/share/nodejs/undici/undici-fetch.js")
}

// globalModules are the folders in which Node looks for packages last
// (nodejs.org/api/modules.html, "Loading from the global folders"), and
// Debian's own.
func (b *builder) globalModules() ([]string, error) {
	home, err := b.home()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, dir := range filepath.SplitList(b.env["NODE_PATH"]) {
		if dir != "" {
			dirs = append(dirs, b.abs(dir))
		}
	}
	dirs = append(dirs, b.abs(path.Join(home, ".node_modules")), b.abs(path.Join(home, ".node_libraries")))
	for _, bin := range filepath.SplitList(b.finder.Path()) {
		if path.IsAbs(bin) {
			dirs = append(dirs, path.Join(bin, "../lib/node"))
		}
	}
	for _, name := range b.tried.Names("/usr/lib") {
		if strings.Contains(name, "-linux-gnu") { // a multiarch triplet
			dirs = append(dirs, path.Join("/usr/lib", name, "nodejs"))
		}
	}
	return append(dirs, "/usr/share/nodejs", "/usr/lib/nodejs"), b.tried.err
}

// developerPackages are loaded by programs that are developed with them; one
// that a run did not load is of no use to an image.
var developerPackages = []string{
	"@babel/core", "@swc/core", "coffee-script", "coffeescript", "esbuild", "eslint", "jest", "karma", "mocha", "node-gyp",
	"npm", "nyc", "prettier", "rollup", "ts-node", "tslint", "tsx", "typescript", "vite", "webpack", "yarn",
}

// addonLoaders find a package's native addon by themselves.
var addonLoaders = []string{"bindings", "node-gyp-build", "node-gyp-build-optional-packages", "node-pre-gyp", "@mapbox/node-pre-gyp", "prebuildify"}

// browserFolder matches where apps have what they serve to browsers.
var browserFolder = regexp.MustCompile(`/(public|static|assets|dist|www)(/|$)`)

// keepNodeModule keeps what a JavaScript module loads: of one that the run
// loaded, what branches not taken name too; of one that such a branch names,
// what it needs to be loaded. A module that is there for another reason,
// which may be a browser's, is left alone. The app's own modules count as
// loaded: a route or a page is one that some request asks for.
func keepNodeModule(b *builder, f familyFile) error {
	own := b.isOwn(f.path)
	n := b.tree.at(f.id)
	needed := n.flags&imported != 0 || n.reasons&User != 0
	loaded := b.isLoaded(f.id) || own && (needed || n.reasons&Copied != 0 && !browserFolder.MatchString(f.dir))
	if !loaded && !needed {
		return nil
	}
	text, err := b.readSource(f.path)
	if err != nil || text == nil {
		return err
	}
	m := nodeModule{b: b, file: f, loaded: loaded, top: f.dir, own: own}
	if scope := b.modules.Scope(f.path); scope != "" {
		m.top = path.Dir(scope)
		if err := b.followAll(RuntimeRule, f.id, scope); err != nil {
			return err
		}
	}
	if err := m.keep(jsmodule.Scan(text)); err != nil {
		return err
	}
	return b.tried.err
}

// nodeModule is a module whose needs are being kept.
type nodeModule struct {
	b      *builder
	file   familyFile
	loaded bool
	top    string // folder of its package
	own    bool   // the app's, not a package's
}

func (m nodeModule) keep(s jsmodule.Source) error {
	for _, load := range s.Loads {
		if load.Lazy && !m.loaded {
			continue
		}
		if err := m.load(load); err != nil {
			return err
		}
	}
	for _, text := range s.Texts {
		if err := m.text(text); err != nil {
			return err
		}
	}
	return nil
}

func (m nodeModule) load(load jsmodule.Load) error {
	if load.Prefix {
		return m.loadAny(load.Name)
	}
	if slices.Contains(developerPackages, load.Name) {
		return nil
	}
	if slices.Contains(addonLoaders, load.Name) {
		if err := m.keepAddons(); err != nil {
			return err
		}
		// node-pre-gyp has what finds them behind a getter.
		if err := m.load(jsmodule.Load{Name: load.Name + "/lib/pre-binding"}); err != nil {
			return err
		}
	}
	found, ok := m.b.modules.Resolve(m.file.path, load)
	if !ok {
		return nil
	}
	if err := m.b.followAll(RuntimeRule, m.file.id, found.Read...); err != nil {
		return err
	}
	return m.b.keepModule(found.Path, m.file.id)
}

// maxAlternatives bounds the modules that one computed name may mean.
const maxAlternatives = 512

// loadAny keeps the modules whose names begin with what a computed name begins
// with: require("./locale/" + name).
func (m nodeModule) loadAny(prefix string) error {
	if !strings.HasPrefix(prefix, "./") && !strings.HasPrefix(prefix, "../") {
		return nil
	}
	dir, start := path.Join(m.file.dir, path.Dir(prefix+"x")), path.Base(prefix+"x")
	start = strings.TrimSuffix(start, "x")
	if !strings.HasPrefix(dir+"/", strings.TrimSuffix(m.top, "/")+"/") || dir == m.top {
		return nil
	}
	var found []string
	for _, name := range m.b.tried.Names(dir) {
		if strings.HasPrefix(name, start) && slices.Contains([]string{".js", ".cjs", ".mjs", ".json", ".node"}, path.Ext(name)) {
			found = append(found, rootfs.Join(dir, name))
		}
	}
	if len(found) > maxAlternatives {
		m.b.skipped = append(m.b.skipped, fmt.Sprintf("%q", dir))
		return nil
	}
	for _, file := range found {
		if err := m.b.keepModule(file, m.file.id); err != nil {
			return err
		}
	}
	return nil
}

// keepAddons keeps the native addons where the usual loaders look for them. Of
// ready-made ones only the image's platform counts.
func (m nodeModule) keepAddons() error {
	arch := map[string]string{"amd64": "x64", "386": "ia32"}
	_, platform, _ := strings.Cut(m.b.pack.Platform, "/")
	platform, _, _ = strings.Cut(platform, "/")
	if name, ok := arch[platform]; ok {
		platform = name
	}
	for _, pattern := range []string{
		"build/*.node", "build/Release/*.node", "build/default/*.node", "out/Release/*.node", "compiled/**/*.node", "lib/binding/**/*.node",
		"prebuilds/linux-" + platform + "*/*.node", "package.json",
	} {
		if err := m.b.keepUnder(m.top, pattern, RuntimeRule, m.file.id); err != nil {
			return err
		}
	}
	return nil
}

// packageName is what npm lets a package be called.
var packageName = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$`)

// text keeps the data that a string literal names; one of the app itself may
// also name a package, such as a database's driver or a view engine, or a
// template whose suffix is the engine's name.
func (m nodeModule) text(text string) error {
	for _, name := range []string{text, strings.TrimPrefix(path.Ext(text), ".")} {
		if !m.own || !m.loaded || !packageName.MatchString(name) || slices.Contains(developerPackages, name) {
			continue
		}
		if _, ok := m.b.modules.Resolve(m.file.path, jsmodule.Load{Name: name}); ok {
			return m.load(jsmodule.Load{Name: name})
		}
	}
	return m.b.keepText(dataText{text: text, dirs: []string{m.file.dir, m.top}, top: m.top, via: m.file.id})
}
