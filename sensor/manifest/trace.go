package manifest

import (
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
)

// Header is the first line of TraceFile.
type Header struct {
	Version int `json:"version"`
	// Probes is the number of probes that ran.
	Probes int `json:"probes"`
	// Entries is the number of entries that follow; a reader that finds
	// another number fails.
	Entries int `json:"entries"`
}

// Entry is one line of TraceFile after the header: one path that the run
// touched, as it stood in the root of the traced container with every link
// resolved that the run went through. Sorted by Path, bytewise; each path
// occurs once. Paths below /proc, /sys and /dev never occur.
type Entry struct {
	Path Path `json:"path"`
	Ops  Ops  `json:"ops"`
}

// Ops is the set of things that were done with a path, and of the ways in which
// looking it up failed.
type Ops uint32

// Operations. A path has at least one.
const (
	Opened       Ops = 1 << iota // opened for reading
	Written                      // opened for writing, truncated
	Executed                     // execve, or an interpreter the kernel loaded
	Checked                      // stat, access, readlink, statfs, getxattr
	Listed                       // opened as a directory
	Linked                       // a symbolic link that was followed or read
	Entered                      // chdir, chroot
	Created                      // made by the run (open O_CREAT of a new name, mkdir, link, rename target, ...)
	Deleted                      // unlinked, renamed away
	Changed                      // chmod, chown, utime, setxattr
	Absent                       // looked up, was not there (ENOENT)
	Witnessed                    // seen by fanotify only
	Mapped                       // mapped into memory as code: mmap with PROT_EXEC
	Renamed                      // the old or the new name of a rename, beside what else that is
	NotDirectory                 // taken for a directory, which it is not (ENOTDIR)
	Denied                       // a process lacked a permission for it or for a directory above (EACCES), beside what it tried
	Looped                       // a link that was not to be followed, or one too many in a row (ELOOP)
	TooLong                      // a directory in which a name of more than 255 bytes was looked up (ENAMETOOLONG)
	Confined                     // where openat2(2) was told to go no further (EXDEV)
)

// Failures are the operations that say that a look-up failed.
const Failures = Absent | NotDirectory | Denied | Looped | TooLong | Confined

var opNames = [...]string{
	"opened", "written", "executed", "checked", "listed", "linked",
	"entered", "created", "deleted", "changed", "absent", "witnessed",
	"mapped", "renamed", "not-directory", "denied", "looped", "too-long", "confined",
}

// String joins the operations' names with commas, in the order of the bits.
func (o Ops) String() string {
	var names []string
	for i, name := range opNames {
		if o&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// MarshalText implements encoding.TextMarshaler.
func (o Ops) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Ops) UnmarshalText(text []byte) error {
	*o = 0
	for name := range strings.SplitSeq(string(text), ",") {
		bit := slices.Index(opNames[:], name)
		if bit < 0 {
			return fmt.Errorf("unknown operation %q", name)
		}
		*o |= 1 << bit
	}
	return nil
}

// WriteTrace writes a trace file: the header, then n entries in sorted order.
func WriteTrace(w io.Writer, probes, n int, entries iter.Seq[Entry]) error {
	return writeLines(w, "trace", Header{Version: Version, Probes: probes, Entries: n}, n, entries)
}

// maxLine bounds a line of a trace file: a path of PATH_MAX (4096) bytes that
// is all escapes, and room for the operations.
const maxLine = 64 << 10

// ReadTrace reads a trace file and calls visit for each entry in turn. It
// fails on an unknown version, disorder, a path that is not absolute and clean,
// or a wrong count.
func ReadTrace(r io.Reader, visit func(Entry) error) (Header, error) {
	var h Header
	last := Path("")
	announced := func() (version, n int) { return h.Version, h.Entries }
	err := readLines(r, "trace", maxLine, &h, announced, func(e Entry) error {
		if !physical(string(e.Path)) || e.Path <= last || e.Ops == 0 {
			return fmt.Errorf("bad entry %q", e.Path)
		}
		last = e.Path
		return visit(e)
	})
	return h, err
}

// physical reports whether p can be the path of an entry: absolute, without
// NUL, empty names, "." and "..".
func physical(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && !strings.Contains(p, "\x00")
}
