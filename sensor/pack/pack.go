// Package pack copies the kept entries of an image root into an empty
// directory, exactly: type, mode, owner, extended attributes, times, hard
// links among the kept names, and holes.
//
// It comes after keepset, which says what to copy, and before evidence, which
// reports it. Only cmd/slimfile-pack imports it.
//
// The source is hostile. Every system call names a single component below the
// descriptor of a directory that was itself opened with O_NOFOLLOW, so no link
// in the image leads anywhere. One goroutine walks the directories; a few
// workers copy what is in them. A directory gets its own mode, attributes and
// times when the last entry in it is done.
package pack

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/rootfs"
)

// Options says how to copy.
type Options struct {
	// Epoch is SOURCE_DATE_EPOCH in seconds since 1970: a later modification
	// time becomes this one. Nil leaves all times as they are.
	Epoch *int64
}

// Stats counts what was copied.
type Stats struct {
	Files     int64 // regular files, each inode once
	HardLinks int64 // further names of those
	Dirs      int64 // the root included
	Symlinks  int64
	Special   int64 // FIFOs and device nodes
	Bytes     int64 // apparent sizes of Files
	// Sockets are the paths left out because a socket means nothing without
	// the process that bound it, sorted.
	Sockets []string
}

// add sums s and o.
func (s *Stats) add(o Stats) {
	s.Files += o.Files
	s.HardLinks += o.HardLinks
	s.Dirs += o.Dirs
	s.Symlinks += o.Symlinks
	s.Special += o.Special
	s.Bytes += o.Bytes
	s.Sockets = append(s.Sockets, o.Sockets...)
}

const (
	// maxWorkers bounds the files copied at once: more only queue up at the
	// disk and cost buffers.
	maxWorkers = 4
	// queueLen bounds the entries that wait for a worker. Each may hold a
	// directory open on both sides, which must fit RLIMIT_NOFILE.
	queueLen = 128
)

// Copy copies entries from src into the existing, empty directory dst, and
// makes the generated ones, regular files and directories, from memory. dst
// itself becomes a copy of the root of src.
//
// Entries are physical paths, a directory before what is in it and all of it
// in one run, as keepset.Set.All gives them. No path may occur twice. A
// directory on the way to an entry need not be listed: it is copied anyway.
// src must not change meanwhile. On an error dst is left half made.
//
// Errors: *DiskFullError; ctx's cause; else one that names the path.
func Copy(ctx context.Context, src *rootfs.Root, dst string, entries iter.Seq[keepset.Entry], generated []keepset.File, opt Options) (Stats, error) {
	root, err := openRoots(src, dst)
	if err != nil {
		return Stats{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &copier{
		ctx: ctx, cancel: cancel, epoch: opt.Epoch, root: root,
		jobs:   make(chan job, queueLen),
		inodes: make(map[inode]*names),
		made:   make(map[string]*keepset.File),
	}
	for i := range generated {
		if f := &generated[i]; f.Mode&unix.S_IFMT == unix.S_IFDIR {
			c.made[f.Path] = f
		}
	}
	return c.run(lookAhead(merge(entries, generated)))
}

// openRoots opens both roots, and makes sure that dst is empty.
func openRoots(src *rootfs.Root, dst string) (*dir, error) {
	in, err := src.OpenDir("/")
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.Open(dst)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	if err := isEmpty(out); err != nil {
		return nil, err
	}
	d := &dir{path: "/", src: -1, dst: -1}
	d.refs.Store(1)
	if d.src, err = duplicate(in); err == nil {
		d.dst, err = duplicate(out)
	}
	if err == nil {
		err = unix.Fstat(d.src, &d.stat)
	}
	if err == nil {
		err = dropACLs(d.dst)
	}
	if err != nil {
		d.close()
		return nil, &fs.PathError{Op: "open root", Path: dst, Err: err}
	}
	return d, nil
}

func isEmpty(dir *os.File) error {
	names, err := dir.Readdirnames(1)
	if len(names) > 0 {
		return fmt.Errorf("destination %s is not empty: it holds %q", dir.Name(), names[0])
	}
	if err != io.EOF {
		return err
	}
	return nil
}

// copier is one call of Copy.
type copier struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	epoch  *int64
	root   *dir
	jobs   chan job
	made   map[string]*keepset.File // generated directories

	// noClone and noRange are set by the first file that shows that the
	// kernel cannot share or copy extents between the two file systems.
	noClone, noRange atomic.Bool

	linking sync.Mutex // guards inodes
	inodes  map[inode]*names
}

// job is one entry to copy into a directory that is open on both sides.
type job struct {
	dir *dir
	item
}

// run starts the workers, walks items and waits for everything to be done.
func (c *copier) run(items iter.Seq2[item, item]) (Stats, error) {
	workers := make([]worker, min(maxWorkers, runtime.GOMAXPROCS(0)))
	var group sync.WaitGroup
	for i := range workers {
		workers[i].copier = c
		group.Go(workers[i].run)
	}
	walk := worker{copier: c}
	if err := walk.walk(items); err != nil {
		c.cancel(err)
	}
	close(c.jobs)
	group.Wait()
	walk.release(c.root) // last: hard links start at the root
	if err := context.Cause(c.ctx); err != nil {
		return Stats{}, err
	}
	total := walk.stats
	for i := range workers {
		total.add(workers[i].stats)
	}
	slices.Sort(total.Sockets)
	return total, nil
}

// walk opens the directories that hold items and hands out what is in them.
func (w *worker) walk(items iter.Seq2[item, item]) error {
	stack := []*dir{w.root}
	defer func() {
		for _, d := range slices.Backward(stack[1:]) {
			w.release(d)
		}
	}()
	for it, next := range items {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		if _, err := nameOf(it.path); err != nil {
			return err
		}
		if below(next.path, it.path) {
			if it.generated != nil && w.made[it.path] == nil {
				return fmt.Errorf("generated file %q: %q is in it", it.path, next.path)
			}
			continue // a directory: entered for the sake of next
		}
		var err error
		if stack, err = w.enter(stack, rootfs.Parent(it.path)); err != nil {
			return err
		}
		d := stack[len(stack)-1]
		d.refs.Add(1)
		w.jobs <- job{dir: d, item: it}
	}
	return nil
}

// enter makes the directory path the last one of the stack.
func (w *worker) enter(stack []*dir, path string) ([]*dir, error) {
	for {
		top := stack[len(stack)-1]
		switch {
		case top.path == path:
			return stack, nil
		case below(path, top.path):
			d, err := w.makeDir(top, firstBelow(path, top.path))
			if err != nil {
				return stack, err
			}
			stack = append(stack, d)
		default:
			stack = stack[:len(stack)-1]
			w.release(top)
		}
	}
}
