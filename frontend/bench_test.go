package frontend_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/org/slimfile/frontend/internal/testenv"
)

// BenchmarkCachedRebuild is a build in which nothing has changed, through the
// frontend image as users have it. The stock frontend is the same image with
// SLIM=off. Builds alternate; the median of the slim ones is given as a ratio.
func BenchmarkCachedRebuild(b *testing.B) {
	const rounds, warm = 20, 2
	env := testenv.Start(b, testenv.Options{Insecure: true})
	for _, example := range []string{"flask", "go"} {
		b.Run(example, func(b *testing.B) {
			slim := testenv.Build{Context: filepath.Join("../examples", example), Rules: true, Insecure: true}
			sides := []testenv.Build{slim, args(slim, "SLIM=off")}
			var seconds [2][]float64
			for b.Loop() {
				for round := range warm + rounds {
					for i, side := range sides {
						begin := time.Now()
						if res, err := env.Build(b, side); err != nil {
							b.Fatalf("%v\n%s", err, res.Log)
						}
						if round >= warm {
							seconds[i] = append(seconds[i], time.Since(begin).Seconds())
						}
					}
				}
			}
			median := func(values []float64) float64 { slices.Sort(values); return values[len(values)/2] }
			b.ReportMetric(median(seconds[1])*1000, "ms-stock")
			b.ReportMetric(median(seconds[0])/median(seconds[1]), "x-slim")
			b.ReportMetric(0, "ns/op")
		})
	}
}
