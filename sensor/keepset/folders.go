package keepset

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// folders answers whether paths exist, for rules that try many of which few do:
// it remembers the names in each folder. It implements jsmodule.Files.
type folders struct {
	root  *rootfs.Root
	known map[string][]string // by path as it was asked for; nil: no folder
	total int                 // names remembered
	err   error               // the first that is not about what the image has
}

func newFolders(root *rootfs.Root) *folders {
	return &folders{root: root, known: map[string][]string{}}
}

// maxKnown bounds the names remembered, some 50 MB.
const maxKnown = 1 << 20

// Names are those in the folder at a clean path, through links; nil if there
// is none.
func (f *folders) Names(dir string) []string {
	if names, ok := f.known[dir]; ok {
		return names
	}
	if dir != "/" && !f.has(dir) {
		return nil
	}
	physical, info, err := f.root.Resolve(dir, func(string) {})
	var names []string
	if err == nil && info.IsDir() {
		if names, err = f.root.ReadDirNames(physical); err == nil && names == nil {
			names = []string{}
		}
	}
	f.fail(err)
	if f.total += len(names) + 1; f.total > maxKnown {
		clear(f.known)
		f.total = len(names) + 1
	}
	f.known[dir] = names
	return names
}

// has says whether something stands at a clean path.
func (f *folders) has(path string) bool {
	if path == "/" {
		return true
	}
	_, ok := slices.BinarySearch(f.Names(rootfs.Parent(path)), rootfs.Base(path))
	return ok
}

// IsFile says whether a clean path leads to a regular file.
func (f *folders) IsFile(path string) bool {
	info, ok := f.stat(path)
	return ok && info.IsRegular()
}

// IsDir says whether a clean path leads to a folder.
func (f *folders) IsDir(path string) bool {
	info, ok := f.stat(path)
	return ok && info.IsDir()
}

func (f *folders) stat(path string) (rootfs.Info, bool) {
	if !f.has(path) {
		return rootfs.Info{}, false
	}
	_, info, err := f.root.Resolve(path, func(string) {})
	f.fail(err)
	return info, err == nil
}

// Read returns the content of a file of modest size; nil for any other.
func (f *folders) Read(path string) []byte {
	if !f.has(path) {
		return nil
	}
	physical, info, err := f.root.Resolve(path, func(string) {})
	if err != nil || !info.IsRegular() || info.Size > maxSmall {
		f.fail(err)
		return nil
	}
	data, err := f.root.ReadFile(physical, maxSmall)
	f.fail(err)
	return data
}

func (f *folders) fail(err error) {
	if errors.Is(err, rootfs.ErrTooLarge) || errors.Is(err, unix.ENAMETOOLONG) {
		return
	}
	if err = ignoreAbsent(err); f.err == nil {
		f.err = err
	}
}
