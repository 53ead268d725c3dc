package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Process is a started program.
type Process struct {
	pid    int
	done   chan struct{}
	status unix.WaitStatus // valid once done is closed
	reaper *reaper
}

// Pid is the process id in the sensor's pid namespace.
func (p *Process) Pid() int { return p.pid }

// Done is closed when the program has exited and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitStatus is how the program ended; valid once Done is closed.
func (p *Process) ExitStatus() unix.WaitStatus { return p.status }

// Signal sends sig to the program, not to its children. It returns unix.ESRCH
// when the program is gone.
func (p *Process) Signal(sig unix.Signal) error {
	p.reaper.mu.Lock() // a pid is not reused before it is reaped
	defer p.reaper.mu.Unlock()
	select {
	case <-p.done:
		return unix.ESRCH
	default:
		return unix.Kill(p.pid, sig)
	}
}

// reaper waits for children. All waiting happens under mu, so that whoever
// holds it may trace a child without its stops being taken away: wait4(2)
// reports the stops of a traced child to any thread of the process.
type reaper struct {
	mu    sync.Mutex
	procs map[int]*Process
}

// adoptOrphans makes orphaned descendants our children. pid 1 has them anyway.
func adoptOrphans() error {
	if os.Getpid() == 1 {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}

// Hold runs f while nothing is reaped.
func (r *reaper) Hold(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	r.reap() // what ended meanwhile was announced while it could not be taken
}

// adopt registers the child that start makes before it can be reaped.
func (r *reaper) adopt(start func() (int, error)) (*Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := start()
	if err != nil {
		return nil, err
	}
	p := &Process{pid: pid, done: make(chan struct{}), reaper: r}
	r.procs[pid] = p
	return p, nil
}

// reap takes every child that has ended.
func (r *reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.reapOne() {
	}
}

// reapOne takes one child that has ended and reports whether there was one. The
// stop of a traced one is left to the thread that traces it, and with it what it
// hides: Hold reaps again.
func (r *reaper) reapOne() bool {
	const ended = 3 // CLD_EXITED, CLD_KILLED and CLD_DUMPED are 1 to 3
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	if errors.Is(err, unix.EINTR) {
		return true
	}
	if err != nil || info.Signo == 0 || info.Code > ended {
		return false
	}
	var status unix.WaitStatus
	pid, err := unix.Wait4(childOf(&info), &status, unix.WNOHANG|unix.WALL, nil)
	if err != nil || pid <= 0 {
		return errors.Is(err, unix.EINTR)
	}
	if p := r.procs[pid]; p != nil && (status.Exited() || status.Signaled()) {
		p.status = status
		delete(r.procs, pid)
		close(p.done)
	}
	return true
}

// childOf is si_pid of a SIGCHLD, behind three ints and their padding
// (include/uapi/asm-generic/siginfo.h).
func childOf(info *unix.Siginfo) int {
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), 16)))
}

// killInterval is how often KillAll looks again: not every end of a process
// is an event here, since its parent may be another one.
const killInterval = 5 * time.Millisecond

// KillAll kills the programs and all that they left behind, until gone says
// that nothing is left. As pid 1 of a pid namespace that is everything in it.
func (l *Launcher) KillAll(ctx context.Context, gone func() bool) error {
	tick := time.NewTicker(killInterval)
	defer tick.Stop()
	for {
		l.reap()
		if !l.running() && gone() {
			return nil
		}
		if err := kill(); err != nil {
			return fmt.Errorf("kill what is left: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for killed processes: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (r *reaper) running() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.procs) > 0
}

func kill() error {
	if os.Getpid() == 1 {
		// Reaches all but the caller, and no fork can slip through (kill(2)).
		if err := unix.Kill(-1, unix.SIGKILL); !errors.Is(err, unix.ESRCH) {
			return err
		}
		return nil
	}
	pids, err := descendants(os.Getpid())
	for _, pid := range pids {
		// A pid may be gone by now; it is not reused as long as its parent,
		// in the end this process, has not waited for it.
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	return err
}

// descendants lists the processes below root, from one pass over /proc.
func descendants(root int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if ppid, ok := parent(pid); ok {
			children[ppid] = append(children[ppid], pid)
		}
	}
	list := slices.Clone(children[root])
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i]]...)
	}
	return list, nil
}

// parent reads the parent of a process, the second field after the command
// name, which may itself hold parentheses (proc_pid_stat(5)).
func parent(pid int) (int, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, false
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	return ppid, err == nil
}
