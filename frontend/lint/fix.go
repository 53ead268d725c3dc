package lint

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Fix applies the safe fixes of a file's findings, and returns how many
// findings they mend. One whose edits touch an earlier one's is left for the
// next time: what it says holds for the file as it was.
func Fix(data []byte, found []Finding) (fixed []byte, n int) {
	starts := lineStarts(data)
	var taken []splice
	for _, f := range found {
		if !f.Rule.Safe || len(f.Fix) == 0 {
			continue
		}
		edits, ok := splices(f.Fix, data, starts)
		if ok && !slices.ContainsFunc(edits, func(e splice) bool { return slices.ContainsFunc(taken, e.touches) }) {
			taken = append(taken, edits...)
			n++
		}
	}
	sortSplices(taken)
	var out bytes.Buffer
	at := 0
	for _, e := range taken {
		out.Write(data[at:e.start])
		out.WriteString(e.text)
		at = e.end
	}
	out.Write(data[at:])
	return out.Bytes(), n
}

// splice is an Edit in bytes of the file, the end exclusive.
type splice struct {
	start, end int
	text       string
}

func (s splice) touches(o splice) bool { return s.start <= o.end && o.start <= s.end }

func sortSplices(list []splice) {
	slices.SortStableFunc(list, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
}

// splices places edits; false if one lies outside of the file or on another.
func splices(edits []Edit, data []byte, starts []int) ([]splice, bool) {
	var out []splice
	for _, e := range edits {
		start, ok := offset(e.Range.Start, data, starts)
		end, okEnd := offset(e.Range.End, data, starts)
		if !ok || !okEnd || end < start {
			return nil, false
		}
		out = append(out, splice{start, end, e.Text})
	}
	sortSplices(out)
	for i := range out[1:] {
		if out[i+1].start < out[i].end {
			return nil, false
		}
	}
	return out, true
}

// offset is a position in bytes of the file.
func offset(p parser.Position, data []byte, starts []int) (int, bool) {
	if p.Line < 1 || p.Line > len(starts) || p.Character < 0 {
		return 0, false
	}
	at, end := starts[p.Line-1]+p.Character, len(data)
	if p.Line < len(starts) {
		end = starts[p.Line]
	}
	return at, at <= end
}

// lineStarts is where each line begins.
func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
