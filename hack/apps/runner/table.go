package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/org/slimfile/sensor/manifest"
)

// result is one row of the table: an application at one granularity, or the
// image before slimming ("fat") when that one already fails.
type result struct {
	App           string  `json:"app"`
	Base          string  `json:"base"` // the image that the Dockerfile starts from
	Granularity   string  `json:"granularity"`
	FatBytes      int64   `json:"fatBytes,omitempty"`
	SlimBytes     int64   `json:"slimBytes,omitempty"`
	StrictBytes   int64   `json:"strictBytes,omitempty"` // about what granularity strict would have left
	Ratio         float64 `json:"ratio,omitempty"`
	Seconds       float64 `json:"seconds,omitempty"` // of a slim build of which the fat image is cached
	KeptPackages  int     `json:"keptPackages,omitempty"`
	TotalPackages int     `json:"totalPackages,omitempty"`
	Probes        int     `json:"probes,omitempty"`
	Verified      bool    `json:"verified,omitempty"`
	// Warnings are those of the build, but for its rules.
	Warnings []string `json:"warnings,omitempty"`
	Checks   int      `json:"checks,omitempty"` // of the acceptance test
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
	r.StrictBytes = s.Levels[manifest.GranularityStrict]
	r.Ratio = float64(s.TotalBytes) / float64(max(s.KeptBytes, 1))
	r.Seconds = img.seconds
	r.KeptPackages, r.TotalPackages = s.KeptPackages, s.TotalPackages
	r.Probes, r.Verified, r.Warnings = s.Probes, img.verified, img.warnings
}

// columns name the cells of a row, with their widths: negative ones are aligned
// to the left.
var columns = []struct {
	name  string
	width int
}{
	{"app", -18}, {"base", -27}, {"granularity", -11}, {"fat MB", 8}, {"slim MB", 8}, {"strict MB", 9}, {"ratio", 6}, {"seconds", 7},
	{"packages", 9}, {"probes", 6}, {"verified", 8}, {"warnings", 8}, {"acceptance", -1},
}

// cells are what a row says, one of each column.
func (r result) cells() []string {
	acceptance := fmt.Sprintf("%d checks", r.Checks)
	switch {
	case r.Failure != nil:
		acceptance = "FAILED: " + r.Failure.What
	case r.Checks == 0:
		acceptance = "not tested"
	}
	megabytes := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
	return []string{
		r.App, r.Base, r.Granularity, megabytes(r.FatBytes), megabytes(r.SlimBytes), megabytes(r.StrictBytes), fmt.Sprintf("%.1f", r.Ratio),
		fmt.Sprintf("%.1f", r.Seconds), fmt.Sprintf("%d/%d", r.KeptPackages, r.TotalPackages), strconv.Itoa(r.Probes),
		strconv.FormatBool(r.Verified), strconv.Itoa(len(r.Warnings)), acceptance,
	}
}

// heading are the columns' names.
func heading() (names []string) {
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// table prints results as they come.
type table struct {
	mu  sync.Mutex
	out io.Writer
}

func newTable(out io.Writer) *table {
	t := &table{out: out}
	t.row(heading())
	return t
}

func (t *table) row(cells []string) {
	for i, c := range columns {
		cells[i] = fmt.Sprintf("%*s", c.width, cells[i])
	}
	fmt.Fprintln(t.out, strings.Join(cells, " "))
}

func (t *table) add(results []result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range results {
		t.row(r.cells())
		if r.Failure != nil {
			fmt.Fprintln(t.out, "    "+strings.ReplaceAll(r.Failure.excerpt(), "\n", "\n    "))
		}
	}
}

// end prints what all results come to.
func (t *table) end(all []result) {
	fmt.Fprintln(t.out)
	for _, line := range totals(all) {
		fmt.Fprintln(t.out, line)
	}
}

// markdown is the table for documents, in the order of the applications.
func markdown(all []result) string {
	row := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
	align := make([]string, len(columns))
	for i, c := range columns {
		align[i] = "--"
		if c.width > 0 {
			align[i] = "--:"
		}
	}
	text := row(heading()) + row(align)
	for _, r := range all {
		text += row(r.cells())
	}
	return text + "\n" + strings.Join(totals(all), "\n") + "\n"
}

// totals is a line for each granularity.
func totals(all []result) (lines []string) {
	groups := map[string][]result{}
	var order []string
	for _, r := range all {
		if !slices.Contains(order, r.Granularity) {
			order = append(order, r.Granularity)
		}
		groups[r.Granularity] = append(groups[r.Granularity], r)
	}
	for _, g := range order {
		var ratios, seconds []float64
		warnings := 0
		for _, r := range groups[g] {
			warnings += len(r.Warnings)
			if r.SlimBytes > 0 {
				ratios, seconds = append(ratios, r.Ratio), append(seconds, r.Seconds)
			}
		}
		n, good := len(groups[g]), "accepted"
		if g == manifest.GranularityStrict {
			good = "built"
		}
		lines = append(lines, fmt.Sprintf("%s: %d of %d %s, median ratio %.1fx, median seconds %.1f, %d warnings",
			g, n-len(failures(groups[g])), n, good, median(ratios), median(seconds), warnings))
	}
	return lines
}

// maxFailed is how many failed checks are shown with what they got.
const maxFailed = 3

// excerpt is what to look at first, all failed checks by their names at least; the
// JSON file has the whole.
func (f *failure) excerpt() string {
	var shown []string
	failed, inFull := 0, true
	for line := range strings.Lines(f.Detail) {
		line = strings.TrimRight(line, "\n")
		isCheck, isDetail := strings.HasPrefix(line, "not ok "), strings.HasPrefix(line, "#   ")
		if isCheck {
			failed++
		}
		if !isDetail {
			inFull = !isCheck || failed <= maxFailed
		}
		if inFull || isCheck {
			shown = append(shown, line)
		}
	}
	return strings.Join(shown, "\n")
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
