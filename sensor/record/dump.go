package record

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A process that changes its effective ids becomes non-dumpable
// (PR_SET_DUMPABLE(2const)), after which only CAP_SYS_PTRACE can read it. The
// listener therefore attaches to a thread that is about to change its ids, lets
// the call run and makes the thread call prctl(PR_SET_DUMPABLE, 1) before its
// next instruction. Children inherit that. Nothing is written to its memory.

// keepReadable answers a set*id call.
func (l *listener) keepReadable(fd int, n *notification) {
	if !l.Killable { // attaching would interrupt the call instead of following it
		send(fd, n.ID, 0)
		return
	}
	l.hold(func() {
		pid := int(n.PID)
		// Refused when the ids are partly changed already. Whether that does
		// harm shows when a later call cannot be read.
		err := l.target.as(pid, func() error { return seize(pid) })
		if err != nil || !valid(fd, n.ID) {
			send(fd, n.ID, 0)
			if err == nil {
				_ = unix.PtraceDetach(pid)
			}
			return
		}
		err = unix.PtraceInterrupt(pid)
		send(fd, n.ID, 0)
		if err == nil {
			err = makeDumpable(pid)
		}
		if err != nil && !errors.Is(err, errGone) {
			l.lose(fmt.Sprintf("keep %s readable after its change of user: %v", processName(pid), err))
		}
	})
}

func seize(pid int) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, unix.PTRACE_O_TRACESYSGOOD, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// makeDumpable waits for the thread to stop, runs the prctl and detaches. With
// all signals blocked meanwhile no handler runs in between.
func makeDumpable(pid int) error {
	if _, err := waitStop(pid); err != nil {
		return err
	}
	defer func() { _ = unix.PtraceDetach(pid) }() // unless it was killed
	var mask uint64
	if err := signalMask(unix.PTRACE_GETSIGMASK, pid, &mask); err != nil {
		return err
	}
	all := ^uint64(0)
	if err := signalMask(unix.PTRACE_SETSIGMASK, pid, &all); err != nil {
		return err
	}
	defer func() { _ = signalMask(unix.PTRACE_SETSIGMASK, pid, &mask) }()
	saved, err := getRegisters(pid)
	if err != nil {
		return err
	}
	if err := setRegisters(pid, saved.prctl(unix.PR_SET_DUMPABLE, 1)); err != nil {
		return err
	}
	result, err := runCall(pid)
	if err := errors.Join(err, setRegisters(pid, saved)); err != nil {
		return err
	}
	if result != 0 {
		return fmt.Errorf("prctl: %w", unix.Errno(-result))
	}
	return nil
}

// maxStops bounds the stops on the way through one call, of which two are the
// call's own.
const maxStops = 16

// runCall lets the thread run to the end of its next system call.
func runCall(pid int) (int64, error) {
	for entered, stops := false, 0; stops < maxStops; stops++ {
		if err := unix.PtraceSyscall(pid, 0); err != nil {
			return 0, err
		}
		sig, err := waitStop(pid)
		if err != nil {
			return 0, err
		}
		if sig != unix.SIGTRAP|0x80 { // PTRACE_O_TRACESYSGOOD
			continue
		}
		if entered {
			regs, err := getRegisters(pid)
			return regs.result(), err
		}
		entered = true
	}
	return 0, errors.New("thread does not reach its system call")
}

const (
	stopTimeout  = 10 * time.Second
	stopInterval = 20 * time.Microsecond
)

// waitStop waits for the thread's next stop. It looks before it takes, so that
// the exit of a child is left to the reaper.
func waitStop(pid int) (unix.Signal, error) {
	const exited = 3 // CLD_EXITED, CLD_KILLED and CLD_DUMPED are 1 to 3
	for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return 0, errGone
		case err != nil:
			return 0, err
		case info.Signo == 0:
			pause := unix.NsecToTimespec(int64(stopInterval))
			_ = unix.Nanosleep(&pause, nil)
			continue
		case info.Code <= exited:
			return 0, errGone
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WNOHANG|unix.WALL, nil); err != nil {
			return 0, err
		}
		return status.StopSignal(), nil
	}
	return 0, fmt.Errorf("thread did not stop within %v", stopTimeout)
}

// signalMask gets or sets the thread's signal mask (ptrace(2)).
func signalMask(request, pid int, mask *uint64) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(pid),
		unsafe.Sizeof(*mask), uintptr(unsafe.Pointer(mask)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
