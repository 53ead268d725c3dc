package record

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	root     uint   // how the root is marked: FAN_MARK_FILESYSTEM or FAN_MARK_MOUNT
	self     string // own executable, whose start is not the program's
	extra    map[string]sight
	events   uint64
	err      error
	done     chan struct{}
}

// sight is what was done to a path that only fanotify saw, and by which program
// first, if that could still be told.
type sight struct {
	ops manifest.Ops
	exe string
}

// maxExtra bounds what fanotify alone may see; a run that gets there is not
// recorded by seccomp at all.
const maxExtra = 1 << 18

const fanotifyEvents = unix.FAN_OPEN | unix.FAN_OPEN_EXEC | unix.FAN_ONDIR

// newFanotify starts watching the root file system. Its errors are
// *UnavailableError.
func newFanotify(r *recorder) (*fanotify, error) {
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
	// A mark on a file system also covers other mount namespaces, and an
	// overlay is the container's own. Any other file system may be shared with
	// the host, so that only the mount is the container's.
	f := &fanotify{recorder: r, root: unix.FAN_MARK_MOUNT, self: self, extra: map[string]sight{}, done: make(chan struct{})}
	if fs.Type == unix.OVERLAYFS_SUPER_MAGIC {
		f.root = unix.FAN_MARK_FILESYSTEM
	}
	f.fd, err = unix.FanotifyInit(
		unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS,
		unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC|unix.O_NOATIME)
	if err != nil {
		return nil, fail("fanotify_init", err)
	}
	if err := f.mark("/"); err != nil {
		_ = unix.Close(f.fd)
		return nil, fail("fanotify_mark /", err)
	}
	if f.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		_ = unix.Close(f.fd)
		return nil, fail("eventfd", err)
	}
	go f.run()
	return f, nil
}

func (f *fanotify) mark(root string) error {
	return unix.FanotifyMark(f.fd, unix.FAN_MARK_ADD|f.root, fanotifyEvents, unix.AT_FDCWD, root)
}

// follow marks the root mount of a process that may have a mount namespace of
// its own.
func (f *fanotify) follow(pid int) error {
	if f.root != unix.FAN_MARK_MOUNT {
		return nil
	}
	if err := f.mark("/proc/" + strconv.Itoa(pid) + "/root/"); err != nil {
		return fmt.Errorf("fanotify_mark of process %d: %w", pid, err)
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
	var st unix.Stat_t // after the name, so that it knows of a deletion that the name tells of
	if err := unix.Fstat(int(event.Fd), &st); err != nil {
		return err
	}
	if path == f.self {
		return nil
	}
	if st.Nlink == 0 {
		path = strings.TrimSuffix(path, " (deleted)")
		if unnamed(path) {
			return nil
		}
	}
	ops := manifest.Opened
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		ops = manifest.Listed
	case event.Mask&unix.FAN_OPEN_EXEC != 0:
		ops |= manifest.Executed
	}
	if f.recorder.saw(path) {
		return nil
	}
	before, known := f.extra[path]
	if !known {
		if len(f.extra) >= maxExtra {
			return errFull
		}
		before.exe, _ = os.Readlink("/proc/" + strconv.Itoa(int(event.Pid)) + "/exe") // if it still runs
	}
	f.extra[path] = sight{before.ops | ops, before.exe}
	return nil
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
	for _, path := range slices.Sorted(maps.Keys(f.extra)) {
		if f.recorder.saw(path) || f.recorder.excluded(path) {
			continue
		}
		if err := f.recorder.add(path, f.extra[path].ops|manifest.Witnessed); err != nil {
			return err
		}
		res.Witness = append(res.Witness, manifest.Path(path))
		if exe := f.extra[path].exe; exe != "" && len(res.Witness) <= maxNamed {
			f.recorder.warn("only fanotify saw that %s opened %q", exe, path)
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
