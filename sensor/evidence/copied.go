package evidence

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// locate finds what each COPY brought: physical paths, each with all below it.
func (f *facts) locate(copies []manifest.Copy) error {
	for _, c := range copies[:min(len(copies), manifest.MaxFacts)] {
		path, err := f.place(rootfs.Join(c.Dest, c.Name))
		if err == nil && path == "" || c.Name == "" { // the content of a folder, or a file by another name
			path, err = f.place(c.Dest)
		}
		if err != nil {
			return err
		}
		f.Copied = append(f.Copied, manifest.Copied{Copy: c})
		f.places = append(f.places, path)
	}
	return nil
}

// place is the physical path of what stands at path, "" for nothing.
func (f *facts) place(path string) (string, error) {
	physical, _, err := f.root.ResolveLink(path, func(string) {})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return "", nil
	}
	return physical, err
}

// isIn tells whether a path is a place, or below it.
func isIn(path, place string) bool {
	return place == "/" || place != "" && strings.HasPrefix(path, place) && (len(path) == len(place) || path[len(place)] == '/')
}

// count adds an entry to what each COPY brought.
func (f *facts) count(path string, info rootfs.Info, kept bool) {
	if info.IsDir() {
		return
	}
	for i, place := range f.places {
		if !isIn(path, place) {
			continue
		}
		f.Copied[i].Files++
		if info.IsRegular() {
			f.Copied[i].Bytes += info.Size
		}
		if kept {
			f.Copied[i].Kept++
		}
	}
}
