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
// process' real ids for process_vm_readv and its file system ids for /proc, and
// puts its own back. Its effective uid stays 0 and with it its capabilities.
type target struct {
	privileged bool
	worn       map[int]ids // what the last reading of a process needed
	page       int
	link       []byte
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
		if err := wear(who, f); !denied(err) {
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
	if err := wear(who, f); !denied(err) {
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

// wear runs f with the calling thread's real and file system ids changed.
func wear(who ids, f func() error) error {
	err := putOn(who)
	if err == nil {
		err = raise()
	}
	if err == nil {
		err = f()
	}
	if back := takeOff(); back != nil {
		return fmt.Errorf("take own ids back: %w", back)
	}
	return err
}

const keepID = ^uintptr(0)

// putOn uses raw calls: those of the library would change every thread. Setting
// real ids resets the file system ids, which therefore come after them.
func putOn(who ids) error {
	return setIDs([4][2]uintptr{
		{unix.SYS_SETRESGID, uintptr(who.gid)}, {unix.SYS_SETRESUID, uintptr(who.uid)},
		{unix.SYS_SETFSGID, uintptr(who.gid)}, {unix.SYS_SETFSUID, uintptr(who.uid)},
	})
}

// raise makes all capabilities effective again of which the change of the file
// system uid took some: a process can only be read by one that has the
// capabilities that it may have itself.
func raise() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for i := range data {
		data[i].Effective = data[i].Permitted
	}
	return unix.Capset(&header, &data[0])
}

// takeOff starts with the file system uid: only its own change from another
// user to 0 gives the file capabilities back (capabilities(7), "effect of user
// ID changes on capabilities").
func takeOff() error {
	return setIDs([4][2]uintptr{
		{unix.SYS_SETFSUID, 0}, {unix.SYS_SETFSGID, 0}, {unix.SYS_SETRESUID, 0}, {unix.SYS_SETRESGID, 0},
	})
}

// setIDs makes calls that set one id each. setfsuid(2) and setfsgid(2) do not
// tell errors and ignore further arguments.
func setIDs(calls [4][2]uintptr) error {
	for _, c := range calls {
		_, _, errno := unix.RawSyscall(c[0], c[1], keepID, keepID)
		if errno != 0 {
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

// status is what is read of /proc/PID/status.
type status struct {
	uid, gid     [4]int // real, effective, saved and file system ids
	effective    uint64 // capabilities
	tgid, parent int    // process ids
}

func statusOf(pid int) (status, error) {
	var st status
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return st, errGone
	}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "Tgid":
			_, err = fmt.Sscan(string(value), &st.tgid)
		case "PPid":
			_, err = fmt.Sscan(string(value), &st.parent)
		case "Uid":
			_, err = fmt.Sscan(string(value), &st.uid[0], &st.uid[1], &st.uid[2], &st.uid[3])
		case "Gid":
			_, err = fmt.Sscan(string(value), &st.gid[0], &st.gid[1], &st.gid[2], &st.gid[3])
		case "CapEff":
			st.effective, err = strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		}
		if err != nil {
			return st, fmt.Errorf("/proc/%d/status: %w", pid, err)
		}
	}
	return st, nil
}

// read fills buf from the process' memory.
func (t *target) read(pid int, addr uint64, buf []byte) error {
	return t.as(pid, func() error {
		n, err := readMemory(pid, addr, buf)
		if err == nil && n < len(buf) {
			return errFault
		}
		return err
	})
}

// readString reads a zero-terminated string into buf. It reads up to the end of
// the page first, since the next one may not exist.
func (t *target) readString(pid int, addr uint64, buf []byte) ([]byte, error) {
	var n int
	for n < len(buf) {
		at := addr + uint64(n)
		chunk := min(t.page-int(at%uint64(t.page)), len(buf)-n)
		got, err := readMemory(pid, at, buf[n:n+chunk])
		if denied(err) {
			err = t.as(pid, func() (err error) {
				got, err = readMemory(pid, at, buf[n:n+chunk])
				return err
			})
		}
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
	path := make([]byte, 0, 48)
	path = strconv.AppendInt(append(path, "/proc/"...), int64(pid), 10)
	path = append(append(append(path, '/'), name...), 0)
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
