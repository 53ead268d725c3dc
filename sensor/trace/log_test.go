package trace

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/manifest"
)

// logged feeds chunks to a log and returns it and what it streamed.
func logged(t *testing.T, l *appLog, chunks ...[]byte) string {
	t.Helper()
	var out bytes.Buffer
	l.console = &console{w: &out}
	w, err := l.pipe(uint32(os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l.finish(time.Minute)
	return out.String()
}

func TestLogStreamsLines(t *testing.T) {
	var l appLog
	got := logged(t, &l, []byte("one\ntw"), []byte("o\n\nlast, without an end"))
	if want := "app| one\napp| two\napp| \napp| last, without an end\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"one", "two", "", "last, without an end"}; !slices.Equal(l.lines(), want) {
		t.Errorf("lines %q, want %q", l.lines(), want)
	}
}

func TestLogCutsLines(t *testing.T) {
	var l appLog
	long := bytes.Repeat([]byte("x"), 3*manifest.LogLine)
	got := logged(t, &l, long, []byte("\nnext\n"))
	if want := "app| " + strings.Repeat("x", manifest.LogLine) + "\napp| next\n"; got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

func TestLogKeepsTail(t *testing.T) {
	var l appLog
	var chunk bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&chunk, "line %d\n", i)
	}
	logged(t, &l, chunk.Bytes())
	lines := l.lines()
	if len(lines) != manifest.LogTail || lines[0] != "line 60" || lines[len(lines)-1] != "line 99" {
		t.Errorf("lines %q", lines)
	}
}

func TestLogIsPrintable(t *testing.T) {
	var l appLog
	logged(t, &l, []byte("\x1b[31mred\xff\r\n"))
	if want := []string{"[31mred�"}; !slices.Equal(l.lines(), want) {
		t.Errorf("lines %q, want %q", l.lines(), want)
	}
}

func TestLogTruncates(t *testing.T) {
	var l appLog
	line := append(bytes.Repeat([]byte("y"), 999), '\n')
	got := logged(t, &l, bytes.Repeat(line, 2*maxStreamed/1000), []byte("the end\n"))
	if !strings.HasSuffix(got, "app| … (log truncated after 256 KiB)\n") {
		t.Errorf("ends in %q", got[len(got)-60:])
	}
	if len(got) > maxStreamed+maxStreamed/100 {
		t.Errorf("%d bytes streamed", len(got))
	}
	if lines := l.lines(); lines[len(lines)-1] != "the end" {
		t.Errorf("last line %q", lines[len(lines)-1])
	}
}

func TestLogSeesReadyLine(t *testing.T) {
	l := appLog{ready: regexp.MustCompile("^listening on .*8$")}
	logged(t, &l, []byte("not yet listening on 8\nlistening on 808"), []byte("8\n"))
	if !l.isReady() {
		t.Error("not ready")
	}
	l = appLog{ready: regexp.MustCompile("never")}
	logged(t, &l, []byte("nope\n"))
	if l.isReady() {
		t.Error("ready")
	}
}

// A process that holds the pipe open must not hang the end.
func TestLogEndsWithPipeOpen(t *testing.T) {
	l := appLog{console: &console{w: io.Discard}}
	w, err := l.pipe(uint32(os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.WriteString(w, "still here\n"); err != nil {
		t.Fatal(err)
	}
	l.finish(100 * time.Millisecond)
	if want := []string{"still here"}; !slices.Equal(l.lines(), want) {
		t.Errorf("lines %q, want %q", l.lines(), want)
	}
}

func BenchmarkLog(b *testing.B) {
	l := appLog{console: &console{w: io.Discard}}
	chunk := bytes.Repeat([]byte(strings.Repeat("z", 79)+"\n"), 64<<10/80)
	line := make([]byte, 0, manifest.LogLine)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		line = l.split(line, chunk)
	}
}
