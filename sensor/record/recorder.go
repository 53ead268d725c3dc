package record

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
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

// follow walks a path for a process and, if the path is to be executed, what
// the kernel will open because of it.
func (r *recorder) follow(pl place, path []byte, to want, noNewPrivs bool) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.walker.generation = r.epochs.names.Load()
	r.walker.now.phase, r.walker.now.program = Phase(r.phase.Load()), pl.program
	if gone(pl.base) {
		return false, nil
	}
	if len(path) == 0 { // the descriptor's own file
		path, pl.root, to.follow = slices.Clone(pl.base), nil, false
	}
	f, err := r.walker.walk(pl, path, to)
	if err != nil || f.hidden || to.ops&manifest.Executed == 0 || f.what != file {
		return f.hidden, err
	}
	return false, r.execute(pl, slices.Clone(f.path), noNewPrivs, 0)
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
	img, err := readImage(string(path))
	if errors.Is(err, errNotImage) {
		return nil // the kernel will refuse it as well
	}
	if err != nil {
		return err
	}
	if noNewPrivs && img.raises != "" {
		r.warn("%s is %s: that has no effect in this run; it needs `--allow security.insecure` to run as in production", path, img.raises)
	}
	pl.ran.add(string(path))
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
