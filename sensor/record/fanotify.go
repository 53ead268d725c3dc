package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"unsafe"

	"github.com/org/slimfile/sensor/manifest"
	"golang.org/x/sys/unix"
)

// fanotify is the second witness: what the kernel itself saw being opened on
// the root file system, by whatever way (fanotify(7)). It knows nothing of
// stat, readlink or failed look-ups.
type fanotify struct {
	fd           int
	wake         int    // eventfd: no process is left, read what there is and end
	root         uint   // how the root is marked: FAN_MARK_FILESYSTEM or FAN_MARK_MOUNT
	self         string // own executable, whose start is not the program's
	set          *set
	events, lost uint64
	err          error
	done         chan struct{}
}

// ErrFanotify matches the error of New when fanotify was demanded and cannot
// be had; its text names cause and remedy.
var ErrFanotify = errors.New("fanotify is not available")

const fanotifyEvents = unix.FAN_OPEN | unix.FAN_OPEN_EXEC | unix.FAN_ONDIR

// newFanotify starts watching the root file system.
func newFanotify() (*fanotify, error) {
	fail := func(doing string, err error) error {
		remedy := ""
		if errors.Is(err, unix.EPERM) {
			remedy = ": it needs a build with `--allow security.insecure` on a daemon outside of a user namespace"
		}
		return fmt.Errorf("%w: %s: %w%s", ErrFanotify, doing, err, remedy)
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
	f := &fanotify{root: unix.FAN_MARK_MOUNT, self: self, set: newSet(), done: make(chan struct{})}
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
		unix.Close(f.fd)
		return nil, fail("fanotify_mark /", err)
	}
	if f.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		unix.Close(f.fd)
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
		f.lost++
		return nil
	}
	defer unix.Close(int(event.Fd))
	if event.Pid == 0 || int(event.Pid) == os.Getpid() {
		return nil
	}
	f.events++
	var st unix.Stat_t
	if err := unix.Fstat(int(event.Fd), &st); err != nil {
		return err
	}
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(event.Fd)))
	if err != nil {
		return err
	}
	if path == f.self {
		return nil
	}
	if st.Nlink == 0 {
		path = string(bytes.TrimSuffix([]byte(path), []byte(" (deleted)")))
	}
	ops := manifest.Opened
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		ops = manifest.Listed
	case event.Mask&unix.FAN_OPEN_EXEC != 0:
		ops |= manifest.Executed
	}
	id, ok := f.set.path([]byte(path))
	if !ok {
		return errFull
	}
	f.set.nodes[id].ops |= ops
	return nil
}

// merge ends the recording and adds to the recorder's set what it has not.
func (f *fanotify) merge(r *recorder, res *Result) error {
	if err := f.close(); err != nil {
		return err
	}
	res.Events += f.events
	if f.lost > 0 {
		r.lose("fanotify's queue overflowed")
	}
	const covered = manifest.Opened | manifest.Written | manifest.Executed | manifest.Listed | manifest.Created | manifest.Deleted
	w := &r.walker
	l := newList(f.set, func(path []byte) bool {
		_, ok := w.mounts[string(path)]
		return ok || isKernel(string(path))
	})
	for e := range l.entries {
		id, ok := w.set.path([]byte(e.Path))
		if !ok {
			return errFull
		}
		if w.set.nodes[id].ops&covered == 0 {
			w.set.nodes[id].ops |= e.Ops | manifest.Witnessed
			res.Witness = append(res.Witness, e.Path)
		}
	}
	slices.Sort(res.Witness)
	return nil
}

// close has the reader take what is queued, and waits for it.
func (f *fanotify) close() error {
	one := [8]byte{1}
	if _, err := unix.Write(f.wake, one[:]); err != nil {
		return fmt.Errorf("fanotify: %w", err)
	}
	<-f.done
	unix.Close(f.fd)
	unix.Close(f.wake)
	return f.err
}
