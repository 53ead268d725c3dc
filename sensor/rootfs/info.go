package rootfs

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Info is what stat(2) tells of one entry.
type Info struct {
	Mode  uint32 // st_mode: type, permissions, setuid, setgid, sticky
	UID   uint32
	GID   uint32
	Size  int64         // bytes; of a link, the length of its target
	Mtime unix.Timespec // with nanoseconds
	Dev   uint64        // with Ino, identifies the inode
	Ino   uint64
	Nlink uint64
	Rdev  uint64 // of a device node
	// Blocks is the allocated size in units of 512 bytes: less than Size says
	// that a file has holes.
	Blocks int64
}

// IsDir says whether the entry is a directory.
func (i Info) IsDir() bool { return i.Mode&unix.S_IFMT == unix.S_IFDIR }

// IsRegular says whether the entry is a regular file.
func (i Info) IsRegular() bool { return i.Mode&unix.S_IFMT == unix.S_IFREG }

// IsLink says whether the entry is a symbolic link.
func (i Info) IsLink() bool { return i.Mode&unix.S_IFMT == unix.S_IFLNK }

// Perm returns the permission bits with setuid, setgid and sticky.
func (i Info) Perm() uint32 { return i.Mode &^ unix.S_IFMT }

// Type returns the entry's type as manifest.Kept spells it, or "socket".
func (i Info) Type() string {
	switch i.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFDIR:
		return "dir"
	case unix.S_IFLNK:
		return "link"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFCHR:
		return "char"
	case unix.S_IFBLK:
		return "block"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "unknown"
}

func fstat(fd int, path string) (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) Info {
	return Info{
		Mode: st.Mode, UID: st.Uid, GID: st.Gid, Size: st.Size,
		Mtime: st.Mtim, Dev: st.Dev, Ino: st.Ino,
		Nlink: uint64(st.Nlink), //nolint:unconvert // has 32 bits on arm64
		Rdev:  st.Rdev, Blocks: st.Blocks,
	}
}
