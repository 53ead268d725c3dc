package pack

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// DiskFullError says that the destination cannot hold the slim root. It
// matches unix.ENOSPC or unix.EDQUOT.
type DiskFullError struct {
	Path       string // the entry that did not fit
	Size       int64  // its size in bytes, 0 when it is no file
	FreeBytes  int64  // left on the destination
	FreeInodes int64
	Err        error
}

// Error implements error.
func (e *DiskFullError) Error() string {
	return fmt.Sprintf("disk full on the build machine: no room for %q of %d bytes, with %d bytes and %d inodes left",
		e.Path, e.Size, e.FreeBytes, e.FreeInodes)
}

// Unwrap returns the error of the system call.
func (e *DiskFullError) Unwrap() error { return e.Err }

// fail says what could not be done with the entry at path, and what helps.
func (c *copier) fail(op, path string, err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		full := &DiskFullError{Path: path, Err: err}
		var st unix.Statfs_t
		if unix.Fstatfs(c.root.dst, &st) == nil {
			full.FreeBytes, full.FreeInodes = int64(st.Bavail)*st.Bsize, int64(st.Ffree)
		}
		return full
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		if capability := privilege(op); capability != "" {
			err = fmt.Errorf("%w: run as root, with %s", err, capability)
		}
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// failFile is fail for a regular file of size bytes.
func (c *copier) failFile(op, path string, size int64, err error) error {
	err = c.fail(op, path, err)
	var full *DiskFullError
	if errors.As(err, &full) {
		full.Size = size
	}
	return err
}

// privilege names the capability without which op is denied (capabilities(7)).
func privilege(op string) string {
	switch op {
	case "open":
		return "CAP_DAC_OVERRIDE"
	case "chown":
		return "CAP_CHOWN"
	case "chmod":
		return "CAP_FSETID"
	case "mknod":
		return "CAP_MKNOD"
	}
	return ""
}
