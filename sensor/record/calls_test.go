package record

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestNumberings: every number has a description, every description a number in
// some ABI of some machine, and argument positions are within the six.
func TestNumberings(t *testing.T) {
	descr, used := calls(), map[string]bool{}
	for _, n := range numberings() {
		seen := map[uint32]string{}
		for name, nr := range n.numbers {
			c, ok := descr[name]
			if !ok {
				t.Errorf("%s has no description", name)
			}
			if other := seen[nr]; other != "" {
				t.Errorf("%s and %s have the same number", name, other)
			}
			seen[nr], used[name] = name, true
			for _, pos := range []int8{c.a.dir, c.a.path, c.b.dir, c.b.path, c.flags} {
				if pos < none || pos > 5 {
					t.Errorf("%s: argument %d", name, pos)
				}
			}
		}
	}
	if len(used) < 50 {
		t.Errorf("%d calls", len(used))
	}
}

func TestPrepareFits(t *testing.T) {
	for _, privileged := range []bool{false, true} {
		prog, tables, err := prepare(privileged)
		if err != nil || len(prog) == 0 || len(tables) != len(numberings()) {
			t.Errorf("%d instructions, %d tables, %v", len(prog), len(tables), err)
		}
		t.Logf("privileged %v: %d instructions", privileged, len(prog))
	}
}

func TestOpenWants(t *testing.T) {
	tests := []struct {
		name  string
		flags uint64
		ops   string
		look  look
	}{
		{"read", unix.O_RDONLY, "opened", 0},
		{"write", unix.O_WRONLY, "written", 0},
		{"both", unix.O_RDWR, "opened,written", 0},
		{"truncate", unix.O_RDONLY | unix.O_TRUNC, "opened,written", 0},
		{"create", unix.O_WRONLY | unix.O_CREAT, "written", creates},
		{"create new", unix.O_RDWR | unix.O_CREAT | unix.O_EXCL, "opened,written", creates | exclusive | noFollow},
		{"no access", unix.O_PATH, "checked", 0},
		{"link itself", unix.O_PATH | unix.O_NOFOLLOW, "checked", noFollow},
		{"unnamed", unix.O_RDWR | unix.O_TMPFILE, "checked", 0},
	}
	for _, tt := range tests {
		if ops, look := openWants(tt.flags); ops.String() != tt.ops || look != tt.look {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, ops, look, tt.ops, tt.look)
		}
	}
}
