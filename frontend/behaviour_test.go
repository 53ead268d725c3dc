package frontend_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/sensor/manifest"
)

// behaviours of sensor/record/testdata/behaviour.c, each with the files that it
// opens. "guarded" is the program as a file that users may execute but not read.
var behaviours = []struct {
	args  string
	files string
}{
	{"euid", "file sub/child grandchild executed private"},
	{"egid", "file sub/child grandchild executed private"},
	{"ruid", "file sub/child grandchild executed private"},
	{"fsuid", "file sub/child grandchild executed private"},
	{"euid-signals", "file many"},
	{"keepcaps", "file sub/child grandchild executed less"},
	{"capset", "file sub/child grandchild executed"},
	{"dumpable", "file executed after"},
	{"threads", "busy before0 before1 before2 before3 after0 after1 after2 after3"},
	{"clones", "plain shared vforked"},
	{"as 65534 /guarded deeper file", "file forked"},
	{"as 65534 /behaviour execs /guarded file", "file forked"},
	{"closes", "file"},
	{"kills", "file"},
	{"daemonises", "file"},
	{"own-filter", "file sub/child grandchild executed"},
	{"own-listener", "file"},
	{"traces", "file"},
}

// behaviourRoot makes a root filesystem with nothing but the behaviours and
// their files, and returns it with the command that goes through them all in
// /work.
func behaviourRoot(t *testing.T) (root string, command []string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		testenv.Unavailable(t, "gcc", "install it")
	}
	root = t.TempDir()
	program := filepath.Join(root, "behaviour")
	build := exec.CommandContext(t.Context(), gcc, "-O1", "-static", "-pthread", "-o", program, "../sensor/record/testdata/behaviour.c")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, text)
	}
	write := func(name string, data []byte, mode os.FileMode) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	write("guarded", data, 0o711)
	command = []string{"/behaviour", "each"}
	for i, b := range behaviours {
		for _, f := range strings.Fields(b.files) {
			mode := os.FileMode(0o644)
			if f == "private" {
				mode = 0o600
			}
			write(filepath.Join("work", strconv.Itoa(i), f), []byte(b.args), mode)
		}
		command = append(append(command, strings.Fields(b.args)...), "--")
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root, command
}

// behaviourFiles are the files that the behaviours open.
func behaviourFiles() []string {
	files := []string{"/behaviour", "/guarded"}
	for i, b := range behaviours {
		for _, f := range strings.Fields(b.files) {
			files = append(files, fmt.Sprintf("/work/%d/%s", i, f))
		}
	}
	return files
}

// testBehaviours: whatever an app does with its users and processes, both ways
// of recording it give the same image, in which it works.
func testBehaviours(t *testing.T, s suite) {
	root, command := behaviourRoot(t)
	cmd, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	b := testenv.Build{Context: root, Dockerfile: "# syntax=" + testenv.FrontendRef + "\nFROM scratch\nCOPY . /\nWORKDIR /work\nCMD " + string(cmd) + "\n"}
	var kept [2][]string
	for i, granted := range []bool{false, true} {
		b.Insecure = granted
		slim := s.env.BuildImage(t, b)
		checkSummary(t, slim, granted)
		kept[i] = testenv.Paths(t, slim.Unpack(t, ""))
	}
	if !slices.Equal(kept[0], kept[1]) {
		t.Errorf("kept by seccomp alone: %q\nby both: %q", kept[0], kept[1])
	}
	for _, f := range behaviourFiles() {
		if !slices.Contains(kept[0], strings.TrimPrefix(f, "/")) {
			t.Errorf("%s was not kept", f)
		}
	}
}

// traced is what the sensor left of a run in a container of its own.
type traced struct {
	report manifest.RunReport
	file   string // manifest.TraceFile
	peak   int64  // of the sensor's memory, in bytes
}

// traceInContainer has the sensor, in its folder, record a command as process 1
// of a container under Docker's default seccomp profile.
func traceInContainer(t *testing.T, sensor, root string, pids int64, command ...string) traced {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	data, err := json.Marshal(manifest.Run{
		Version: manifest.Version, App: manifest.Command{Args: command, Dir: "/work"}, Fanotify: manifest.FanotifyOff,
		Ready: manifest.Ready{Kind: manifest.ReadyExit, TimeoutSeconds: 300},
		Stop:  manifest.Stop{Signal: "SIGTERM", GraceSeconds: 10}, TimeoutSeconds: 300,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, manifest.RunFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	c := testenv.Run(t, root, ocispecs.ImageConfig{}, testenv.RunOptions{
		Args: []string{manifest.BinDir + "/slimfile-sensor", "trace"}, Pids: pids,
		Mounts: map[string]string{manifest.BinDir: sensor, manifest.InputDir: in, manifest.OutputDir: out},
	})
	got := traced{file: filepath.Join(out, manifest.TraceSubdir, manifest.TraceFile), peak: watchPeak(c)}
	if code := c.Wait(t); code != 0 {
		t.Fatalf("the sensor's exit code is %d", code)
	}
	if data, err = os.ReadFile(filepath.Join(out, manifest.SidecarFile)); err != nil {
		t.Fatal(err)
	}
	if err := manifest.Decode(data, &got.report); err != nil {
		t.Fatal(err)
	}
	if got.report.Lost != 0 {
		t.Errorf("%d events lost", got.report.Lost)
	}
	return got
}

// watchPeak returns the most memory that the container's first process had, as
// of shortly before its end.
func watchPeak(c *testenv.Container) (peak int64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, err := c.Peak(); err == nil {
			peak = max(peak, now)
		}
		select {
		case <-tick.C:
		case <-c.Exited():
			return peak
		}
	}
}

func TestBehavioursInContainer(t *testing.T) {
	root, command := behaviourRoot(t)
	got := traceInContainer(t, testenv.Sensor(t), root, 0, command...)
	f, err := os.Open(got.file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ops := map[string]manifest.Ops{}
	if _, err := manifest.ReadTrace(f, func(e manifest.Entry) error {
		ops[string(e.Path)] = e.Ops
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range behaviourFiles() {
		if ops[name]&(manifest.Opened|manifest.Executed) == 0 {
			t.Errorf("%s was not recorded: %s", name, ops[name])
		}
	}
}

// maxSensor bounds the sensor's memory in bytes, whatever the app does.
const maxSensor = 256 << 20

// TestLoad: nothing is lost and the sensor's memory stays bounded.
func TestLoad(t *testing.T) {
	const pids = 500
	sensor := testenv.Sensor(t)
	root, _ := behaviourRoot(t)
	for _, tc := range []struct {
		name    string
		command []string
		prefix  string // of the names looked up
		names   int
	}{
		{"burst of 4 processes", []string{"looks", "4", "25000"}, "look", 100_000},
		{"a million files", []string{"looks", "2", "500000"}, "look", 1_000_000},
		{"ten thousand processes", []string{"short", "10000"}, "short", 10_000},
		{"fork bomb", []string{"bomb", strconv.Itoa(pids - 60)}, "bomb", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := traceInContainer(t, sensor, root, pids, append([]string{"/behaviour"}, tc.command...)...)
			names := countEntries(t, got.file, "/work/"+tc.prefix)
			if tc.names > 0 && names != tc.names || names < pids-61 {
				t.Errorf("%d names recorded, want %d", names, tc.names)
			}
			if got.peak == 0 || got.peak > maxSensor {
				t.Errorf("the sensor had %d MiB", got.peak>>20)
			}
			t.Logf("%d events in %d ms, %d MiB", got.report.Events, got.report.StartMS, got.peak>>20)
		})
	}
}

// countEntries counts the lines of a trace file whose path has a prefix, without
// decoding a million of them.
func countEntries(t *testing.T, name, prefix string) (n int) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(`"`+prefix)) {
			n++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
