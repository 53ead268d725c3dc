package record

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// fanotify is the second witness: what the kernel itself saw being opened on
// the root file system, by whatever way (fanotify(7)). It knows nothing of
// stat, readlink or failed look-ups.
//
// The seccomp recorder notes a call before the kernel runs it, so an event of
// the same file always comes later: only what is not noted by then is kept.
type fanotify struct {
	recorder *recorder
	fd       int
	wake     int    // eventfd: no process is left, read what there is and end
	self     string // own executable, whose start is not the program's
	extra    map[string]sight
	execs    map[int32]lastExec // by process id
	ignored  ignored
	events   uint64
	err      error
	done     chan struct{}

	// byMount says that mounts are marked, and not the root's whole file
	// system.
	byMount bool
	mu      sync.Mutex // for views, which follow and the reader use
	// puzzles are for solve.
	puzzles []puzzling
	views   *views
}

// sight is what was done to a path that only fanotify saw, and by which program
// first, if that could still be told.
type sight struct {
	ops   manifest.Ops
	exe   string
	phase Phase // the first
}

// lastExec is what a process executed last, for when it has ended before it is
// asked. An execve opens a chain of files, of which the first is the program;
// complete says that the chain is at its end.
type lastExec struct {
	path     string
	complete bool
}

// maxExecs bounds the memory of execs; one that was forgotten goes
// unnamed.
const maxExecs = 1 << 14

// maxExtra bounds what fanotify alone may see; a run that gets there is not
// recorded by seccomp at all.
const maxExtra = 1 << 18

const fanotifyEvents = unix.FAN_OPEN | unix.FAN_OPEN_EXEC | unix.FAN_ONDIR

// newFanotify starts watching the root file system. Its errors are
// *UnavailableError.
func newFanotify(r *recorder, opt Options) (*fanotify, error) {
	fail := func(doing string, err error) error {
		e := &UnavailableError{
			Recorder: Fanotify, Cause: doing, Err: err,
			Remedy: "run BuildKit on a kernel with CONFIG_FANOTIFY, or let the unprivileged recorder do alone: SLIM_SENSOR=seccomp",
		}
		if errors.Is(err, unix.EPERM) {
			e.Remedy = "it needs a build with `--allow security.insecure` on a daemon outside of a user namespace; the unprivileged recorder does alone with SLIM_SENSOR=seccomp"
		}
		return e
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/", &fs); err != nil {
		return nil, fail("statfs /", err)
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, fail("own path", err)
	}
	views, mounts, err := newViews()
	if err != nil {
		return nil, fail("mountinfo", err)
	}
	f := &fanotify{
		recorder: r, self: self, extra: map[string]sight{}, execs: map[int32]lastExec{}, ignored: ignored{opened: map[inode]struct{}{}}, done: make(chan struct{}),
		byMount: fs.Type != unix.OVERLAYFS_SUPER_MAGIC, views: views,
	}
	flags := uint(unix.FAN_CLASS_NOTIF | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK | unix.FAN_UNLIMITED_QUEUE | unix.FAN_UNLIMITED_MARKS)
	if opt.shortQueue {
		flags &^= unix.FAN_UNLIMITED_QUEUE
	}
	f.fd, err = unix.FanotifyInit(flags, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC|unix.O_NOATIME)
	if err != nil {
		return nil, fail("fanotify_init", err)
	}
	if err := f.mark("self", mounts); err != nil {
		_ = unix.Close(f.fd)
		return nil, fail("fanotify_mark", err)
	}
	if f.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		_ = unix.Close(f.fd)
		return nil, fail("eventfd", err)
	}
	go f.run()
	return f, nil
}

// mark watches the root file system, or the given mounts of it as a process
// sees them. A mark on a file system covers all its mounts in all namespaces,
// and an overlay is the container's own. Any other file system may be shared
// with the host, of which only the mounts are the container's.
func (f *fanotify) mark(pid string, mounts []mount) error {
	if !f.byMount {
		return unix.FanotifyMark(f.fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, fanotifyEvents, unix.AT_FDCWD, "/")
	}
	for _, m := range mounts {
		if err := f.markMount("/proc/"+pid+"/root"+m.point, m.id); err != nil {
			return err
		}
	}
	return nil
}

// markMount marks the mount at path, unless another one lies over it or it is
// gone: mounts and unmounts may spread from other namespaces at any time.
func (f *fanotify) markMount(path string, id uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil || st.Mnt_id != id {
		return err
	}
	return unix.FanotifyMark(f.fd, unix.FAN_MARK_ADD|unix.FAN_MARK_MOUNT, fanotifyEvents, unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd))
}

// follow gets to know the mounts of a thread that may have a mount namespace of
// its own.
func (f *fanotify) follow(tid int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	mounts, err := f.views.learn(strconv.Itoa(tid))
	if err == nil && f.byMount {
		err = f.mark(strconv.Itoa(tid), mounts)
	}
	if err != nil {
		return fmt.Errorf("fanotify_mark of thread %d: %w", tid, err)
	}
	return nil
}

// run reads events until close asks for the end and nothing is queued.
func (f *fanotify) run() {
	defer close(f.done)
	fds := []unix.PollFd{{Fd: int32(f.fd), Events: unix.POLLIN}, {Fd: int32(f.wake), Events: unix.POLLIN}}
	buf := make([]byte, 64<<10)
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			f.err = fmt.Errorf("fanotify: %w", err)
			return
		}
		ending := fds[1].Revents != 0 // seen before the last read
		if err := f.drain(buf); err != nil {
			f.err = fmt.Errorf("fanotify: %w", err)
			return
		}
		if ending {
			return
		}
	}
}

// drain reads until there is nothing to read.
func (f *fanotify) drain(buf []byte) error {
	for {
		n, err := unix.Read(f.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		}
		for rest := buf[:n]; len(rest) >= unix.FAN_EVENT_METADATA_LEN; {
			event := (*unix.FanotifyEventMetadata)(unsafe.Pointer(&rest[0]))
			if event.Vers != unix.FANOTIFY_METADATA_VERSION || int(event.Event_len) > len(rest) || event.Event_len < unix.FAN_EVENT_METADATA_LEN {
				return errors.New("event of an unknown version")
			}
			if err := f.see(event); err != nil {
				return err
			}
			rest = rest[event.Event_len:]
		}
	}
}

// see notes one event. Its process id is 0 for processes outside of our pid
// namespace, which are none of ours.
func (f *fanotify) see(event *unix.FanotifyEventMetadata) error {
	if event.Mask&unix.FAN_Q_OVERFLOW != 0 {
		f.recorder.lose("fanotify's queue overflowed")
		return nil
	}
	defer func() { _ = unix.Close(int(event.Fd)) }()
	if event.Pid == 0 || int(event.Pid) == os.Getpid() {
		return nil
	}
	f.events++
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(event.Fd)))
	if err != nil {
		return err
	}
	var st unix.Statx_t
	if err := unix.Statx(int(event.Fd), "", unix.AT_EMPTY_PATH, ignoredStat|unix.STATX_INO|unix.STATX_MNT_ID, &st); err != nil {
		return err
	}
	if path == f.self {
		return nil
	}
	if gone([]byte(path)) {
		path = strings.TrimSuffix(path, deletedMark)
		if unnamed(path) {
			return nil
		}
	}
	shown := path
	path, ok := f.imagePath(&st, shown, int(event.Pid))
	if !ok {
		return f.puzzle(st.Mnt_id, shown, int(event.Pid))
	}
	ops := manifest.Opened
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		ops = manifest.Listed
	case event.Mask&unix.FAN_OPEN_EXEC != 0:
		ops |= manifest.Executed
	}
	first := f.follows(event.Pid, path, ops)
	if f.recorder.saw(path) {
		if !first {
			f.ignored.known(f.fd, event, &st)
		}
		return nil
	}
	before, known := f.extra[path]
	if !known {
		if len(f.extra) >= maxExtra {
			return errFull
		}
		before.exe, before.phase = f.program(event.Pid), Phase(f.recorder.phase.Load())
	}
	before.ops |= ops
	f.extra[path] = before
	return nil
}

// puzzling is an event through a mount that nobody could tell of any more: its
// process had ended.
type puzzling struct {
	mount      uint64
	path, name string // as the mount shows it; of the process
}

// maxPuzzling bounds the memory of those.
const maxPuzzling = 1 << 12

// puzzle keeps an event until all mounts are known that ever will be.
func (f *fanotify) puzzle(mount uint64, path string, pid int) error {
	if len(f.puzzles) >= maxPuzzling {
		return errFull
	}
	f.puzzles = append(f.puzzles, puzzling{mount, path, processName(pid)})
	return nil
}

// solve looks at those events again. One through a copy of the root's mount,
// which shows the image's own paths, is no news if the seccomp recorder has the
// path; any other is lost.
func (f *fanotify) solve() {
	for _, p := range f.puzzles {
		path, ok := f.views.path(p.mount, p.path)
		if !ok {
			path = p.path
		}
		if !f.recorder.saw(path) && !f.recorder.excluded(path) {
			f.recorder.lose(fmt.Sprintf("%s opened %q through a mount that is gone", p.name, p.path))
		}
	}
}

// follows keeps track of the programs that processes execute, and reports
// whether this is the first that one of them opens.
func (f *fanotify) follows(pid int32, path string, ops manifest.Ops) (first bool) {
	p, known := f.execs[pid]
	switch {
	case ops&manifest.Executed == 0:
		if first = known && !p.complete; first {
			f.execs[pid] = lastExec{p.path, true}
		}
	case !known || p.complete:
		if len(f.execs) >= maxExecs {
			clear(f.execs)
		}
		f.execs[pid] = lastExec{path: path}
	}
	return first
}

// program names the program of a process, if that can still be told.
func (f *fanotify) program(pid int32) string {
	if exe, err := os.Readlink("/proc/" + strconv.Itoa(int(pid)) + "/exe"); err == nil {
		return exe
	}
	return f.execs[pid].path
}

// imagePath translates the path of a file that a process opened, as its mount
// shows it, into the image's. What is known of the mount is not believed if that
// leads to another file: the numbers of mounts that are gone are used again. (The
// file itself may also be gone, or have another name now.)
func (f *fanotify) imagePath(file *unix.Statx_t, path string, pid int) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.views.path(file.Mnt_id, path)
	if ok && isAt(file, known) {
		return known, true
	}
	viewers := []string{fmt.Sprintf("/proc/%d", pid)}
	if !ok {
		threads, _ := filepath.Glob(viewers[0] + "/task/*") // none if it is gone
		viewers = append(threads, "/proc/self")
	}
	for _, viewer := range viewers {
		if _, err := f.views.learn(strings.TrimPrefix(viewer, "/proc/")); err != nil {
			continue
		}
		if p, ok := f.views.path(file.Mnt_id, path); ok {
			return p, true
		}
	}
	return known, ok
}

// isAt reports whether a file is the one that has a path.
func isAt(file *unix.Statx_t, path string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO, &st)
	return err == nil && st.Ino == file.Ino && st.Dev_major == file.Dev_major && st.Dev_minor == file.Dev_minor
}

// unnamed reports whether a file without links was made without a name, by
// O_TMPFILE: the kernel calls it "#" and its inode number (d_mark_tmpfile in
// fs/dcache.c).
func unnamed(path string) bool {
	number, ok := strings.CutPrefix(filepath.Base(path), "#")
	_, err := strconv.ParseUint(number, 10, 64)
	return ok && err == nil
}

// saw reports whether the seccomp recorder noted that a path was opened, made
// or removed, or whether the path does not count.
func (r *recorder) saw(path string) bool {
	const opened = manifest.Opened | manifest.Written | manifest.Executed | manifest.Listed | manifest.Created | manifest.Deleted
	r.mu.Lock()
	defer r.mu.Unlock()
	var id nodeID
	for name := range components([]byte(path)) {
		var ok bool
		if id, ok = r.walker.set.find(id, name); !ok {
			return false
		}
		if r.walker.set.nodes[id].what == outside {
			return true
		}
	}
	return r.walker.set.nodes[id].ops&opened != 0
}

// maxNamed is how many of the paths that only fanotify saw are put in words.
const maxNamed = 10

// merge ends the recording and adds to the recorder's set what it has not.
func (f *fanotify) merge(res *Result) error {
	if err := f.close(); err != nil {
		return err
	}
	res.Events += f.events
	f.solve()
	for _, path := range slices.Sorted(maps.Keys(f.extra)) {
		if f.recorder.saw(path) || f.recorder.excluded(path) {
			continue
		}
		if err := f.recorder.add(path, f.extra[path].ops|manifest.Witnessed, f.extra[path].phase); err != nil {
			return err
		}
		exe := f.extra[path].exe
		res.Witness = append(res.Witness, manifest.Sighting{Path: manifest.Path(path), Exe: manifest.Path(exe)})
		if len(res.Witness) <= maxNamed {
			f.recorder.warn("only fanotify saw that %s opened %q", cmp.Or(exe, "a process that has ended"), path)
		}
	}
	return nil
}

// close has the reader take what is queued, and waits for it.
func (f *fanotify) close() error {
	one := [8]byte{1}
	if _, err := unix.Write(f.wake, one[:]); err != nil {
		return fmt.Errorf("fanotify: %w", err)
	}
	defer func() { _, _ = unix.Close(f.fd), unix.Close(f.wake) }()
	select {
	case <-f.done:
		return f.err
	case <-time.After(drainTimeout):
		return fmt.Errorf("fanotify: queue not empty after %v", drainTimeout)
	}
}
