package record

import "testing"

// TestEpochs: something learnt between the notification of a call and the
// thread's next one, or the look that finds it elsewhere, is not believed
// later.
func TestEpochs(t *testing.T) {
	const mover, other = 1, 2
	var e epochs
	busy := true
	looks := 0
	is := func(uint32) bool { looks++; return busy }
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
	e.begin(mover, changesPlaces)
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

	e.begin(mover, changesNames)
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
