package record

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// TestPhaseSets compares with sets of Go.
func TestPhaseSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sets := newPhaseSets()
	for range 2000 {
		var set phaseSet
		want := map[int]bool{}
		for range rng.IntN(8) {
			p := rng.IntN(6)
			set, want[p] = sets.with(set, Phase(p)), true
		}
		var sorted []int
		for p := range 6 {
			if want[p] {
				sorted = append(sorted, p)
			}
		}
		if got := sets.list(set); !slices.Equal(got, sorted) {
			t.Fatalf("%v, want %v", got, sorted)
		}
	}
	if len(sets.sets) != 1<<6 {
		t.Errorf("%d sets of six phases", len(sets.sets))
	}
}

// TestPhaseSetsFull: a path keeps what it has when no more sets can be told
// apart.
func TestPhaseSetsFull(t *testing.T) {
	sets := newPhaseSets()
	var set phaseSet
	for p := range maxPhaseSets + 10 {
		set = sets.with(set, Phase(min(p, maxPhase)))
	}
	if n := len(sets.sets); n > maxPhaseSets+1 {
		t.Errorf("%d sets", n)
	}
	if l := sets.list(set); len(l) == 0 || !slices.IsSorted(l) {
		t.Errorf("%d phases", len(l))
	}
}

// TestPhases: of each path it is known when it was touched, also of one that is
// touched again and again.
func TestPhases(t *testing.T) {
	exe := program(t)
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			dir := workplace(t, []string{"always", "first", "second", "link -> always"})
			open := func(names ...string) []string { return append([]string{"program", "fixture", "open"}, names...) }
			out := run(t, job{
				Mode: m, Spec: launch.Spec{Path: exe, Args: open("always", "always"), Dir: dir},
				Then: [][]string{open("first", "always", "first"), open("second", "link")},
			})
			if out.CloseErr != "" || out.Exit != 0 {
				t.Fatalf("%+v", out)
			}
			for name, want := range map[string][]int{"always": {0, 1, 2}, "first": {1}, "second": {2}, "link": {2}} {
				if got := out.touch(filepath.Join(dir, name)).Phases; !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
			}
			if got := out.touch(exe).Phases; !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("the program: %v", got)
			}
			checkTouches(t, out)
		})
	}
}

// touch finds the touch of a path.
func (o outcome) touch(path string) manifest.Touch {
	for _, e := range o.Touches {
		if string(e.Path) == path {
			return e
		}
	}
	return manifest.Touch{}
}

// checkTouches: they are the entries, in the order of a walk.
func checkTouches(t *testing.T, out outcome) {
	t.Helper()
	sorted := slices.SortedFunc(slices.Values(out.Entries), func(a, b manifest.Entry) int {
		return rootfs.Compare(string(a.Path), string(b.Path))
	})
	for i, e := range out.Touches {
		if sorted[i] != (manifest.Entry{Path: e.Path, Ops: e.Ops}) {
			t.Fatalf("touch %d: %q %v, want %v", i, e.Path, e.Ops, sorted[i])
		}
		if len(e.Phases) == 0 {
			t.Errorf("%q was never touched", e.Path)
		}
	}
}
