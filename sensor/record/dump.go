package record

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
)

// A process that changes its effective ids becomes non-dumpable
// (PR_SET_DUMPABLE(2const)), after which only CAP_SYS_PTRACE can read it. The
// listener therefore attaches to a thread that is about to change its ids, lets
// the call run and makes the thread call prctl(PR_SET_DUMPABLE, 1) before its
// next instruction. Children inherit that. Nothing is written to its memory.
// What the program itself is told of that state is in dumpable.go, threads whose
// ids are changed only in part are in attach.go.
//
// A call that only a fatal signal interrupts can be stopped in advance. Before
// Linux 5.19 the stop would undo the call, so that it has to come afterwards,
// when the thread may have run on a little: to another call, which is repeated
// then; to an execve, which makes it dumpable by itself; or to a fork, whose
// child is followed as well.

// keepReadable answers a set*id call.
func (l *listener) keepReadable(fd int, n *notification) {
	l.hold(func() {
		pid := int(n.PID)
		before, _ := statusOf(pid)
		// Refused for the tracee of another process. Whether that does harm
		// shows when a later call cannot be read.
		if !l.attach(fd, n) {
			send(fd, n.ID, 0)
			return
		}
		var err error
		if l.Killable {
			err = unix.PtraceInterrupt(pid)
			send(fd, n.ID, 0)
		} else {
			send(fd, n.ID, 0)
			err = unix.PtraceInterrupt(pid)
		}
		if err == nil {
			err = l.makeDumpable(pid, n.IP, before)
		}
		if err != nil && !errors.Is(err, errGone) {
			l.lose(fmt.Sprintf("keep %s readable after its change of user: %v", processName(pid), err))
		}
	})
}

// makeDumpable waits for the thread to stop, runs the prctl with the system call
// instruction before ip and lets the thread go on. before is what its ids were.
func (l *listener) makeDumpable(pid int, ip uint64, before status) error {
	if err := l.waitInterrupt(pid); err != nil {
		return err
	}
	err := inject(pid, ip, func(thread caller) error {
		return thread.call(callPrctl, unix.PR_SET_DUMPABLE, 1)
	})
	now, statusErr := statusOf(pid)
	if statusErr == nil {
		l.pretences.after(before, now)
	}
	return errors.Join(err, statusErr, l.leave(pid, now))
}

// caller makes a stopped thread call.
type caller struct {
	pid   int
	ip    uint64
	saved registers
}

// inject has f make calls with a stopped thread, with the system call
// instruction before ip, and puts everything back. With all signals blocked
// meanwhile no handler runs in between.
func inject(pid int, ip uint64, f func(caller) error) error {
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
	return errors.Join(f(caller{pid, ip, saved}), setRegisters(pid, saved.restart()))
}

func (c caller) call(nr callName, args ...int) error {
	raw := [6]uint64{5: launch.OwnCall}
	for i, a := range args {
		raw[i] = uint64(a)
	}
	if err := setRegisters(c.pid, c.saved.call(c.ip, nr, raw)); err != nil {
		return err
	}
	result, err := runCall(c.pid)
	if err == nil && result < 0 {
		err = unix.Errno(-result)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", nr, err)
	}
	return nil
}

// callName is a call that is injected.
type callName uint8

const (
	callPrctl callName = iota
	callSetresuid
	callSetresgid
	callSetfsuid
	callSetfsgid
)

func (c callName) String() string {
	return [...]string{"prctl", "setresuid", "setresgid", "setfsuid", "setfsgid"}[c]
}

// maxStops bounds the stops on the way through one call, of which two are the
// call's own.
const maxStops = 16

// waitInterrupt waits for the stop of PTRACE_INTERRUPT; signals on the way are
// delivered, children followed. Of a thread that has executed a program
// meanwhile there is nothing left to do: errGone.
func (l *listener) waitInterrupt(pid int) error {
	for range maxStops {
		status, err := waitStop(pid)
		if err != nil {
			return err
		}
		switch event(status) {
		case unix.PTRACE_EVENT_STOP:
			return nil
		case unix.PTRACE_EVENT_EXEC:
			delete(l.attached, pid)
			_ = unix.PtraceDetach(pid) // unless it was killed
			return errGone
		}
		if err := l.resume(pid, status); err != nil {
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
	for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); {
		if status, ok, err := takeStop(pid); ok || err != nil {
			return status, err
		}
		pause := unix.NsecToTimespec(int64(stopInterval))
		_ = unix.Nanosleep(&pause, nil)
	}
	return 0, fmt.Errorf("thread did not stop within %v", stopTimeout)
}

// takeStop takes the thread's next stop if it has come already. It looks before
// it takes, so that the exit of a child is left to the reaper.
func takeStop(pid int) (unix.WaitStatus, bool, error) {
	const exited = 3 // CLD_EXITED, CLD_KILLED and CLD_DUMPED are 1 to 3
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	switch {
	case errors.Is(err, unix.EINTR):
		return 0, false, nil
	case errors.Is(err, unix.ECHILD):
		return 0, false, errGone
	case err != nil:
		return 0, false, err
	case info.Signo == 0:
		return 0, false, nil
	case info.Code <= exited:
		return 0, false, errGone
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WNOHANG|unix.WALL, nil); err != nil {
		return 0, false, err
	}
	return status, true, nil
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
