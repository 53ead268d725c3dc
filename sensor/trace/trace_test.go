package trace

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// goodRun is a run that decodes.
func goodRun() manifest.Run {
	return manifest.Run{
		Version:        manifest.Version,
		App:            manifest.Command{Args: []string{"app"}},
		Fanotify:       manifest.FanotifyOff,
		Ready:          manifest.Ready{Kind: manifest.ReadyExit, TimeoutSeconds: 30},
		Stop:           manifest.Stop{Signal: "SIGTERM", GraceSeconds: 10},
		TimeoutSeconds: 60,
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDecodeRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*manifest.Run)
		err    string // empty: good
	}{
		{"good", func(*manifest.Run) {}, ""},
		{"version", func(r *manifest.Run) { r.Version++ }, "version 2, want 1"},
		{"no command", func(r *manifest.Run) { r.App.Args = nil }, "neither ENTRYPOINT nor CMD"},
		{"no timeout", func(r *manifest.Run) { r.TimeoutSeconds = 0 }, "bad timeout"},
		{"huge timeout", func(r *manifest.Run) { r.TimeoutSeconds = 1e300 }, "bad timeout"},
		{"no time for readiness", func(r *manifest.Run) { r.Ready.TimeoutSeconds = -1 }, "for readiness"},
		{"grace", func(r *manifest.Run) { r.Stop.GraceSeconds = -1 }, "bad grace time"},
		{"probe", func(r *manifest.Run) { r.Probes = []manifest.Probe{{Name: "p", TimeoutSeconds: 1, Retries: -1}} }, `probe "p"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := goodRun()
			tt.change(&run)
			_, err := decodeRun(encode(t, run))
			if tt.err == "" && err != nil {
				t.Error(err)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}

func TestDecodeRunIsStrict(t *testing.T) {
	data := strings.Replace(string(encode(t, goodRun())), `"version":1`, `"version":1,"surprise":2`, 1)
	if _, err := decodeRun([]byte(data)); err == nil || !strings.Contains(err.Error(), "surprise") {
		t.Errorf("error %v, want one about the unknown field", err)
	}
}

func FuzzDecodeRun(f *testing.F) {
	f.Add(encode(f, goodRun()))
	f.Add([]byte(`{"version":1,"app":{"args":["x"]},"timeoutSeconds":1e400}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := decodeRun(data)
		if err == nil && (len(run.App.Args) == 0 || run.TimeoutSeconds <= 0) {
			t.Errorf("%+v", run)
		}
	})
}

func TestReadRegularRefuses(t *testing.T) {
	dir := t.TempDir()
	fifo, big := filepath.Join(dir, "fifo"), filepath.Join(dir, "big")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(big, make([]byte, 11), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"fifo": fifo, "folder": dir, "too large": big, "endless": "/dev/zero"} {
		t.Run(name, func(t *testing.T) {
			if data, err := readRegular(file, 10); err == nil {
				t.Errorf("read %d bytes", len(data))
			}
		})
	}
}

// An app that is root may leave anything in the output folder.
func TestOutputReplacesEverything(t *testing.T) {
	dir, victim := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(victim, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		manifest.FailureFile: filepath.Join(victim, "precious"),
		manifest.TraceSubdir: victim,
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o000); err != nil {
		t.Fatal(err)
	}
	out, err := openOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer out.close()
	if err := out.fail(&manifest.Failure{Phase: phaseStart, Message: "it went wrong"}); err.Error() != "it went wrong" {
		t.Fatal(err)
	}
	var f manifest.Failure
	data, err := os.ReadFile(filepath.Join(dir, manifest.FailureFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := manifest.Decode(data, &f); err != nil || f.Message != "it went wrong" || f.Version != manifest.Version {
		t.Errorf("failure %+v, %v", f, err)
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("output has %q", names)
	}
	if info, err := os.Stat(filepath.Join(victim, "precious")); err != nil || info.Size() != 0 {
		t.Errorf("the link's target was touched: %v, %v", info, err)
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
