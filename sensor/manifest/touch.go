package manifest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// TouchHeader is the first line of TouchFile.
type TouchHeader struct {
	Version int `json:"version"`
	// Entries is the number of lines that follow; a reader that finds another
	// number fails.
	Entries int `json:"entries"`
}

// Touch is one line of TouchFile after the header: an Entry of the trace with
// when it was touched and by whom. The lines are in the order of a walk through
// the tree: a directory, what is in it, its next sibling (rootfs.Compare).
//
// Which phase background work falls into may differ from run to run, so this is
// no part of the trace, which feeds a cache key.
type Touch struct {
	Path Path `json:"path"`
	Ops  Ops  `json:"ops"`
	// Phases are those in which the path was touched, ascending, as indexes
	// into RunReport.Phases; never empty.
	Phases []int `json:"phases"`
	// Program is the one that touched the path first, as an index into
	// RunReport.Programs; -1 if it is not among those.
	Program int `json:"program"`
}

// WriteTouches writes a TouchFile: the header, then n touches in their order.
func WriteTouches(w io.Writer, n int, touches iter.Seq[Touch]) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(TouchHeader{Version: Version, Entries: n}); err != nil {
		return err
	}
	written := 0
	for t := range touches {
		if err := enc.Encode(t); err != nil {
			return err
		}
		written++
	}
	if written != n {
		return fmt.Errorf("touches: %d announced, %d written", n, written)
	}
	return buf.Flush()
}

// maxTouchLine bounds a line of a TouchFile: a path that is all escapes, and
// every phase that there can be.
const maxTouchLine = 1 << 20

// ReadTouches yields the touches of a TouchFile. An error ends the sequence: an
// unknown version, a relative path, a bad phase or a wrong count. The order is
// for the caller to check.
func ReadTouches(r io.Reader) iter.Seq2[Touch, error] {
	return func(yield func(Touch, error) bool) {
		if err := readTouches(r, func(t Touch) bool { return yield(t, nil) }); err != nil {
			yield(Touch{}, err)
		}
	}
}

func readTouches(r io.Reader, yield func(Touch) bool) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), maxTouchLine)
	if !sc.Scan() {
		return fmt.Errorf("touches: no header: %w", cmp.Or(sc.Err(), io.ErrUnexpectedEOF))
	}
	var h TouchHeader
	if err := Decode(sc.Bytes(), &h); err != nil {
		return fmt.Errorf("header of touches: %w", err)
	}
	if h.Version != Version {
		return fmt.Errorf("touches: version %d, want %d", h.Version, Version)
	}
	n := 0
	for sc.Scan() {
		var t Touch
		if err := Decode(sc.Bytes(), &t); err != nil {
			return fmt.Errorf("touch %d: %w", n, err)
		}
		if !t.valid() {
			return fmt.Errorf("touch %d: bad entry %q", n, t.Path)
		}
		if !yield(t) {
			return nil
		}
		n++
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("touch %d: %w", n, err)
	}
	if n != h.Entries {
		return fmt.Errorf("touches: %d announced, %d found", h.Entries, n)
	}
	return nil
}

func (t Touch) valid() bool {
	if !strings.HasPrefix(string(t.Path), "/") || t.Ops == 0 || t.Program < -1 || len(t.Phases) == 0 || t.Phases[0] < 0 {
		return false
	}
	return slices.IsSorted(t.Phases) && len(slices.Compact(slices.Clone(t.Phases))) == len(t.Phases)
}
