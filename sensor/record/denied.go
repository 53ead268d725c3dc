package record

import (
	"bytes"
	"errors"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A look-up that fails for lack of a permission (EACCES) is told from one that
// does not by asking the kernel, with the user, groups and capabilities of the
// process, as soon as the path comes to something that not everybody may search,
// read, write or execute, or to a name that is to be made, removed or changed in a
// folder that not everybody may write to. Nothing is opened for it. The path has
// its other operations as well: what was tried.
//
// Not told: what access(2) asks for; names of others in a folder with the sticky
// bit (EPERM); permissions that an ACL takes from files which everybody may use by
// their mode; refusals of a process in a root directory of its own (chroot(2)),
// through links of /proc, of a security module, or where the process gave up
// CAP_DAC_OVERRIDE or groups and made no execve(2) or change of user since. One
// that has CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH is taken to be refused nothing.

const dacCapabilities = 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH

// user is the file system uid of a thread, anybody if it is gone.
func (l *listener) user(fd int, n *notification) int64 {
	st := l.statusOf(fd, n)
	if st == nil {
		return anybody
	}
	return int64(st.uid[3])
}

// statusOf is the thread's status as of the epoch of places; nil if it is gone.
func (l *listener) statusOf(fd int, n *notification) *status {
	b := l.bases(n.PID)
	if b.status == nil {
		st, err := statusOf(int(n.PID))
		if err != nil || !l.stopped && !valid(fd, n.ID) {
			return nil
		}
		b.status = &st
	}
	return b.status
}

// notified is the thread that waits for the answer to a notification: a subject.
type notified struct {
	*listener
	fd int
	n  *notification
}

func (c *notified) as(f func() error) error { return c.target.as(int(c.n.PID), f) }

// denies tells whether a process lacks a permission that it takes to look a path
// up and to have the rights to what is there.
func (c *notified) denies(pl place, path []byte, to want, at found) (bool, error) {
	st := c.statusOf(c.fd, c.n)
	if st == nil || st.effective&dacCapabilities != 0 || len(pl.root) > 0 {
		return false, nil
	}
	dir := unix.AT_FDCWD
	if path[0] != '/' {
		// If it is gone meanwhile, so is all that could be denied (EBADF).
		dir, _ = unix.Open(string(pl.base)+"/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		defer func() { _ = unix.Close(dir) }()
	}
	flags := uintptr(unix.AT_EACCESS)
	name, takes := slices.Clone(path), at.takes
	switch {
	case at.renames:
		name, takes = folderOf(name), rename
	case !to.follow:
		flags |= unix.AT_SYMLINK_NOFOLLOW
	}
	name = append(name, 0)
	var errno unix.Errno
	err := c.target.inRole(st, func() {
		// Linux 5.8; without it nothing is denied.
		_, _, errno = unix.Syscall6(unix.SYS_FACCESSAT2, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), uintptr(takes), flags, 0, 0)
	})
	return errno == unix.EACCES, err
}

// folderOf makes a path that of the folder which its last name is in.
func folderOf(path []byte) []byte {
	path = bytes.TrimRight(path, "/")
	return append(path[:bytes.LastIndexByte(path, '/')+1], '.')
}

// inRole runs f with the calling thread's file system ids and groups those of a
// process, and without the capabilities that override permissions; not at all if
// it may not take them. The groups stay, as they matter to nothing else.
func (t *target) inRole(st *status, f func()) error {
	var groups unsafe.Pointer
	if len(st.groups) > 0 {
		groups = unsafe.Pointer(&st.groups[0])
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(st.groups)), uintptr(groups), 0)
	if errno == 0 && setIDs(idCall{unix.SYS_SETFSGID, st.gid[3]}, idCall{unix.SYS_SETFSUID, st.uid[3]}) == nil && raiseCapabilities(dacCapabilities) == nil {
		f()
	}
	return errors.Join(
		setIDs(idCall{unix.SYS_SETFSUID, 0}, idCall{unix.SYS_SETFSGID, 0}),
		raiseCapabilities(0),
	)
}
