// Package rootfs reads an untrusted image root without ever leaving it.
//
// Every look-up is one openat2(2) relative to the root's descriptor with
// RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS: whatever
// links the image holds, the kernel refuses to walk through them. Links are
// followed only by Resolve, which reads them as text and starts over inside
// the root, as the kernel would in a chroot.
//
// It is the lowest layer of slimfile-pack: keepset, pack and evidence import
// it; it imports golang.org/x/sys only.
package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is an open image root. Its methods may be used concurrently.
//
// Methods take physical paths: absolute inside the image, clean, no component
// a symbolic link (the last one may be). Paths are bytes, in any encoding.
type Root struct {
	dir *os.File
}

// Open opens the directory dir as an image root. dir itself is trusted and may
// be a link.
func Open(dir string) (*Root, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open root", Path: dir, Err: err}
	}
	return &Root{dir: os.NewFile(uintptr(fd), dir)}, nil
}

// Close releases the root's descriptor, which nothing was written to.
func (r *Root) Close() { r.dir.Close() }

// OpenPath returns an O_PATH descriptor (open(2)) of whatever stands at path,
// of a link itself: good for fstat(2), fchownat(2) and /proc/self/fd, and as
// the starting point of the *at calls when it is a directory.
func (r *Root) OpenPath(path string) (*os.File, error) {
	return r.open(path, unix.O_PATH|unix.O_NOFOLLOW)
}

// OpenDir returns a readable descriptor of the directory at path. The *at
// calls on it with a single name as path (mkdirat(2), linkat(2), ...) stay in
// the root, so it serves writers as well.
func (r *Root) OpenDir(path string) (*os.File, error) {
	return r.open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY)
}

// OpenFile opens the regular file at path for reading. Anything else is an
// error, and FIFOs and devices are not even opened.
func (r *Root) OpenFile(path string) (*os.File, error) {
	info, err := r.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsRegular() {
		return nil, notRegular(path, info)
	}
	f, err := r.open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return nil, err
	}
	if info, err = fstat(int(f.Fd()), path); err == nil && !info.IsRegular() {
		err = notRegular(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func notRegular(path string, info Info) error {
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("is a %s, not a regular file", info.Type())}
}

// Lstat describes what stands at path, a link itself.
func (r *Root) Lstat(path string) (Info, error) {
	fd, err := r.openat2(path, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return Info{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	return fstat(fd, path)
}

// Readlink returns the target of the symbolic link at path, as it is written.
func (r *Root) Readlink(path string) (string, error) {
	fd, err := r.openat2(path, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(fd) }()
	var buf [unix.PathMax]byte
	n, err := unix.Readlinkat(fd, "", buf[:])
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: err}
	}
	return string(buf[:n]), nil
}

// ReadDirNames returns the names in the directory at path, sorted bytewise.
func (r *Root) ReadDirNames(path string) ([]string, error) {
	dir, err := r.OpenDir(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return readNames(dir, path)
}

func readNames(dir *os.File, path string) ([]string, error) {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: err}
	}
	slices.Sort(names)
	return names, nil
}

// lookup is how every path is resolved; see the package comment.
const lookup = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

// maxRetries bounds retries after EINTR and EAGAIN; openat2(2) gives EAGAIN
// when the tree was renamed or mounted under its feet.
const maxRetries = 128

func (r *Root) open(path string, flags uint64) (*os.File, error) {
	fd, err := r.openat2(path, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (r *Root) openat2(path string, flags uint64) (int, error) {
	rel, err := relative(path)
	if err != nil {
		return -1, err
	}
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: lookup}
	for range maxRetries {
		var fd int
		fd, err = unix.Openat2(int(r.dir.Fd()), rel, &how)
		if err == nil {
			return fd, nil
		}
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	if errors.Is(err, unix.ENOSYS) {
		err = fmt.Errorf("%w: openat2 needs Linux 5.6 or later", err)
	}
	return -1, &fs.PathError{Op: "open", Path: path, Err: err}
}

// relative turns a physical path into one relative to the root's descriptor.
func relative(path string) (string, error) {
	if !strings.HasPrefix(path, "/") {
		return "", &fs.PathError{Op: "open", Path: path, Err: errors.New("not an absolute path")}
	}
	return cmp.Or(path[1:], "."), nil
}

// Join appends name to the physical directory path dir.
func Join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// Parent returns the directory that holds the physical path; "/" of "/".
func Parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

// Base returns the last name of the physical path; "" of "/".
func Base(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}

// ReadFile returns the regular file at path; one of more than limit bytes is
// an error.
func (r *Root) ReadFile(path string, limit int64) ([]byte, error) {
	f, err := r.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}

// ErrTooLarge is what ReadFile answers for a file above its limit.
var ErrTooLarge = errors.New("file too large")
