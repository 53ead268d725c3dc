package record

import (
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestEpochs: something learnt between the notification of a call and the
// thread's next one, or the look that finds it elsewhere, is not believed
// later.
func TestEpochs(t *testing.T) {
	const mover, other = 1, 2
	var e epochs
	busy := true
	looks := 0
	is := func(flight) bool { looks++; return busy }
	at := func() [2]uint32 { return [2]uint32{e.names.Load(), e.places.Load()} }
	expect := func(step string, before [2]uint32, names, places bool) {
		t.Helper()
		now := at()
		if now[0] != before[0] != names || now[1] != before[1] != places {
			t.Errorf("%s: %v became %v", step, before, now)
		}
	}
	before := at()
	e.pass(other, is)
	expect("nothing in flight", before, false, false)
	e.begin(flight{pid: mover, changes: changesPlaces})
	expect("notified", before, false, true)
	for range 3 {
		before = at()
		e.pass(other, is)
		expect("in flight", before, false, true)
	}
	before = at()
	e.pass(mover, is)
	expect("called again", before, false, true)
	before = at()
	e.pass(other, is)
	expect("done", before, false, false)

	e.begin(flight{pid: mover, changes: changesNames})
	looks = 0
	for range 1000 {
		before = at()
		e.pass(other, is)
		expect("renames", before, true, true)
	}
	if looks < 3 || looks > 50 {
		t.Errorf("%d looks in 1000 notifications", looks)
	}
	busy = false
	for range maxPatience + 1 {
		e.pass(other, is)
	}
	before = at()
	e.pass(other, is)
	expect("found elsewhere", before, false, false)
}

// TestBusy: a thread is done with a call as soon as it waits in another one,
// whatever that one's number means elsewhere.
func TestBusy(t *testing.T) {
	cmd := exec.Command(need(t, "sleep"), "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &listener{target: newTarget(true)}
	in := func(nr int32) bool { return l.busy(flight{pid: uint32(cmd.Process.Pid), nr: nr}) }
	deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for in(unix.SYS_CHROOT) { // it runs
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("sleep does not come to rest")
		}
	}
	if !in(unix.SYS_CLOCK_NANOSLEEP) {
		t.Error("a thread in its call is done")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if in(unix.SYS_CLOCK_NANOSLEEP) {
		t.Error("a thread that is gone is not done")
	}
}
