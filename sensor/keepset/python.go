package keepset

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/pymodule"
	"github.com/org/slimfile/sensor/rootfs"
)

var pythonFamilies = []family{
	{rule: "python", name: regexp.MustCompile(`\.py$`), keep: keepPythonSource},
	{rule: "python", name: regexp.MustCompile(`^(.+)\.cpython-\d+(\.opt-\d)?\.pyc$`), folder: regexp.MustCompile(`/__pycache__$`), keep: keepPythonByteCode},
	{rule: "python", name: regexp.MustCompile(`\.(cpython-\d+[^/]*|abi3)\.so$`), keep: keepPythonExtension},
	{rule: "python", name: regexp.MustCompile(`\.(py|pyc|so)$`), folder: regexp.MustCompile(`/(site|dist)-packages(/|$)`), keep: keepDistribution, needed: true},
}

// developerModules are imported by programs that are tested, built or debugged;
// one that the run did not import is of no use to an image.
var developerModules = map[string]bool{
	"antigravity": true, "bdb": true, "cProfile": true, "distutils": true, "doctest": true, "ensurepip": true, "idlelib": true,
	"lib2to3": true, "pdb": true, "profile": true, "pstats": true, "pydoc": true, "pydoc_data": true, "test": true, "this": true,
	"tkinter": true, "trace": true, "turtle": true, "turtledemo": true, "unittest": true, "venv": true, "webbrowser": true,

	"Cython": true, "IPython": true, "_pytest": true, "black": true, "coverage": true, "hypothesis": true, "ipykernel": true,
	"ipywidgets": true, "mypy": true, "nose": true, "notebook": true, "pip": true, "py": true, "pytest": true, "setuptools": true,
	"sphinx": true, "tox": true, "wheel": true,
}

// testModules are those of them that libraries import for the helpers that they
// have for tests, without which they cannot be imported.
var testModules = map[string]bool{
	"bdb": true, "distutils": true, "doctest": true, "pdb": true, "pydoc": true, "trace": true, "unittest": true,
}

// developerParts are the same within packages.
var developerParts = []string{"_pytest", "_reloader", "async_case", "conftest", "distutils", "f2py", "test", "testing", "tests"}

// frozenModules are part of the interpreter (Python/frozen.c), or read whenever
// it starts.
var frozenModules = map[string]bool{
	"_collections_abc": true, "_sitebuiltins": true, "abc": true, "codecs": true, "genericpath": true, "importlib._bootstrap": true,
	"importlib._bootstrap_external": true, "importlib.machinery": true, "importlib.util": true, "io": true, "ntpath": true, "os": true,
	"posixpath": true, "runpy": true, "site": true, "stat": true, "zipimport": true,
}

// stdlibModules are those that the standard library itself imports late and
// that few programs come to: archives, other protocols, other systems.
var stdlibModules = map[string]bool{
	"_threading_local": true, "argparse": true, "cgi": true, "ctypes": true, "fractions": true, "ftplib": true, "getopt": true,
	"getpass": true, "multiprocessing": true, "netrc": true, "nturl2path": true, "optparse": true, "pickletools": true,
	"plistlib": true, "pty": true, "shelve": true, "smtplib": true, "statistics": true, "subprocess": true, "tarfile": true,
	"tracemalloc": true, "tty": true, "xmlrpc": true, "zipfile": true,
}

// packageModules are those that packages import late for another kind of
// program than the one that ran: with an event loop, or at a terminal.
var packageModules = map[string]bool{
	"asyncio": true, "code": true, "codeop": true, "curses": true, "getpass": true, "pty": true, "readline": true, "rlcompleter": true,
	"termios": true, "tty": true,
}

// encodingModules are the codecs that programs ask for by a name from outside:
// of a file, a mail, a page or a host.
var encodingModules = []string{
	"__init__", "aliases", "ascii", "base64_codec", "charmap", "cp1250", "cp1251", "cp1252", "cp437", "hex_codec", "idna",
	"iso8859_1", "iso8859_15", "iso8859_2", "koi8_r", "latin_1", "punycode", "quopri_codec", "raw_unicode_escape",
	"unicode_escape", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7", "utf_8", "utf_8_sig",
	"zlib_codec",
}

// keepPythonSource keeps what a Python module imports: of one that the run
// loaded, and of the app's own, in functions and branches not taken too; of one
// that such a line names, what it needs to be imported.
func keepPythonSource(b *builder, f familyFile) error {
	n := b.tree.at(f.id)
	loaded := b.isLoaded(f.id) || n.reasons&Copied != 0 && b.isOwn(f.path)
	if !loaded && n.flags&imported == 0 && n.reasons&User == 0 {
		return nil
	}
	return b.keepImports(f.path, f.id, loaded)
}

// keepPythonByteCode is keepPythonSource for a module of which the run read the
// byte code: then it only looked whether the source is older.
func keepPythonByteCode(b *builder, f familyFile) error {
	if !b.isLoaded(f.id) {
		return nil
	}
	source := rootfs.Join(rootfs.Parent(f.dir), f.match[1]+".py")
	if !b.tried.IsFile(source) {
		return b.tried.err
	}
	return b.keepImports(source, f.id, true)
}

// keepPythonExtension is keepPythonSource for a compiled module.
func keepPythonExtension(b *builder, f familyFile) error {
	loaded := b.isLoaded(f.id)
	if !loaded && b.tree.at(f.id).flags&imported == 0 {
		return nil
	}
	file, err := b.root.OpenFile(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	m := b.module(f.path, f.id, loaded)
	// Which a name is, relative or not, the file does not tell.
	inPackage := m.dir != m.root && rootfs.Base(m.dir) != "lib-dynload"
	found := map[string]bool{}
	err = pymodule.Names(file, func(name []byte) {
		top, _, _ := bytes.Cut(name, []byte("."))
		if len(b.pythonTops()[string(top)]) > 0 || inPackage && hasName(b.tried.Names(m.dir), string(top)) {
			found[string(name)] = true
		}
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if err := m.keepImport(pymodule.Import{Module: name, Lazy: true}); err != nil {
			return err
		}
		if !inPackage {
			continue
		}
		if err := m.keepImport(pymodule.Import{Module: name, Level: 1, Lazy: true}); err != nil {
			return err
		}
	}
	return b.tried.err
}

func (b *builder) keepImports(source string, id nodeID, loaded bool) error {
	text, err := b.readSource(source)
	if err != nil || text == nil {
		return ignoreAbsent(err)
	}
	if err := b.module(source, id, loaded).keep(pymodule.Scan(text)); err != nil {
		return err
	}
	return b.tried.err
}

// keepImported keeps what a module that is not kept itself needs to be imported.
func (b *builder) keepImported(source string, via nodeID) error {
	if !b.first("imports of " + source) {
		return nil
	}
	return b.keepImports(source, via, false)
}

func (b *builder) module(file string, id nodeID, loaded bool) pythonModule {
	m := pythonModule{b: b, id: id, loaded: loaded, file: file, dir: rootfs.Parent(file), root: pymodule.Root(b.tried, file)}
	m.root = strings.TrimSuffix(m.root, "/lib-dynload")
	return m
}

// pythonModule is a module whose needs are being kept.
type pythonModule struct {
	b      *builder
	id     nodeID
	loaded bool
	file   string
	dir    string
	root   string // the folder of sys.path that it is in
}

func (m pythonModule) keep(s pymodule.Source) error {
	for _, imp := range s.Imports {
		if imp.Lazy && !imp.Attribute && !m.loaded && !m.isWithin(imp) {
			continue
		}
		if err := m.keepImport(imp); err != nil {
			return err
		}
	}
	if m.b.isStdlib(m.root) {
		return firstError(func() error { return m.keepComputed(s) }, m.keepCodecs)
	}
	for _, text := range s.Texts {
		if err := m.text(text); err != nil {
			return err
		}
	}
	return firstError(func() error { return m.keepComputed(s) }, m.keepAsked)
}

// isWithin says whether an import is one of the module's own package: code that
// is reached calls what it calls. The standard library is no such package.
func (m pythonModule) isWithin(imp pymodule.Import) bool {
	if m.b.isStdlib(m.root) {
		return false
	}
	if imp.Level > 0 {
		return true
	}
	top, _, _ := strings.Cut(imp.Module, ".")
	return strings.HasPrefix(m.file, rootfs.Join(m.root, top)+"/")
}

func (m pythonModule) keepImport(imp pymodule.Import) error {
	var parts []string
	if imp.Module != "" {
		parts = strings.Split(imp.Module, ".")
	}
	var roots []string
	if imp.Level > 0 {
		dir := m.dir
		for range imp.Level - 1 {
			dir = path.Dir(dir)
		}
		roots = []string{dir}
	} else if len(parts) > 0 {
		roots = m.b.pythonTops()[parts[0]]
	}
	optional := m.loaded || imp.Lazy
	if len(roots) == 0 || imp.Level == 0 && m.isUnlikely(parts[0], optional) {
		return nil
	}
	if len(imp.Names) == 0 {
		return m.keepName(roots, parts, optional)
	}
	for _, name := range imp.Names {
		if err := m.keepName(roots, append(slices.Clip(parts), name), optional); err != nil {
			return err
		}
	}
	return nil
}

// isUnlikely says whether a module, by its top name, is not worth keeping for an
// import that no run came to; what is not optional, the module cannot be imported
// without.
func (m pythonModule) isUnlikely(top string, optional bool) bool {
	stdlib := m.b.isStdlib(m.root)
	switch {
	case strings.HasPrefix(top, "_py") && stdlib || developerModules[top] && (optional || !testModules[top]):
		return true
	case !optional:
		return false
	}
	return stdlib && (stdlibModules[top] || packageModules[top]) || isSitePackages(m.root) && packageModules[top]
}

// isFrozen says whether a file, found in root, is a module that the interpreter
// has itself.
func (m pythonModule) isFrozen(root, file string) bool {
	if m.b.isStdlib(m.root) {
		root = m.root // of a relative import too
	}
	name := strings.TrimSuffix(strings.TrimPrefix(file, root+"/"), ".py")
	return frozenModules[strings.ReplaceAll(name, "/", ".")] && m.b.isStdlib(root)
}

// keepName keeps the modules of a dotted name. Two folders of sys.path may have
// one of that name; which comes first only Python knows.
func (m pythonModule) keepName(roots, parts []string, optional bool) error {
	if optional && isForDevelopers(parts) {
		return nil
	}
	for _, root := range roots {
		if !m.b.first("module " + strings.Join(append([]string{root}, parts...), "\x00")) {
			continue
		}
		for _, file := range pymodule.Find(m.b.tried, root, parts) {
			keep := m.b.keepModule
			if m.isFrozen(root, file) {
				keep = m.b.keepImported
			}
			if err := keep(file, m.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepCodecs keeps encodings beside the package that loads them.
func (m pythonModule) keepCodecs() error {
	if m.dir != m.root+"/encodings" || path.Base(m.file) != "__init__.py" {
		return nil
	}
	for _, name := range encodingModules {
		if err := m.keepName([]string{m.root}, []string{"encodings", name}, true); err != nil {
			return err
		}
	}
	return nil
}

// moduleName is what may name a module or something in it.
var moduleName = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$`)

// isIdentifier matches a name of one part.
var isIdentifier = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// text keeps what a string literal names: a module by its dotted name, as
// settings do, or data.
func (m pythonModule) text(text string) error {
	if m.loaded && moduleName.MatchString(text) {
		parts := strings.Split(text, ".")
		if m.isUnlikely(parts[0], true) {
			return nil
		}
		if err := m.keepName(m.b.pythonTops()[parts[0]], parts, true); err != nil {
			return err
		}
	}
	top := m.dir
	for rootfs.Parent(top) != m.root && top != m.root {
		top = rootfs.Parent(top)
	}
	if top == m.root && isSitePackages(m.root) {
		return nil // a module of its own has no folder
	}
	for _, dir := range m.b.dataFolders(top)[text] {
		if err := m.b.keepDataFolder(dir, dir, m.id); err != nil {
			return err
		}
	}
	return m.b.keepText(dataText{text: text, dirs: []string{m.dir, top}, top: top, via: m.id})
}

func isSitePackages(dir string) bool {
	base := rootfs.Base(dir)
	return base == "site-packages" || base == "dist-packages"
}

// isStdlib says whether a folder is a standard library.
func (b *builder) isStdlib(dir string) bool {
	return strings.HasPrefix(rootfs.Base(dir), "python3") && b.tried.IsFile(rootfs.Join(dir, "os.py"))
}

// pythonRoots are the folders that sys.path may have: those of the modules that
// the run loaded, and what belongs to them.
func (b *builder) pythonRoots() []string {
	if roots, ok := b.found["python roots"]; ok {
		return roots
	}
	roots := map[string]bool{}
	seen := map[string]bool{}
	for id := rootID + 1; uint32(id) < b.tree.count; id++ {
		name := b.tree.name(id)
		if ext := path.Ext(string(name)); ext != ".py" && ext != ".pyc" || !b.isLoaded(id) {
			continue
		}
		dir := strings.TrimSuffix(rootfs.Parent(b.tree.path(id)), "/__pycache__")
		if !seen[dir] {
			seen[dir] = true
			roots[pymodule.Root(b.tried, rootfs.Join(dir, "x.py"))] = true
		}
	}
	var all []string
	for root := range roots {
		all = append(all, root)
		if b.isStdlib(root) {
			all = append(all, root+"/lib-dynload", root+"/site-packages", root+"/dist-packages",
				"/usr/lib/python3/dist-packages", "/usr/local/lib/"+rootfs.Base(root)+"/dist-packages")
		}
	}
	for dir := range strings.SplitSeq(b.env["PYTHONPATH"], ":") {
		if dir != "" {
			all = append(all, path.Clean(b.abs(dir)))
		}
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(dir string) bool { return dir == "/" || !b.tried.IsDir(dir) })
	b.found["python roots"] = all
	return all
}

// pythonTops are the folders of pythonRoots by the names that can be imported
// from them.
func (b *builder) pythonTops() map[string][]string {
	if b.tops != nil {
		return b.tops
	}
	b.tops = map[string][]string{}
	for _, root := range b.pythonRoots() {
		last := ""
		for _, name := range b.tried.Names(root) {
			if name, _, _ = strings.Cut(name, "."); name != last {
				b.tops[name] = append(b.tops[name], root)
			}
			last = name
		}
	}
	for name, roots := range b.tops {
		b.tops[name] = slices.Compact(roots) // "a.py" and "a" need not be neighbours
	}
	return b.tops
}

// hasName says whether the sorted names of a folder have a module's.
func hasName(names []string, module string) bool {
	i, ok := slices.BinarySearch(names, module)
	if ok {
		return true
	}
	for _, name := range names[i:] {
		if rest, ok := strings.CutPrefix(name, module); !ok || rest[0] >= '.' {
			return ok && rest[0] == '.'
		}
	}
	return false
}

// distributionFiles are what importlib.metadata and its like read of an
// installed distribution, and scanners go by.
var distributionFiles = []string{"METADATA", "PKG-INFO", "entry_points.txt", "top_level.txt", "namespace_packages.txt"}

// keepDistribution keeps the metadata of the distribution that a kept module
// belongs to.
func keepDistribution(b *builder, f familyFile) error {
	site, top, ok := distributed(f.path)
	if !ok {
		return nil
	}
	if !b.first("distribution of " + site + "/" + top) {
		return nil
	}
	for _, info := range b.distributions(site)[top] {
		for _, name := range distributionFiles {
			if err := b.followAll(RuntimeRule, f.id, rootfs.Join(info, name)); err != nil {
				return err
			}
		}
	}
	return b.tried.err
}

// distributions finds the metadata folders in a site folder by the top names
// that they installed there.
func (b *builder) distributions(site string) map[string][]string {
	if known, ok := b.installed[site]; ok {
		return known
	}
	owners := map[string][]string{}
	for _, name := range b.tried.Names(site) {
		if !strings.HasSuffix(name, ".dist-info") && !strings.HasSuffix(name, ".egg-info") {
			continue
		}
		info := rootfs.Join(site, name)
		for top := range b.installedBy(info) {
			owners[top] = append(owners[top], info)
		}
	}
	b.installed[site] = owners
	return owners
}

// installedBy are the top names of a distribution: those it says, and those of
// its list of files.
func (b *builder) installedBy(info string) map[string]bool {
	tops := map[string]bool{}
	for line := range strings.Lines(string(b.tried.Read(rootfs.Join(info, "top_level.txt")))) {
		tops[strings.TrimSpace(line)] = true
	}
	for line := range strings.Lines(string(b.tried.Read(rootfs.Join(info, "RECORD")))) {
		file, _, _ := strings.Cut(line, ",")
		top, _, _ := strings.Cut(file, "/")
		top, _, _ = strings.Cut(top, ".")
		tops[top] = true
	}
	delete(tops, "") // ".." and nothing
	delete(tops, "__pycache__")
	return tops
}
