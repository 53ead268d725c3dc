package trace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/probe"
)

// errGone is the cause of contexts that end because the app did.
var errGone = errors.New("the app ended")

// gone tells whether nothing is left of the app, and how it ended. An app
// whose first process exits 0 lives on in the processes that it left behind.
func (s *supervisor) gone() (how string, gone bool, err error) {
	if !s.exited() {
		return "", false, nil
	}
	status := s.app.ExitStatus()
	if status.Exited() && status.ExitStatus() == 0 {
		left, err := descendants()
		if err != nil {
			return "", false, err
		}
		if len(left) > 0 {
			return "", false, nil
		}
	}
	return probe.Exit(status), true, nil
}

// exited tells whether the app's first process has ended.
func (s *supervisor) exited() bool {
	select {
	case <-s.app.Done():
		return true
	default:
		return false
	}
}

// whileAlive is ctx until the app ends. stop frees what it needs.
func (s *supervisor) whileAlive(ctx context.Context) (alive context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-ctx.Done():
		case <-s.app.Done():
			if _, gone, err := s.gone(); gone || err != nil {
				cancel(errGone)
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-finished
	}
}

// exitTime is how long after a failed request the app may still be seen to
// have died of it.
const exitTime = 250 * time.Millisecond

func (s *supervisor) awaitExit(ctx context.Context) {
	timer := time.NewTimer(exitTime)
	defer timer.Stop()
	select {
	case <-s.app.Done():
	case <-ctx.Done():
	case <-timer.C:
	}
}

// poll calls done until it says true, at growing intervals. It returns the
// error of done, or the cause of ctx's end.
func poll(ctx context.Context, done func() (bool, error)) error {
	const first, last = 2 * time.Millisecond, 25 * time.Millisecond
	for interval := first; ; interval = min(interval*3/2, last) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		timer := time.NewTimer(interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// descendants are the living processes below this one.
func descendants() ([]int, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	parents := map[int]int{}
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil { // gone since
			continue
		}
		if parent, alive := parseStat(string(stat)); alive {
			parents[pid] = parent
		}
	}
	return below(os.Getpid(), parents), nil
}

// parseStat reads parent and state from proc_pid_stat(5). The second field,
// the program's name in parentheses, may hold anything.
func parseStat(stat string) (parent int, alive bool) {
	_, rest, _ := cutLast(stat, ")")
	fields := strings.Fields(rest)
	if len(fields) < 2 || strings.ContainsAny(fields[0], "ZXx") {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// below returns the processes of which ancestor is one.
func below(ancestor int, parents map[int]int) []int {
	var found []int
	for pid := range parents {
		up := parents[pid]
		for steps := 0; up != ancestor && up != 0 && steps < len(parents); steps++ {
			up = parents[up]
		}
		if up == ancestor {
			found = append(found, pid)
		}
	}
	return found
}

// handles tells whether a process does something about a signal: has a
// handler, or blocks it, which is how programs take signals from signalfd or
// sigwait (proc_pid_status(5): SigCgt, SigBlk).
func handles(pid int, sig unix.Signal) (bool, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, err
	}
	var handled uint64
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "SigCgt" && name != "SigBlk" {
			continue
		}
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			return false, fmt.Errorf("%s of process %d: %w", name, pid, err)
		}
		handled |= mask
	}
	return handled&(1<<(sig-1)) != 0, nil
}
