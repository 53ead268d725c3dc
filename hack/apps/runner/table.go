package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// result is one row of the table: an application at one granularity, or the
// image before slimming ("fat") when that one already fails.
type result struct {
	App           string  `json:"app"`
	Granularity   string  `json:"granularity"`
	FatBytes      int64   `json:"fatBytes,omitempty"`
	SlimBytes     int64   `json:"slimBytes,omitempty"`
	Ratio         float64 `json:"ratio,omitempty"`
	Seconds       float64 `json:"seconds,omitempty"` // of a slim build of which the fat image is cached
	KeptPackages  int     `json:"keptPackages,omitempty"`
	TotalPackages int     `json:"totalPackages,omitempty"`
	Probes        int     `json:"probes,omitempty"`
	Verified      bool    `json:"verified,omitempty"`
	Checks        int     `json:"checks,omitempty"` // of the acceptance test
	// Failure is nil when the image was built and accepted.
	Failure *failure `json:"failure,omitempty"`
}

// failure tells what went wrong: in few words and at length.
type failure struct {
	What   string `json:"what"`
	Detail string `json:"detail"`
}

func (r *result) measure(img *image) {
	s := img.summary
	r.FatBytes, r.SlimBytes = s.TotalBytes, s.KeptBytes
	r.Ratio = float64(s.TotalBytes) / float64(max(s.KeptBytes, 1))
	r.Seconds = img.seconds
	r.KeptPackages, r.TotalPackages = s.KeptPackages, s.TotalPackages
	r.Probes, r.Verified = s.Probes, img.verified
}

// table prints results as they come.
type table struct {
	mu  sync.Mutex
	out io.Writer
}

func newTable(out io.Writer) *table {
	fmt.Fprintf(out, "%-18s %-11s %8s %8s %6s %7s %9s %6s %8s  %s\n",
		"app", "granularity", "fat MB", "slim MB", "ratio", "seconds", "packages", "probes", "verified", "acceptance")
	return &table{out: out}
}

func (t *table) add(results []result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range results {
		acceptance := fmt.Sprintf("%d checks", r.Checks)
		if r.Failure != nil {
			acceptance = "FAILED: " + r.Failure.What
		}
		fmt.Fprintf(t.out, "%-18s %-11s %8.1f %8.1f %6.1f %7.1f %9s %6d %8t  %s\n",
			r.App, r.Granularity, float64(r.FatBytes)/1e6, float64(r.SlimBytes)/1e6, r.Ratio, r.Seconds,
			fmt.Sprintf("%d/%d", r.KeptPackages, r.TotalPackages), r.Probes, r.Verified, acceptance)
		if r.Failure != nil {
			fmt.Fprintln(t.out, "    "+strings.ReplaceAll(excerpt(r.Failure.Detail), "\n", "\n    "))
		}
	}
}

// excerpt is the begin and the end of a text, which is whole in the JSON file.
func excerpt(text string) string {
	const begin, end = 30, 10
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if n := len(lines); n > begin+end+1 {
		lines = slices.Concat(lines[:begin], []string{"…"}, lines[n-end:])
	}
	return strings.Join(lines, "\n")
}

// end prints what all results of a granularity come to.
func (t *table) end(all []result) {
	groups := map[string][]result{}
	var order []string
	for _, r := range all {
		if !slices.Contains(order, r.Granularity) {
			order = append(order, r.Granularity)
		}
		groups[r.Granularity] = append(groups[r.Granularity], r)
	}
	fmt.Fprintln(t.out)
	for _, g := range order {
		var ratios, seconds []float64
		for _, r := range groups[g] {
			if r.SlimBytes > 0 {
				ratios, seconds = append(ratios, r.Ratio), append(seconds, r.Seconds)
			}
		}
		n := len(groups[g])
		fmt.Fprintf(t.out, "%s: %d of %d accepted, median ratio %.1fx, median seconds %.1f\n",
			g, n-len(failures(groups[g])), n, median(ratios), median(seconds))
	}
}

func failures(results []result) []result {
	return slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.Failure == nil })
}

// median of an even number of values is the mean of the middle two.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return (values[(n-1)/2] + values[n/2]) / 2
}

func writeJSON(path string, results []result) error {
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
