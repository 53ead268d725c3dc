package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/buildkit/util/progress/progresswriter"
)

// progress shows a build with BuildKit's own display.
type progress struct {
	mode   progressui.DisplayMode
	status chan *client.SolveStatus
	done   chan struct{}

	mu     sync.Mutex
	closed bool

	// Written before done is closed.
	warnings []client.VertexWarning
	err      error
}

// startProgress opens the display. Mode auto is BUILDKIT_PROGRESS where that is
// set, as in other clients.
func startProgress(out *os.File, mode string) (*progress, error) {
	p := &progress{
		mode:   progressui.DisplayMode(mode),
		status: make(chan *client.SolveStatus),
		done:   make(chan struct{}),
	}
	if v := os.Getenv("BUILDKIT_PROGRESS"); v != "" && p.mode == progressui.AutoMode {
		p.mode = progressui.DisplayMode(v)
	}
	display, err := progressui.NewDisplay(out, p.mode)
	if err != nil {
		return nil, fmt.Errorf("--progress: %w", err)
	}
	go func() {
		defer close(p.done)
		// Not the build's context: what an interrupt ends is shown too.
		p.warnings, p.err = display.UpdateFrom(context.Background(), p.status)
	}()
	return p, nil
}

// channel gives a build a channel of its own, which it may close.
func (p *progress) channel() (ch chan *client.SolveStatus, drained <-chan struct{}) {
	ch = make(chan *client.SolveStatus)
	end := make(chan struct{})
	go func() {
		defer close(end)
		for s := range ch {
			p.send(s)
		}
	}()
	return ch, end
}

// attach shows what a part of the session has to tell, such as logins.
func (p *progress) attach(part any) {
	if l, ok := part.(interface{ SetLogger(progresswriter.Logger) }); ok {
		l.SetLogger(p.send)
	}
}

func (p *progress) send(s *client.SolveStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.status <- s
	}
}

// close ends the display.
func (p *progress) close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.status)
	}
	p.mu.Unlock()
	<-p.done
	return p.err
}

// printWarnings repeats the warnings where the display has not kept them in
// sight. The display must be closed.
func (p *progress) printWarnings(w io.Writer) {
	if p.mode == progressui.RawJSONMode || p.mode == progressui.QuietMode {
		return
	}
	for _, warning := range p.warnings {
		fmt.Fprintf(w, "\nWARNING: %s\n", warning.Short)
		for _, detail := range warning.Detail {
			fmt.Fprintf(w, "%s\n", detail)
		}
		if warning.URL != "" {
			fmt.Fprintf(w, "More info: %s\n", warning.URL)
		}
		if warning.SourceInfo != nil && len(warning.Range) > 0 {
			printSource(w, &errdefs.Source{Info: warning.SourceInfo, Ranges: warning.Range})
		}
	}
}

// printSource shows lines of a Dockerfile.
func printSource(w io.Writer, src *errdefs.Source) {
	if err := src.Print(w); err != nil {
		fmt.Fprintf(w, "%s: %v\n", src.Info.GetFilename(), err)
	}
}
