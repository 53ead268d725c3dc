package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// target reads processes of any user for one thread, the listener's. Without
// CAP_SYS_PTRACE a process may only be read by one with the same user and
// group (ptrace(2), "ptrace access mode checking"), so the thread takes the
// process' real ids for process_vm_readv and its file system ids for /proc. Its
// effective uid stays 0 and with it its capabilities.
type target struct {
	privileged bool
	worn       map[int]ids // what the last reading of a process needed
	real       ids         // the thread's real ids
	page       int
	link, path []byte
}

// ids is a user and a group.
type ids struct{ uid, gid int }

var (
	// errFault says that an argument is no address; the call fails as well.
	errFault = errors.New("bad address")
	// errGone says that the process ended while its call was looked at.
	errGone = errors.New("process is gone")
	// errUnreadable says that a process can not be looked at.
	errUnreadable = errors.New("needs `--allow security.insecure`")
)

func newTarget(privileged bool) *target {
	return &target{
		privileged: privileged, worn: map[int]ids{}, page: os.Getpagesize(),
		link: make([]byte, unix.PathMax),
	}
}

// maxWorn bounds the memory of ids; pids are reused anyway.
const maxWorn = 4096

// as runs f, and on a refusal runs it again with the process' ids.
func (t *target) as(pid int, f func() error) error {
	if t.privileged {
		return f()
	}
	if who, ok := t.worn[pid]; ok {
		if err := t.wear(who, f); !denied(err) {
			return err
		}
		delete(t.worn, pid)
	}
	err := f()
	if !denied(err) {
		return err
	}
	who, idErr := idsOf(pid)
	if idErr != nil {
		return idErr
	}
	if err := t.wear(who, f); !denied(err) {
		if len(t.worn) >= maxWorn {
			clear(t.worn)
		}
		t.worn[pid] = who
		return err
	}
	return errUnreadable
}

func denied(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
}

// wear runs f with the calling thread's real and file system ids changed. The
// real ids stay changed, as they matter to nothing but the next reading.
func (t *target) wear(who ids, f func() error) error {
	if err := t.putOn(who); err != nil {
		return err
	}
	if who == (ids{}) {
		return f()
	}
	err := setIDs(idCall{unix.SYS_SETFSGID, who.gid}, idCall{unix.SYS_SETFSUID, who.uid})
	if err == nil {
		err = raiseCapabilities(0)
	}
	if err == nil {
		err = f()
	}
	// Only the change of the file system uid from another user to 0 gives the
	// file capabilities back (capabilities(7), "effect of user ID changes on
	// capabilities").
	if back := setIDs(idCall{unix.SYS_SETFSUID, 0}, idCall{unix.SYS_SETFSGID, 0}); back != nil {
		return fmt.Errorf("take own ids back: %w", back)
	}
	return err
}

// putOn changes the real ids; that makes the file system ids the effective
// ones, 0.
func (t *target) putOn(who ids) error {
	if who == t.real {
		return nil
	}
	t.real = who
	return setIDs(idCall{unix.SYS_SETRESGID, who.gid}, idCall{unix.SYS_SETRESUID, who.uid})
}

// raiseCapabilities makes all capabilities of the calling thread effective, but
// some. The change of the file system uid takes others than those that are not
// wanted: a process can only be read by one that has the capabilities that it
// may have itself.
func raiseCapabilities(but uint32) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for i := range data {
		data[i].Effective = data[i].Permitted
	}
	data[0].Effective &^= but
	return unix.Capset(&header, &data[0])
}

// idCall sets one id of the calling thread. Raw calls, as those of the library
// would change every thread.
type idCall struct {
	nr uintptr
	id int
}

// setIDs makes calls. setfsuid(2) and setfsgid(2) do not tell errors and ignore
// further arguments.
func setIDs(calls ...idCall) error {
	const keepID = ^uintptr(0)
	for _, c := range calls {
		if _, _, errno := unix.RawSyscall(c.nr, uintptr(c.id), keepID, keepID); errno != 0 {
			return errno
		}
	}
	return nil
}

// idsOf reads a process' real ids from /proc/PID/status.
func idsOf(pid int) (ids, error) {
	st, err := statusOf(pid)
	return ids{st.uid[0], st.gid[0]}, err
}

// read fills buf from the process' memory.
func (t *target) read(pid int, addr uint64, buf []byte) error {
	n, err := t.readSome(pid, addr, buf)
	if err == nil && n < len(buf) {
		return errFault
	}
	return err
}

// readString reads a zero-terminated string into buf. It reads up to the end of
// the page first, since the next one may not exist.
func (t *target) readString(pid int, addr uint64, buf []byte) ([]byte, error) {
	var n int
	for n < len(buf) {
		at := addr + uint64(n)
		chunk := min(t.page-int(at%uint64(t.page)), len(buf)-n)
		got, err := t.readSome(pid, at, buf[n:n+chunk])
		if err != nil {
			return nil, err
		}
		if end := bytes.IndexByte(buf[n:n+got], 0); end >= 0 {
			return buf[:n+end], nil
		}
		if got < chunk {
			return nil, errFault
		}
		n += chunk
	}
	return nil, errTooLong
}

// readSome reads up to len(buf) bytes of the process' memory, at first with the
// real ids that the thread has: they are mostly right already.
func (t *target) readSome(pid int, addr uint64, buf []byte) (n int, err error) {
	if n, err = readMemory(pid, addr, buf); denied(err) {
		err = t.as(pid, func() (err error) {
			n, err = readMemory(pid, addr, buf)
			return err
		})
	}
	return n, err
}

// readMemory reads memory of another process (process_vm_readv(2)).
func readMemory(pid int, addr uint64, buf []byte) (int, error) {
	local := unix.Iovec{Base: &buf[0], Len: uint64(len(buf))}
	remote := unix.RemoteIovec{Base: uintptr(addr), Len: len(buf)}
	n, _, errno := unix.Syscall6(unix.SYS_PROCESS_VM_READV, uintptr(pid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EFAULT:
		return 0, errFault
	case unix.ESRCH:
		return 0, errGone
	}
	return 0, errno
}

// procLink reads a link in a process' folder of /proc: "cwd", "root", "fd/7".
// The result is valid until the next call.
func (t *target) procLink(pid int, name string) ([]byte, error) {
	path := strconv.AppendInt(append(t.path[:0], "/proc/"...), int64(pid), 10)
	path = append(append(append(path, '/'), name...), 0)
	t.path = path
	var n int
	err := t.as(pid, func() (err error) {
		n, err = readlinkAt(&path[0], t.link)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		return nil, errGone
	case err != nil:
		return nil, err
	case n == len(t.link):
		return nil, errTooLong
	}
	return t.link[:n], nil
}
