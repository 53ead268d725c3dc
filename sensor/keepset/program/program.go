// Package program finds the programs that an image's config names, and says
// what keeps one from starting, without starting it: a file, an interpreter, a
// loader or a library that the image lacks, or a right.
//
// It reads the image through rootfs and ldso. keepset finds programs with it,
// evidence tells the rules what is in their way.
package program

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// defaultPath is what runc and BuildKit set when the image has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Finder finds programs as a shell of the image would.
type Finder struct {
	root    *rootfs.Root
	workdir string
	path    string
}

// NewFinder prepares the search in an image.
func NewFinder(root *rootfs.Root, image manifest.Image) *Finder {
	f := &Finder{root: root, workdir: image.WorkingDir}
	if f.path, _ = Getenv(image.Env, "PATH"); f.path == "" {
		f.path = defaultPath
	}
	return f
}

// Path is the image's PATH, or the one that it gets.
func (f *Finder) Path() string { return f.path }

// Getenv is the value of a variable among K=V words; the first of several
// wins, as in getenv(3).
func Getenv(env []string, name string) (string, bool) {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Abs makes a path of the image's config absolute.
func (f *Finder) Abs(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + strings.Trim(f.workdir, "/") + "/" + path
}

// Look returns the path by which execvp(3) would find a program; "" when the
// image has none of that name.
func (f *Finder) Look(name string) (string, error) {
	if strings.Contains(name, "/") {
		return f.Abs(name), nil
	}
	for dir := range strings.SplitSeq(f.path, ":") {
		candidate := rootfs.Join(strings.TrimSuffix(f.Abs(dir), "/"), name)
		_, info, err := f.root.Resolve(candidate, func(string) {})
		if err := ignoreAbsent(err); err != nil {
			return "", err
		}
		if err == nil && info.IsRegular() && info.Perm()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", nil
}

// ignoreAbsent drops the errors that say that a path leads nowhere.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

// Shebang is the first line of a script.
type Shebang struct {
	Interpreter string
	Argument    string
	// CRLF says that the line ends as on Windows, which makes a carriage return
	// part of its last word.
	CRLF bool
}

// MaxShebang is BINPRM_BUF_SIZE: what the kernel reads of a script (execve(2)).
const MaxShebang = 256

// ParseShebang splits the first line of a script as the kernel does: all after
// the first blank is one argument.
func ParseShebang(head []byte) (Shebang, bool) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return Shebang{}, false
	}
	if end := bytes.IndexAny(line, "\n\x00"); end >= 0 {
		line = line[:end]
	}
	s := Shebang{CRLF: bytes.HasSuffix(line, []byte("\r"))}
	line = bytes.Trim(line, " \t\r")
	if blank := bytes.IndexAny(line, " \t"); blank >= 0 {
		s.Argument = strings.TrimLeft(string(line[blank:]), " \t")
		line = line[:blank]
	}
	s.Interpreter = string(line)
	return s, s.Interpreter != ""
}

// Program returns the name of the program that env(1) is asked to run, if it
// is env that interprets the script.
func (s Shebang) Program() (string, bool) {
	if rootfs.Base(s.Interpreter) != "env" {
		return "", false
	}
	for _, word := range strings.Fields(s.Argument) {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return word, true
		}
	}
	return "", false
}
