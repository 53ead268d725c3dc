package rootfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
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
	s := statter{root: r, path: path}
	defer s.close()
	for _, name := range names {
		info, err := s.stat(name)
		if err != nil {
			return err
		}
		if info.IsDir() {
			s.close() // depth must not cost descriptors
		}
		if err := r.walk(Join(path, name), info, visit); err != nil {
			return err
		}
	}
	return nil
}

// statter stats names of one directory; it opens the directory when needed.
type statter struct {
	root *Root
	path string
	dir  *os.File
}

func (s *statter) stat(name string) (Info, error) {
	if s.dir == nil {
		dir, err := s.root.OpenPath(s.path)
		if err != nil {
			return Info{}, err
		}
		s.dir = dir
	}
	var st unix.Stat_t
	if err := unix.Fstatat(int(s.dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: Join(s.path, name), Err: err}
	}
	return infoOf(&st), nil
}

func (s *statter) close() {
	if s.dir != nil {
		s.dir.Close()
		s.dir = nil
	}
}
