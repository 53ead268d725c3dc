package record

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/launch"
)

// workload is a program whose tracing is measured.
type workload struct {
	name string
	spec func(b *testing.B) launch.Spec
}

// applications are programs that start as an application does.
func applications() []workload {
	return []workload{
		{"python imports", shell("/usr/bin/python3 -c 'import json, ssl, email, sqlite3, asyncio, xml.dom, http.server, unittest, ctypes'")},
		{"node requires", shell("npm --version >/dev/null")},
		{"java start", shell("java -Xshare:off -version 2>/dev/null")},
		{"php includes", php},
		{"perl modules", shell("perl -MPOSIX -MStorable -MFile::Find -MIO::Socket -e 1")},
	}
}

// storms are programs that do little else than look up paths, and one that does
// nothing: what a start costs.
func storms() []workload {
	return []workload{
		{"nothing", shell("true")},
		{"git status", gitStatus},
		{"find 20k files", func(b *testing.B) launch.Spec { return find(b, sources(b, 20_000)) }},
		{"open storm", repeat("open", false, 0)},
		{"stat storm", repeat("stat", false, 0)},
		{"stat storm, relative", repeat("stat", true, 0)},
		{"stat storm, relative, nobody", repeat("stat", true, nobody)},
		{"distinct opens", func(b *testing.B) launch.Spec { return fixtureSpec(b, b.TempDir(), "many", "50000", "n") }},
		{"2000 processes", shell("i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done")},
	}
}

// side is a way to run a program.
type side struct {
	name string
	job  func(launch.Spec) job
}

func plain(s launch.Spec) job   { return job{Mode: sandbox, Spec: s, Untraced: true} }
func seccomp(s launch.Spec) job { return job{Mode: sandbox, Spec: s} }

// BenchmarkTraced reports how many times as long programs take, start and end
// included, under seccomp alone, with the set of system calls noted as well, with
// fanotify beside it, and under strace. A round measures all of them, and each
// ratio is the median of the rounds': what slows the machine for longer than a
// round slows both sides. On a machine that is never quiet look at the ratios of
// CPU times (-cpu).
func BenchmarkTraced(b *testing.B) {
	strace := need(b, "strace")
	sides := []side{
		{"seccomp", seccomp},
		{"calls", func(s launch.Spec) job { return job{Mode: sandbox, Spec: s, Calls: true} }},
		{"both", func(s launch.Spec) job { return job{Mode: insecure, Spec: s} }},
		{"strace", func(s launch.Spec) job {
			args := []string{"strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=%file", s.Path}
			s.Path, s.Args = strace, append(args, s.Args[1:]...)
			return job{Mode: insecure, Spec: s, Untraced: true}
		}},
	}
	for _, w := range append(applications(), storms()...) {
		b.Run(w.name, func(b *testing.B) {
			spec := w.spec(b)
			rounds := make([]ratios, len(sides))
			var untraced []float64
			for b.Loop() {
				base := measure(b, plain(spec))
				untraced = append(untraced, base.Elapsed.Seconds()*1000)
				for i, s := range sides {
					rounds[i].add(measure(b, s.job(spec)), base)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(untraced), "ms-untraced")
			for i, s := range sides {
				b.ReportMetric(median(rounds[i].wall), "x-"+s.name)
				b.ReportMetric(median(rounds[i].cpu), "x-"+s.name+"-cpu")
			}
		})
	}
}

// BenchmarkApplications is one number for all applications under seccomp alone:
// the geometric mean of their ratios.
func BenchmarkApplications(b *testing.B) {
	var specs []launch.Spec
	for _, w := range applications() {
		specs = append(specs, w.spec(b))
	}
	rounds := make([]ratios, len(specs))
	for b.Loop() {
		for i, spec := range specs {
			rounds[i].add(measure(b, seccomp(spec)), measure(b, plain(spec)))
		}
	}
	wall, cpu := 1.0, 1.0
	for i := range rounds {
		wall *= median(rounds[i].wall)
		cpu *= median(rounds[i].cpu)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(math.Pow(wall, 1/float64(len(specs))), "x-seccomp")
	b.ReportMetric(math.Pow(cpu, 1/float64(len(specs))), "x-seccomp-cpu")
}

// ratios are a side's times as multiples of the untraced program's, by rounds.
type ratios struct{ wall, cpu []float64 }

func (r *ratios) add(out, base outcome) {
	r.wall = append(r.wall, out.Elapsed.Seconds()/base.Elapsed.Seconds())
	r.cpu = append(r.cpu, out.CPU.Seconds()/base.CPU.Seconds())
}

// shell is a command line. What it runs has to be installed.
func shell(line string) func(b *testing.B) launch.Spec {
	return func(b *testing.B) launch.Spec {
		if first, _, _ := strings.Cut(line, " "); !strings.Contains(first, "=") {
			need(b, first)
		}
		return launch.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", line}, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}
	}
}

// fixtureSpec is a program of fixture_test.go.
func fixtureSpec(b *testing.B, dir string, args ...string) launch.Spec {
	return launch.Spec{Path: program(b), Args: slices.Concat([]string{"program", "fixture"}, args), Dir: dir}
}

// repeat opens or stats 1000 files 100 times each.
func repeat(what string, relative bool, uid uint32) func(b *testing.B) launch.Spec {
	return func(b *testing.B) launch.Spec {
		var names []string
		for i := range 1000 {
			names = append(names, fmt.Sprintf("d%d/f%d", i%10, i))
		}
		dir := workplace(b, names)
		for i, n := range names {
			if !relative {
				names[i] = filepath.Join(dir, n)
			}
		}
		spec := fixtureSpec(b, dir, slices.Concat([]string{"repeat", what, "100000"}, names)...)
		spec.UID, spec.GID = uid, uid
		return spec
	}
}

// sources makes n files in folders of a hundred.
func sources(b *testing.B, n int) string {
	dir := workplace(b, nil)
	for i := range n {
		name := fmt.Sprintf("%s/src/p%d/q%d/file%d.c", dir, i/1000, i/100, i)
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(name, fmt.Appendf(nil, "%d\n", i), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func find(b *testing.B, dir string) launch.Spec {
	return launch.Spec{Path: need(b, "find"), Args: []string{"find", ".", "-type", "f", "-size", "+1k"}, Dir: dir}
}

func gitStatus(b *testing.B) launch.Spec {
	git, dir := need(b, "git"), sources(b, 20_000)
	for _, args := range [][]string{{"init", "-q"}, {"config", "gc.auto", "0"}, {"config", "maintenance.auto", "false"}, {"add", "."}, {"-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qm", "all"}, {"status"}} {
		cmd := exec.Command(git, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return launch.Spec{Path: git, Args: []string{"git", "status", "--porcelain"}, Dir: dir}
}

// php includes two thousand files, as a framework does for some requests.
func php(b *testing.B) launch.Spec {
	path, dir := need(b, "php"), workplace(b, nil)
	main := "<?php\n"
	for i := range 2000 {
		name := fmt.Sprintf("lib/m%d/c%d.php", i/50, i)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			b.Fatal(err)
		}
		text := fmt.Sprintf("<?php\nclass C%d { function run($x) { return $x + %d; } }\n", i, i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
		main += fmt.Sprintf("require_once __DIR__ . '/%s';\n", name)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.php"), []byte(main), 0o644); err != nil {
		b.Fatal(err)
	}
	return launch.Spec{Path: path, Args: []string{"php", "main.php"}, Dir: dir}
}

func measure(b *testing.B, j job) outcome {
	b.Helper()
	out := run(b, j)
	if out.Exit != 0 || out.StartErr != "" || out.CloseErr != "" {
		b.Fatalf("exit %d, start %q, close %q", out.Exit, out.StartErr, out.CloseErr)
	}
	return out
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
