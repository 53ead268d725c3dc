package manifest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// writeLines writes a file of JSON lines: a header that announces n entries, then
// these.
func writeLines[T any](w io.Writer, what string, header any, n int, entries iter.Seq[T]) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header); err != nil {
		return err
	}
	written := 0
	for e := range entries {
		if err := enc.Encode(e); err != nil {
			return err
		}
		written++
	}
	if written != n {
		return fmt.Errorf("%s: %d entries announced, %d written", what, n, written)
	}
	return buf.Flush()
}

// readLines reads what writeLines wrote, lines of at most limit bytes, and calls
// visit for each entry. announced tells what the header, once read, says.
func readLines[T any](r io.Reader, what string, limit int, header any, announced func() (version, n int), visit func(T) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), limit)
	if !sc.Scan() {
		return fmt.Errorf("%s: no header: %w", what, cmp.Or(sc.Err(), io.ErrUnexpectedEOF))
	}
	if err := Decode(sc.Bytes(), header); err != nil {
		return fmt.Errorf("%s: header: %w", what, err)
	}
	version, want := announced()
	if version != Version {
		return fmt.Errorf("%s: version %d, want %d", what, version, Version)
	}
	n := 0
	for ; sc.Scan(); n++ {
		var e T
		err := Decode(sc.Bytes(), &e)
		if err == nil {
			err = visit(e)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", what, n+2, err)
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s: line %d: %w", what, n+2, err)
	}
	if n != want {
		return fmt.Errorf("%s: %d entries announced, %d found", what, want, n)
	}
	return nil
}
