package record

import (
	"bytes"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// change is what a call may alter of what the recorder has learnt.
type change uint8

const (
	// changesPlaces: where a thread's paths count from, or which thread a
	// number stands for.
	changesPlaces change = 1 << iota
	// changesNames: what names mean, and so the names of places as well.
	changesNames
)

// epochs say for how long something learnt holds. A call that changes it takes
// effect at an unknown time between its notification and the thread's next one,
// so the epoch ends with both, and while such a call is in flight with every
// notification of any thread: what is learnt then is believed once only.
//
// A thread may not call again for long. It is then looked up whether it is
// still in that call (/proc/PID/syscall).
type epochs struct {
	names, places atomic.Uint32
	inFlight      atomic.Int32 // length of threads, to be read without mu

	mu      sync.Mutex
	threads []flight // the next one to be looked up first
	// patience is how many notifications pass until the next look; it doubles
	// with each look in vain.
	patience, waited int
}

// flight is a thread, the number of its call and what that may change.
type flight struct {
	pid     uint32
	nr      int32
	changes change
}

const maxPatience = 64

// begin starts an epoch for a thread that is about to make a call.
func (e *epochs) begin(f flight) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.threads = append(e.threads, f)
	e.inFlight.Add(1)
	e.patience, e.waited = 0, 0
	e.end(f.changes)
}

// end ends the epochs that c concerns.
func (e *epochs) end(c change) {
	if c&changesNames != 0 {
		e.names.Add(1)
	}
	e.places.Add(1)
}

// pass notes a notification of thread pid, whose earlier call is done therefore.
func (e *epochs) pass(pid uint32, busy func(flight) bool) {
	if e.inFlight.Load() == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var all change
	kept := e.threads[:0]
	for _, f := range e.threads {
		all |= f.changes
		if f.pid != pid {
			kept = append(kept, f)
		}
	}
	e.threads = kept
	e.end(all)
	e.look(busy)
	e.inFlight.Store(int32(len(e.threads)))
}

// look looks up whether the first thread's call is done, now and then.
func (e *epochs) look(busy func(flight) bool) {
	if len(e.threads) == 0 {
		return
	}
	if e.waited++; e.waited <= e.patience {
		return
	}
	e.waited = 0
	first := e.threads[0]
	e.threads = append(e.threads[:0], e.threads[1:]...)
	if !busy(first) {
		e.patience = 0
		return
	}
	e.threads = append(e.threads, first)
	e.patience = min(2*e.patience+1, maxPatience)
}

// busy reports whether a thread may still be in its call. A thread that runs may
// be in any call; one that cannot be read as well.
func (l *listener) busy(f flight) bool {
	dir := "/proc/" + strconv.Itoa(int(f.pid))
	var text []byte
	err := l.target.as(int(f.pid), func() (err error) {
		text, err = readProc(dir + "/syscall")
		return err
	})
	if err != nil {
		return unix.Access(dir, unix.F_OK) == nil
	}
	field, _, _ := bytes.Cut(text, []byte(" "))
	nr, err := strconv.Atoi(string(field))
	return err != nil || nr == int(f.nr) // or "running"
}
