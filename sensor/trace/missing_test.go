package trace

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
)

// lacking makes a folder of the slim image that has one file, and an image as
// built that has more: a package of Debian's owns one of them.
func lacking(t *testing.T) (dir, fat string) {
	t.Helper()
	dir, fat = t.TempDir(), t.TempDir()
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, path string) {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	write(dir+"/kept", "")
	for _, name := range []string{"kept", "gone", "owned", "lazy.cpython-311.so", "lazier/__init__.py", "other.py", "deep/er/file"} {
		write(fat+dir+"/"+name, "")
	}
	link("../../../../../../../../../../../etc", fat+dir+"/outside")
	link("deep", fat+dir+"/shallow")
	link("nowhere", fat+dir+"/dangling")
	write(fat+"/etc/mtab", "")
	write(fat+"/var/lib/dpkg/status", "Package: libowned\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n")
	write(fat+"/var/lib/dpkg/info/libowned.list", "/.\n"+dir+"/owned\n")
	return dir, fat
}

// missingPaths are those of a list, without the folder they are in.
func missingPaths(list []manifest.Missing, dir string) (paths []string) {
	for _, m := range list {
		paths = append(paths, strings.TrimPrefix(string(m.Path), dir+"/"))
	}
	return paths
}

func TestComparison(t *testing.T) {
	dir, fat := lacking(t)
	for _, tc := range []struct {
		name  string
		verbs []string
		want  []string
	}{
		{"nothing", []string{"open:" + dir + "/kept", "try:" + dir + "/never"}, nil},
		{"looked up", []string{"try:" + dir + "/gone", "try:" + dir + "/deep/er/file"}, []string{"deep/er/file", "gone"}},
		{"a folder", []string{"try:" + dir + "/deep"}, []string{"deep"}},
		{"links", []string{"try:" + dir + "/dangling", "try:" + dir + "/shallow/er/file"}, []string{"dangling", "shallow/er/file"}},
		{"out of the image", []string{"try:" + dir + "/outside/passwd"}, nil},
		{"the runtime's", []string{"try:/etc/mtab"}, nil},
		{"listed and spoken of", []string{"list:" + dir, "say:ModuleNotFoundError: No module named 'lazy'", "say:no module named 'x.lazier'"}, []string{"lazier", "lazy.cpython-311.so"}},
		{"listed", []string{"list:" + dir, "say:'other' is fine"}, nil},
		{"spoken of", []string{"say:ModuleNotFoundError: No module named 'other'"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := contain(t, tool(t, tc.verbs...), sensorOrder{Mode: Verify, Dirs: Dirs{Source: fat}})
			got.good(t, Verify)
			if paths := missingPaths(got.report.Missing, dir); !slices.Equal(paths, tc.want) {
				t.Errorf("missing %q, want %q", paths, tc.want)
			}
		})
	}
}

func TestComparisonTells(t *testing.T) {
	dir, fat := lacking(t)
	run := service(t, "handle", "http:127.0.0.1:8008")
	owned := manifest.Path(dir + "/owned")
	program := fixture(t).Args[0]
	run.Probes = []manifest.Probe{get("/hello"), {Name: "exec open", TimeoutSeconds: 20, Exec: &manifest.ExecProbe{
		Command: manifest.Command{Args: fixture(t, "open:"+string(owned)).Args, Env: fixture(t).Env}, Exit: 1,
	}}}
	want := []manifest.Missing{{Path: owned, Type: "file", Package: "libowned", During: []string{"probe 2"}, Program: manifest.Path(program)}}

	got := contain(t, run, sensorOrder{Mode: Verify, Dirs: Dirs{Source: fat}})
	got.good(t, Verify)
	if !reflect.DeepEqual(got.report.Missing, want) {
		t.Errorf("missing %+v, want %+v", got.report.Missing, want)
	}
	if answers := got.report.Probes; answers[0].Answer.Code != 200 || answers[0].Answer.Type != "text/plain" ||
		!slices.Equal(answers[0].Answer.Pieces, []string{"Hello", "world"}) || answers[1].Answer.Code != 1 {
		t.Errorf("answers %+v, %+v", answers[0].Answer, answers[1].Answer)
	}

	run.Probes[1].Exec.Exit = 0
	got = contain(t, run, sensorOrder{Mode: Verify, Dirs: Dirs{Source: fat}})
	if got.code != 1 || got.failure == nil || !reflect.DeepEqual(got.failure.Missing, want) {
		t.Errorf("exit %d, failure %+v", got.code, got.failure)
	}
}

func TestComplaints(t *testing.T) {
	got := contain(t, tool(t, "say:all is well", "say:12: open /x: no such file or directory", "say:13: open /x: no such file or directory",
		"say:sh: 1: curl: not found", "say:bye"), sensorOrder{Mode: Trace})
	got.good(t, Trace)
	want := []manifest.Complaint{
		{Line: "12: open /x: no such file or directory", Form: "#: open /x: no such file or directory"},
		{Line: "sh: 1: curl: not found", Form: "sh: #: curl: not found"},
	}
	if !slices.Equal(got.report.Complaints, want) {
		t.Errorf("complaints %+v, want %+v", got.report.Complaints, want)
	}
	if out := got.report.Output; out == nil || !slices.Contains(out.Pieces, "all is well") {
		t.Errorf("output %+v", out)
	}
	if got.report.Missing != nil {
		t.Errorf("missing %+v of a traced run", got.report.Missing)
	}
}

func TestAnswersFit(t *testing.T) {
	var s supervisor
	text := strings.Repeat("x", maxAnswers/2)
	for i, cut := range []bool{false, false, true} {
		if a := s.fit(&manifest.Answer{Pieces: []string{text}}); a.Cut != cut || (len(a.Pieces) == 0) != cut {
			t.Errorf("answer %d: cut %t, %d pieces", i, a.Cut, len(a.Pieces))
		}
	}
	if s.fit(nil) != nil {
		t.Error("there is an answer where there was none")
	}
}

// TestTentative: where a failure is a result, the step succeeds.
func TestTentative(t *testing.T) {
	dir, fat := lacking(t)
	made := dir + "/made"
	for _, tc := range []struct {
		name     string
		change   func(*manifest.Run)
		verb     string
		isResult bool
	}{
		{"fails", func(*manifest.Run) {}, "try:" + dir + "/gone", false},
		{"tentative", func(r *manifest.Run) { r.Tentative = true }, "try:" + dir + "/gone", true},
		{"read-only", func(r *manifest.Run) { r.ReadOnly = true }, "try:" + dir + "/gone", false},
		{"read-only and writes", func(r *manifest.Run) { r.ReadOnly = true }, "make:" + made, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := tool(t, tc.verb, "exit:3")
			tc.change(&run)
			got := contain(t, run, sensorOrder{Mode: Verify, Dirs: Dirs{Source: fat}})
			if !tc.isResult {
				if got.code != 1 || got.failure == nil {
					t.Fatalf("exit %d, failure %+v", got.code, got.failure)
				}
				return
			}
			if got.code != 0 || got.failure != nil || got.report == nil || got.report.Failure == nil {
				t.Fatalf("exit %d, failure %+v, report %+v", got.code, got.failure, got.report)
			}
			f := got.report.Failure
			if f.Got != "exit 3" || got.report.ReadOnly != run.ReadOnly || (len(got.report.Changes) > 0) != run.ReadOnly {
				t.Errorf("report %+v, failure %+v", got.report, f)
			}
			if run.Tentative && (len(f.Missing) != 1 || f.Missing[0].Path != manifest.Path(dir+"/gone")) {
				t.Errorf("missing %+v", f.Missing)
			}
		})
	}
}
