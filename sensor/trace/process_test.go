package trace

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseStat(t *testing.T) {
	for _, tt := range []struct {
		stat   string
		parent int
		alive  bool
	}{
		{"12 (sh) S 1 12 12 0 -1", 1, true},
		{"12 (a) Z 7 (b) c) R 34 12 12", 34, true},
		{"12 (sh) Z 1 12 12", 0, false},
		{"12 (sh) X 0 -1", 0, false},
		{"", 0, false},
		{"12 (sh", 0, false},
	} {
		if parent, alive := parseStat(tt.stat); parent != tt.parent || alive != tt.alive {
			t.Errorf("parseStat(%q) = %d, %v", tt.stat, parent, alive)
		}
	}
}

func TestBelow(t *testing.T) {
	parents := map[int]int{1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 99, 7: 8, 8: 7}
	got := below(2, parents)
	slices.Sort(got)
	if !slices.Equal(got, []int{3, 4}) {
		t.Errorf("got %v", got)
	}
}

func TestDescendants(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, err := descendants()
	if err != nil || !slices.Contains(found, cmd.Process.Pid) {
		t.Errorf("%d is not in %v, %v", cmd.Process.Pid, found, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if found, err := descendants(); err != nil || slices.Contains(found, cmd.Process.Pid) {
		t.Errorf("%d is still in %v, %v", cmd.Process.Pid, found, err)
	}
}

func TestHandles(t *testing.T) {
	// The Go runtime has a handler for nearly every signal, but not for these.
	for sig, want := range map[unix.Signal]bool{unix.SIGTERM: true, unix.SIGKILL: false, unix.SIGSTOP: false} {
		if got, err := handles(os.Getpid(), sig); err != nil || got != want {
			t.Errorf("handles(%s) = %v, %v", signalName(sig), got, err)
		}
	}
}
