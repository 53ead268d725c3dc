package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is found in testdata/corpus as what is expected")

// TestCorpus holds Dockerfiles in the manner of official images and well-known
// projects against all rules as they are by default: what is found in each
// stands in the file .findings beside it, so that a change of a rule shows in
// what people will see of it.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.Dockerfile")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".Dockerfile"), func(t *testing.T) {
			in := read(t, file)
			if in.Stock, err = StockFindings(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			found, err := Check(in, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range found {
				fmt.Fprintf(&got, "%d %s %s\n", f.Line(), f.Severity, f.Rule.Name)
			}
			golden := strings.TrimSuffix(file, ".Dockerfile") + ".findings"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("found:\n%s\nwant:\n%s", got.String(), want)
			}
		})
	}
}

// BenchmarkCorpus is the time that the corpus takes with both linters.
func BenchmarkCorpus(b *testing.B) {
	files, err := filepath.Glob("testdata/corpus/*.Dockerfile")
	if err != nil {
		b.Fatal(err)
	}
	var inputs []Input
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		inputs = append(inputs, Input{Filename: file, Data: data})
	}
	for b.Loop() {
		for _, in := range inputs {
			if in.Stock, err = StockFindings(b.Context(), in); err != nil {
				b.Fatal(err)
			}
			if _, err := Check(in, Settings{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(inputs)), "us/file")
}
