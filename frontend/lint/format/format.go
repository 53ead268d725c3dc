// Package format prints the linter's findings, for people and for programs.
//
// It comes last: what frontend/lint found in each file goes in, one document
// about all files comes out. Equal findings give equal bytes. Imported by frontend and cmd.
package format

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/lint"
)

// File is a Dockerfile with what was found in it.
type File struct {
	// Filename is how the file is called, with slashes, relative to the top of
	// the repository if it can be.
	Filename string
	Data     []byte
	Findings []lint.Finding
	// Err is why the file cannot be built or could not be judged, nil if all is
	// well; there may be Findings nevertheless. Its place is that of a
	// *parser.LocationError in it.
	Err error
}

// Names are those of the formats.
func Names() []string {
	return []string{"text", "json", "sarif", "github", "codeclimate", "checkstyle"}
}

// Write prints files in the format named so.
func Write(w io.Writer, name string, files []File) error {
	formats := []func(io.Writer, []source) error{text, json, sarif, github, codeClimate, checkstyle}
	i := slices.Index(Names(), name)
	if i < 0 {
		return fmt.Errorf("unknown format %q, want %s", name, strings.Join(Names(), ", "))
	}
	var sources []source
	for _, f := range files {
		sources = append(sources, source{f, strings.Split(string(f.Data), "\n")})
	}
	return formats[i](w, sources)
}

// source is a file and its lines.
type source struct {
	File
	lines []string
}

// brokenRule stands for a rule where a file could not be judged and the format
// has no other place for that.
const brokenRule = "BrokenDockerfile"

// errorRanges are the places of a file's error.
func errorRanges(err error) []parser.Range {
	var at *parser.LocationError
	if !errors.As(err, &at) {
		return nil
	}
	return slices.Concat(at.Locations...)
}

// span is the part of a file that a finding is about, both ends included. Lines
// count from 1; columns count characters from 1, 0 for whole lines.
type span struct {
	line, column       int
	endLine, endColumn int
}

// whole tells whether the span is the file as a whole.
func (s span) whole() bool { return s.line == 0 }

// spanOf is the first of ranges.
func (f source) spanOf(ranges []parser.Range) span {
	if len(ranges) == 0 {
		return span{}
	}
	r := ranges[0]
	s := span{line: r.Start.Line, endLine: max(r.End.Line, r.Start.Line)}
	if r.Start.Character < r.End.Character || r.Start.Line < r.End.Line && r.End.Character > 0 {
		s.column = f.column(r.Start)
		s.endColumn = max(f.column(r.End)-1, 1)
	}
	return s
}

// column counts characters from 1 where a position counts bytes from 0.
func (f source) column(p parser.Position) int {
	line := ""
	if p.Line >= 1 && p.Line <= len(f.lines) {
		line = strings.TrimSuffix(f.lines[p.Line-1], "\r")
	}
	return utf8.RuneCountInString(line[:min(max(p.Character, 0), len(line))]) + 1
}

// fingerprints identify the findings of a file by what they are about rather
// than by where that stands, so that they stay when lines move. Findings of one
// rule about equal lines are told apart by their order.
func (f source) fingerprints() []string {
	seen := map[string]int{}
	var out []string
	for _, finding := range f.Findings {
		id := finding.Rule.Name + "\x00" + f.Filename + "\x00"
		for _, r := range finding.Ranges {
			for n := max(r.Start.Line, 1); n <= min(max(r.End.Line, r.Start.Line), len(f.lines)); n++ {
				id += strings.Join(strings.Fields(f.lines[n-1]), " ") + "\n"
			}
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", id, seen[id]))
		seen[id]++
		out = append(out, hex.EncodeToString(sum[:16]))
	}
	return out
}

// printable keeps what a terminal shows as one cell, tabs and ends of lines, so
// that a hostile file cannot send it escape sequences.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			return r
		case r == '\r':
			return -1
		}
		return unicode.ReplacementChar
	}, s)
}

func toPB(ranges []parser.Range) []*pb.Range {
	out := []*pb.Range{}
	for _, r := range ranges {
		out = append(out, &pb.Range{
			Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Character)},
			End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Character)},
		})
	}
	return out
}
