// Package record records which paths of the root filesystem a set of processes
// touches.
//
// Two recorders work behind one session. The seccomp recorder is always on and
// needs no privilege: every path-taking system call of the traced processes is
// reported to it before it runs (seccomp_unotify(2)). The fanotify recorder is
// a second witness where the sensor has CAP_SYS_ADMIN: it sees what does not
// pass a system call of a traced process. What only fanotify saw is merged and
// reported. Imported by sensor/trace.
//
// # What is recorded
//
// Names are followed through the live file system right before the kernel does
// it, so that an entry is a physical path in the real root, and each link on
// the way an entry of its own. Paths on other mounts than the root do not count.
//
// A look-up that fails is an entry too, that of the file at which the kernel gave
// up, with the reason (manifest.Failures): a name that is not there, a file that
// is no directory, a name too long, a link too many, a limit of openat2(2), a lack
// of permission (denied.go). Errors of what follows the look-up, and a path longer
// than PATH_MAX, which names nothing, are not recorded.
//
// Beside paths: in which phases of the run each was touched and by which program
// first (phase.go), the programs and their users (process.go), what was listened
// on and sought in the network (network.go), and on demand the set of system
// calls of each phase (noted.go). Each file says what it cannot see.
//
// # Limits
//
//   - The kernel reads a path again after the recorder has read it. A path that
//     another thread rewrites in between is recorded as it was, so that what was
//     really opened may be missing: a few opens in a hundred of a program that
//     does nothing else. The witness sees what is opened whatever the path was,
//     and misses none of these; it does not see look-ups.
//   - A stat with AT_EMPTY_PATH as its only flag, a directory's descriptor and a
//     name all the same is not seen; without a name it is fstat(3), and telling
//     the two apart would take a notification for each: a third more for a Python
//     program. With further flags or other calls it is seen.
//   - io_uring, which the programs are told the kernel does not have, is
//     fanotify's to see. Files that were open before the recorder started are
//     nobody's; programs start with no descriptors but 0, 1 and 2 (package
//     launch).
//   - Without privileges, a process with different real, effective and saved ids
//     of which none is root's, or with effective capabilities that the change of
//     its ids took and it raised again, cannot be read when it uses a path: that
//     is a loss, as is a process that another one traces (ptrace(2)) and that
//     changes its user.
//   - Without privileges every program stays dumpable whatever it does about it;
//     PR_GET_DUMPABLE(2const) says what it would otherwise. The recorder traces
//     (ptrace(2)) a process for a moment when it changes its ids, and for as long
//     as they differ.
//   - manifest.Dir is hidden by failing calls that name something in it with
//     ENOENT, where it cannot be unmounted. That keeps an application from
//     stumbling over the sensor's files; it is no protection against one that
//     looks for them.
//   - A directory that is renamed is recorded as one entry, not with what is in
//     it, and what is read under its new name has no entry under the old one.
//   - A nested user notification filter cannot be installed by the program
//     (EBUSY), and 32 bit programs on arm64 get ENOSYS.
//
// # Cost
//
// An event costs two context switches and three system calls: receive, read the
// path, answer. So what counts is the number of system calls: the directories of
// threads are kept (flight.go says until when), paths that are looked up again
// are not walked again, names are looked up from the folder of the names before
// (folders.go), the ids taken to read a process are kept. In microseconds, on a
// CPU of a virtual machine where stat(2) takes 0.8:
//
//	3.4  a notification that a listener in C answers at once
//	1.2  its path
//	0.9  the rest, if the path is known: 5.5 in sum
//	1.5  more for a new path, of which 0.7 are its lstat, 1.1 in a new folder
//	2.1  more where it counts from a descriptor: a link of /proc
//
// The first line is what no recorder by notifications can go below. A start costs
// 5 ms: the Go runtime of the stub takes 3.5, the kernel's compiling of the filter
// 0.5, the execve itself 1. What is initialised with the program is so in each
// stub, so that an expression compiled there costs every start.
//
// Microseconds for each event, and multiples of the time without a recorder, with
// a program and its recorder on one CPU that they have for themselves; lower
// quartiles of seven rounds. The second listener reads each path and stats it, but
// keeps nothing:
//
//	              listener in C   and one that reads   recorder    strace
//	php includes      4.8   1.6         7.8   2.0    10.1   2.2       3.7
//	git status        2.0   1.9         4.0   2.8     7.4   4.2       6.7
//	find              3.5   3.0         5.5   4.2    11.7   8.0       9.9
//	open storm        4.1   4.4         7.1   6.9     6.0   5.9      12.5
//	stat storm        4.7   6.2         6.2   8.0     6.4   9.4      17.7
//
// Applications take 1.0 (java) to 1.2 times as long (python, perl), a CPU that
// nobody else uses at hand: they make few calls, between which the recorder's code
// leaves the caches, so that an event costs 10 to 15 microseconds in the recorder
// and as much in the program after it.
//
// Tried, and what came of it:
//
//	fanotify ignores what is opened again     open storm with both: 15 to 6.8
//	/proc read without os.File                a fifth of what a process costs
//	                                          that starts, makes six calls and ends
//	the folder of the last names kept         8 % of the recorder's time in git
//	                                          status and find
//	verdicts kept only of what is looked up   5 % in git status, 13 % of php
//	again                                     includes
//	the scheduler of Go shown the thread      python imports: from 1000 wake-ups of
//	(pause in listener.go)                    the runtime's monitor to 90
//	receive by a raw system call              0.4 us of 5.5; not done, the Go runtime
//	                                          could not stop a thread that waits in it
//	descriptor of /proc/PID/mem kept          0.2 us of 5.5; not done
//	descriptor of /proc/PID/fd kept           0.4 us of find's 11.6; not done
//	no check that the thread still waits      1 % of a new path; not done, another
//	                                          process' memory could be recorded
//	readlinkat(2) to see that a name is       0.3 us less than lstat, and 0.4 more if
//	there and no link                         the file is opened next; not done
//	path by a raw system call, 256 bytes of   nothing
//	it at first, the last directories kept
//	no garbage collection                     nothing
//
// Not tried: to answer a look-up that changes nothing before it is walked, and walk
// it on another CPU. The walk is a quarter of the recorder's time in a storm and a
// fifth in an application, which is 2 % of python imports; the price is a queue to
// be emptied before every call that changes what names mean, and look-ups through
// links of /proc to processes that have ended.
//
// Descriptors' directories are not kept, though that would gain a quarter of find:
// each open(2) would end what is known of them, and dup(2) and recvmsg(2), and
// their like, would have to be notified. Threads that wait together are answered
// one after the other without a wait between. BenchmarkTraced and
// BenchmarkApplications measure.
package record

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
	// Calls has the set of system calls of each phase recorded as well.
	Calls bool
	// shortQueue limits fanotify's queue, for a test of its overflow.
	shortQueue bool
}

// Result is what a session recorded.
type Result struct {
	// Entries yields the touched paths in sorted order, N of them. It may be
	// ranged over more than once.
	Entries iter.Seq[manifest.Entry]
	N       int
	// Touches yields the same paths with when and by whom they were touched.
	Touches iter.Seq[manifest.Touch]
	// Events counts the notifications and fanotify events handled, Lost those
	// that could not be turned into a path.
	Events, Lost uint64
	// Programs, Listening and Outbound are as in manifest.RunReport; Main is the
	// program that the first one started became, -1 if it is not listed.
	Programs            []manifest.Program
	Main                int
	LargestEUID         uint32
	Root                bool
	Listening, Outbound []manifest.Socket
	Omitted             manifest.Omitted
	// Calls names the system calls of each phase, and AssumedCalls those that
	// are not watched, both sorted; nil unless asked for.
	Calls        map[Phase][]string
	AssumedCalls []string
	// Witness lists, sorted, what only fanotify saw.
	Witness []manifest.Sighting
	// Recorders names those that ran: Seccomp, Fanotify.
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
	if err := CheckNative(); err != nil {
		return nil, err
	}
	reserveThreads()
	filter, tables, err := prepare(opt)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	mounts, err := mountPoints()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r := &recorder{census: newCensus(), network: newNetwork(), tables: tables, privileged: opt.Privileged, walker: walker{set: newSet(), mounts: mounts, folders: newFolders()}}
	if opt.Calls {
		r.noted = newNotedCalls(tables)
	}
	r.epochs.end(changesNames) // so that a new node is out of date
	s := &Session{filter: filter, recorder: r}
	if s.launcher, err = launch.New(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r.hold = s.launcher.Hold
	if opt.Fanotify {
		if s.fanotify, err = newFanotify(r, opt); err != nil {
			s.launcher.Close()
			return nil, err
		}
	}
	return s, nil
}

// spareThreads is more than the listeners, the witness and the runtime use.
const spareThreads = 32

// reserveThreads has the Go runtime make threads while it may, which it keeps:
// it ends the process when the kernel refuses it one, as in a container whose
// programs fork up to its limit.
func reserveThreads() {
	var made, over sync.WaitGroup
	over.Add(1)
	for range spareThreads {
		made.Add(1)
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			made.Done()
			over.Wait()
		}()
	}
	made.Wait()
	over.Done()
}

// Start starts a program with the recorder armed before its first instruction.
// A program that cannot be started is a *launch.StartError, a recorder that
// cannot work an *UnavailableError.
func (s *Session) Start(spec launch.Spec) (*launch.Process, error) {
	p, err := s.launcher.Start(spec, s.filter, s.arm)
	if err != nil {
		return nil, explainStart(err)
	}
	return p, nil
}

// arm starts the listener of a program that is being started.
func (s *Session) arm(handed launch.Listener) error {
	if err := checkReadable(handed.Pid); err != nil {
		return errors.Join(err, handed.Notify.Close())
	}
	if s.fanotify != nil {
		if err := s.fanotify.follow(handed.Tid); err != nil {
			return errors.Join(err, handed.Notify.Close())
		}
	}
	l := newListener(s.recorder, handed)
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	go l.run()
	return nil
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
	res := &Result{Recorders: []string{Seccomp}}
	for _, l := range s.all() {
		select {
		case <-l.done:
			res.Events += l.events
		case <-deadline:
			return nil, ErrRunning
		}
	}
	if s.fanotify != nil {
		res.Recorders = append(res.Recorders, Fanotify)
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
	place := s.recorder.observed(res)
	w := &s.recorder.walker
	w.folders.close()
	l := newList(w.set, func(path []byte) bool {
		_, now := later[string(path)]
		return now || w.excludes(path)
	})
	res.Entries = l.entries
	res.Touches = l.touches(place)
	for range res.Entries {
		res.N++
	}
	return nil
}
