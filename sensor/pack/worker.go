package pack

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// worker copies one entry at a time.
type worker struct {
	*copier
	stats  Stats
	buffer []byte // for read and write, made when first needed
}

// run copies jobs until there are no more. Once the copy has failed it only
// releases their directories.
func (w *worker) run() {
	for j := range w.jobs {
		if w.ctx.Err() == nil {
			if err := w.copy(j); err != nil {
				w.cancel(err)
			}
		}
		w.release(j.dir)
	}
}

func (w *worker) copy(j job) error {
	if j.generated != nil {
		return w.generate(j)
	}
	if j.dir.src < 0 {
		return w.fail("stat", j.path, unix.ENOENT)
	}
	name := rootfs.Base(j.path)
	var st unix.Stat_t
	if err := fstatat(j.dir.src, name, &st); err != nil {
		return w.fail("stat", j.path, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return w.leafDir(j)
	case unix.S_IFSOCK:
		w.stats.Sockets = append(w.stats.Sockets, j.path)
		return nil
	}
	fd, err := w.makeOnce(j, name, &st)
	if err != nil || fd == isLinked {
		return err
	}
	if fd >= 0 {
		return w.closeFile(fd, j, w.fill(fd, j, name, &st))
	}
	return w.setAttributes(j, name, &st)
}

// closeFile closes a file that was written, where some file systems only then
// tell that something went wrong, unless it did before.
func (w *worker) closeFile(fd int, j job, before error) error {
	err := unix.Close(fd)
	if before == nil && err != nil && err != unix.EINTR { // EINTR: closed nevertheless
		return w.fail("close", j.path, err)
	}
	return before
}

// leafDir makes a directory that nothing is to be made in.
func (w *worker) leafDir(j job) error {
	d, err := w.makeDir(j.dir, j.path)
	if err == nil {
		w.release(d)
	}
	return err
}

// inode identifies a file of the source.
type inode struct{ dev, ino uint64 }

// names is what is known of the names of an inode that has several.
type names struct {
	first string // the one that was made first
	left  int    // how many are still to come, at most
}

// In place of a descriptor: the entry is a further name of another one, or
// cannot be opened.
const (
	isLinked = -1
	isNode   = -2
)

// makeOnce makes an entry without content and attributes, or links it to the
// name under which its inode was made already. The lock is held until a first
// name is there for others to link to; what it holds may come later.
func (w *worker) makeOnce(j job, name string, st *unix.Stat_t) (int, error) {
	if st.Nlink == 1 {
		return w.make(j, name, st)
	}
	key := inode{st.Dev, st.Ino}
	w.linking.Lock()
	defer w.linking.Unlock()
	known := w.inodes[key]
	if known == nil {
		w.inodes[key] = &names{first: j.path, left: int(st.Nlink) - 1}
		return w.make(j, name, st)
	}
	if err := linkat(w.root.dst, known.first[1:], j.dir.dst, name); err != nil {
		return isLinked, w.fail("link", j.path, err)
	}
	if known.left--; known.left == 0 {
		delete(w.inodes, key)
	}
	w.stats.HardLinks++
	return isLinked, nil
}

// make returns a descriptor of the new file, or isNode.
func (w *worker) make(j job, name string, st *unix.Stat_t) (int, error) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		fd, err := openat(j.dir.dst, name, createFlags, 0o600)
		if err != nil {
			return fd, w.fail("create", j.path, err)
		}
		w.stats.Files++
		w.stats.Bytes += st.Size
		return fd, nil
	case unix.S_IFLNK:
		target, err := readlinkat(j.dir.src, name)
		if err != nil {
			return isNode, w.fail("readlink", j.path, err)
		}
		if err := symlinkat(target, j.dir.dst, name); err != nil {
			return isNode, w.fail("symlink", j.path, err)
		}
		w.stats.Symlinks++
		return isNode, nil
	}
	if err := mknodat(j.dir.dst, name, st.Mode, st.Rdev); err != nil {
		return isNode, w.fail("mknod", j.path, err)
	}
	w.stats.Special++
	return isNode, nil
}

// generate makes an entry of which only memory holds the content.
func (w *worker) generate(j job) error {
	switch j.generated.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return w.leafDir(j)
	case unix.S_IFREG:
		fd, err := openat(j.dir.dst, rootfs.Base(j.path), createFlags, 0o600)
		if err != nil {
			return w.fail("create", j.path, err)
		}
		return w.closeFile(fd, j, w.fillGenerated(fd, j))
	}
	return fmt.Errorf("generated entry %q: mode %#o is neither a file's nor a directory's", j.path, j.generated.Mode)
}

func (w *worker) fillGenerated(fd int, j job) error {
	f := j.generated
	if err := writeAt(fd, f.Data, 0); err != nil {
		return w.failFile("write", j.path, int64(len(f.Data)), err)
	}
	if err := fchown(fd, f.UID, f.GID); err != nil {
		return w.fail("chown", j.path, err)
	}
	if err := w.setMode(fd, j.path, f.Mode); err != nil {
		return err
	}
	w.stats.Files++
	w.stats.Bytes += int64(len(f.Data))
	return w.setTime(j.dir.dst, rootfs.Base(j.path), j.path, unix.Timespec{Sec: f.Mtime})
}

// setAttributes completes an entry that cannot be opened: a link, a FIFO, a
// device.
func (w *worker) setAttributes(j job, name string, st *unix.Stat_t) error {
	if err := fchownat(j.dir.dst, name, st.Uid, st.Gid); err != nil {
		return w.fail("chown", j.path, err)
	}
	if err := w.copyXattrs(attrsAt(j.dir.src, name), attrsAt(j.dir.dst, name), j.path); err != nil {
		return err
	}
	if err := w.setTime(j.dir.dst, name, j.path, st.Mtim); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return nil // has no mode of its own
	}
	// fchmodat(2) would follow a link, but this name was made just above.
	if err := fchmodat(j.dir.dst, name, st.Mode&permissions); err != nil {
		return w.fail("chmod", j.path, err)
	}
	return nil
}

const (
	createFlags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW
	// readFlags: O_NONBLOCK, so that not even a FIFO put in place of the file
	// could hold up the copy.
	readFlags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY
)

// fill completes the new regular file out.
func (w *worker) fill(out int, j job, name string, st *unix.Stat_t) error {
	in, err := openat(j.dir.src, name, readFlags, 0)
	if err != nil {
		return w.fail("open", j.path, err)
	}
	defer func() { _ = unix.Close(in) }()
	if err := w.content(in, out, st.Size); err != nil {
		return w.failFile("copy", j.path, st.Size, err)
	}
	// chown(2) takes away setuid bits and file capabilities, and a POSIX ACL
	// is part of the mode: the order matters.
	if err := fchown(out, st.Uid, st.Gid); err != nil {
		return w.fail("chown", j.path, err)
	}
	if err := w.copyXattrs(attrs{fd: in}, attrs{fd: out}, j.path); err != nil {
		return err
	}
	if err := w.setMode(out, j.path, st.Mode); err != nil {
		return err
	}
	return w.setTime(j.dir.dst, name, j.path, st.Mtim)
}
