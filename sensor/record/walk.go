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
	// guarded says that the present walk came to something that not everybody has
	// the rights to that it takes, magic that it went through a link of /proc.
	guarded, magic bool
	// news says that it found something that was not in the set.
	news    bool
	folders *folders
	// in is the folder that cur is, if it is one.
	in *folder
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
	// dirfd is base's descriptor, AT_FDCWD without one.
	dirfd   int32
	pid     int
	program programID
	// ran is where what an execve loads is put; it may be nil for other calls.
	ran     *ran
	subject subject
}

// subject is the process whose call a walk is for.
type subject interface {
	// as runs f so that it may look at the process, whatever its user.
	as(f func() error) error
	// denies tells whether the process lacks a permission that it takes to look
	// a path up and do what is wanted with what was found.
	denies(pl place, path []byte, to want, at found) (bool, error)
}

// want is what a call does to a path.
type want struct {
	ops    manifest.Ops
	look   look
	follow bool // a link at the end is followed
}

// found is where a path led to.
type found struct {
	what   what // unknown if the look-up failed, but for missing
	failed manifest.Ops
	id     nodeID
	takes  rights // to the file, so that the call succeeds
	path   []byte // physical; valid until the next walk
	hidden bool   // below manifest.Dir
	// renames says that the call makes, removes or changes the name, which is the
	// folder's to allow.
	renames bool
	// unnamed says that path is a link of /proc to a file without a name.
	unnamed bool
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
	w.guarded, w.magic, w.news, w.in = false, false, false, nil
	var (
		at    nodeID
		links int
		err   error
	)
	in, name := w.folders.of(pl, path, to.look)
	if in != nil && in.enter(w) {
		rest = rest[len(rest)-len(name):]
		at, links, w.in, in = in.id, in.links, in, nil
	} else {
		w.cur = append(w.cur[:0], pl.base...)
		if len(path) > 0 && path[0] == '/' {
			if to.look&beneathDir != 0 {
				return found{failed: manifest.Confined, id: nowhere}, nil
			}
			w.cur = append(w.cur[:0], pl.root...)
		}
		if at, err = w.here(); err != nil {
			return found{}, err
		}
	}
	inside := at != nowhere
	for {
		if to.look&noMounts != 0 && (at != nowhere) != inside {
			return w.fail(at, manifest.Confined), nil
		}
		name, after := nextName(rest)
		if name == nil { // nothing more than slashes and dots
			return w.end(at, directory, to), nil
		}
		w.needs(at, search)
		if len(name) == 2 && name[0] == '.' && name[1] == '.' {
			if to.look&beneathDir != 0 && bytes.Equal(w.cur, pl.base) {
				return w.fail(at, manifest.Confined), nil
			}
			if at, err = w.up(pl.root); err != nil {
				return found{}, err
			}
			rest = after
			continue
		}
		if len(name) > maxName {
			return w.fail(at, manifest.TooLong), nil
		}
		last := isLast(after)
		if in != nil && last && len(after) == 0 {
			if at != nowhere && !w.magic {
				in.learn(w, at, links)
			}
			in = nil
		}
		mustFollow := !last || to.follow || len(after) > 0
		parent, length := at, len(w.cur)
		next, kind, err := w.step(parent, pl, name)
		w.in = nil
		if err != nil {
			return found{}, err
		}
		switch {
		case kind == missing:
			return w.absent(next, after, last, to)
		case kind == link && mustFollow:
			links++
			magic := parent == nowhere && bytes.HasPrefix(w.cur, []byte("/proc/"))
			w.magic = w.magic || magic
			if failed := to.look.refuses(links, magic); failed != 0 {
				return w.fail(next, manifest.Linked|failed), nil
			}
			w.mark(next, manifest.Linked)
			target, ok := w.readlink(pl, magic)
			if !ok {
				return found{id: nowhere}, nil
			}
			if magic && gone(target) {
				f := w.result(nowhere, unknown)
				f.unnamed = true
				return f, nil
			}
			if target[0] == '/' && to.look&beneathDir != 0 {
				return w.fail(next, manifest.Confined), nil
			}
			joined := append(append(append(w.spare[:0], target...), '/'), after...)
			if len(after) == 0 {
				joined = joined[:len(joined)-1]
			}
			w.spare, w.buf = w.buf, joined
			rest = joined
			w.cur, at = w.cur[:length], parent
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
		case kind == file && len(after) > 0:
			return w.fail(next, manifest.Checked|manifest.NotDirectory), nil
		case last && (kind != directory || len(after) == 0):
			return w.end(next, kind, to), nil
		}
		at, rest = next, after
	}
}

// refuses says why the next link must not be followed, of so many in all.
func (l look) refuses(links int, magic bool) (why manifest.Ops) {
	switch {
	case links > maxLinks, l&noLinks != 0, magic && l&noMagicLinks != 0:
		return manifest.Looped
	case magic && l&(beneathDir|inRoot) != 0:
		return manifest.Confined
	}
	return 0
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
	if n := &w.set.nodes[id]; n.what == unknown {
		if kind, rights, err := w.lstat(); err == nil {
			n.what, n.rights, n.seen = kind, rights, w.generation
		}
	}
	return id, nil
}

// Rights to a directory: to look names up, and with that to change them.
const (
	search rights = 1
	rename        = search | 2
)

// needs notes that the walk takes a right to a file.
func (w *walker) needs(id nodeID, r rights) {
	if id != nowhere && r&^w.set.nodes[id].rights != 0 {
		w.guarded = true
	}
}

// rightsFor are those that it takes to do something with a file.
func rightsFor(ops manifest.Ops) (r rights) {
	if ops&(manifest.Opened|manifest.Listed) != 0 {
		r |= 4
	}
	if ops&manifest.Written != 0 {
		r |= 2
	}
	if ops&(manifest.Executed|manifest.Entered) != 0 {
		r |= 1
	}
	return r
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
		kind, _, err := w.lstat()
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
	kind, rights, err := w.lstat()
	if err != nil {
		return 0, unknown, fmt.Errorf("lstat %q: %w", w.cur, err)
	}
	n.what, n.rights, n.seen = kind, rights, w.generation
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
	before := *n
	n.ops |= ops
	if n.touch.phases == 0 {
		n.touch.program = w.now.program
	}
	n.touch.phases = w.set.phases.with(n.touch.phases, w.now.phase)
	w.news = w.news || *n != before
}

// absent notes a name that is not there, the first missing one of a path.
func (w *walker) absent(id nodeID, after []byte, last bool, to want) (found, error) {
	if last && to.look&creates != 0 {
		w.mark(id, manifest.Created|to.ops&manifest.Renamed)
		f := w.result(id, missing)
		w.renames(&f)
		return f, nil
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
	return w.result(id, missing), nil
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
func (w *walker) end(id nodeID, kind what, to want) found {
	ops := to.ops
	switch {
	case to.look&exclusive != 0: // EEXIST
		ops = manifest.Checked
	case kind != directory && (to.look&onlyDir != 0 || ops&manifest.Entered != 0):
		return w.fail(id, manifest.Checked|manifest.NotDirectory)
	case kind == link && to.look&refusesLink != 0:
		return w.fail(id, manifest.Linked|manifest.Looped)
	case kind == directory && ops == manifest.Opened:
		ops = manifest.Listed
	case kind == directory && ops&(manifest.Opened|manifest.Executed) != 0: // EISDIR, EACCES
		ops = manifest.Checked
	case kind == link:
		ops |= manifest.Linked
	}
	w.mark(id, ops)
	f := w.result(id, kind)
	if ops&(manifest.Deleted|manifest.Renamed) != 0 {
		w.renames(&f)
	}
	if to.look&noFollow == 0 || to.look&refusesLink != 0 { // else a name is meant, and not the file
		f.takes = rightsFor(ops)
		w.needs(id, f.takes)
	}
	return f
}

// renames notes that a call changes a name in the folder that it was found in.
func (w *walker) renames(f *found) {
	if f.renames = true; f.id != nowhere {
		w.needs(w.set.nodes[f.id].parent, rename)
	}
}

// fail notes how far a path led that the kernel will follow no further.
func (w *walker) fail(id nodeID, ops manifest.Ops) found {
	w.mark(id, ops)
	f := w.result(id, unknown)
	f.failed = ops & manifest.Failures
	return f
}

func (w *walker) result(id nodeID, kind what) found {
	rest, ok := bytes.CutPrefix(w.cur, []byte(manifest.Dir))
	return found{what: kind, id: id, path: w.cur, hidden: ok && (len(rest) == 0 || rest[0] == '/')}
}

// lstat returns the type of w.cur and what everybody may do with it.
func (w *walker) lstat() (what, rights, error) {
	var st unix.Statx_t
	dir, path := atFDCWD, w.zeroTerminated()
	if w.in != nil && w.in.fd >= 0 {
		dir, path = uintptr(w.in.fd), &w.cur[len(w.in.path)+1]
	}
	_, _, errno := unix.Syscall6(unix.SYS_STATX, dir, uintptr(unsafe.Pointer(path)),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE|unix.STATX_MODE, uintptr(unsafe.Pointer(&st)), 0)
	switch errno {
	case 0:
	case unix.ENOENT, unix.ENOTDIR:
		return missing, 0, nil
	default:
		return unknown, 0, errno
	}
	shared := rights(st.Mode>>6&st.Mode>>3&st.Mode) & 7
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return directory, shared, nil
	case unix.S_IFLNK:
		return link, shared, nil
	}
	return file, shared, nil
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
		ok = pl.subject.as(read) == nil
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

// zeroTerminated is w.cur as system calls want it.
func (w *walker) zeroTerminated() *byte {
	if len(w.cur) == 0 {
		return &[]byte("/\x00")[0]
	}
	w.cur = append(w.cur, 0)
	w.cur = w.cur[:len(w.cur)-1]
	return &w.cur[0]
}
