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
//
// A call that only a fatal signal interrupts can be stopped in advance. Before
// Linux 5.19 the stop would undo the call, so that it has to come afterwards,
// when the thread may have run on a little: to another call, which is repeated
// then; to an execve, which makes it dumpable by itself; or to a fork, whose
// child cannot be read and is a loss when it uses a path.

// keepReadable answers a set*id call.
func (l *listener) keepReadable(fd int, n *notification) {
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
		if l.Killable {
			err = unix.PtraceInterrupt(pid)
			send(fd, n.ID, 0)
		} else {
			send(fd, n.ID, 0)
			err = unix.PtraceInterrupt(pid)
		}
		if err == nil {
			err = makeDumpable(pid, n.IP)
		}
		if err != nil && !errors.Is(err, errGone) {
			l.lose(fmt.Sprintf("keep %s readable after its change of user: %v", processName(pid), err))
		}
	})
}

func seize(pid int) error {
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEEXEC
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, options, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// makeDumpable waits for the thread to stop, runs the prctl with the system call
// instruction before ip and detaches. With all signals blocked meanwhile no
// handler runs in between.
func makeDumpable(pid int, ip uint64) error {
	if err := waitInterrupt(pid); err != nil {
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
	if err := setRegisters(pid, saved.prctl(ip, unix.PR_SET_DUMPABLE, 1)); err != nil {
		return err
	}
	result, err := runCall(pid)
	if err := errors.Join(err, setRegisters(pid, saved.restart())); err != nil {
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

// waitInterrupt waits for the stop of PTRACE_INTERRUPT; signals on the way are
// delivered. Of a thread that has executed a program meanwhile there is nothing
// left to do: errGone.
func waitInterrupt(pid int) error {
	for range maxStops {
		status, err := waitStop(pid)
		if err != nil {
			return err
		}
		switch event(status) {
		case unix.PTRACE_EVENT_STOP:
			return nil
		case unix.PTRACE_EVENT_EXEC:
			_ = unix.PtraceDetach(pid) // unless it was killed
			return errGone
		}
		if err := unix.PtraceCont(pid, int(status.StopSignal())); err != nil {
			return err
		}
	}
	return errors.New("thread gets too many signals")
}

// event is the PTRACE_EVENT_* of a stop, 0 for a signal's (ptrace(2)).
func event(status unix.WaitStatus) int { return int(status >> 16) }

// runCall lets the thread run to the end of its next system call.
func runCall(pid int) (int64, error) {
	for entered, stops := false, 0; stops < maxStops; stops++ {
		if err := unix.PtraceSyscall(pid, 0); err != nil {
			return 0, err
		}
		status, err := waitStop(pid)
		if err != nil {
			return 0, err
		}
		if status.StopSignal() != unix.SIGTRAP|0x80 { // PTRACE_O_TRACESYSGOOD
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
func waitStop(pid int) (unix.WaitStatus, error) {
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
		return status, nil
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
