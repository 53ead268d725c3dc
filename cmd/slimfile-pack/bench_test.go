package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// asStep names the folder in which this program is to be slimfile-pack.
const asStep = "SLIMFILE_BENCH_STEP"

// BenchmarkStep runs the whole step on an image of empty files, all of which
// the run touched, in a process of its own. Metric MB-hwm: the most memory the
// process had resident, VmHWM of proc(5).
//
// SLIMFILE_BENCH_PATHS (20000) is the number of files.
func BenchmarkStep(b *testing.B) {
	if dir, ok := os.LookupEnv(asStep); ok {
		benchmarkProcess(b, dir)
		return
	}
	paths := 20_000
	if text, ok := os.LookupEnv("SLIMFILE_BENCH_PATHS"); ok {
		var err error
		paths, err = strconv.Atoi(text)
		must(b, err)
	}
	dir := b.TempDir()
	fillImage(b, stepIn(dir), paths)
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), "/proc/self/exe", "-test.run=^$", "-test.bench=^BenchmarkStep$", "-test.benchtime=1x")
		cmd.Env = append(os.Environ(), asStep+"="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		b.ReportMetric(highWater(b, out), "MB-hwm")
		must(b, os.RemoveAll(stepIn(dir).root))
		must(b, os.Mkdir(stepIn(dir).root, 0o755))
	}
}

func stepIn(dir string) step {
	return step{
		input: dir + "/in", trace: dir + "/trace", source: dir + "/src", root: dir + "/root", output: dir + "/out",
		stdout: os.Stdout,
	}
}

// fillImage fills the folders of a step: 1000 files to a directory.
func fillImage(b *testing.B, s step, n int) {
	b.Helper()
	for _, dir := range []string{s.input, s.trace, s.source, s.root, s.output} {
		must(b, os.Mkdir(dir, 0o755))
	}
	must(b, os.WriteFile(s.input+"/pack.json", []byte(`{"version":1,"image":{},"platform":"linux/amd64"}`), 0o600))
	var opened []string
	for i := range n {
		dir := fmt.Sprintf("/usr/lib/python3/dist-packages/package-%04d", i/1000)
		if i%1000 == 0 {
			must(b, os.MkdirAll(s.source+dir, 0o755))
		}
		opened = append(opened, fmt.Sprintf("%s/some_module_%04d.py", dir, i%1000))
		must(b, os.WriteFile(s.source+opened[i], nil, 0o644))
	}
	s.writeTrace(b, opened)
}

// benchmarkProcess does the step and prints what the kernel says of its memory.
func benchmarkProcess(b *testing.B, dir string) {
	debug.SetGCPercent(gcPercent)
	if failure := stepIn(dir).run(b.Context()); failure != nil {
		b.Fatal(line(failure))
	}
	status, err := os.ReadFile("/proc/self/status")
	must(b, err)
	fmt.Printf("%s\n", status)
}

func highWater(b *testing.B, out []byte) float64 {
	b.Helper()
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), " kB"))
			must(b, err)
			return float64(kb) / 1000
		}
	}
	b.Fatalf("no VmHWM in %s", out)
	return 0
}
