package pack_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/pack"
)

// BenchmarkCopy copies a tree of small and large files, and lets cp -a copy
// the same one in the same run. Metric x-cp: throughput, cp -a = 1.
//
// The copies stay until the end: ext4 is slow to make files where it has just
// deleted others.
//
// SLIMFILE_BENCH_FILES (2000) and SLIMFILE_BENCH_BYTES (100 MB) size the tree.
func BenchmarkCopy(b *testing.B) {
	files, size := int64(2000), int64(100_000_000)
	fromEnv(b, "SLIMFILE_BENCH_FILES", &files)
	fromEnv(b, "SLIMFILE_BENCH_BYTES", &size)
	src := b.TempDir()
	paths := fill(b, src, files, size)
	scratch := b.TempDir()
	b.SetBytes(size)
	var ours, cp time.Duration
	for n := 0; b.Loop(); n++ {
		dst := scratch + "/" + strconv.Itoa(n)
		must(b, os.Mkdir(dst, 0o755))
		start := time.Now()
		_, err := copyTo(b, src, dst, pack.Options{}, nil, paths...)
		must(b, err)
		ours += time.Since(start)

		b.StopTimer()
		start = time.Now()
		out, err := exec.CommandContext(b.Context(), "cp", "-a", src, dst+".cp").CombinedOutput()
		if err != nil {
			b.Fatalf("cp: %v: %s", err, out)
		}
		cp += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(cp.Seconds()/ours.Seconds(), "x-cp")
}

func fromEnv(b *testing.B, name string, n *int64) {
	b.Helper()
	if text, ok := os.LookupEnv(name); ok {
		var err error
		*n, err = strconv.ParseInt(text, 10, 64)
		must(b, err)
	}
}

// fill makes files of size bytes in all, 40 to a directory. As in an image,
// most of them are small and most of the bytes are in a few. It returns all
// paths, parents first.
func fill(b *testing.B, dir string, files, size int64) []string {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	weights, sum := make([]float64, files), 0.0
	for i := range weights {
		weights[i] = min(r.ExpFloat64()*r.ExpFloat64()*r.ExpFloat64(), 50)
		sum += weights[i]
	}
	var paths []string
	data := make([]byte, 64<<20)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	for i := range files {
		if i%40 == 0 {
			paths = append(paths, fmt.Sprintf("/%06d", i/40))
			must(b, os.Mkdir(dir+paths[len(paths)-1], 0o755))
		}
		path := fmt.Sprintf("/%06d/%02d.txt", i/40, i%40)
		must(b, os.WriteFile(dir+path, data[:int64(float64(size)*weights[i]/sum)], 0o644))
		paths = append(paths, path)
	}
	return paths
}
