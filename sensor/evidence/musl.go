package evidence

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/rootfs"
)

// hasMusl tells whether the image's C library is musl.
func hasMusl(root *rootfs.Root) (bool, error) {
	dir, info, err := root.Resolve("/lib", func(string) {})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) || err == nil && !info.IsDir() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	names, err := root.ReadDirNames(dir)
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "ld-musl-") }), err
}

// lookForMusl notes what shows that musl has cost something: packages that had
// to be compiled, compilers, and modules that were made for glibc.
func (f *facts) lookForMusl(name string, info rootfs.Info) error {
	if !f.musl || !info.IsRegular() {
		return nil
	}
	dir, base := path.Split(name)
	switch {
	case path.Base(dir) == "bin" && slices.Contains([]string{"gcc", "g++", "clang"}, base):
		f.add(&f.CompiledHere, name)
	case base == "WHEEL" && strings.HasSuffix(dir, ".dist-info/"):
		return f.readWheel(path.Clean(dir), name)
	case strings.HasSuffix(base, ".node"):
		return f.readModule(name)
	}
	return nil
}

// readWheel notes a Python package whose tag says that it was compiled on the
// spot: linux_x86_64, which no index takes, and not musllinux_… or manylinux_…
// (packaging.python.org, platform compatibility tags).
func (f *facts) readWheel(dir, name string) error {
	if f.read++; f.read > maxSearched {
		return nil
	}
	data, err := f.root.ReadFile(name, maxSecret)
	if errors.Is(err, rootfs.ErrTooLarge) {
		return nil
	}
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, []byte("Tag: ")) && bytes.Contains(line, []byte("-linux_")) {
			f.add(&f.CompiledHere, dir)
			break
		}
	}
	return err
}

// readModule notes a module of Node.js that needs glibc.
func (f *facts) readModule(name string) error {
	if f.read++; f.read > maxSearched {
		return nil
	}
	file, err := f.root.OpenFile(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if module, err := elfdyn.Read(file); err == nil && slices.Contains(module.Needed, "libc.so.6") {
		f.add(&f.GlibcOnly, name)
	}
	return nil
}
