package probe

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/org/slimfile/sensor/manifest"
)

// maxReply bounds how much of a TCP answer is read, in bytes.
const maxReply = 64 << 10

// tcp connects, optionally says something, optionally wants an answer.
type tcp struct {
	probe manifest.TCPProbe
	match *regexp.Regexp
}

func newTCP(p manifest.TCPProbe) (*tcp, error) {
	match, err := compile(p.Match)
	if err != nil {
		return nil, err
	}
	return &tcp{probe: p, match: match}, nil
}

// Expected implements Prober.
func (t *tcp) Expected() string {
	text := "a connection to port " + strconv.Itoa(t.probe.Port)
	if t.match != nil {
		text += fmt.Sprintf(" and an answer that matches %q", t.match)
	}
	return text
}

// Probe implements Prober.
func (t *tcp) Probe(ctx context.Context) (Result, error) {
	conn, err := dialLocal(ctx, t.probe.Port)
	if err != nil {
		return Result{}, err
	}
	// Closing is what ends a read or write when the time is up.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer conn.Close()
	defer stop()
	if _, err := conn.Write(t.probe.Send); err != nil {
		return Result{}, fmt.Errorf("send: %w", err)
	}
	if t.match == nil {
		return Result{Got: "connected"}, nil
	}
	return t.expect(ctx, conn)
}

// expect reads until the answer matches, ends or is too long. How much of it is
// read by then is chance, so that there is nothing to compare.
func (t *tcp) expect(ctx context.Context, conn io.Reader) (Result, error) {
	reply := make([]byte, 0, 4096)
	for len(reply) < maxReply {
		if len(reply) == cap(reply) {
			reply = append(reply, 0)[:len(reply)]
		}
		n, err := conn.Read(reply[len(reply):min(cap(reply), maxReply)])
		reply = reply[:len(reply)+n]
		switch {
		case t.match.Match(reply):
			return Result{Got: "connected, " + size(len(reply)) + " of answer"}, nil
		case ctx.Err() != nil:
			return Result{}, &partialError{unmatched(reply)}
		case err == io.EOF:
			return Result{}, fmt.Errorf("%s, then the end of the connection", unmatched(reply))
		case err != nil:
			return Result{}, fmt.Errorf("%s, then %w", unmatched(reply), err)
		}
	}
	return Result{}, fmt.Errorf("%s (64 KiB read)", unmatched(reply))
}

// unmatched describes an answer that does not match.
func unmatched(reply []byte) string {
	if len(reply) == 0 {
		return "no answer"
	}
	return fmt.Sprintf("%s of answer: %.*q", size(len(reply)), excerptLen, reply)
}
