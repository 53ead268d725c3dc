// Package record records which paths of the root filesystem a set of processes
// touches.
//
// Two recorders work behind one session. The seccomp recorder is always on and
// needs no privilege: every path-taking system call of the traced processes is
// reported to it before it runs (seccomp_unotify(2)). The fanotify recorder is
// a second witness where the sensor has CAP_SYS_ADMIN: it sees what does not
// pass a system call of a traced process. What only fanotify saw is merged and
// reported. Imported by sensor/trace.
package record

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
	"golang.org/x/sys/unix"
)

// Options selects the recorders.
type Options struct {
	// Fanotify demands the witness; it needs CAP_SYS_ADMIN in the initial user
	// namespace, that is a step run as security.insecure.
	Fanotify bool
	// Privileged says that the sensor has all capabilities (security.insecure):
	// then targets are readable whatever their user, and setuid programs work.
	Privileged bool
}

// Result is what a session recorded.
type Result struct {
	// Entries yields the touched paths in sorted order, N of them. It may be
	// ranged over more than once.
	Entries iter.Seq[manifest.Entry]
	N       int
	// Events counts the notifications and fanotify events handled, Lost those
	// that could not be turned into a path.
	Events, Lost uint64
	// Witness lists, sorted, what only fanotify saw.
	Witness []manifest.Path
	// Recorders names those that ran: "seccomp", "fanotify".
	Recorders []string
	// Warnings are sentences for the user.
	Warnings []string
}

// ErrLost matches a LostError.
var ErrLost = errors.New("events lost")

// LostError says that the record is incomplete, with the first loss seen.
type LostError struct {
	Lost   uint64
	Reason string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%d events lost: %s", e.Lost, e.Reason)
}

// Is makes errors.Is(err, ErrLost) work.
func (e *LostError) Is(target error) bool { return target == ErrLost }

// Session records the processes started through it. Its methods may be called
// from several goroutines, Close only once.
type Session struct {
	launcher *launch.Launcher
	recorder *recorder
	fanotify *fanotify // nil without
	filter   []unix.SockFilter

	mu        sync.Mutex
	listeners []*listener
}

// New arms the recorders that need arming before any process exists. From now
// on the session reaps: nothing else in this process may start children or wait
// for them.
func New(opt Options) (*Session, error) {
	filter, tables, err := prepare(opt.Privileged)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	mounts, err := mountPoints()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r := &recorder{tables: tables, privileged: opt.Privileged, walker: walker{set: newSet(), mounts: mounts}}
	r.generation.Store(1)
	s := &Session{filter: filter, recorder: r}
	if s.launcher, err = launch.New(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r.hold = s.launcher.Hold
	if opt.Fanotify {
		if s.fanotify, err = newFanotify(r); err != nil {
			s.launcher.Close()
			return nil, err
		}
	}
	return s, nil
}

// Start starts a program with the recorder armed before its first instruction.
// A program that cannot be started is a *launch.StartError.
func (s *Session) Start(spec launch.Spec) (*launch.Process, error) {
	return s.launcher.Start(spec, s.filter, func(handed launch.Listener) error {
		if s.fanotify != nil {
			if err := s.fanotify.follow(handed.Pid); err != nil {
				handed.Notify.Close()
				return err
			}
		}
		if !handed.Killable {
			s.recorder.warn("this kernel is older than 5.19: programs that change their user may not be recorded in full, which then fails the build")
		}
		l := newListener(s.recorder, handed)
		s.mu.Lock()
		s.listeners = append(s.listeners, l)
		s.mu.Unlock()
		go l.run()
		return nil
	})
}

// KillAll kills every process that the session's programs left behind and
// waits until none is left. As pid 1 of a pid namespace it kills all of it.
func (s *Session) KillAll(ctx context.Context) error {
	return s.launcher.KillAll(ctx, func() bool {
		for _, l := range s.all() {
			select {
			case <-l.done:
			default:
				return false
			}
		}
		return true
	})
}

func (s *Session) all() []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listeners[:len(s.listeners):len(s.listeners)]
}

// drainTimeout bounds the wait for the recorders after the last process is
// gone; they have nothing left to wait for then.
const drainTimeout = 30 * time.Second

// ErrRunning says that Close found processes that still run.
var ErrRunning = errors.New("traced processes still run")

// Close drains the recorders and returns what they saw; to be called when all
// processes are gone (KillAll). A loss is an error that matches ErrLost, beside
// which the result is returned all the same.
func (s *Session) Close() (*Result, error) {
	defer s.launcher.Close()
	deadline := time.After(drainTimeout)
	res := &Result{Recorders: []string{"seccomp"}}
	for _, l := range s.all() {
		select {
		case <-l.done:
			res.Events += l.events
		case <-deadline:
			return nil, ErrRunning
		}
	}
	if s.fanotify != nil {
		res.Recorders = append(res.Recorders, "fanotify")
		if err := s.fanotify.merge(res); err != nil {
			return nil, err
		}
	}
	if err := s.list(res); err != nil {
		return nil, err
	}
	res.Warnings = s.recorder.warnings
	if res.Lost = s.recorder.lost.Load(); res.Lost > 0 {
		return res, &LostError{Lost: res.Lost, Reason: s.recorder.reason}
	}
	return res, nil
}

// list lays the entries out. Mount points are read again: a program with the
// privileges may have mounted something.
func (s *Session) list(res *Result) error {
	later, err := mountPoints()
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w := &s.recorder.walker
	l := newList(w.set, func(path []byte) bool {
		_, now := later[string(path)]
		return now || w.excludes(path)
	})
	res.Entries = l.entries
	for range res.Entries {
		res.N++
	}
	return nil
}
