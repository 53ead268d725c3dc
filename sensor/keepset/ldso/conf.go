package ldso

import (
	"bufio"
	"bytes"
	"errors"
	"path"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
	"golang.org/x/sys/unix"
)

// Bounds on configuration that an image may bring.
const (
	maxConfig   = 4 << 20 // bytes of one file
	maxFiles    = 1024    // files
	maxFolders  = 4096    // folders that they name
	maxDepth    = 8       // of includes
	maxIncludes = 256     // include patterns
)

// readConf reads ld.so.conf and what it includes (ldconfig(8)).
func (l *Loader) readConf(file string, depth int) error {
	if depth > maxDepth {
		return nil
	}
	data, err := l.readConfig(file)
	if err != nil {
		return err
	}
	dirs, includes := parseConf(data)
	l.glibc = append(l.glibc, dirs[:min(len(dirs), maxFolders-len(l.glibc))]...)
	for _, pattern := range includes {
		if l.includes++; l.includes > maxIncludes {
			return nil
		}
		if !strings.HasPrefix(pattern, "/") {
			pattern = rootfs.Join(rootfs.Parent(file), pattern)
		}
		files, err := glob(l.root, pattern)
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := l.readConf(f, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseConf splits ld.so.conf into folders and include patterns.
func parseConf(data []byte) (dirs, includes []string) {
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, maxConfig)
	for sc.Scan() {
		line, _, _ := strings.Cut(sc.Text(), "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "hwcap":
		case fields[0] == "include":
			includes = append(includes, fields[1:]...)
		default:
			dir, _, _ := strings.Cut(strings.TrimSpace(line), "=") // "=libc6" tells an old kind of library
			if strings.HasPrefix(dir, "/") {
				dirs = append(dirs, strings.TrimRight(dir, "/ \t"))
			}
		}
	}
	return dirs, includes
}

// readConfig reads a file of the loader's configuration, through links. One
// that is absent, not a file, too large or one too many is empty.
func (l *Loader) readConfig(file string) ([]byte, error) {
	physical, info, err := l.root.Resolve(file, func(string) {})
	if err != nil || !info.IsRegular() || len(l.config) >= maxFiles {
		return nil, ignoreAbsent(err)
	}
	data, err := l.root.ReadFile(physical, maxConfig)
	if errors.Is(err, rootfs.ErrTooLarge) {
		return nil, nil
	}
	if err == nil {
		l.config = append(l.config, file)
	}
	return data, err
}

// glob returns the paths that match pattern as glob(3) does: absolute, sorted,
// "*" and "?" in any component. It follows links in folders.
func glob(root *rootfs.Root, pattern string) ([]string, error) {
	matches := []string{"/"}
	for name := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range matches {
			found, err := globIn(root, dir, name)
			if err != nil {
				return nil, err
			}
			next = append(next, found[:min(len(found), maxFiles-len(next))]...)
		}
		matches = next
	}
	return matches, nil
}

func globIn(root *rootfs.Root, dir, pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{rootfs.Join(dir, pattern)}, nil
	}
	physical, info, err := root.Resolve(dir, func(string) {})
	if err != nil || !info.IsDir() {
		return nil, ignoreAbsent(err)
	}
	names, err := root.ReadDirNames(physical)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	var found []string
	for _, name := range names {
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".")
		if ok, err := path.Match(pattern, name); err == nil && ok && !hidden {
			found = append(found, rootfs.Join(dir, name))
		}
	}
	return found, nil
}
