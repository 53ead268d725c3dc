package ldso

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
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
	for _, d := range parseConf(data) {
		if d.folder != "" && len(l.glibc) < maxFolders {
			l.glibc = append(l.glibc, d.folder)
		}
		if d.include == "" {
			continue
		}
		if err := l.include(file, d.include, depth); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loader) include(file, pattern string, depth int) error {
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
	return nil
}

// confLine is one statement of ld.so.conf; one of the two is set.
type confLine struct {
	folder  string
	include string // pattern
}

// parseConf reads ld.so.conf.
func parseConf(data []byte) []confLine {
	var out []confLine
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "hwcap":
		case fields[0] == "include":
			for _, pattern := range fields[1:] {
				out = append(out, confLine{include: pattern})
			}
		default:
			dir, _, _ := strings.Cut(strings.TrimSpace(line), "=") // "=libc6" tells an old kind of library
			if strings.HasPrefix(dir, "/") {
				out = append(out, confLine{folder: strings.TrimRight(dir, "/ \t")})
			}
		}
	}
	return out
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
