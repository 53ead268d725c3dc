package jsmodule

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// Files is the tree that modules are looked for in. Paths are absolute and
// clean; links are followed.
type Files interface {
	IsFile(path string) bool
	IsDir(path string) bool
	// Read returns a file's content; nil if there is none, or if it is no
	// package.json by its size.
	Read(path string) []byte
}

// Resolver finds modules as Node.js does (nodejs.org/api/modules.html, "All
// together", and /api/packages.html). It remembers what package.json files say.
type Resolver struct {
	files    Files
	global   []string
	packages map[string]*manifest // by path of the package.json; nil: none
}

// NewResolver returns a Resolver. The global folders are where Node looks for
// packages last, in their order (Module.globalPaths).
func NewResolver(files Files, global []string) *Resolver {
	return &Resolver{files: files, global: global, packages: map[string]*manifest{}}
}

// Found is where a name led.
type Found struct {
	Path string
	// Read are the package.json files that Node reads on the way.
	Read []string
}

// manifest is what counts of a package.json.
type manifest struct {
	Name, Main       string
	Exports, Imports json.RawMessage
}

// maxPackages bounds the package.json files that are remembered.
const maxPackages = 1 << 13

func (r *Resolver) manifest(file string) *manifest {
	if m, ok := r.packages[file]; ok {
		return m
	}
	if len(r.packages) >= maxPackages {
		clear(r.packages)
	}
	var m *manifest
	if r.files.IsFile(file) {
		m = readManifest(r.files.Read(file))
	}
	r.packages[file] = m
	return m
}

// readManifest reads a package.json; what is of the wrong type counts as
// absent, as for Node.
func readManifest(data []byte) *manifest {
	m := &manifest{}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return m
	}
	m.Exports, m.Imports = fields["exports"], fields["imports"]
	for key, into := range map[string]*string{"name": &m.Name, "main": &m.Main} {
		if json.Unmarshal(fields[key], into) != nil {
			*into = ""
		}
	}
	if bytes.Equal(m.Exports, []byte("null")) {
		m.Exports = nil
	}
	return m
}

// builtins are the modules that Node has itself and that a package could be
// called like (module.builtinModules).
var builtins = []string{
	"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
	"diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os",
	"path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys",
	"timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
}

// IsBuiltin says whether Node has the module itself.
func IsBuiltin(name string) bool {
	top, _, sub := strings.Cut(name, "/")
	return strings.HasPrefix(name, "node:") || slices.Contains(builtins, top) && (!sub || !strings.HasSuffix(name, "/"))
}

// Resolve finds the file that the module at the path from loads by a name.
func (r *Resolver) Resolve(from string, load Load) (Found, bool) {
	q := &query{resolver: r, conditions: []string{"node", "module-sync", "default"}}
	if load.ESM {
		q.conditions = append(q.conditions, "import")
	} else {
		q.conditions = append(q.conditions, "require")
	}
	name, dir := load.Name, path.Dir(from)
	var file string
	switch {
	case IsBuiltin(name) || strings.ContainsRune(name, 0):
	case strings.HasPrefix(name, "/"):
		file = q.fileOrDir(path.Clean(name), strings.HasSuffix(name, "/"))
	case name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../"):
		file = q.fileOrDir(path.Join(dir, name), strings.HasSuffix(name, "/") || strings.HasSuffix(name, "."))
	case strings.HasPrefix(name, "#"):
		file = q.privateImport(dir, name)
	default:
		file = q.bare(dir, name)
	}
	return Found{Path: file, Read: q.read}, file != ""
}

// Scope returns the package.json of the package that the file belongs to, or "".
func (r *Resolver) Scope(file string) string {
	for dir := path.Dir(file); path.Base(dir) != "node_modules"; dir = path.Dir(dir) {
		if own := path.Join(dir, "package.json"); r.manifest(own) != nil {
			return own
		}
		if dir == "/" {
			break
		}
	}
	return ""
}

// query is one look-up.
type query struct {
	resolver   *Resolver
	conditions []string
	read       []string
	depth      int
}

// extensions are those that Node adds by itself.
var extensions = []string{"", ".js", ".json", ".node"}

func (q *query) file(name string) string {
	for _, ext := range extensions {
		if q.resolver.files.IsFile(name + ext) {
			return name + ext
		}
	}
	return ""
}

// fileOrDir is LOAD_AS_FILE, then LOAD_AS_DIRECTORY.
func (q *query) fileOrDir(name string, dirOnly bool) string {
	if !dirOnly {
		if file := q.file(name); file != "" {
			return file
		}
	}
	if !q.resolver.files.IsDir(name) {
		return ""
	}
	own := path.Join(name, "package.json")
	if m := q.resolver.manifest(own); m != nil {
		q.read = append(q.read, own)
		if m.Main != "" {
			main := path.Join(name, m.Main)
			if file := q.file(main); file != "" {
				return file
			}
			if file := q.index(main); file != "" {
				return file
			}
		}
	}
	return q.index(name)
}

func (q *query) index(dir string) string {
	for _, ext := range extensions[1:] {
		if file := path.Join(dir, "index"+ext); q.resolver.files.IsFile(file) {
			return file
		}
	}
	return ""
}

// bare is LOAD_PACKAGE_SELF, then LOAD_NODE_MODULES.
func (q *query) bare(dir, name string) string {
	top, sub := splitPackage(name)
	if top == "" {
		return ""
	}
	if own := q.resolver.Scope(path.Join(dir, "x")); own != "" {
		if m := q.resolver.manifest(own); m.Name == top && m.Exports != nil {
			q.read = append(q.read, own)
			return q.exported(path.Dir(own), m.Exports, sub)
		}
	}
	for ; ; dir = path.Dir(dir) {
		if path.Base(dir) != "node_modules" {
			if file, ok := q.installed(path.Join(dir, "node_modules"), top, sub); ok {
				return file
			}
		}
		if dir == "/" {
			break
		}
	}
	for _, dir := range q.resolver.global {
		if file, ok := q.installed(dir, top, sub); ok {
			return file
		}
	}
	return ""
}

// installed looks a package up in one node_modules folder. It returns false
// when the next one has to be tried.
func (q *query) installed(modules, top, sub string) (string, bool) {
	if !q.resolver.files.IsDir(modules) {
		return "", false
	}
	dir := path.Join(modules, top)
	own := path.Join(dir, "package.json")
	if m := q.resolver.manifest(own); m != nil && m.Exports != nil {
		q.read = append(q.read, own)
		return q.exported(dir, m.Exports, sub), true
	}
	file := q.fileOrDir(path.Join(dir, sub), strings.HasSuffix(sub, "/"))
	return file, file != ""
}

// splitPackage splits "@scope/name/sub" into "@scope/name" and "./sub"; the
// second is "." for the package itself.
func splitPackage(name string) (top, sub string) {
	parts := strings.SplitN(name, "/", 3)
	n := 1
	if strings.HasPrefix(name, "@") {
		n = 2
	}
	if len(parts) < n || parts[0] == "" || strings.HasPrefix(parts[0], ".") {
		return "", ""
	}
	top = strings.Join(parts[:n], "/")
	if rest := strings.TrimPrefix(name[len(top):], "/"); rest != "" {
		return top, "./" + rest
	}
	return top, "."
}

// exported is PACKAGE_EXPORTS_RESOLVE: exports may be a map of subpaths, or
// what stands for "." alone.
func (q *query) exported(dir string, exports json.RawMessage, sub string) string {
	if fields := object(exports); len(fields) > 0 && strings.HasPrefix(fields[0].key, ".") {
		return q.match(dir, fields, sub)
	}
	if sub == "." {
		return q.target(dir, exports, "")
	}
	return ""
}

// privateImport is PACKAGE_IMPORTS_RESOLVE.
func (q *query) privateImport(dir, name string) string {
	own := q.resolver.Scope(path.Join(dir, "x"))
	if own == "" {
		return ""
	}
	q.read = append(q.read, own)
	return q.match(path.Dir(own), object(q.resolver.manifest(own).Imports), name)
}

// match is PACKAGE_IMPORTS_EXPORTS_RESOLVE: a key that is the name, or else the
// longest with a * in its place, or that ends in a slash.
func (q *query) match(dir string, fields []field, name string) string {
	var best field
	var star string
	for _, f := range fields {
		if f.key == name && !strings.Contains(name, "*") {
			return q.target(dir, f.value, "")
		}
		before, after, ok := strings.Cut(f.key, "*")
		if !ok {
			if !strings.HasSuffix(f.key, "/") {
				continue
			}
			before = f.key
		}
		if len(before) > len(strings.SplitN(best.key, "*", 2)[0]) && len(name) > len(before)+len(after) &&
			strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			best, star = f, name[len(before):len(name)-len(after)]
		}
	}
	if best.key == "" {
		return ""
	}
	return q.target(dir, best.value, star)
}

// maxDepth bounds nested conditions.
const maxDepth = 32

// target is PACKAGE_TARGET_RESOLVE: a path, conditions of which the first that
// holds counts, or alternatives.
func (q *query) target(dir string, value json.RawMessage, star string) string {
	if q.depth++; q.depth > maxDepth {
		return ""
	}
	defer func() { q.depth-- }()
	var text string
	if json.Unmarshal(value, &text) == nil && text != "" {
		return q.targetPath(dir, text, star)
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		for _, alternative := range list {
			if file := q.target(dir, alternative, star); file != "" {
				return file
			}
		}
		return ""
	}
	for _, f := range object(value) {
		if slices.Contains(q.conditions, f.key) {
			if file := q.target(dir, f.value, star); file != "" {
				return file
			}
		}
	}
	return ""
}

func (q *query) targetPath(dir, text, star string) string {
	if strings.HasSuffix(text, "/") {
		text += star // a folder, as was allowed before patterns
	} else {
		text = strings.ReplaceAll(text, "*", star)
	}
	if !strings.HasPrefix(text, "./") {
		if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "../") {
			return ""
		}
		return q.bare(dir, text) // imports may name a package
	}
	file := path.Join(dir, text)
	if !strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/") || !q.resolver.files.IsFile(file) {
		return ""
	}
	return file
}

// field is a member of a JSON object.
type field struct {
	key   string
	value json.RawMessage
}

// object returns the members of a JSON object in their order; nil for anything
// else.
func object(data json.RawMessage) []field {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var fields []field
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fields
		}
		name, ok := key.(string)
		var f field
		if !ok || dec.Decode(&f.value) != nil {
			return fields
		}
		f.key = name
		fields = append(fields, f)
	}
	return fields
}
