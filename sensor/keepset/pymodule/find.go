package pymodule

import (
	"path"
	"slices"
	"strings"
)

// Files is the tree that modules are looked for in. Paths are absolute and
// clean; links are followed.
type Files interface {
	IsFile(path string) bool
	IsDir(path string) bool
	// Names are the sorted names in a folder; nil if there is none.
	Names(dir string) []string
}

// Find returns the files that importing the dotted name, looked up in one
// folder of sys.path, loads: of every package on the way its __init__, then the
// module. What comes after a module is its attributes. It returns none for a
// name that leads nowhere; a namespace package has no file of its own
// (docs.python.org/3/reference/import.html).
func Find(files Files, dir string, parts []string) []string {
	var found []string
	for _, part := range parts {
		if part == "" || strings.Contains(part, "/") {
			return found
		}
		below := path.Join(dir, part)
		if files.IsDir(below) {
			if init := module(files, below, "__init__"); init != "" {
				found = append(found, init)
				dir = below
				continue
			}
		}
		if file := module(files, dir, part); file != "" {
			return append(found, file)
		}
		if !files.IsDir(below) {
			return found
		}
		dir = below
	}
	return found
}

// module is the file of a module in a folder: an extension, a source or, with
// no source, byte code, in the order of importlib's loaders.
func module(files Files, dir, name string) string {
	names := files.Names(dir)
	from, _ := slices.BinarySearch(names, name+".")
	for _, n := range names[from:] {
		rest, ok := strings.CutPrefix(n, name+".")
		if !ok {
			break
		}
		if rest == "so" || strings.HasSuffix(rest, ".so") && (strings.HasPrefix(rest, "cpython-") || strings.HasPrefix(rest, "abi3.")) {
			return path.Join(dir, n)
		}
	}
	for _, ext := range []string{".py", ".pyc"} {
		if file := path.Join(dir, name+ext); files.IsFile(file) {
			return file
		}
	}
	return ""
}

// Root is the folder of sys.path that a module's file is in: the first above it
// that is no package.
func Root(files Files, file string) string {
	dir := path.Dir(file)
	for dir != "/" && module(files, dir, "__init__") != "" {
		dir = path.Dir(dir)
	}
	return dir
}
