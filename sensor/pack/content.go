package pack

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// content copies the size bytes of a regular file into an empty one, the
// cheapest way that works here. Holes stay holes.
func (w *worker) content(in, out int, size int64) error {
	if size == 0 || w.clone(in, out) {
		return nil
	}
	end := int64(0) // of what is copied
	for {
		data, hole, err := nextData(in, end, size)
		if err != nil {
			return err
		}
		if data == size {
			break
		}
		if err := w.extent(in, out, data, hole-data); err != nil {
			return err
		}
		if end = hole; end == size {
			return nil
		}
	}
	return unix.Ftruncate(out, size) // it ends in a hole
}

// clone lets out share the extents of in. File systems that cannot do it are
// not asked again.
func (w *worker) clone(in, out int) bool {
	if w.noClone.Load() {
		return false
	}
	if unix.IoctlFileClone(out, in) == nil {
		return true
	}
	w.noClone.Store(true)
	return false
}

// nextData finds the first extent at or after the offset: where its data
// begins and ends. Both are size when there is only a hole left.
func nextData(fd int, at, size int64) (data, hole int64, err error) {
	data, err = unix.Seek(fd, at, unix.SEEK_DATA)
	switch {
	case err == unix.ENXIO:
		return size, size, nil
	case err == unix.EINVAL: // cannot tell: all is data
		return at, size, nil
	case err != nil:
		return 0, 0, err
	}
	if hole, err = unix.Seek(fd, data, unix.SEEK_HOLE); err != nil {
		return 0, 0, err
	}
	return min(data, size), min(hole, size), nil
}

const (
	// rangeLen bounds one copy_file_range(2), so that a cancelled build does
	// not wait for gigabytes.
	rangeLen = 32 << 20
	// bufferLen fits the caches nearest to the processor.
	bufferLen = 256 << 10
)

var errShrank = errors.New("shrank while it was copied")

// extent copies length bytes at the same offset.
func (w *worker) extent(in, out int, at, length int64) error {
	for length > 0 {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		n, err := w.some(in, out, at, length)
		if err != nil {
			return err
		}
		if n == 0 {
			return errShrank
		}
		at += n
		length -= n
	}
	return nil
}

// some copies at most length bytes and returns how many.
func (w *worker) some(in, out int, at, length int64) (int64, error) {
	if !w.noRange.Load() {
		n, err := copyRange(in, out, at, min(length, rangeLen))
		if err == nil && n > 0 {
			return n, nil
		}
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO) {
			return 0, err
		}
		w.noRange.Store(true)
	}
	if w.buffer == nil {
		w.buffer = make([]byte, bufferLen)
	}
	n, err := pread(in, w.buffer[:min(length, bufferLen)], at)
	if err != nil {
		return 0, err
	}
	return int64(n), writeAt(out, w.buffer[:n], at)
}
