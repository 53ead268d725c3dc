package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/pack"
	"github.com/org/slimfile/sensor/rootfs"
)

// step is the pack step with the folders it works in, described in manifest.
type step struct {
	input, trace, lock, source, root, output string

	stdout io.Writer // shown to the user as the step's progress
}

// Phases of the step, as manifest.Failure names them.
const (
	phaseStart   = "start"
	phaseKeepset = "keepset"
	phaseCopy    = "copy"
)

// run does the step. A failure is also left in the output folder.
func (s step) run(ctx context.Context) *manifest.Failure {
	phase := phaseStart
	err := s.pack(ctx, &phase)
	if err == nil {
		return nil
	}
	failure := asFailure(phase, err)
	if err := s.writeFailure(failure); err != nil {
		failure.Message += fmt.Sprintf(" (and %s)", err)
	}
	return failure
}

// pack keeps phase at what is being done.
func (s step) pack(ctx context.Context, phase *string) error {
	input, source, err := s.open()
	if err != nil {
		return err
	}
	defer source.Close()

	*phase = phaseKeepset
	set, err := s.resolve(ctx, source, input)
	if err != nil {
		return err
	}
	summary, err := evidence.Write(ctx, source, set, s.output)
	if err != nil {
		return err
	}
	if err := set.Refuse(summary); err != nil {
		return err
	}
	*phase = phaseCopy
	stats, err := pack.Copy(ctx, source, s.root, set.All(), set.Generated(), pack.Options{Epoch: input.Epoch})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "kept %d of %d files, %d of %d bytes; copied %d files, %d hard links, %d folders, %d links\n",
		summary.KeptFiles, summary.TotalFiles, summary.KeptBytes, summary.TotalBytes,
		stats.Files+stats.Special, stats.HardLinks, stats.Dirs, stats.Symlinks)
	if named := set.Named(); err == nil && len(named) > 0 {
		_, err = fmt.Fprintf(s.stdout, "kept without having run, as scripts or sources name them: %q\n", named)
	}
	return err
}

// inspect looks at the image without a run.
func (s step) inspect(ctx context.Context) error {
	input, source, err := s.open()
	if err != nil {
		return err
	}
	defer source.Close()
	return evidence.Inspect(ctx, source, input, s.output)
}

// open reads what is to be done and opens the image that it is done to.
func (s step) open() (input manifest.Pack, source *rootfs.Root, err error) {
	if err := read(filepath.Join(s.input, manifest.PackFile), &input, &input.Version); err != nil {
		return input, nil, err
	}
	source, err = rootfs.Open(s.source)
	return input, source, err
}

// resolve reads the trace and the lock, as far as the input asks for them.
func (s step) resolve(ctx context.Context, source *rootfs.Root, input manifest.Pack) (*keepset.Set, error) {
	var locked []lock.Entry
	if input.Lock != "" {
		var err error
		if locked, err = readLock(s.lock, input.LockName, input.Platform); err != nil {
			return nil, err
		}
	}
	if input.Lock == manifest.LockFrozen {
		return keepset.Resolve(ctx, source, nil, locked, input)
	}
	trace, err := os.Open(filepath.Join(s.trace, manifest.TraceFile))
	if err != nil {
		return nil, err
	}
	defer trace.Close()
	return keepset.Resolve(ctx, source, trace, locked, input)
}

// asFailure is the form in which an error reaches the user.
func asFailure(phase string, err error) *manifest.Failure {
	failure := &manifest.Failure{Message: err.Error()}
	var given *manifest.Failure
	if errors.As(err, &given) {
		*failure = *given
		failure.Log = slices.Clone(given.Log)
	}
	failure.Version = manifest.Version
	if failure.Phase == "" {
		failure.Phase = phase
	}
	var full *pack.DiskFullError
	if errors.As(err, &full) {
		failure.Remedy = "free space on the build machine, for example with \"docker buildx prune\", and build again"
	}
	return failure
}

// writeFailure makes room for the report first: the half-made root is of no
// use any more, and both are on the same disk, which may be full.
func (s step) writeFailure(failure *manifest.Failure) error {
	data, err := json.Marshal(failure)
	if err != nil {
		return fmt.Errorf("encode the failure: %w", err)
	}
	return errors.Join(clearFolder(s.root), os.WriteFile(filepath.Join(s.output, manifest.FailureFile), data, 0o644))
}

// clearFolder removes all that is in a folder, which is a mount point. One that
// is not there is empty.
func clearFolder(dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		err = errors.Join(err, root.RemoveAll(e.Name()))
	}
	return err
}

// line is the failure on one line.
func line(f *manifest.Failure) string {
	text := f.Phase + ": " + f.Message
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	return text
}
