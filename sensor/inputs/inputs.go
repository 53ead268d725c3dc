// Package inputs works out digests of what the keep set of a lock was found out
// from: as long as they are the same, a traced run would find the same again.
//
// A run can only have seen the names and types of all files, and the content of
// those that are kept. slimfile-pack calls it, on the image as built; nothing of
// the image is run.
package inputs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs"
)

// fleeting are files that come and go with each build of the same Dockerfile and
// that no app depends on: their names count only if they are kept.
var fleeting = regexp.MustCompile(`^/(dev|proc|sys|tmp|run|var/(log|cache|run|tmp|lib/apt/lists))/|/\.(cache|npm)/`)

// remade are files that each build of the same Dockerfile makes with another
// content: with times in it, or random. What they are made from counts.
var remade = regexp.MustCompile(`^/var/(log|cache)/|/__pycache__/|\.pyc$|` +
	`^/etc/(g?shadow-?|passwd-|group-|machine-id|ld\.so\.cache|ssl/private/.*|ssl/certs/java/cacerts|ssh/ssh_host_.*)$|` +
	`^/var/lib/dbus/machine-id$`)

// Digests are those of an image of which entries, sorted by path, are kept: one
// for each top folder with something kept, and "/" for the rest. lockName is the
// lock's own name: a copy of it in the image does not count.
func Digests(ctx context.Context, root *rootfs.Root, entries []lock.Entry, lockName string) ([]lock.Input, error) {
	w := walk{ctx: ctx, root: root, entries: entries, lockName: path.Base(lockName)}
	if err := root.Walk("/", w.visit); err != nil {
		return nil, err
	}
	sums, err := w.sums()
	if err != nil {
		return nil, err
	}
	for i, f := range w.files {
		w.groups[f.group].hash.Write(sums[i][:])
	}
	return w.digests(), nil
}

// group is a top folder or file.
type group struct {
	name string
	hash hash.Hash
	kept bool
}

// file is a regular file whose content counts.
type file struct {
	path  string
	group int
}

type walk struct {
	ctx      context.Context
	root     *rootfs.Root
	entries  []lock.Entry
	lockName string
	groups   []group
	files    []file
}

// visit takes an entry of the image into the digest of its group.
func (w *walk) visit(name string, info rootfs.Info) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if name == "/" || rootfs.FromRuntime(name) {
		return nil
	}
	at, kept := w.find(name)
	if !kept && fleeting.MatchString(name) {
		if info.IsDir() && !w.isAbove(at, name) {
			return fs.SkipDir
		}
		return nil
	}
	if info.IsRegular() && path.Base(name) == w.lockName && keepset.IsLock(w.root, name) {
		return nil
	}
	g := w.group(name)
	record := append([]byte(name), 0)
	record = append(append(record, info.Type()...), 0)
	if kept {
		g.kept = true
		for _, n := range []uint32{info.Mode, info.UID, info.GID} {
			record = binary.BigEndian.AppendUint32(record, n)
		}
		if info.IsLink() {
			target, err := w.root.Readlink(name)
			if err != nil {
				return err
			}
			record = append(append(record, target...), 0)
		}
		if info.IsRegular() && !remade.MatchString(name) {
			w.files = append(w.files, file{w.entries[at].Path, len(w.groups) - 1})
		}
	}
	g.hash.Write(record)
	return nil
}

// find tells where an entry is among those that are kept, or where it would be.
func (w *walk) find(name string) (int, bool) {
	return slices.BinarySearchFunc(w.entries, name, func(e lock.Entry, name string) int { return cmp.Compare(e.Path, name) })
}

// isAbove says whether something is kept in a folder; at is where find puts the
// folder.
func (w *walk) isAbove(at int, folder string) bool {
	i, _ := w.find(folder + "/")
	return i < len(w.entries) && i >= at && strings.HasPrefix(w.entries[i].Path, folder+"/")
}

// group is that of the top folder that a path is in. The walk goes through one
// top folder after the other.
func (w *walk) group(name string) *group {
	top := name
	if end := strings.IndexByte(name[1:], '/'); end >= 0 {
		top = name[:end+1]
	}
	if n := len(w.groups); n == 0 || w.groups[n-1].name != top {
		w.groups = append(w.groups, group{name: strings.Clone(top), hash: sha256.New()})
	}
	return &w.groups[len(w.groups)-1]
}

// sums are the digests of the files, by as many workers as there are processors.
func (w *walk) sums() ([][sha256.Size]byte, error) {
	sums := make([][sha256.Size]byte, len(w.files))
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(w.files)) {
		workers.Go(func() {
			buffer := make([]byte, 256<<10)
			for i := int(next.Add(1)) - 1; i < len(w.files) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := w.sum(ctx, w.files[i].path, buffer, &sums[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return sums, context.Cause(ctx)
}

func (w *walk) sum(ctx context.Context, name string, buffer []byte, to *[sha256.Size]byte) error {
	f, err := w.root.OpenFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	for {
		n, err := f.Read(buffer)
		h.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	h.Sum(to[:0])
	return nil
}

// digests folds what has nothing kept in it into one.
func (w *walk) digests() []lock.Input {
	rest := sha256.New()
	var list []lock.Input
	for _, g := range w.groups {
		sum := g.hash.Sum(nil)
		if g.kept {
			list = append(list, lock.Input{Name: g.name, Digest: format(sum)})
		} else {
			rest.Write(sum) // the names are in it
		}
	}
	return append([]lock.Input{{Name: "/", Digest: format(rest.Sum(nil))}}, list...)
}

func format(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
