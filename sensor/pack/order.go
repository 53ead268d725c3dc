package pack

import (
	"iter"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/rootfs"
)

// item is a path to be made, from the source or, when generated is set, from
// memory.
type item struct {
	path      string
	generated *keepset.File
}

// lookAhead yields each item with the one after it, which is zero for the last.
func lookAhead(items iter.Seq[item]) iter.Seq2[item, item] {
	return func(yield func(item, item) bool) {
		var last item
		started := false
		for it := range items {
			if started && !yield(last, it) {
				return
			}
			last, started = it, true
		}
		if started {
			yield(last, item{})
		}
	}
}

// merge puts the generated files where they belong among the entries. The root
// is left out: it is always copied.
func merge(entries iter.Seq[keepset.Entry], generated []keepset.File) iter.Seq[item] {
	files := make([]item, len(generated))
	for i := range generated {
		files[i] = item{generated[i].Path, &generated[i]}
	}
	slices.SortFunc(files, func(a, b item) int { return rootfs.Compare(a.path, b.path) })
	return func(yield func(item) bool) {
		files := files
		for e := range entries {
			path := e.Path
			for len(files) > 0 && rootfs.Compare(files[0].path, path) < 0 {
				if !yield(files[0]) {
					return
				}
				files = files[1:]
			}
			if path != "/" && !yield(item{path: path}) {
				return
			}
		}
		for _, f := range files {
			if !yield(f) {
				return
			}
		}
	}
}

// below says whether path is something inside the directory dir.
func below(path, dir string) bool {
	if dir == "/" {
		return len(path) > 1
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// firstBelow cuts path, which is below dir, after the first name in dir.
func firstBelow(path, dir string) string {
	start := len(dir) + 1
	if dir == "/" {
		start = 1
	}
	if i := strings.IndexByte(path[start:], '/'); i >= 0 {
		return path[:start+i]
	}
	return path
}
