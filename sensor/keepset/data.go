package keepset

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/jsmodule"
	"github.com/org/slimfile/sensor/rootfs"
)

// readSource reads a module's text, through links, or nothing of what is no
// file or beyond measure.
func (b *builder) readSource(path string) ([]byte, error) {
	physical, info, err := b.root.Resolve(path, func(string) {})
	if err != nil || !info.IsRegular() || info.Size > jsmodule.MaxSize {
		return nil, err
	}
	return b.root.ReadFile(physical, jsmodule.MaxSize)
}

// isLoaded says whether the run read the file of a node, and did not merely
// look whether it is there.
func (b *builder) isLoaded(id nodeID) bool {
	return b.tree.at(id).reasons&(Opened|Executed|Mapped) != 0
}

// keepModule keeps a file that a module may load, so that what it loads in turn
// is kept too.
func (b *builder) keepModule(path string, via nodeID) error {
	if id := b.tree.find(path); id != 0 && b.isLoaded(id) {
		return nil
	}
	t, ok, err := b.follow(path, RuntimeRule, via)
	if err != nil || !ok || t.id == 0 {
		return err
	}
	n := b.tree.at(t.id)
	if n.flags&imported == 0 && t.id < b.cursor {
		b.again = append(b.again, t.id)
	}
	n.flags |= imported
	return nil
}

// codeExtensions are those of what a program runs, or what only its developers
// read: no data.
var codeExtensions = []string{
	".flow", ".node", ".py", ".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h", ".cc", ".cpp", ".hpp", ".o", ".a", ".so", ".md", ".rst",
	".po", ".pot",
}

// scriptExtensions are the same of Node; programs in other languages send such
// files to browsers.
var scriptExtensions = []string{".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".map"}

func isCode(name string) bool {
	return isPythonCode(name) || slices.Contains(scriptExtensions, path.Ext(name))
}

func isPythonCode(name string) bool { return slices.Contains(codeExtensions, path.Ext(name)) }

// commonWords are names of folders that a literal has for other reasons than
// that the program reads them, and folders for developers.
var commonWords = []string{
	"bin", "build", "cjs", "core", "dist", "doc", "docs", "es", "esm", "example", "examples", "include", "lib", "main",
	"node_modules", "scripts", "spec", "src", "test", "testing", "tests", "types", "umd", "util", "utils", "__pycache__",
}

// dataText is a text in a module that may name a file.
type dataText struct {
	text string
	dirs []string // in which it may be, the module's own first
	top  string   // of the package: nothing outside counts
	via  nodeID
}

// keepText keeps the file that a text names, or what is in the folder that it
// names: one that begins with "./" says so clearly, any other word keeps no
// code. It returns the modules found.
func (b *builder) keepText(d dataText) error {
	explicit := strings.HasPrefix(d.text, "./") || strings.HasPrefix(d.text, "../")
	for _, dir := range d.dirs {
		file := path.Join(dir, d.text)
		if !strings.HasPrefix(file, strings.TrimSuffix(d.top, "/")+"/") || file == dir || !b.tried.has(file) {
			continue
		}
		t, ok, err := b.resolved(file)
		if err != nil || !ok {
			return err
		}
		switch {
		case t.info.IsRegular() && isCode(file) && explicit:
			return b.keepModule(file, d.via)
		case t.info.IsRegular() && path.Ext(file) != "" && !isCode(file):
			return b.followAll(RuntimeRule, d.via, file)
		case t.info.IsDir() && (explicit || !slices.Contains(commonWords, rootfs.Base(file))):
			return b.keepDataFolder(file, t.path, d.via)
		}
	}
	return nil
}

// resolved is where a path leads, with nothing kept.
func (b *builder) resolved(path string) (t target, ok bool, err error) {
	t.path, t.info, err = b.root.Resolve(path, func(string) {})
	return t, err == nil, ignoreAbsent(err)
}

// Bounds of a folder that is kept because a module has its name in a text.
const (
	maxDataBytes = 4 << 20
	maxDataFiles = 4096
)

// keepDataFolder keeps the data in a folder, unless it is too much.
func (b *builder) keepDataFolder(dir, physical string, via nodeID) error {
	if !b.first("data in " + dir) {
		return nil
	}
	isCode := isCode
	if _, _, ok := distributed(physical); ok {
		isCode = isPythonCode
	}
	type entry struct {
		path string
		info rootfs.Info
	}
	var found []entry
	var size int64
	err := b.root.Walk(physical, func(path string, info rootfs.Info) error {
		base := rootfs.Base(path)
		switch {
		case info.IsDir() && path != physical && slices.Contains(commonWords, base):
			return fs.SkipDir
		case info.IsDir() || isCode(base):
			return nil
		}
		size += info.Size
		if found = append(found, entry{path, info}); size > maxDataBytes || len(found) > maxDataFiles {
			return fs.SkipAll
		}
		return nil
	})
	if size > maxDataBytes || len(found) > maxDataFiles {
		b.skipped = append(b.skipped, fmt.Sprintf("%q", dir))
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range found {
		if e.info.IsLink() {
			err = b.keepLinkIn(e.path, e.info, RuntimeRule, via)
		} else {
			_, err = b.keep(e.path, e.info, RuntimeRule, via)
		}
		if err != nil {
			return err
		}
	}
	return b.followAll(RuntimeRule, via, dir)
}
