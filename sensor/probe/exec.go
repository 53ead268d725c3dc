package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// maxOutput bounds how much of a program's output is looked at, in bytes.
const maxOutput = 1 << 20

// drainTime is how long output may still come once a program has exited: what
// it wrote is in the pipe by then, but a process that it left behind may hold
// the pipe open for good.
const drainTime = 200 * time.Millisecond

// killTime is how long a program may take to die of SIGKILL: only an
// uninterruptible system call can delay that.
const killTime = 10 * time.Second

// Process is a program that was started.
type Process interface {
	// Done is closed when the program has exited.
	Done() <-chan struct{}
	// ExitStatus is valid once Done is closed.
	ExitStatus() unix.WaitStatus
	Signal(unix.Signal) error
}

// Starter starts a program in the app's container. Its standard output and
// error come out of output, which has deadlines and is the caller's to close.
type Starter func(manifest.Command) (p Process, output *os.File, err error)

// exec runs a program beside the app.
type exec struct {
	probe manifest.ExecProbe
	match *regexp.Regexp
	start Starter
}

func newExec(p manifest.ExecProbe, start Starter) (*exec, error) {
	match, err := compile(p.Match)
	if err != nil {
		return nil, err
	}
	return &exec{probe: p, match: match, start: start}, nil
}

// Expected implements Prober.
func (e *exec) Expected() string {
	text := fmt.Sprintf("exit code %d", e.probe.Exit)
	if e.match != nil {
		text += fmt.Sprintf(" and output that matches %q", e.match)
	}
	return text
}

// Probe implements Prober. When ctx ends first the program is killed.
func (e *exec) Probe(ctx context.Context) (Result, error) {
	process, pipe, err := e.start(e.probe.Command)
	if err != nil {
		return Result{}, &notStartedError{err}
	}
	defer pipe.Close()
	output := make(chan []byte, 1)
	go func() { output <- collect(pipe) }()

	select {
	case <-process.Done():
	case <-ctx.Done():
		if err := process.Signal(unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return Result{}, fmt.Errorf("kill: %w", err)
		}
		select {
		case <-process.Done():
		case <-time.After(killTime):
			return Result{}, fmt.Errorf("the program did not end within %s of SIGKILL", killTime)
		}
	}
	if err := pipe.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
		return Result{}, fmt.Errorf("output pipe: %w", err)
	}
	text := <-output
	if ctx.Err() != nil {
		return Result{}, &partialError{"still running" + quoted(text)}
	}
	return e.judge(process.ExitStatus(), text)
}

// notStartedError says why there is no program to try again: it is missing or
// cannot be executed.
type notStartedError struct{ error }

func (e *notStartedError) Unwrap() error { return e.error }

func (e *exec) judge(status unix.WaitStatus, output []byte) (Result, error) {
	got := Exit(status)
	switch {
	case !status.Exited() || status.ExitStatus() != e.probe.Exit:
		return Result{}, errors.New(got + quoted(output))
	case e.match != nil && !e.match.Match(output):
		return Result{}, errors.New(got + " and output that does not match" + quoted(output))
	}
	return Result{Got: got, Answer: NewAnswer(status.ExitStatus(), "", output)}, nil
}

// collect reads all of r and returns the beginning. It ends with the pipe or
// with the deadline set on it.
func collect(r *os.File) []byte {
	var kept []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		kept = append(kept, buf[:min(n, maxOutput-len(kept))]...)
		if err != nil {
			return kept
		}
	}
}

func quoted(output []byte) string {
	if len(output) == 0 {
		return ", no output"
	}
	return ", output:\n" + excerpt(output)
}

// Exit says how a process ended: "exit 0", "signal 9 (SIGKILL)".
func Exit(status unix.WaitStatus) string {
	if status.Signaled() {
		return fmt.Sprintf("signal %d (%s)", status.Signal(), unix.SignalName(status.Signal()))
	}
	return fmt.Sprintf("exit %d", status.ExitStatus())
}
