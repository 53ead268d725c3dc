package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/inputs"
	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs"
)

// locker makes sections of locks, in the folders that manifest names.
type locker struct {
	input, source, packed, lock, sections, output string
}

// section makes a lock of one platform: of what the pack step has kept, or if
// that did not run, of what the lock keeps already. The digests are the image's.
func (l locker) section(ctx context.Context) error {
	var input manifest.Section
	if err := read(filepath.Join(l.input, manifest.SectionFile), &input, &input.Version); err != nil {
		return err
	}
	entries, err := l.entries(input)
	if err != nil {
		return err
	}
	source, err := rootfs.Open(l.source)
	if err != nil {
		return err
	}
	defer source.Close()
	digests, err := inputs.Digests(ctx, source, entries, input.LockName)
	if err != nil {
		return err
	}
	slices.Sort(input.Settings)
	return l.write(lock.File{Sections: []lock.Section{{
		Platform: input.Platform,
		Inputs:   append(digests, lock.Input{Name: lock.Run, Digest: input.Run}),
		Settings: slices.Compact(input.Settings),
		Entries:  entries,
	}}})
}

// entries are those of the pack step's report, or of the lock.
func (l locker) entries(input manifest.Section) ([]lock.Entry, error) {
	report, err := os.Open(filepath.Join(l.packed, manifest.ReportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return readLock(l.lock, input.LockName, input.Platform)
	}
	if err != nil {
		return nil, err
	}
	defer report.Close()
	var (
		entries []lock.Entry
		folder  *lock.Entry // that may be there only for what comes next
	)
	for k, err := range evidence.Kept(report) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", manifest.ReportFile, err)
		}
		if folder != nil && !strings.HasPrefix(string(k.Path), folder.Path+"/") {
			entries = append(entries, *folder)
		}
		folder = nil
		e := lock.Entry{Path: string(k.Path), Reasons: grounds(k.Reasons), Rule: k.Rule, Package: k.Package}
		switch {
		case e.Path == "/" || len(e.Reasons) == 0:
		case slices.Equal(e.Reasons, keepset.Traversed.Names()):
			folder = &e
		default:
			entries = append(entries, e)
		}
	}
	if folder != nil {
		entries = append(entries, *folder)
	}
	slices.SortFunc(entries, func(a, b lock.Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries, nil
}

// grounds are the reasons that a lock gives: all but that another lock gave them,
// and what packing makes anew. A folder that has others as well is not there only
// for what is in it.
func grounds(reasons []string) []string {
	own := (keepset.Lock | keepset.PackageMetadata).Names()
	left := slices.DeleteFunc(slices.Clone(reasons), func(name string) bool { return slices.Contains(own, name) })
	if len(left) > 1 {
		left = slices.DeleteFunc(left, func(name string) bool { return name == keepset.Traversed.Names()[0] })
	}
	return left
}

// merge makes one lock of sections, and what another lock has for other
// platforms.
func (l locker) merge() error {
	var files []lock.File
	folders, err := os.ReadDir(l.sections)
	if err != nil {
		return err
	}
	names := []string{l.lock}
	for _, f := range folders {
		names = append(names, filepath.Join(l.sections, f.Name()))
	}
	for _, dir := range names {
		file, err := decodeLock(dir, manifest.LockFile)
		if errors.Is(err, fs.ErrNotExist) && dir == l.lock {
			continue
		}
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	return l.write(lock.Merge(files...))
}

func (l locker) write(file lock.File) (err error) {
	out, err := os.Create(filepath.Join(l.output, manifest.LockFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return file.Encode(out)
}

// decodeLock reads the lock in a folder; name is what errors call it.
func decodeLock(dir, name string) (lock.File, error) {
	f, err := os.Open(filepath.Join(dir, manifest.LockFile))
	if err != nil {
		return lock.File{}, err
	}
	defer f.Close()
	return lock.Decode(name, f)
}

// readLock reads what a lock keeps for a platform.
func readLock(dir, name, platform string) ([]lock.Entry, error) {
	file, err := decodeLock(dir, name)
	if err != nil {
		return nil, err
	}
	section, ok := file.Section(platform)
	if !ok {
		return nil, fmt.Errorf("%s has nothing for %s", name, platform)
	}
	return section.Entries, nil
}
