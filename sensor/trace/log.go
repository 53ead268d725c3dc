package trace

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
)

// console is the step's standard output, written to line by line.
type console struct {
	mu sync.Mutex
	w  io.Writer
}

func (c *console) printf(format string, args ...any) {
	c.write(fmt.Appendf(nil, format+"\n", args...))
}

// write ignores errors: a build whose progress nobody reads goes on.
func (c *console) write(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.w.Write(line)
}

// maxStreamed bounds how much of the app's log goes to the build's progress,
// in bytes; BuildKit itself cuts a step's log at some MiB.
const maxStreamed = 256 << 10

// appLog takes what the app writes: it streams the beginning to the console,
// keeps the end for a failure, and watches for the line that says "ready". It
// always reads at full speed and never grows.
type appLog struct {
	console *console
	readers sync.WaitGroup

	mu       sync.Mutex
	pipes    []*os.File
	streamed int // bytes
	tail     tail
	ready    *regexp.Regexp // nil: not waited for, or seen
	// complaints are the lines that speak of something missing.
	complaints []manifest.Complaint
	// head is the beginning, as far as there is room for it.
	head []byte
	room int // bytes
}

// pipe returns a descriptor for an app to write to. The caller closes it once
// the app has it.
func (l *appLog) pipe(uid uint32) (*os.File, error) {
	r, w, err := outputPipe(uid)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.pipes = append(l.pipes, r)
	l.mu.Unlock()
	l.readers.Go(func() { l.read(r) })
	return w, nil
}

// finish takes what is left in the pipes and waits until that is done. It is
// called when all processes are gone; should a pipe be open even so, it is
// left after limit.
func (l *appLog) finish(limit time.Duration) {
	l.mu.Lock()
	for _, r := range l.pipes {
		_ = r.SetReadDeadline(time.Now().Add(limit)) // a pipe has deadlines
	}
	l.mu.Unlock()
	l.readers.Wait()
	if l.streamed > maxStreamed {
		l.console.printf("app| … (log truncated after %d KiB)", maxStreamed>>10)
	}
}

// isReady tells whether the line that was waited for has come.
func (l *appLog) isReady() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready == nil
}

// lines are the last lines of the log, fit to be shown.
func (l *appLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.lines()
}

// read splits r into lines until its end.
func (l *appLog) read(r *os.File) {
	defer r.Close()
	buf := make([]byte, 64<<10)
	line := make([]byte, 0, manifest.LogLine)
	for {
		n, err := r.Read(buf)
		line = l.split(line, buf[:n])
		if err != nil {
			break
		}
	}
	if len(line) > 0 {
		l.split(line, []byte("\n"))
	}
}

// split takes data that goes on where line ended, and returns the unfinished
// line at its end. Lines are cut at manifest.LogLine bytes.
func (l *appLog) split(line, data []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		part, rest, ended := bytes.Cut(data, []byte("\n"))
		line = append(line, part[:min(len(part), manifest.LogLine-len(line))]...)
		if !ended {
			return line
		}
		l.take(line)
		line, data = line[:0], rest
	}
}

// take handles one line.
func (l *appLog) take(line []byte) {
	l.tail.add(line)
	l.complain(line)
	if n := min(len(line), l.room); n > 0 {
		l.head = append(append(l.head, line[:n]...), '\n')
		l.room -= n
	}
	if l.ready != nil && l.ready.Match(line) {
		l.ready = nil
	}
	if l.streamed > maxStreamed {
		return
	}
	l.streamed += len(line) + 1
	if l.streamed <= maxStreamed {
		l.console.write(fmt.Appendf(nil, "app| %s\n", line))
	}
}

// tail keeps the last manifest.LogTail lines.
type tail struct {
	ring [manifest.LogTail][]byte
	n    int // lines added ever
}

func (t *tail) add(line []byte) {
	slot := &t.ring[t.n%len(t.ring)]
	*slot = append((*slot)[:0], line...)
	t.n++
}

func (t *tail) lines() []string {
	var lines []string
	for i := max(0, t.n-len(t.ring)); i < t.n; i++ {
		lines = append(lines, probe.Printable(t.ring[i%len(t.ring)]))
	}
	return lines
}
