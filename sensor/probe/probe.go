// Package probe makes the requests that prove an app works: HTTP, TCP, and
// programs run beside it. The client side runs in the sensor and is never
// recorded; what a program run by a probe touches is.
//
// It also tells which TCP ports are listened on, for readiness. Imported by
// sensor/trace.
package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// Prober makes one request.
type Prober interface {
	// Expected is what a good answer is, for messages: "status 200".
	Expected() string
	// Probe makes the request once, within ctx. The text of an error says what
	// came instead of a good answer.
	Probe(ctx context.Context) (Result, error)
}

// New returns the prober that p asks for. Exec probes start their program
// with start.
func New(p manifest.Probe, start Starter) (Prober, error) {
	switch {
	case p.HTTP != nil && p.TCP == nil && p.Exec == nil:
		return NewHTTP(*p.HTTP)
	case p.TCP != nil && p.HTTP == nil && p.Exec == nil:
		return newTCP(*p.TCP)
	case p.Exec != nil && p.HTTP == nil && p.TCP == nil:
		return newExec(*p.Exec, start)
	default:
		return nil, fmt.Errorf("probe %q: want exactly one of http, tcp and exec", p.Name)
	}
}

// refusedInterval is how long after a refused connection the next is tried.
const refusedInterval = 20 * time.Millisecond

// settleRetries are those of a program for which p has none, after pauses that
// begin with settlePause and double: it cannot tell that it was refused, and an
// app may accept connections before it can serve. PostgreSQL listens on TCP
// before it makes its socket.
const (
	settleRetries = 4
	settlePause   = 100 * time.Millisecond
)

// Run makes the request of prober until it succeeds, for at most
// p.TimeoutSeconds. A refused connection is always tried again, any other
// failure p.Retries times; those retries are spread over the timeout, so that
// an app which needs a while to become healthy gets it. A program that cannot be
// started is not tried again.
func Run(ctx context.Context, p manifest.Probe, prober Prober) (Result, error) {
	timeout := Seconds(p.TimeoutSeconds)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	retries, pause := p.Retries, timeout/time.Duration(p.Retries+1)
	settling := p.Exec != nil && p.Retries == 0
	if settling {
		retries, pause = settleRetries, settlePause
	}
	var last error // what came instead of a good answer
	for {
		got, err := prober.Probe(ctx)
		if err == nil {
			return got, nil
		}
		// Once the time is up, an error mostly says just that. The network may
		// know before ctx does, which has a timer of its own.
		over := ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
		var partial *partialError
		if !over || errors.As(err, &partial) {
			last = err
		}
		wait := refusedInterval
		if !over && !errors.Is(err, unix.ECONNREFUSED) {
			var notStarted *notStartedError
			if retries == 0 || errors.As(err, &notStarted) {
				return Result{}, err
			}
			retries--
			wait = pause
			if settling {
				pause *= 2
			}
		}
		if !sleep(ctx, wait) {
			return Result{}, timedOut(ctx, last)
		}
	}
}

// timedOut is the error of a probe whose ctx ended: why it ended, and the last
// thing that went wrong before, if anything.
func timedOut(ctx context.Context, last error) error {
	if last == nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), last)
}

// partialError is an answer that had begun but did not end in time.
type partialError struct{ got string }

func (e *partialError) Error() string { return e.got }

// sleep waits for d; it returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Seconds turns the seconds of a manifest into a duration.
func Seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// excerptLen bounds how much of an answer is shown, in bytes.
const excerptLen = 500

// excerpt is the beginning of an answer, fit to be shown.
func excerpt(data []byte) string {
	cut := data[:min(len(data), excerptLen)]
	text := Printable(cut)
	if len(cut) < len(data) {
		text += "…"
	}
	return text
}

// Printable makes bytes that an app wrote fit for a terminal and for JSON: no
// control characters but newline and tab, nothing that is not UTF-8.
func Printable(data []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == 0x1b:
			return -1
		case r == utf8.RuneError || unicode.IsControl(r):
			return '�'
		default:
			return r
		}
	}, string(data))
}

// compile compiles the pattern of a match= option; empty means none.
func compile(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	return re, nil
}
