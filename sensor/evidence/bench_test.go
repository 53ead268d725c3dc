package evidence_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// BenchmarkMillion resolves and reports an image of 1,000,000 touched files and
// tells the live heap of the set and the peak of the process's memory. Run it
// with -benchtime 1x: the peak does not fall again.
func BenchmarkMillion(b *testing.B) {
	const dirs, files = 1000, 1000
	dir := b.TempDir()
	for i := range dirs {
		folder := fmt.Sprintf("%s/srv/application/node_modules/package-%04d", dir, i)
		must(b, os.MkdirAll(folder, 0o755))
		for j := range files {
			must(b, os.WriteFile(fmt.Sprintf("%s/module-%06d.js", folder, j), nil, 0o644))
		}
	}
	root, err := rootfs.Open(dir)
	must(b, err)
	defer root.Close()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(96 << 20)) // as slimfile-pack does
	for b.Loop() {
		set, err := keepset.Resolve(context.Background(), root, millionTrace(dirs, files), nil, manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"})
		must(b, err)
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(stats.HeapAlloc), "B-set")
		_, err = evidence.Write(context.Background(), root, set, b.TempDir())
		must(b, err)
	}
	b.ReportMetric(peak(b), "B-peak")
}

// millionTrace streams a trace without holding it.
func millionTrace(dirs, files int) io.Reader {
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(manifest.WriteTrace(w, 1, dirs*files, func(yield func(manifest.Entry) bool) {
			for i := range dirs {
				for j := range files {
					path := fmt.Sprintf("/srv/application/node_modules/package-%04d/module-%06d.js", i, j)
					if !yield(manifest.Entry{Path: manifest.Path(path), Ops: manifest.Opened | manifest.Checked}) {
						return
					}
				}
			}
		}))
	}()
	return r
}

// peak returns VmHWM of proc_pid_status(5) in bytes.
func peak(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	must(b, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	_, err = fmt.Fscan(bytes.NewReader([]byte(rest)), &kib)
	must(b, err)
	return kib * 1024
}
