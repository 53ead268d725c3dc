package record

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
)

// TestCalls: the system calls of each phase are known, and the record is the
// same as without.
func TestCalls(t *testing.T) {
	exe := program(t)
	for _, m := range modes {
		for _, uid := range []uint32{0, nobody} {
			t.Run(fmt.Sprintf("%s/%d", m, uid), func(t *testing.T) {
				dir := workplace(t, []string{"a", "b"})
				j := job{
					Mode: m, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", "sockets"}, Dir: dir, UID: uid, GID: uid},
					Then: [][]string{{"program", "fixture", "open", "a", "b"}},
				}
				without := run(t, j)
				j.Calls = true
				out := run(t, j)
				if out.CloseErr != "" || out.Exit != 0 || len(out.Witness) > 0 {
					t.Fatalf("%+v", out)
				}
				for _, name := range []string{"execve", "socket", "bind", "listen", "connect", "openat"} {
					if !slices.Contains(out.Calls[0], name) {
						t.Errorf("no %s in %q", name, out.Calls[0])
					}
				}
				for _, name := range []string{"socket", "bind", "listen"} {
					if slices.Contains(out.Calls[1], name) {
						t.Errorf("%s in %q", name, out.Calls[1])
					}
				}
				for _, name := range []string{"read", "write", "mmap", "newfstatat", "sendto", "futex"} {
					if !slices.Contains(out.Assumed, name) {
						t.Errorf("%s is not assumed: %q", name, out.Assumed)
					}
				}
				if slices.Contains(out.Assumed, "bind") || !slices.IsSorted(out.Calls[0]) || !slices.IsSorted(out.Assumed) {
					t.Errorf("calls %v, assumed %q", out.Calls, out.Assumed)
				}
				if without.Calls != nil || without.Assumed != nil {
					t.Errorf("calls %v that were not asked for", without.Calls)
				}
				for _, e := range without.Entries {
					if out.ops(string(e.Path)) != e.Ops {
						t.Errorf("%s: %v, without the set of calls %v", e.Path, out.ops(string(e.Path)), e.Ops)
					}
				}
			})
		}
	}
}

// TestNotedBound: a program can make up call numbers.
func TestNotedBound(t *testing.T) {
	_, tables, err := prepare(Options{Calls: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{tables: tables, noted: newNotedCalls(tables)}
	l := newListener(r, launch.Listener{})
	for nr := range int32(5000) {
		l.note(&notification{Nr: nr, Arch: tables[0].arch})
		l.note(&notification{Nr: nr, Arch: tables[0].arch})
	}
	calls, _ := r.noted.list()
	if n := len(calls[0]); n != maxCall || !slices.Contains(calls[0], fmt.Sprintf("#%d", maxCall-1)) {
		t.Errorf("%d calls", n)
	}
	if got := r.noted.name(callNames(), unix.AUDIT_ARCH_ARM, 3); got != "0x40000028:#3" {
		t.Errorf("%s", got)
	}
}
