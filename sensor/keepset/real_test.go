package keepset_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// TestLibrariesAgainstLdd compares the ELF closure of real programs of this
// machine with what its own loader says.
func TestLibrariesAgainstLdd(t *testing.T) {
	if _, err := exec.LookPath("ldd"); err != nil {
		missing(t, "ldd")
	}
	root, err := rootfs.Open("/")
	must(t, err)
	defer root.Close()
	compared := 0
	for _, name := range []string{"bash", "git", "openssl", "curl", "node", "java"} {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		program, err = filepath.EvalSymlinks(program)
		must(t, err)
		out, err := exec.Command("ldd", program).Output()
		if err != nil {
			continue // static, or a script
		}
		compared++
		t.Run(name, func(t *testing.T) {
			want := lddPaths(t, string(out))
			var trace bytes.Buffer
			entries := []manifest.Entry{{Path: manifest.Path(program), Ops: manifest.Executed}}
			must(t, manifest.WriteTrace(&trace, 1, 1, slices.Values(entries)))
			set, err := keepset.Resolve(context.Background(), root, &trace, nil, manifest.Pack{
				Version: manifest.Version, Platform: "linux/" + runtime.GOARCH,
			})
			must(t, err)
			kept := map[string]bool{}
			for e := range set.All() {
				kept[e.Path] = true
			}
			for path := range maps.Keys(want) {
				if !kept[path] {
					t.Errorf("%s needs %s, which is not kept", program, path)
				}
			}
			for e := range set.All() {
				if e.Via == program && e.Reasons&(keepset.LinkedLibrary|keepset.Interpreter) != 0 && !want[e.Path] &&
					e.Reasons&keepset.Link == 0 && !strings.Contains(e.Path, "-dynload/") {
					t.Errorf("%s is kept for %s, but ldd does not name it", e.Path, program)
				}
			}
		})
	}
	if compared == 0 {
		missing(t, "any of the programs to compare")
	}
}

// BenchmarkResolve resolves the set of a program in Python, with Debian's Python
// of this machine as the image.
func BenchmarkResolve(b *testing.B) {
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		missing(b, python)
	}
	const program = "import asyncio, ctypes, email.message, http.client, json, logging.config, sqlite3, ssl, sys\n" +
		"for m in list(sys.modules.values()):\n  if getattr(m, '__file__', None): print(m.__file__)"
	out, err := exec.Command(python, "-c", program).Output()
	must(b, err)
	files := append(strings.Fields(string(out)), python)
	slices.Sort(files)
	var entries []manifest.Entry
	for _, file := range slices.Compact(files) {
		entries = append(entries, manifest.Entry{Path: manifest.Path(file), Ops: manifest.Opened})
	}
	var trace bytes.Buffer
	must(b, manifest.WriteTrace(&trace, 1, len(entries), slices.Values(entries)))
	root, err := rootfs.Open("/")
	must(b, err)
	defer root.Close()
	for b.Loop() {
		_, err := keepset.Resolve(b.Context(), root, bytes.NewReader(trace.Bytes()), nil, manifest.Pack{
			Version: manifest.Version, Platform: "linux/" + runtime.GOARCH,
		})
		must(b, err)
	}
	b.ReportMetric(float64(len(entries)), "modules")
}

// lddPaths returns the physical paths in ldd's output.
func lddPaths(t *testing.T, out string) map[string]bool {
	paths := map[string]bool{}
	for line := range strings.Lines(out) {
		for _, word := range strings.Fields(line) {
			if !strings.HasPrefix(word, "/") {
				continue
			}
			path, err := filepath.EvalSymlinks(word)
			must(t, err)
			paths[path] = true
		}
	}
	return paths
}

// missing skips a test for want of something; on a machine that has to run all
// of them it fails.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing", what)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
