package record

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/regular"
)

// recorder is what the listeners of a session share: the seccomp recorder.
type recorder struct {
	tables     []table
	privileged bool
	// hold runs f while no child is reaped, for the tracing of one.
	hold   func(f func())
	epochs epochs
	// phase is the run's present Phase.
	phase   atomic.Uint32
	census  *census
	network *network
	noted   *notedCalls // nil unless asked for
	// rerooted says that some process may have a root of its own.
	rerooted atomic.Bool
	lost     atomic.Uint64

	mu     sync.Mutex // for the walker, held while it looks at files
	walker walker

	warnMu   sync.Mutex
	reason   string // of the first loss
	warnings []string
}

// lose counts an event that could not be recorded.
func (r *recorder) lose(reason string) {
	if r.lost.Add(1) == 1 {
		r.warnMu.Lock()
		r.reason = reason
		r.warnMu.Unlock()
	}
}

// followed is what a walk for a process came to.
type followed struct {
	hidden  bool // the path is the sensor's
	guarded bool // what was found may depend on the user
	news    bool // something was found that was not recorded yet
}

// follow walks a path for a process and, if the path is to be executed, what
// the kernel will open because of it.
func (r *recorder) follow(pl place, path []byte, to want, noNewPrivs bool) (followed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &r.walker
	w.generation = r.epochs.names.Load()
	w.now.phase, w.now.program = Phase(r.phase.Load()), pl.program
	named := len(path) > 0
	if gone(pl.base) {
		if named || to.ops&manifest.Executed == 0 {
			return followed{}, nil
		}
		return followed{}, r.executeUnnamed(pl, pl.base, fmt.Sprintf("/proc/%d/fd/%d", pl.pid, pl.dirfd))
	}
	if !named { // the descriptor's own file
		path, pl.root, to.follow = slices.Clone(pl.base), nil, false
	}
	f, err := w.walk(pl, path, to)
	if err != nil || f.hidden {
		return followed{hidden: f.hidden}, err
	}
	out := followed{news: w.news}
	out.guarded = named && w.guarded && !w.magic && f.failed == 0 && f.id != nowhere
	if out.guarded {
		denied, err := pl.subject.denies(pl, path, to, f)
		if err != nil {
			return out, err
		}
		if denied {
			w.mark(f.id, manifest.Denied)
		}
	}
	switch {
	case to.ops&manifest.Executed == 0:
	case f.unnamed:
		err = r.executeUnnamed(pl, r.walker.target, string(f.path))
	case f.what == file:
		err = r.execute(pl, slices.Clone(f.path), noNewPrivs, 0)
	}
	return out, err
}

// deletedMark is behind what a link of /proc names when that was deleted.
const deletedMark = " (deleted)"

// gone reports whether a link of /proc names something that was deleted. A file
// may really have such a name.
func gone(path []byte) bool {
	if !bytes.HasSuffix(path, []byte(deletedMark)) {
		return false
	}
	var st unix.Stat_t
	return unix.Lstat(string(path), &st) != nil
}

// maxScripts is how many interpreters in a row the kernel accepts, scripts that
// are interpreters of scripts (exec_binprm in fs/exec.c).
const maxScripts = 5

// execute notes the interpreter that the kernel loads for a file.
func (r *recorder) execute(pl place, path []byte, noNewPrivs bool, depth int) error {
	img, err := readImage(func() (*os.File, error) { return regular.OpenPhysical(string(path)) })
	if errors.Is(err, errNotImage) {
		pl.ran.strange = true
		return nil // the kernel will mostly refuse it as well
	}
	if err != nil {
		return err
	}
	if noNewPrivs && img.raises != "" {
		r.warn("%s is %s: that has no effect in this run; it needs `--allow security.insecure` to run as in production", path, img.raises)
	}
	return r.load(pl, string(path), img, noNewPrivs, depth)
}

// executeUnnamed does it for a file without a name, as one of memfd_create(2),
// that a link of /proc leads to.
func (r *recorder) executeUnnamed(pl place, name []byte, link string) error {
	var img image
	err := pl.subject.as(func() (err error) {
		img, err = readImage(func() (*os.File, error) { return regular.OpenThrough(link) })
		return err
	})
	if errors.Is(err, errNotImage) || errors.Is(err, fs.ErrNotExist) { // or closed meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	return r.load(pl, string(name), img, false, 0)
}

// load notes what a program is loaded with.
func (r *recorder) load(pl place, name string, img image, noNewPrivs bool, depth int) error {
	pl.ran.add(name)
	pl.ran.raises = pl.ran.raises || img.raises != ""
	pl.ran.guarded = pl.ran.guarded || img.guarded
	if img.interpreter == "" {
		return nil
	}
	f, err := r.walker.walk(pl, []byte(img.interpreter), want{ops: manifest.Executed, follow: true})
	if err != nil || !img.script || f.what != file || depth >= maxScripts {
		return err
	}
	return r.execute(pl, slices.Clone(f.path), noNewPrivs, depth+1)
}

// add notes something about a physical path, without which program did it.
func (r *recorder) add(path string, ops manifest.Ops, phase Phase) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.walker.set.path([]byte(path))
	if !ok {
		return errFull
	}
	r.walker.now.phase, r.walker.now.program = phase, 0
	r.walker.mark(id, ops)
	return nil
}

// excluded reports whether a path lies on another mount or in a folder that the
// runtime fills.
func (r *recorder) excluded(path string) bool {
	for p := path; p != "/"; p = filepath.Dir(p) {
		if r.walker.excludes([]byte(p)) {
			return true
		}
	}
	return false
}

// maxWarnings bounds the warnings of a run.
const maxWarnings = 50

// warn notes a sentence for the user, once.
func (r *recorder) warn(format string, args ...any) {
	r.warnMu.Lock()
	defer r.warnMu.Unlock()
	w := fmt.Sprintf(format, args...)
	if len(r.warnings) < maxWarnings && !slices.Contains(r.warnings, w) {
		r.warnings = append(r.warnings, w)
	}
}
