package lint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of a file, in bytes, as BuildKit bounds a
// Dockerfile.
const maxFile = 16 << 20

// stdin is the path that stands for the standard input.
const stdin = "-"

// find lists the Dockerfiles that paths name: files as they are, and folders for
// what lies below them, in the order of paths and of names. None is listed twice.
func find(paths []string) ([]string, error) {
	var found []string
	seen := map[string]bool{}
	add := func(file string) {
		if file = shown(file); !seen[file] {
			seen[file] = true
			found = append(found, file)
		}
	}
	for _, path := range paths {
		if path == stdin {
			add(stdin)
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			add(path)
			continue
		}
		before := len(found)
		if err := walk(path, add); err != nil {
			return nil, err
		}
		if len(found) == before && len(paths) == 1 {
			return nil, fmt.Errorf("no Dockerfile below %s: name the file if it is called otherwise", path)
		}
	}
	return found, nil
}

// walk adds the Dockerfiles below a folder. It follows no link but root itself,
// and passes over what is hidden.
func walk(root string, add func(string)) error {
	root += string(filepath.Separator)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == root:
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular() && isDockerfile(d.Name()):
			add(path)
		}
		return nil
	})
}

// isDockerfile tells whether a file is a Dockerfile by its name. Only a Dockerfile
// with a suffix needs its capital: dockerfile.go is none.
func isDockerfile(name string) bool {
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".dockerignore"):
		return false
	case lower == "dockerfile" || lower == "containerfile" || strings.HasSuffix(lower, ".dockerfile"):
		return true
	}
	return strings.HasPrefix(name, "Dockerfile.")
}

// shown is path relative to the working folder if it is below that, which is how
// people and policies name it.
func shown(path string) string {
	path = filepath.Clean(path)
	if !filepath.IsAbs(path) {
		return path
	}
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}

// read reads a file, or stdin, that must not be too large.
func read(path string, in io.Reader) ([]byte, error) {
	if path != stdin {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("read %s: larger than %d MiB", path, maxFile>>20)
	}
	return data, err
}

// dockerignore is the ignore file that a build of the Dockerfile at path most
// likely has: the Dockerfile's own, or .dockerignore of its build context.
func dockerignore(path string) (text string, known bool, err error) {
	if path == stdin {
		return "", false, nil
	}
	names := []string{path + ".dockerignore"}
	for _, dir := range contexts(path) {
		names = append(names, filepath.Join(dir, ".dockerignore"))
	}
	data, err := readFirst(names)
	if errors.Is(err, fs.ErrNotExist) {
		return "", true, nil
	}
	return string(data), err == nil, err
}

// contexts are the folders that may be the build context of the Dockerfile at
// path: its own first, then those above up to the working folder.
func contexts(path string) []string {
	var dirs []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == "." || !filepath.IsLocal(dir) {
			return dirs
		}
	}
}

// readFirst reads the first of names that exists.
func readFirst(names []string) ([]byte, error) {
	for _, name := range names {
		data, err := read(name, nil)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, fs.ErrNotExist
}
