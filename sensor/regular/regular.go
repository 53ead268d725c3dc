// Package regular opens regular files in a root that a hostile program changes
// meanwhile: what is not a regular file is not opened at all, since opening a
// FIFO waits and opening a device may do anything. Imported by sensor/record
// and sensor/trace, whose process runs beside such a program; sensor/rootfs is
// for roots in which nothing runs.
package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrNotRegular says that something else than a regular file has the name.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a file for reading, through links but not through the magic links
// of /proc. Its access time stays as it is where the kernel allows that.
func Open(name string) (*os.File, error) {
	return open(name, unix.RESOLVE_NO_MAGICLINKS)
}

// OpenPhysical is Open for a path that has no links: one that appeared since is
// an error that matches unix.ELOOP.
func OpenPhysical(name string) (*os.File, error) {
	return open(name, unix.RESOLVE_NO_MAGICLINKS|unix.RESOLVE_NO_SYMLINKS)
}

// OpenThrough is Open for a magic link of /proc, which may lead to a file that has
// no name any more.
func OpenThrough(link string) (*os.File, error) {
	return open(link, 0)
}

func open(name string, resolve uint64) (*os.File, error) {
	fail := func(err error) error { return &fs.PathError{Op: "open", Path: name, Err: err} }
	// O_PATH gets hold of the object without opening it (open(2)).
	found, err := unix.Openat2(unix.AT_FDCWD, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: resolve})
	if err != nil {
		return nil, fail(err)
	}
	defer func() { _ = unix.Close(found) }()
	var st unix.Stat_t
	if err := unix.Fstat(found, &st); err != nil {
		return nil, fail(err)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG {
		return nil, fail(fmt.Errorf("%w (type %#o)", ErrNotRegular, kind))
	}
	const flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK
	self := "/proc/self/fd/" + strconv.Itoa(found)
	fd, err := unix.Open(self, flags|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) { // not the owner, and no CAP_FOWNER
		fd, err = unix.Open(self, flags, 0)
	}
	if err != nil {
		return nil, fail(err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
