package record

import (
	"bytes"
	"os"
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

// flight is a thread and what its call may change.
type flight struct {
	pid     uint32
	changes change
}

const maxPatience = 64

// begin starts an epoch for a thread that is about to make a call.
func (e *epochs) begin(pid uint32, c change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.threads = append(e.threads, flight{pid, c})
	e.inFlight.Add(1)
	e.patience, e.waited = 0, 0
	e.end(c)
}

// end ends the epochs that c concerns.
func (e *epochs) end(c change) {
	if c&changesNames != 0 {
		e.names.Add(1)
	}
	e.places.Add(1)
}

// pass notes a notification of thread pid, whose earlier call is done therefore.
func (e *epochs) pass(pid uint32, busy func(pid uint32) bool) {
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
func (e *epochs) look(busy func(pid uint32) bool) {
	if len(e.threads) == 0 {
		return
	}
	if e.waited++; e.waited <= e.patience {
		return
	}
	e.waited = 0
	first := e.threads[0]
	e.threads = append(e.threads[:0], e.threads[1:]...)
	if !busy(first.pid) {
		e.patience = 0
		return
	}
	e.threads = append(e.threads, first)
	e.patience = min(2*e.patience+1, maxPatience)
}

// busy reports whether a thread may still be in a call that changes something.
// A thread that runs may be in any call; one that cannot be read as well.
func (l *listener) busy(pid uint32) bool {
	name := "/proc/" + strconv.Itoa(int(pid)) + "/syscall"
	var text []byte
	err := l.target.as(int(pid), func() (err error) {
		text, err = os.ReadFile(name)
		return err
	})
	if err != nil {
		return unix.Access("/proc/"+strconv.Itoa(int(pid)), unix.F_OK) == nil
	}
	field, _, _ := bytes.Cut(text, []byte(" "))
	nr, err := strconv.Atoi(string(field))
	if err != nil { // "running"
		return true
	}
	for _, t := range l.tables { // the call's architecture is not told
		if nr >= 0 && nr < len(t.by) && t.by[nr].changes != 0 {
			return true
		}
	}
	return false
}
