package record

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Without CAP_SYS_PTRACE a process may only be read by one that has all of its
// ids, real, effective and saved (ptrace(2), "ptrace access mode checking").
// Nobody has those of a process that changed only some of its own (seteuid(2)),
// and nobody may read one that runs a program which its user may execute but
// not read. The listener attaches to such a thread while it may and stays
// attached, to its children as well. When one of its calls is reported, the
// listener stops it, has it take back equal ids and the dumpable state by
// injected calls, reads the call, restores the ids and has it repeat the call.

// attached is a thread that the listener stays attached to.
type attached struct {
	// read is the last call that was read and is about to be repeated, of
	// which hidden is the verdict.
	read   notification
	hidden bool
}

// attach attaches to a thread that waits for the answer to a call.
func (l *listener) attach(fd int, n *notification) bool {
	pid := int(n.PID)
	if l.attached[pid] != nil {
		return true
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEEXEC |
		unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE
	err := l.target.as(pid, func() error {
		_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, options, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return false
	}
	if !valid(fd, n.ID) {
		_ = unix.PtraceDetach(pid)
		return false
	}
	l.attached[pid] = &attached{}
	return true
}

// leave lets a stopped thread go on, attached only if its ids make that
// necessary.
func (l *listener) leave(pid int, st status) error {
	if st.mixed() {
		return unix.PtraceCont(pid, 0)
	}
	delete(l.attached, pid)
	return unix.PtraceDetach(pid)
}

// mixed reports whether no process can have all of the ids.
func (st status) mixed() bool {
	return st.uid[0] != st.uid[1] || st.uid[0] != st.uid[2] || st.gid[0] != st.gid[1] || st.gid[0] != st.gid[2]
}

// executed attaches to a thread that is about to run a program which makes it
// non-dumpable: one that its user may not read, or any if its file system ids
// differ (begin_new_exec in fs/exec.c, commit_creds in kernel/cred.c). It can be
// read as soon as it has made a call.
func (l *listener) executed(fd int, n *notification) {
	if l.privileged || !l.ran.guarded && len(l.pretences) == 0 {
		return // the ids are equal, and so it stays readable
	}
	st, err := statusOf(int(n.PID))
	if err != nil {
		return // gone
	}
	unreadable := l.ran.guarded && st.effective&(1<<unix.CAP_DAC_OVERRIDE) == 0 || st.uid[3] != st.uid[0] || st.gid[3] != st.gid[0]
	l.pretences.execution(st, unreadable)
	if unreadable {
		l.hold(func() { l.attach(fd, n) })
	}
}

// inspect answers a call of an attached thread: it records the call and has the
// thread repeat it, which is then let go on. It returns false if the call is to
// be recorded like any other.
func (l *listener) inspect(fd int, n *notification, c call) (ok bool) {
	pid := int(n.PID)
	if l.attached[pid].repeats(n) {
		l.changed(n, c)
		reply(fd, n.ID, l.attached[pid].hidden)
		return true
	}
	l.hold(func() {
		if unix.PtraceInterrupt(pid) != nil { // another thread by the same number
			delete(l.attached, pid)
			return
		}
		ok = true
		send(fd, n.ID, unix.EINTR) // which the program does not see
		err := l.waitInterrupt(pid)
		if err == nil {
			err = l.look(fd, n, c)
		}
		l.account(n, err)
	})
	return ok
}

// look reads the call of a stopped thread.
func (l *listener) look(fd int, n *notification, c call) error {
	pid := int(n.PID)
	l.census.of(n.PID) // its user as it is
	before, err := statusOf(pid)
	if err != nil {
		return err
	}
	a := l.attached[pid]
	a.read, a.hidden = *n, false
	err = inject(pid, n.IP, func(thread caller) error {
		if !before.mixed() { // readable from now on, as are its children
			return thread.call(callPrctl, unix.PR_SET_DUMPABLE, 1)
		}
		if unite(thread, before) != nil {
			return errors.Join(errUnreadable, part(thread, before))
		}
		l.stopped = true
		l.bases(n.PID).status = &before // and not as it is united
		hidden, err := l.record(fd, n, c)
		l.stopped, a.hidden = false, hidden
		return errors.Join(err, part(thread, before))
	})
	regs, regsErr := getRegisters(pid)
	if regsErr == nil {
		regsErr = setRegisters(pid, regs.again(n))
	}
	return errors.Join(err, regsErr, l.leave(pid, before))
}

// repeats reports whether a call of an attached thread is the one that was read
// already.
func (a *attached) repeats(n *notification) bool {
	is := a.read.Nr == n.Nr && a.read.Arch == n.Arch && a.read.IP == n.IP && a.read.Args == n.Args && a.read.PID == n.PID
	a.read = notification{}
	return is
}

const keep = -1 // an id that a call leaves as it is

// unite gives a thread with different ids those of root, by the one that is
// root's already: what effective capabilities that brings is what it has.
func unite(thread caller, st status) error {
	if st.uid[1] != 0 {
		if st.effective != 0 {
			return errUnreadable // the capabilities would not come back
		}
		if err := thread.call(callSetresuid, keep, 0, keep); err != nil {
			return err
		}
	}
	if err := thread.call(callSetresgid, 0, 0, 0); err != nil {
		return err
	}
	if err := thread.call(callSetresuid, 0, 0, 0); err != nil {
		return err
	}
	return thread.call(callPrctl, unix.PR_SET_DUMPABLE, 1)
}

// part gives a thread its different ids back.
func part(thread caller, st status) error {
	if err := thread.call(callSetresgid, st.gid[0], st.gid[1], st.gid[2]); err != nil {
		return err
	}
	if st.gid[3] != st.gid[1] {
		if err := thread.call(callSetfsgid, st.gid[3]); err != nil {
			return err
		}
	}
	if err := thread.call(callSetresuid, st.uid[0], st.uid[1], st.uid[2]); err != nil {
		return err
	}
	if st.uid[3] != st.uid[1] {
		if err := thread.call(callSetfsuid, st.uid[3]); err != nil {
			return err
		}
	}
	return thread.call(callPrctl, unix.PR_SET_DUMPABLE, 1)
}

// attendInterval is how long an attached thread may stand still for a signal or
// a fork.
const attendInterval = time.Millisecond

// attend waits for a notification and meanwhile lets attached threads go on that
// have stopped for a signal or a fork.
func (l *listener) attend(fd int) {
	for len(l.attached) > 0 && !ready(fd, attendInterval) {
		l.resumeAll()
	}
}

func (l *listener) resumeAll() {
	l.hold(func() {
		for again := true; again; {
			again = false
			for pid := range l.attached {
				status, stopped, err := takeStop(pid)
				if stopped && err == nil {
					again = true
					err = l.resume(pid, status)
				}
				if err != nil {
					delete(l.attached, pid)
					if !errors.Is(err, errGone) && !errors.Is(err, unix.ESRCH) {
						l.lose(fmt.Sprintf("follow %s: %v", processName(pid), err))
					}
				}
			}
		}
	})
}

// resume continues a thread after a stop (ptrace(2), "Stopped states").
func (l *listener) resume(pid int, status unix.WaitStatus) error {
	switch sig := status.StopSignal(); event(status) {
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		child, err := unix.PtraceGetEventMsg(pid)
		if err != nil {
			return err
		}
		l.attached[int(child)] = &attached{}
	case unix.PTRACE_EVENT_STOP:
		if sig != unix.SIGTRAP { // stopped as a group, until SIGCONT
			_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_LISTEN, uintptr(pid), 0, 0, 0, 0)
			if errno != 0 {
				return errno
			}
			return nil
		}
	case unix.PTRACE_EVENT_EXEC:
	default:
		return unix.PtraceCont(pid, int(sig))
	}
	return unix.PtraceCont(pid, 0)
}
