// Package tools finds the programs of slimfile's build steps, which a build
// in-process must hand to BuildKit itself: the frontend's image, which has them
// otherwise, is not there. Imported by cmd/slimfile/internal/build.
package tools

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// names are the programs that the steps run.
func names() []string { return []string{"slimfile-sensor", "slimfile-pack"} }

// Find returns the folder that the frontend mounts, with the programs for a
// worker of the architecture arch (as GOARCH calls it) in linux-ARCH/. exe is
// the path of the running slimfile; looked at are, in this order,
//
//	DIR/libexec/linux-ARCH/            a build of the repository
//	DIR/../libexec/slimfile/linux-ARCH/  an installation
//	DIR/                               go install …/cmd/...@VERSION
//
// What is wrong is told when the folder is read: a build that does not slim
// needs none of the programs.
func Find(exe, arch string) fsutil.FS {
	dir, err := find(exe, arch)
	if err != nil {
		return failing{err}
	}
	return folder{dir: dir, name: "linux-" + arch}
}

// find is the first folder that has a program; it must then have all of them,
// fit for the worker.
func find(exe, arch string) (string, error) {
	if target, err := filepath.EvalSymlinks(exe); err == nil {
		exe = target
	}
	beside := filepath.Dir(exe)
	sub := "linux-" + arch
	dirs := []string{
		filepath.Join(beside, "libexec", sub),
		filepath.Join(beside, "..", "libexec", "slimfile", sub),
		beside,
	}
	for _, dir := range dirs {
		var missing []string
		for _, name := range names() {
			err := check(filepath.Join(dir, name), arch)
			if errors.Is(err, os.ErrNotExist) {
				missing = append(missing, name)
			} else if err != nil {
				return "", err
			}
		}
		switch len(missing) {
		case 0:
			return dir, nil
		case len(names()):
		default:
			return "", fmt.Errorf("%s has no %s: install it again", dir, strings.Join(missing, " and no "))
		}
	}
	return "", fmt.Errorf("the programs of the build steps, %s for linux/%s, are not installed with slimfile: they are neither in %s: "+
		"run CGO_ENABLED=0 go install github.com/org/slimfile/cmd/...@latest, or the same with ./cmd/... in a checkout, or build with --build-arg SLIM=off",
		strings.Join(names(), " and "), arch, strings.Join(dirs, " nor in "))
}

// check refuses a program that cannot run in any image on the worker.
func check(path, arch string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	const remedy = "build it with CGO_ENABLED=0 GOOS=linux GOARCH=%s"
	f, err := elf.NewFile(file)
	if err != nil {
		return fmt.Errorf("%s is not a program for linux/%s (%w): "+remedy, path, arch, err, arch)
	}
	if want := machine(arch); f.Machine != want {
		return fmt.Errorf("%s is a program for %s, the builder is linux/%s: "+remedy, path, f.Machine, arch, arch)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically and would not run in every image: "+remedy, path, arch)
		}
	}
	return nil
}

func machine(arch string) elf.Machine {
	switch arch {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	default:
		return elf.EM_NONE
	}
}

// folder shows the steps' programs of dir in a folder linux-ARCH, and nothing
// else of dir. Links are followed here: they would lead out of what is sent.
type folder struct{ dir, name string }

// Walk implements fsutil.FS.
func (f folder) Walk(ctx context.Context, _ string, fn fs.WalkDirFunc) error {
	top := &types.Stat{Path: f.name, Mode: uint32(os.ModeDir | 0o755)}
	if err := fn(f.name, &fsutil.DirEntryInfo{Stat: top}, nil); err != nil {
		return err
	}
	for _, name := range slices.Sorted(slices.Values(names())) {
		info, err := os.Stat(filepath.Join(f.dir, name))
		if err != nil {
			return err
		}
		path := filepath.Join(f.name, name)
		st := &types.Stat{Path: path, Mode: 0o755, Size: info.Size(), ModTime: info.ModTime().UnixNano()}
		if err := fn(path, &fsutil.DirEntryInfo{Stat: st}, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// Open implements fsutil.FS.
func (f folder) Open(path string) (io.ReadCloser, error) {
	dir, name := filepath.Split(filepath.Clean(path))
	if filepath.Clean(dir) != f.name || !slices.Contains(names(), name) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return os.Open(filepath.Join(f.dir, name))
}

// failing is a folder that cannot be read.
type failing struct{ err error }

// Walk implements fsutil.FS.
func (f failing) Walk(context.Context, string, fs.WalkDirFunc) error { return f.err }

// Open implements fsutil.FS.
func (f failing) Open(string) (io.ReadCloser, error) { return nil, f.err }
