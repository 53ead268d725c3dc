package record

import (
	"fmt"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
)

func add(t testing.TB, s *set, p string, ops manifest.Ops) {
	t.Helper()
	id, ok := s.path([]byte(p))
	if !ok {
		t.Fatal("set is full")
	}
	s.nodes[id].ops |= ops
}

func paths(l *list) []string {
	var out []string
	for e := range l.entries {
		out = append(out, string(e.Path))
	}
	return out
}

func nothing([]byte) bool { return false }

// TestSetOrder compares with sorting the paths as strings, on names that are
// prefixes of each other and go on with bytes around the slash.
func TestSetOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "a-", "a.", "a!", "a0", "aa", "a-b", "b", "\xff", " ", "a!b", "~"}
	s, want := newSet(), map[string]struct{}{}
	for range 5000 {
		p := ""
		for range 1 + rng.IntN(5) {
			p += "/" + names[rng.IntN(len(names))]
		}
		add(t, s, p, manifest.Opened)
		want[p] = struct{}{}
	}
	add(t, s, "/", manifest.Entered)
	want["/"] = struct{}{}
	var sorted []string
	for p := range want {
		sorted = append(sorted, p)
	}
	slices.Sort(sorted)
	l := newList(s, nothing)
	for range 2 { // it can be listed twice
		if got := paths(l); !slices.Equal(got, sorted) {
			t.Fatalf("%d paths, want %d; first differences:\n%s", len(got), len(sorted), firstDifference(got, sorted))
		}
	}
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("%d: %q, want %q", i, got[i], want[i])
		}
	}
	return "length"
}

func TestSetSkips(t *testing.T) {
	s := newSet()
	for _, p := range []string{"/a", "/a/b/c", "/a/b2", "/ab", "/x/y"} {
		add(t, s, p, manifest.Opened)
	}
	l := newList(s, func(p []byte) bool { return string(p) == "/a/b" || string(p) == "/x" })
	if got, want := paths(l), []string{"/a", "/a/b2", "/ab"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSetStopsEarly(t *testing.T) {
	s := newSet()
	for _, p := range []string{"/a", "/a/b", "/c"} {
		add(t, s, p, manifest.Opened)
	}
	n := 0
	for range newList(s, nothing).entries {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d entries", n)
	}
}

// TestSetMemory: a million paths with 60 bytes each stay far below 256 MB, the
// layout for listing included.
func TestSetMemory(t *testing.T) {
	s := newSet()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 1_000_000 {
		add(t, s, fmt.Sprintf("/usr/lib/some-longer-folder-name-%d/package-%d/module-%d.py", i%10, i/1000, i), manifest.Opened)
	}
	l := newList(s, nothing)
	runtime.GC()
	runtime.ReadMemStats(&after)
	n, last := 0, manifest.Path("")
	for e := range l.entries {
		if e.Path <= last {
			t.Fatalf("%q after %q", e.Path, last)
		}
		n, last = n+1, e.Path
	}
	if n != 1_000_000 {
		t.Errorf("%d entries", n)
	}
	if grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; grown > 128 {
		t.Errorf("%d MiB", grown)
	} else {
		t.Logf("%d MiB", grown)
	}
}

func TestSetIsFull(t *testing.T) {
	s := newSet()
	s.nodes = append(s.nodes, make([]node, maxNodes-len(s.nodes))...)
	if _, ok := s.child(0, []byte("one more")); ok {
		t.Error("a full set takes more")
	}
}

func FuzzNextName(f *testing.F) {
	for _, p := range []string{"", "/", "a", "./a//b/..", "//./.", "a/./", "../.x"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		var got []string
		for name, rest := nextName([]byte(p)); name != nil; name, rest = nextName(rest) {
			got = append(got, string(name))
		}
		var want []string
		for name := range strings.SplitSeq(p, "/") {
			if name != "" && name != "." {
				want = append(want, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", p, got, want)
		}
		if isLast([]byte(p)) != (len(want) == 0) || path.Clean("/"+p) == "" {
			t.Errorf("%q: isLast %v", p, isLast([]byte(p)))
		}
	})
}
