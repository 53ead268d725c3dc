package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/slimfile/cmd/slimfile/internal/builder"
	"github.com/org/slimfile/sensor/manifest/lock"
)

// Lock is a build that makes the lock of a build context.
type Lock struct {
	build *Build
	dir   string // the build context
	out   string // where the build puts the lock
}

// NewLock is New for a build whose only result is the lock. The caller must Close
// it.
func NewLock(o Options) (_ *Lock, err error) {
	if info, err := os.Stat(o.Context); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: the lock is written beside what it was made from", o.Context)
	}
	l := &Lock{dir: o.Context}
	if l.out, err = os.MkdirTemp("", "slimfile-"); err != nil {
		return nil, err
	}
	o.BuildArgs = append(o.BuildArgs, "SLIM_OUTPUT=lock")
	o.Outputs = []string{l.out}
	if l.build, err = New(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(l.out))
	}
	return l, nil
}

// Close removes the build's temporary files.
func (l *Lock) Close() error { return errors.Join(l.build.Close(), os.RemoveAll(l.out)) }

// ErrOutdated says that a lock does not keep what it should.
var ErrOutdated = errors.New("the lock is out of date")

// Run builds, writes the lock and tells on stdout what changed in it. With check
// it writes nothing, and returns ErrOutdated if the lock would keep other entries.
func (l *Lock) Run(ctx context.Context, bk *builder.Builder, check bool) error {
	if err := l.build.Run(ctx, bk); err != nil {
		return err
	}
	name, err := l.made()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(l.out, name))
	if err != nil {
		return err
	}
	is, err := lock.Decode(name, bytes.NewReader(text))
	if err != nil {
		return err
	}
	path := filepath.Join(l.dir, name)
	before, err := readIn(l.dir, name)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return err
	}
	was, err := lock.Decode(path, bytes.NewReader(before))
	fresh = fresh || err != nil // the build has warned of one that is broken
	added, removed := lock.Diff(was.Entries(), is.Entries())
	head := fmt.Sprintf("%s: %d entries for %s", path, len(is.Entries()), strings.Join(is.Platforms(), ", "))
	switch {
	case fresh:
		fmt.Fprintln(l.build.o.Stdout, head+", new")
	case bytes.Equal(before, text):
		fmt.Fprintln(l.build.o.Stdout, head+", unchanged")
	default:
		fmt.Fprintf(l.build.o.Stdout, "%s, +%d -%d\n", head, len(added), len(removed))
		printEntries(l.build.o.Stdout, "+", added)
		printEntries(l.build.o.Stdout, "-", removed)
	}
	switch {
	case !check && !bytes.Equal(before, text):
		return writeFile(path, text)
	case check && (fresh || len(added)+len(removed) > 0):
		return fmt.Errorf("%w: write it with slimfile lock %s", ErrOutdated, l.dir)
	}
	return nil
}

// readIn reads a file of a folder, but not through a link that leads out of it:
// the name is the Dockerfile's, and what it names is written next.
func readIn(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(name)
}

// made is the name of the lock that the build made, in its context.
func (l *Lock) made() (name string, err error) {
	err = filepath.WalkDir(l.out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name != "" || !d.Type().IsRegular() {
			return errors.New("the build made an image and no lock: is SLIM off?")
		}
		name, err = filepath.Rel(l.out, path)
		return err
	})
	if err == nil && name == "" {
		err = errors.New("the build made no lock")
	}
	return name, err
}

// maxListed bounds the entries that are listed.
const maxListed = 20

// printEntries lists entries with the packages that own them.
func printEntries(w io.Writer, sign string, entries []lock.Entry) {
	for _, e := range entries[:min(len(entries), maxListed)] {
		fmt.Fprintf(w, "  %s %s", sign, lock.Quote(e.Path))
		if e.Package != "" {
			fmt.Fprintf(w, " (%s)", e.Package)
		}
		fmt.Fprintln(w)
	}
	if more := len(entries) - maxListed; more > 0 {
		fmt.Fprintf(w, "  %s and %d more\n", sign, more)
	}
}
