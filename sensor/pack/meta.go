package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// permissions are the mode bits beside the type.
const permissions = 0o7777

// setMode sets the permissions of an open file or directory.
func (w *worker) setMode(fd int, path string, mode uint32) error {
	mode &= permissions
	if err := fchmod(fd, mode); err != nil {
		return w.fail("chmod", path, err)
	}
	if mode&unix.S_ISGID == 0 {
		return nil
	}
	// Without CAP_FSETID the kernel drops setgid and reports success
	// (chmod(2)).
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return w.fail("stat", path, err)
	}
	if st.Mode&permissions != mode {
		return w.fail("chmod", path, fmt.Errorf("setgid: %w", unix.EPERM))
	}
	return nil
}

// setTime sets both times of name in the directory fd to the entry's own
// modification time, or to the epoch when that is earlier.
func (w *worker) setTime(fd int, name, path string, mtime unix.Timespec) error {
	if w.epoch != nil && (mtime.Sec > *w.epoch || mtime.Sec == *w.epoch && mtime.Nsec > 0) {
		mtime = unix.Timespec{Sec: *w.epoch}
	}
	if err := utimensat(fd, name, mtime); err != nil {
		return w.fail("set times of", path, err)
	}
	return nil
}

// attrs reaches the extended attributes of one entry: through its descriptor,
// or through a path when the entry cannot be opened.
type attrs struct {
	fd   int
	path string
}

// attrsAt reaches those of a link, FIFO or device. There is no *at call for
// them before Linux 6.13, so that the way is through /proc.
func attrsAt(dir int, name string) attrs {
	return attrs{path: "/proc/self/fd/" + strconv.Itoa(dir) + "/" + name}
}

func (a attrs) list(buf []byte) (int, error) {
	if a.path != "" {
		return unix.Llistxattr(a.path, buf)
	}
	return unix.Flistxattr(a.fd, buf)
}

func (a attrs) get(name string, buf []byte) (int, error) {
	if a.path != "" {
		return unix.Lgetxattr(a.path, name, buf)
	}
	return unix.Fgetxattr(a.fd, name, buf)
}

func (a attrs) set(name string, value []byte) error {
	if a.path != "" {
		return unix.Lsetxattr(a.path, name, value, 0)
	}
	return unix.Fsetxattr(a.fd, name, value, 0)
}

// maxXattr is the kernel's bound on a list of names and on a value, in bytes
// (XATTR_LIST_MAX, XATTR_SIZE_MAX in linux/limits.h).
const maxXattr = 64 << 10

// copyXattrs copies all attributes but those that belong to the machine.
func (w *worker) copyXattrs(src, dst attrs, path string) error {
	var small [512]byte // room for what nearly all entries have: nothing
	list := small[:]
	n, err := src.list(list)
	if errors.Is(err, unix.ERANGE) {
		list = make([]byte, maxXattr)
		n, err = src.list(list)
	}
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return w.fail("list attributes of", path, err)
	}
	for name := range bytes.SplitSeq(list[:n], []byte{0}) {
		if len(name) == 0 || foreign(string(name)) {
			continue
		}
		if err := w.copyXattr(src, dst, string(name)); err != nil {
			return &fs.PathError{Op: "copy attribute " + string(name) + " of", Path: path, Err: err}
		}
	}
	return nil
}

func (w *worker) copyXattr(src, dst attrs, name string) error {
	value := make([]byte, 256)
	n, err := src.get(name, value)
	if errors.Is(err, unix.ERANGE) {
		value = make([]byte, maxXattr)
		n, err = src.get(name, value)
	}
	if err != nil {
		return err
	}
	return dst.set(name, value[:n])
}

// foreign says whether an attribute is the build machine's and not the
// image's: overlayfs keeps in trusted.overlay.* how the layers of a snapshot
// lie on each other, which is wrong in any other snapshot, and SELinux labels
// follow the policy of the host.
func foreign(name string) bool {
	return strings.HasPrefix(name, "trusted.overlay.") || name == "security.selinux"
}

// dropACLs takes the ACLs off an empty destination: a default one would be
// inherited by all that is made in it.
func dropACLs(fd int) error {
	for _, name := range []string{"system.posix_acl_default", "system.posix_acl_access"} {
		err := unix.Fremovexattr(fd, name)
		if err != nil && err != unix.ENODATA && err != unix.ENOTSUP {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}
