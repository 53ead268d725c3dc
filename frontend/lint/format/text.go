package format

import (
	"fmt"
	"io"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/lint"
)

// text prints findings as BuildKit prints its warnings, with the severity and
// the remedy, and a summary. Without findings it prints nothing.
func text(w io.Writer, files []source) error {
	out := &strings.Builder{}
	count := map[lint.Severity]int{}
	broken := 0
	for _, f := range files {
		for _, finding := range f.Findings {
			count[finding.Severity]++
			if err := f.print(out, finding); err != nil {
				return err
			}
		}
		if f.Err != nil {
			broken++
			if err := f.printError(out); err != nil {
				return err
			}
		}
	}
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{broken, "broken file"}, {count[lint.Error], "error"}, {count[lint.Warn], "warning"}, {count[lint.Info], "hint"},
	} {
		if c.n > 0 {
			counts = append(counts, plural(c.n, c.what))
		}
	}
	if len(counts) > 0 {
		fmt.Fprintf(out, "\n%s in %s\n", strings.Join(counts, ", "), plural(len(files), "file"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (f source) print(out *strings.Builder, finding lint.Finding) error {
	label := map[lint.Severity]string{lint.Error: "ERROR", lint.Warn: "WARNING", lint.Info: "INFO"}[finding.Severity]
	fmt.Fprintf(out, "\n%s: %s", label, finding.Rule.Name)
	if url := finding.Rule.URL(); url != "" {
		fmt.Fprintf(out, " - %s", url)
	}
	fmt.Fprintf(out, "\n%s\n", printable(finding.Message))
	if finding.Rule.Remedy != "" {
		fmt.Fprintf(out, "Remedy: %s\n", finding.Rule.Remedy)
	}
	return f.snippet(out, finding.Ranges)
}

func (f source) printError(out *strings.Builder) error {
	fmt.Fprintf(out, "\nERROR: %s\n", printable(f.Err.Error()))
	return f.snippet(out, errorRanges(f.Err))
}

// snippet prints the lines concerned, or the file's name where there are none.
func (f source) snippet(out *strings.Builder, ranges []parser.Range) error {
	if len(ranges) == 0 {
		fmt.Fprintf(out, "%s\n", printable(f.Filename))
		return nil
	}
	source := errdefs.Source{
		Info:   &pb.SourceInfo{Filename: printable(f.Filename), Data: []byte(printable(string(f.Data)))},
		Ranges: toPB(ranges),
	}
	return source.Print(out)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
