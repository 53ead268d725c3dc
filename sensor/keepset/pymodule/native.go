package pymodule

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Names yields the strings of a compiled module that could be dotted names: what
// it imports stands among them. Each ends in NUL, as in C, and is valid until
// yield returns.
func Names(module io.Reader, yield func(name []byte)) error {
	r := bufio.NewReaderSize(module, 64<<10)
	for {
		text, err := r.ReadSlice(0)
		switch {
		case err == nil && isDotted(text[:len(text)-1]):
			yield(text[:len(text)-1])
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// isDotted says whether a text is words with dots between.
func isDotted(text []byte) bool {
	if len(text) < 2 || len(text) > maxText {
		return false
	}
	for i, c := range text {
		first := i == 0 || text[i-1] == '.'
		if c >= 0x80 || !isWord(c) && (c != '.' || first) || first && '0' <= c && c <= '9' {
			return false
		}
	}
	return !bytes.HasSuffix(text, []byte("."))
}
