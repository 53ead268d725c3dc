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

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
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
	Witness   []manifest.Path
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

// ErrFanotify matches the error of New when fanotify was demanded and cannot
// be had; its text names cause and remedy.
var ErrFanotify = errors.New("fanotify is not available")

// Session records the processes started through it. Its methods may be called
// from several goroutines.
type Session struct{}

// New arms the recorders that need arming before any process exists.
func New(opt Options) (*Session, error) { return &Session{}, nil }

// Start starts a program with the recorder armed before its first instruction.
// The session reaps: nothing else in the process may wait for children.
func (s *Session) Start(spec launch.Spec) (*launch.Process, error) {
	return nil, errors.ErrUnsupported
}

// KillAll kills every process that the session's programs left behind and
// waits until none is left.
func (s *Session) KillAll(ctx context.Context) error { return errors.ErrUnsupported }

// Close drains the recorders and returns what they saw; to be called when all
// processes are gone (KillAll). A loss is an error that matches ErrLost, beside
// which the result is returned all the same.
func (s *Session) Close() (*Result, error) { return nil, errors.ErrUnsupported }
