package manifest

import (
	"errors"
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
	return writeLines(w, "touches", TouchHeader{Version: Version, Entries: n}, n, touches)
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

// errEnough ends the reading of lines of which no more are wanted.
var errEnough = errors.New("enough")

func readTouches(r io.Reader, yield func(Touch) bool) error {
	var h TouchHeader
	announced := func() (version, n int) { return h.Version, h.Entries }
	err := readLines(r, "touches", maxTouchLine, &h, announced, func(t Touch) error {
		if !t.valid() {
			return fmt.Errorf("bad entry %q", t.Path)
		}
		if !yield(t) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (t Touch) valid() bool {
	if !strings.HasPrefix(string(t.Path), "/") || t.Ops == 0 || t.Program < -1 || len(t.Phases) == 0 || t.Phases[0] < 0 {
		return false
	}
	return slices.IsSorted(t.Phases) && len(slices.Compact(slices.Clone(t.Phases))) == len(t.Phases)
}
