package pack

import (
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// dir is a directory open on both sides.
type dir struct {
	path string
	src  int // -1 when the directory is generated
	dst  int
	stat unix.Stat_t // the source's
	// refs counts who still makes entries here: the walk, and every job that
	// is not done. The last one gives the directory its attributes.
	refs atomic.Int32
}

func (d *dir) close() {
	for _, fd := range []int{d.src, d.dst} {
		if fd >= 0 {
			_ = unix.Close(fd) // written or not, a directory has nothing to lose
		}
	}
}

// makeDir makes and opens path in parent, with one reference.
func (w *worker) makeDir(parent *dir, path string) (*dir, error) {
	name, err := nameOf(path)
	if err != nil {
		return nil, err
	}
	d := &dir{path: path, src: -1, dst: -1}
	d.refs.Store(1)
	if f := w.made[path]; f != nil {
		d.stat = unix.Stat_t{Mode: f.Mode, Uid: f.UID, Gid: f.GID, Mtim: unix.Timespec{Sec: f.Mtime}}
	} else if err := d.openSource(parent, name); err != nil {
		d.close()
		return nil, w.fail("open", path, err)
	}
	// Private until it is done; a mode without write permission must not keep
	// its content out.
	err = mkdirat(parent.dst, name, 0o700)
	if err == nil {
		d.dst, err = openat(parent.dst, name, dirFlags, 0)
	}
	if err != nil {
		d.close()
		return nil, w.fail("mkdir", path, err)
	}
	return d, nil
}

// dirFlags opens a directory and nothing else: the kernel answers ENOTDIR for
// links, FIFOs and devices without opening them.
const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW

func (d *dir) openSource(parent *dir, name string) error {
	if parent.src < 0 {
		return unix.ENOENT
	}
	var err error
	if d.src, err = openat(parent.src, name, dirFlags, 0); err != nil {
		return err
	}
	return unix.Fstat(d.src, &d.stat)
}

// release drops one reference, and finishes and closes d when it was the last.
func (w *worker) release(d *dir) {
	if d.refs.Add(-1) > 0 {
		return
	}
	if w.ctx.Err() == nil {
		if err := w.finish(d); err != nil {
			w.cancel(err)
		}
		w.stats.Dirs++
	}
	d.close()
}

func (w *worker) finish(d *dir) error {
	if err := fchown(d.dst, d.stat.Uid, d.stat.Gid); err != nil {
		return w.fail("chown", d.path, err)
	}
	if d.src >= 0 {
		if err := w.copyXattrs(attrs{fd: d.src}, attrs{fd: d.dst}, d.path); err != nil {
			return err
		}
	}
	if err := w.setTime(d.dst, ".", d.path, d.stat.Mtim); err != nil {
		return err
	}
	return w.setMode(d.dst, d.path, d.stat.Mode)
}

// nameOf returns the last name of path, which is used as a single component.
func nameOf(path string) (string, error) {
	name := rootfs.Base(path)
	if path == "" || path[0] != '/' || name == "" || name == "." || name == ".." {
		return "", fmt.Errorf("entry %q: not a clean absolute path", path)
	}
	return name, nil
}

// duplicate returns a descriptor of its own for f, so that f can be closed.
func duplicate(f *os.File) (int, error) {
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}
