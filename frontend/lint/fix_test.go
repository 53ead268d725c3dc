package lint

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func TestFix(t *testing.T) {
	safe, unsafe := &Rule{Name: "Safe", Safe: true}, &Rule{Name: "Unsafe"}
	edit := func(line, start, endLine, end int, text string) Edit {
		return Edit{parser.Range{Start: parser.Position{Line: line, Character: start}, End: parser.Position{Line: endLine, Character: end}}, text}
	}
	const file = "FROM a\r\nRUN b \\\n  c\nRUN d"
	for _, tc := range []struct {
		name  string
		found []Finding
		want  string
		n     int
	}{
		{"nothing", nil, file, 0},
		{"not safe", []Finding{{Rule: unsafe, Fix: []Edit{edit(1, 0, 1, 4, "x")}}}, file, 0},
		{"no fix", []Finding{{Rule: safe}}, file, 0},
		{"replace", []Finding{{Rule: safe, Fix: []Edit{edit(1, 5, 1, 6, "a:1")}}}, "FROM a:1\r\nRUN b \\\n  c\nRUN d", 1},
		{"insert", []Finding{{Rule: safe, Fix: []Edit{edit(2, 5, 2, 5, " -y")}}}, "FROM a\r\nRUN b -y \\\n  c\nRUN d", 1},
		{"at the end", []Finding{{Rule: safe, Fix: []Edit{edit(4, 5, 4, 5, " -y")}}}, file + " -y", 1},
		{"over lines", []Finding{{Rule: safe, Fix: []Edit{edit(2, 5, 3, 3, " c")}}}, "FROM a\r\nRUN b c\nRUN d", 1},
		{"several edits, last first", []Finding{{Rule: safe, Fix: []Edit{edit(4, 4, 4, 5, "D"), edit(1, 5, 1, 6, "A")}}}, "FROM A\r\nRUN b \\\n  c\nRUN D", 1},
		{"two findings", []Finding{
			{Rule: safe, Fix: []Edit{edit(4, 4, 4, 5, "D")}}, {Rule: safe, Fix: []Edit{edit(1, 5, 1, 6, "A")}},
		}, "FROM A\r\nRUN b \\\n  c\nRUN D", 2},
		{"the second touches the first", []Finding{
			{Rule: safe, Fix: []Edit{edit(2, 4, 2, 5, "B")}}, {Rule: safe, Fix: []Edit{edit(4, 4, 4, 5, "D"), edit(2, 5, 2, 5, "!")}},
		}, "FROM a\r\nRUN B \\\n  c\nRUN d", 1},
		{"edits on each other", []Finding{{Rule: safe, Fix: []Edit{edit(2, 0, 2, 5, "x"), edit(2, 4, 2, 6, "y")}}}, file, 0},
		{"outside of the file", []Finding{
			{Rule: safe, Fix: []Edit{edit(9, 0, 9, 0, "x")}}, {Rule: safe, Fix: []Edit{edit(1, 0, 1, 99, "x")}}, {Rule: safe, Fix: []Edit{edit(2, 3, 1, 3, "x")}},
		}, file, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, n := Fix([]byte(file), tc.found)
			if string(got) != tc.want || n != tc.n {
				t.Errorf("mended %d: %q, want %d: %q", n, got, tc.n, tc.want)
			}
		})
	}
}

// A Dockerfile that was mended is still one.
func FuzzFix(f *testing.F) {
	files, err := filepath.Glob("testdata/*/bad-*.Dockerfile")
	if err != nil || len(files) == 0 {
		f.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := Check(Input{Filename: "Dockerfile", Data: data}, Settings{})
		if err != nil {
			return
		}
		fixed, n := Fix(data, found)
		if n == 0 {
			return
		}
		if _, err := Check(Input{Filename: "Dockerfile", Data: fixed}, Settings{}); err != nil {
			t.Errorf("%v\nbefore: %q\nafter:  %q", err, data, fixed)
		}
	})
}
