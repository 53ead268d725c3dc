package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// image is a small fat root. Names that end in a slash are directories,
// "link -> target" is a link, anything else a file that holds its own name.
var image = []string{
	"app/prefix", "app/prefix.json", "app/[ \n\xff", "app/unused", "app/conf -> prefix", "app/data/a", "app/data/b",
	"lib -> usr/lib", "usr/lib/libx.so.1", "usr/lib/libx.so -> libx.so.1", "usr/share/doc/manual",
	"etc/passwd", "etc/hostname", "var/empty/", "outside -> /../../etc",
}

// newStep makes the step's folders: the image, a trace that opened the paths,
// and input, which may be nil for one with no rules.
func newStep(t *testing.T, input *manifest.Pack, opened ...string) step {
	t.Helper()
	dir := t.TempDir()
	s := step{
		input: dir + "/in", trace: dir + "/trace", source: dir + "/src", root: dir + "/root", output: dir + "/out",
		stdout: io.Discard,
	}
	for _, sub := range []string{s.input, s.trace, s.source, s.root, s.output} {
		must(t, os.Mkdir(sub, 0o755))
	}
	for _, name := range image {
		name, target, isLink := strings.Cut(name, " -> ")
		path := s.source + "/" + name
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case isLink:
			must(t, os.Symlink(target, path))
		case strings.HasSuffix(path, "/"):
			must(t, os.MkdirAll(path, 0o755))
		default:
			must(t, os.WriteFile(path, []byte(name), 0o644))
		}
	}
	if input == nil {
		input = &manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}
	}
	data, err := json.Marshal(input)
	must(t, err)
	must(t, os.WriteFile(s.input+"/"+manifest.PackFile, data, 0o600))
	s.writeTrace(t, opened)
	return s
}

func (s step) writeTrace(t testing.TB, opened []string) {
	t.Helper()
	f, err := os.Create(s.trace + "/" + manifest.TraceFile)
	must(t, err)
	defer f.Close()
	slices.Sort(opened)
	must(t, manifest.WriteTrace(f, 1, len(opened), func(yield func(manifest.Entry) bool) {
		for _, path := range opened {
			if !yield(manifest.Entry{Path: manifest.Path(path), Ops: manifest.Opened}) {
				return
			}
		}
	}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need skips the test when the machine lacks what; where everything has to be
// tested, it fails it.
func need(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("SLIMFILE_TEST_REQUIRE") == "1":
		t.Fatalf("needs %s", what)
	default:
		t.Skipf("needs %s", what)
	}
}

// tree lists a root with what files and links hold.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		name := strings.TrimPrefix(path, dir)
		switch {
		case d.IsDir():
			all[name+"/"] = ""
		case d.Type()&fs.ModeSymlink != 0:
			all[name], err = os.Readlink(path)
		default:
			var data []byte
			data, err = os.ReadFile(path)
			all[name] = string(data)
		}
		return err
	}))
	return all
}

// TestInspect looks at the image without a trace, and makes no root.
func TestInspect(t *testing.T) {
	s := newStep(t, &manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Image: manifest.Image{Entrypoint: []string{"/app/none"}}})
	must(t, s.inspect(t.Context()))
	var facts manifest.Facts
	data, err := os.ReadFile(s.output + "/" + manifest.FactsFile)
	must(t, err)
	must(t, manifest.Decode(data, &facts))
	if len(facts.Obstacles) != 1 || facts.Obstacles[0].Program != "/app/none" || len(tree(t, s.root)) != 1 {
		t.Errorf("facts %+v, root %v", facts, tree(t, s.root))
	}
	must(t, os.Remove(s.input+"/"+manifest.PackFile))
	if err := s.inspect(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without an input: %v", err)
	}
}

// TestStep runs the whole program but for its fixed folders.
func TestStep(t *testing.T) {
	tests := []struct {
		name   string
		rules  []manifest.Rule
		opened []string
		has    []string
		not    []string
	}{
		{name: "a path that another one begins with", opened: []string{"/app/prefix"}, has: []string{"/app/prefix"}, not: []string{"/app/prefix.json", "/app/unused"}},
		{name: "unused links to a touched file", opened: []string{"/usr/lib/libx.so.1", "/app/prefix"},
			has: []string{"/usr/lib/libx.so.1"}, not: []string{"/usr/lib/libx.so", "/lib", "/app/conf"}},
		{name: "a link the run went through", opened: []string{"/app/conf", "/app/prefix"}, has: []string{"/app/conf", "/app/prefix"}},
		{name: "a folder that is a link", opened: []string{"/lib/libx.so", "/usr/lib/libx.so.1"}, has: []string{"/lib", "/usr/lib/libx.so", "/usr/lib/libx.so.1"}},
		{name: "a link out of the root stays inside", opened: []string{"/outside/passwd"}, has: []string{"/outside", "/etc/passwd"}},
		{name: "names are bytes", opened: []string{"/app/[ \n\xff"}, has: []string{"/app/[ \n\xff"}},
		{name: "what the user keeps and drops", rules: []manifest.Rule{{Kind: manifest.RuleKeep, Args: []string{"/app/data/**"}}, {Kind: manifest.RuleDrop, Args: []string{"/app/prefix"}}},
			opened: []string{"/app/prefix"}, has: []string{"/app/data/a", "/app/data/b"}, not: []string{"/app/prefix"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			input := manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Rules: tt.rules}
			s := newStep(t, &input, tt.opened...)
			var out bytes.Buffer
			s.stdout = &out
			if failure := s.run(t.Context()); failure != nil {
				t.Fatal(line(failure))
			}
			fat, slim := tree(t, s.source), tree(t, s.root)
			for path, content := range slim {
				if fat[path] != content {
					t.Errorf("%q: got %q, want %q", path, content, fat[path])
				}
			}
			for _, path := range tt.has {
				if _, ok := slim[path]; !ok {
					t.Errorf("%q is missing", path)
				}
			}
			for _, path := range slices.Concat(tt.not, []string{"/usr/share/doc/manual"}) {
				if _, ok := slim[path]; ok {
					t.Errorf("%q was kept", path)
				}
			}
			if text := out.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "kept ") {
				t.Errorf("output %q, want one line", text)
			}
			var report manifest.Report
			readJSON(t, s.output+"/"+manifest.ReportFile, &report)
			if len(report.Kept) != len(slim) {
				t.Errorf("report of %d entries, root of %d", len(report.Kept), len(slim))
			}
		})
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	if err := manifest.Decode(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestStepIsReproducible(t *testing.T) {
	epoch := int64(1_000_000_000)
	input := manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Epoch: &epoch}
	var first map[string]string
	for i := range 2 {
		s := newStep(t, &input, "/lib/libx.so", "/app/conf", "/var/empty", "/app/[ \n\xff")
		if failure := s.run(t.Context()); failure != nil {
			t.Fatal(line(failure))
		}
		got := tree(t, s.root)
		maps.Copy(got, tree(t, s.output))
		for path := range got {
			if info, err := os.Lstat(s.root + path); err == nil && info.ModTime().Unix() > epoch {
				t.Errorf("%q is from %v, later than SOURCE_DATE_EPOCH", path, info.ModTime())
			}
		}
		if i == 0 {
			first = got
		} else if !maps.Equal(first, got) {
			t.Errorf("first %q\nthen  %q", first, got)
		}
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, s step)
		rules  []manifest.Rule
		phase  string
		want   string
		remedy string
	}{
		{name: "no input", phase: "start", want: "no such file", damage: func(t *testing.T, s step) {
			must(t, os.Remove(s.input+"/"+manifest.PackFile))
		}},
		{name: "an unknown field", phase: "start", want: "unknown field", damage: func(t *testing.T, s step) {
			must(t, os.WriteFile(s.input+"/"+manifest.PackFile, []byte(`{"version":1,"new":2}`), 0o600))
		}},
		{name: "another version", phase: "start", want: "version 99, want 1", damage: func(t *testing.T, s step) {
			must(t, os.WriteFile(s.input+"/"+manifest.PackFile, []byte(`{"version":99}`), 0o600))
		}},
		{name: "an endless input", phase: "start", want: "more than", damage: func(t *testing.T, s step) {
			must(t, os.Truncate(s.input+"/"+manifest.PackFile, 1<<40))
		}},
		{name: "no image", phase: "start", want: "open root", damage: func(t *testing.T, s step) {
			must(t, os.RemoveAll(s.source))
		}},
		{name: "no trace", phase: "keepset", want: "no such file", damage: func(t *testing.T, s step) {
			must(t, os.Remove(s.trace+"/"+manifest.TraceFile))
		}},
		{name: "half a trace", phase: "keepset", want: "2 entries announced, 1 found", damage: func(t *testing.T, s step) {
			data, err := os.ReadFile(s.trace + "/" + manifest.TraceFile)
			must(t, err)
			must(t, os.WriteFile(s.trace+"/"+manifest.TraceFile, data[:bytes.LastIndexByte(data[:len(data)-1], '\n')+1], 0o600))
		}},
		{name: "a keep that matches nothing", phase: "keepset", want: "/nothing", rules: []manifest.Rule{{Kind: manifest.RuleKeep, Args: []string{"/nothing*"}}}},
		{name: "a root that is not empty", phase: "copy", want: "not empty", damage: func(t *testing.T, s step) {
			must(t, os.WriteFile(s.root+"/left over", nil, 0o600))
		}},
		{name: "a full disk", phase: "copy", want: "disk full on the build machine", remedy: "docker buildx prune", damage: func(t *testing.T, s step) {
			must(t, os.Truncate(s.source+"/app/prefix", 0))
			must(t, os.WriteFile(s.source+"/app/prefix", make([]byte, 1<<20), 0o600))
			// Both folders are on it, as in a build.
			disk := t.TempDir()
			err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k")
			need(t, err == nil, "the right to mount a tmpfs")
			t.Cleanup(func() { must(t, unix.Unmount(disk, 0)) })
			for _, dir := range []string{s.root, s.output} {
				part := filepath.Join(disk, filepath.Base(dir))
				must(t, os.Mkdir(part, 0o755))
				must(t, unix.Mount(part, dir, "", unix.MS_BIND, ""))
				t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStep(t, &manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Rules: tt.rules}, "/app/prefix", "/etc/passwd")
			if tt.damage != nil {
				tt.damage(t, s)
			}
			failure := s.run(t.Context())
			if failure == nil {
				t.Fatal("no failure")
			}
			if failure.Phase != tt.phase || !strings.Contains(failure.Message, tt.want) || !strings.Contains(failure.Remedy, tt.remedy) {
				t.Errorf("got %+v", failure)
			}
			var written manifest.Failure
			readJSON(t, s.output+"/"+manifest.FailureFile, &written)
			if written.Version != manifest.Version || written.Message != failure.Message || written.Remedy != failure.Remedy {
				t.Errorf("%s holds %+v, want %+v", manifest.FailureFile, written, failure)
			}
			if text := line(failure); strings.Contains(text, "\n") {
				t.Errorf("%q is not one line", text)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	s := newStep(t, nil, "/app/prefix")
	ctx, cancel := context.WithDeadlineCause(t.Context(), time.Unix(0, 0), errors.New("too late"))
	defer cancel()
	if failure := s.run(ctx); failure == nil {
		t.Error("no failure")
	}
}

// TestFailureThatCannotBeWritten: the message still gets out.
func TestFailureThatCannotBeWritten(t *testing.T) {
	s := newStep(t, nil, "/app/prefix")
	must(t, os.RemoveAll(s.output))
	must(t, os.Remove(s.input+"/"+manifest.PackFile))
	failure := s.run(t.Context())
	if failure == nil || !strings.Contains(failure.Message, manifest.PackFile) || !strings.Contains(failure.Message, manifest.FailureFile) {
		t.Errorf("got %+v", failure)
	}
}
