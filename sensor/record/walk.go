package record

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// walker follows paths through the live file system just before the kernel
// does, and notes in the set each link on the way and what stands at the end.
// What it learns of a name holds for a generation: until a call that may change
// what names mean (rename, unlink, symlink, mount).
type walker struct {
	set    *set
	mounts map[string]struct{} // mount points other than the root
	// generation counts from 1, so that a new node is out of date.
	generation uint32
	// now is what a touch that is marked is to say: the present phase and who
	// walks.
	now struct {
		phase   Phase
		program programID
	}
	// cur is the physical path reached so far, buf the path still to follow;
	// spare and target are room to put a link's target before it.
	cur, buf, spare, target []byte
}

// place is where a process looks paths up from.
type place struct {
	// root is the process' root directory, empty for the real one. base is
	// the directory that relative paths start from, empty for the real root.
	// Both are physical paths.
	root, base []byte
	pid        int
	program    programID
	// ran is where what an execve loads is put; it may be nil for other calls.
	ran *ran
	// as runs f so that it may look at the process, whatever its user.
	as func(f func() error) error
}

// want is what a call does to a path.
type want struct {
	ops    manifest.Ops
	look   look
	follow bool // a link at the end is followed
}

// found is where a path led to.
type found struct {
	what   what
	path   []byte // physical; valid until the next walk
	hidden bool   // below manifest.Dir
}

var (
	errFull    = errors.New("more distinct paths than the recorder can hold")
	errTooLong = errors.New("path is longer than PATH_MAX")
)

// maxLinks is the kernel's limit of links followed in one path (MAXSYMLINKS).
const maxLinks = 40

// walk follows path and notes what it finds.
func (w *walker) walk(pl place, path []byte, to want) (found, error) {
	rest := append(w.buf[:0], path...)
	w.buf = rest
	w.cur = w.cur[:0]
	if len(path) > 0 && path[0] == '/' {
		w.cur = append(w.cur, pl.root...)
	} else {
		w.cur = append(w.cur, pl.base...)
	}
	at, err := w.here()
	if err != nil {
		return found{}, err
	}
	for links := 0; ; {
		name, after := nextName(rest)
		if name == nil { // nothing more than slashes and dots
			return w.end(at, directory, to)
		}
		if len(name) == 2 && name[0] == '.' && name[1] == '.' {
			if at, err = w.up(pl.root); err != nil {
				return found{}, err
			}
			rest = after
			continue
		}
		if len(name) > maxName {
			return found{}, nil // ENAMETOOLONG
		}
		last := isLast(after)
		mustFollow := !last || to.follow || len(after) > 0
		parent, length := at, len(w.cur)
		next, kind, err := w.step(parent, pl, name)
		if err != nil {
			return found{}, err
		}
		switch {
		case kind == missing:
			return w.absent(next, after, last, to)
		case kind == link && mustFollow:
			if links++; links > maxLinks {
				return found{}, nil // ELOOP
			}
			w.mark(next, manifest.Linked)
			magic := parent == nowhere && bytes.HasPrefix(w.cur, []byte("/proc/"))
			target, ok := w.readlink(pl, magic)
			if !ok {
				return found{}, nil
			}
			w.cur = w.cur[:length]
			joined := append(append(append(w.spare[:0], target...), '/'), after...)
			if len(after) == 0 {
				joined = joined[:len(joined)-1]
			}
			w.spare, w.buf = w.buf, joined
			rest = joined
			at = parent
			if target[0] == '/' {
				w.cur = w.cur[:0]
				if !magic { // what /proc/PID/fd and the like say counts from the real root
					w.cur = append(w.cur, pl.root...)
				}
				if at, err = w.here(); err != nil {
					return found{}, err
				}
			}
			continue
		case kind == file && !last:
			to = want{ops: manifest.Checked} // ENOTDIR
			return w.end(next, kind, to)
		case last && (kind != directory || len(after) == 0):
			return w.end(next, kind, to)
		}
		at, rest = next, after
	}
}

// nowhere is the node of a path that is not on the root file system.
const nowhere = ^nodeID(0)

// nextName returns the first name of a path that is not ".", nil if there is
// none, and what comes after it, from the slash on.
func nextName(path []byte) (name, after []byte) {
	for {
		for len(path) > 0 && path[0] == '/' {
			path = path[1:]
		}
		if len(path) == 0 {
			return nil, nil
		}
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		name, path = path[:end], path[end:]
		if len(name) != 1 || name[0] != '.' {
			return name, path
		}
	}
}

// isLast reports whether nothing but slashes and dots follows.
func isLast(after []byte) bool {
	name, _ := nextName(after)
	return name == nil
}

// here finds the node of w.cur, a physical path.
func (w *walker) here() (nodeID, error) {
	if w.isOutside() {
		return nowhere, nil
	}
	id, ok := w.set.path(w.cur)
	if !ok {
		return 0, errFull
	}
	return id, nil
}

// isOutside reports whether w.cur or a directory above it is a mount point.
func (w *walker) isOutside() bool {
	for end := len(w.cur); end > 0; end = bytes.LastIndexByte(w.cur[:end], '/') {
		if w.excludes(w.cur[:end]) {
			return true
		}
	}
	return false
}

// excludes reports whether path is a mount point other than the root, or one of
// the folders that the runtime fills, mounted or not.
func (w *walker) excludes(path []byte) bool {
	switch string(path) {
	case "/proc", "/sys", "/dev":
		return true
	}
	_, ok := w.mounts[string(path)]
	return ok
}

// up goes to the parent directory, but not above root.
func (w *walker) up(root []byte) (nodeID, error) {
	if !bytes.Equal(w.cur, root) && len(w.cur) > 0 {
		w.cur = w.cur[:max(bytes.LastIndexByte(w.cur, '/'), 0)]
	}
	return w.here()
}

// step looks name up in the directory w.cur, whose node is parent, and appends
// it to w.cur.
func (w *walker) step(parent nodeID, pl place, name []byte) (nodeID, what, error) {
	if parent == nowhere && string(w.cur) == "/proc" {
		name = ownName(pl.pid, name)
	}
	w.cur = append(append(w.cur, '/'), name...)
	if len(w.cur) >= unix.PathMax {
		return 0, unknown, errTooLong
	}
	if parent == nowhere {
		kind, err := w.lstat()
		if err != nil { // /proc refuses or is gone: the program will find out
			kind = missing
		}
		return nowhere, kind, nil
	}
	id, ok := w.set.child(parent, name)
	if !ok {
		return 0, unknown, errFull
	}
	n := &w.set.nodes[id]
	if n.what == outside || n.seen == w.generation && n.what != missing {
		if n.what == outside {
			id = nowhere
		}
		return id, n.what, nil
	}
	kind, err := w.lstat()
	if err != nil {
		return 0, unknown, fmt.Errorf("lstat %q: %w", w.cur, err)
	}
	n.what, n.seen = kind, w.generation
	if w.excludes(w.cur) {
		n.what, id = outside, nowhere
	}
	return id, n.what, nil
}

// ownName names the caller where /proc means whoever looks.
func ownName(pid int, name []byte) []byte {
	switch string(name) {
	case "self":
		return strconv.AppendInt(nil, int64(pid), 10)
	case "thread-self":
		tid := strconv.Itoa(pid)
		return []byte(tid + "/task/" + tid)
	}
	return name
}

func (w *walker) mark(id nodeID, ops manifest.Ops) {
	if id == nowhere {
		return
	}
	n := &w.set.nodes[id]
	n.ops |= ops
	if n.touch.phases == 0 {
		n.touch.program = w.now.program
	}
	n.touch.phases = w.set.phases.with(n.touch.phases, w.now.phase)
}

// absent notes a name that is not there, the first missing one of a path.
func (w *walker) absent(id nodeID, after []byte, last bool, to want) (found, error) {
	if last && to.look&creates != 0 {
		w.mark(id, manifest.Created|to.ops&manifest.Renamed)
		return w.result(missing), nil
	}
	// The rest of the path is part of what was asked for. ".." after a missing
	// directory leads nowhere.
	if id != nowhere && !hasDotDot(after) {
		for name, rest := nextName(after); name != nil && len(name) <= maxName; name, rest = nextName(rest) {
			var ok bool
			if id, ok = w.set.child(id, name); !ok {
				return found{}, errFull
			}
		}
	}
	w.mark(id, manifest.Absent)
	return w.result(missing), nil
}

func hasDotDot(path []byte) bool {
	for name := range components(path) {
		if string(name) == ".." {
			return true
		}
	}
	return false
}

// end notes what the whole path led to.
func (w *walker) end(id nodeID, kind what, to want) (found, error) {
	ops := to.ops
	switch {
	case to.look&exclusive != 0: // EEXIST
		ops = manifest.Checked
	case kind == directory && ops == manifest.Opened:
		ops = manifest.Listed
	case kind == directory && ops&(manifest.Opened|manifest.Executed) != 0: // EISDIR, EACCES
		ops = manifest.Checked
	case kind == link:
		ops |= manifest.Linked
	}
	w.mark(id, ops)
	return w.result(kind), nil
}

func (w *walker) result(kind what) found {
	rest, ok := bytes.CutPrefix(w.cur, []byte(manifest.Dir))
	return found{what: kind, path: w.cur, hidden: ok && (len(rest) == 0 || rest[0] == '/')}
}

// lstat returns the type of w.cur.
func (w *walker) lstat() (what, error) {
	var st unix.Statx_t
	_, _, errno := unix.Syscall6(unix.SYS_STATX, atFDCWD, uintptr(unsafe.Pointer(w.zeroTerminated())),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, uintptr(unsafe.Pointer(&st)), 0)
	switch errno {
	case 0:
	case unix.ENOENT, unix.ENOTDIR:
		return missing, nil
	default:
		return unknown, errno
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return directory, nil
	case unix.S_IFLNK:
		return link, nil
	}
	return file, nil
}

// readlink reads the link w.cur; a magic one of /proc with the rights that the
// process itself has to it. It returns false for a link that is gone or that
// the process may not read either.
func (w *walker) readlink(pl place, magic bool) (target []byte, ok bool) {
	read := func() (err error) {
		target, err = w.readlinkNow()
		return err
	}
	if magic {
		ok = pl.as(read) == nil
	} else {
		ok = read() == nil
	}
	return target, ok
}

func (w *walker) readlinkNow() ([]byte, error) {
	if w.target == nil {
		w.target = make([]byte, unix.PathMax)
	}
	n, err := readlinkAt(w.zeroTerminated(), w.target)
	return w.target[:n], err
}

// readlinkAt is readlink(2) without copies; an empty target is an error.
func readlinkAt(path *byte, buf []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, atFDCWD, uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	if n == 0 {
		return 0, unix.ENOENT
	}
	return int(n), nil
}

// atFDCWD is AT_FDCWD as a system call argument.
const atFDCWD = ^uintptr(99)

// zeroTerminated puts a zero byte behind w.cur.
func (w *walker) zeroTerminated() *byte {
	w.cur = append(w.cur, 0)
	w.cur = w.cur[:len(w.cur)-1]
	return &w.cur[:1][0]
}
