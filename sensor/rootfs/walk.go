package rootfs

import (
	"errors"
	"io/fs"
)

// Walk calls visit for the directory top and for everything below it:
// depth-first, names sorted bytewise, a directory before its content, links
// not followed. It holds one descriptor at a time and the names of the
// directories between top and the current entry. When visit returns fs.SkipDir for a
// directory, what is in it is left out; any other error ends the walk.
func (r *Root) Walk(top string, visit func(path string, info Info) error) error {
	info, err := r.Lstat(top)
	if err != nil {
		return err
	}
	return r.walk(top, info, visit)
}

func (r *Root) walk(path string, info Info, visit func(string, Info) error) error {
	err := visit(path, info)
	if errors.Is(err, fs.SkipDir) && info.IsDir() {
		return nil
	}
	if err != nil || !info.IsDir() {
		return err
	}
	names, err := r.ReadDirNames(path)
	if err != nil {
		return err
	}
	reader := r.Reader()
	defer reader.Close()
	for _, name := range names {
		below := Join(path, name)
		info, err := reader.Lstat(below)
		if err != nil {
			return err
		}
		if info.IsDir() {
			reader.Close() // depth must not cost descriptors
		}
		if err := r.walk(below, info, visit); err != nil {
			return err
		}
	}
	return nil
}
