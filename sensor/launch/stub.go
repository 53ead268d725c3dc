package launch

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
)

const (
	// stubName is argv[0] of the stub.
	stubName = "slimfile-stub"
	// stubSocket is its descriptor.
	stubSocket = 3
	// stubFailed is the exit status when the program could not be started;
	// the reason went over the socket.
	stubFailed = 127
)

// IsStub reports whether this process was started to become a traced program;
// main must then call StubMain before anything else.
func IsStub(args []string) bool { return len(args) == 1 && args[0] == stubName }

// StubMain turns this process into the program that the parent asks for. It
// does not return.
func StubMain() {
	// Filters, namespaces and ids belong to the thread; execve makes this
	// thread the process.
	runtime.LockOSThread()
	// Where this is to become a probe, an app that is root as well runs beside
	// it and has no business here until the recorder is in place (handOver).
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	unix.CloseOnExec(stubSocket)
	conn := os.NewFile(stubSocket, "parent")
	err := become(conn)
	var r *stepError
	if !errors.As(err, &r) {
		r = &stepError{step: stepStub, err: err}
	}
	var errno unix.Errno
	if !errors.As(r.err, &errno) {
		errno = unix.EPROTO // the parent is gone, nobody will read this
	}
	line, _ := json.Marshal(report{Step: r.step, Detail: r.detail, Errno: errno})
	_, _ = conn.Write(append(line, '\n'))
	os.Exit(stubFailed)
}

// stepError is a failed step of the stub.
type stepError struct {
	step, detail string
	err          error
}

func (e *stepError) Error() string { return fmt.Sprintf("%s %s: %v", e.step, e.detail, e.err) }

func failed(step, detail string, err error) error {
	if err == nil {
		return nil
	}
	return &stepError{step, detail, err}
}

// become does what is ordered and only returns with an error. Whatever needs
// privileges comes before they are dropped, and all that needs no recording
// before the filter.
func become(conn *os.File) error {
	in := bufio.NewReader(conn)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	prog, err := filter.Unmarshal(o.Filter)
	if err != nil {
		return err
	}
	if err := defaultLibrarySignals(); err != nil {
		return failed("sigaction", "", err)
	}
	if err := unix.CloseRange(stubSocket, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return failed(StepCloseRange, "", err)
	}
	if o.Confine {
		if err := confine(); err != nil {
			return err
		}
	}
	if o.Adopts { // outlives the execve, and forks do not get it
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return failed("become subreaper", "", err)
		}
	}
	if err := handOver(conn, prog); err != nil {
		return err
	}
	if b, err := in.ReadByte(); err != nil || b != goAhead {
		return errors.Join(errors.New("no go-ahead"), err)
	}
	// A folder behind one that the program's user may not enter is fine, and
	// so is one that only the user may enter (a FUSE mount): runc tries both.
	entered := unix.Chdir(string(o.Dir))
	if entered != nil && !errors.Is(entered, unix.EACCES) {
		return failed("chdir", string(o.Dir), entered)
	}
	if err := dropIDs(o); err != nil {
		return err
	}
	if entered != nil {
		if err := unix.Chdir(string(o.Dir)); err != nil {
			return failed("chdir", string(o.Dir), err)
		}
	}
	return failed(StepExec, string(o.Path), syscall.Exec(string(o.Path), toStrings(o.Args), toStrings(o.Env)))
}

// handOver installs the recorder's filter and sends its listener.
func handOver(conn *os.File, prog []unix.SockFilter) error {
	// The recorder has to read it. With the filter in place this might already
	// be a call that waits for the recorder.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return failed("set dumpable", "", err)
	}
	r := report{Tid: unix.Gettid()}
	flags := uintptr(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	fd, err := installFilter(prog, flags)
	r.Killable = !errors.Is(err, unix.EINVAL)
	if !r.Killable { // before Linux 5.19, which looks at the flags first
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
		fd, err = installFilter(prog, flags)
	}
	if errors.Is(err, unix.EACCES) { // neither CAP_SYS_ADMIN nor no_new_privs (seccomp(2))
		r.NoNewPrivs = true
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return failed(StepNoNewPrivs, "", err)
		}
		fd, err = installFilter(prog, flags)
	}
	if err != nil {
		return failed(StepFilter, "", err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := sendDescriptor(append(line, '\n'), fd); err != nil {
		return failed("sendmsg", "", err)
	}
	return failed("close", "", unix.Close(fd))
}

// sendDescriptor sends data to the parent, with a descriptor.
func sendDescriptor(data []byte, fd int) error {
	rights := unix.UnixRights(fd)
	iov := unix.Iovec{Base: &data[0], Len: uint64(len(data))}
	msg := unix.Msghdr{Iov: &iov, Iovlen: 1, Control: &rights[0], Controllen: uint64(len(rights))}
	sent, _, errno := unix.Syscall6(unix.SYS_SENDMSG, stubSocket, uintptr(unsafe.Pointer(&msg)), 0, 0, 0, OwnCall)
	if errno != 0 {
		return errno
	}
	if int(sent) != len(data) {
		return io.ErrShortWrite
	}
	return nil
}

// installFilter installs a seccomp filter for the calling thread.
func installFilter(prog []unix.SockFilter, flags uintptr) (int, error) {
	if len(prog) == 0 {
		return -1, unix.EINVAL
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// dropIDs takes the program's ids, for this thread only: the Go library's
// Setuid would signal all threads, which have no filter. Groups go first, while
// CAP_SETGID is still there.
func dropIDs(o order) error {
	var groups unsafe.Pointer
	if len(o.Groups) > 0 {
		groups = unsafe.Pointer(&o.Groups[0])
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(o.Groups)), uintptr(groups), 0); errno != 0 {
		return failed("setgroups", fmt.Sprint(o.Groups), errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(o.GID), uintptr(o.GID), uintptr(o.GID)); errno != 0 {
		return failed("setgid", fmt.Sprint(o.GID), errno)
	}
	bind := o.LowPorts && o.UID != 0
	if bind {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return failed("keep capabilities", "", err)
		}
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(o.UID), uintptr(o.UID), uintptr(o.UID)); errno != 0 {
		return failed("setuid", fmt.Sprint(o.UID), errno)
	}
	if o.Confine || bind {
		if err := limitCaps(o.UID == 0, bind); err != nil {
			return err
		}
	}
	// The change of ids made the process unreadable for the recorder, which
	// has to read the arguments of the execve to come.
	return failed("set dumpable", "", unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
}
