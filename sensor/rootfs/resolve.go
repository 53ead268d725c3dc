package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// MaxLinks is how many links one look-up may go through before it fails with
// ELOOP, as in the kernel (path_resolution(7)).
const MaxLinks = 40

// AbsentError says which component made a look-up fail. It matches
// fs.ErrNotExist.
type AbsentError struct {
	// Path is the physical path of the first component that is not there, or
	// of a file that would have to be a directory.
	Path string
}

// Error implements error.
func (e *AbsentError) Error() string { return fmt.Sprintf("%q is not in the image", e.Path) }

// Is makes the error match fs.ErrNotExist.
func (e *AbsentError) Is(target error) bool { return target == fs.ErrNotExist }

// Resolve finds where the absolute path leads, as the kernel would inside a
// chroot: links in every component, the last one too, are followed inside the
// root, and ".." stops at the root. It calls visit with the physical path of
// each link on the way, in order, and returns the physical path of the object
// and what it is. Errors: *AbsentError, or one that matches unix.ELOOP after
// MaxLinks links; visit has then seen the links walked so far.
func (r *Root) Resolve(path string, visit func(link string)) (string, Info, error) {
	return r.resolve(path, true, visit)
}

// ResolveLink is Resolve, but a link in the last component is not followed.
func (r *Root) ResolveLink(path string, visit func(link string)) (string, Info, error) {
	return r.resolve(path, false, visit)
}

func (r *Root) resolve(path string, follow bool, visit func(string)) (string, Info, error) {
	if isPhysical(path) {
		// Most paths hold no link: one look-up instead of one per component.
		info, err := r.Lstat(path)
		if err == nil && (!follow || !info.IsLink()) {
			return path, info, nil
		}
	}
	w := walker{root: r, here: "/", rest: path, follow: follow, visit: visit}
	for w.rest != "" {
		if err := w.step(); err != nil {
			return "", Info{}, err
		}
	}
	info, err := r.Lstat(w.here)
	return w.here, info, err
}

// isPhysical says whether path is absolute and clean.
func isPhysical(path string) bool {
	return path == "/" || strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") &&
		!strings.Contains(path, "//") && !strings.Contains(path+"/", "/./") && !strings.Contains(path+"/", "/../")
}

// walker is a look-up under way: here is done and physical, rest is to do.
type walker struct {
	root   *Root
	here   string
	rest   string
	links  int
	follow bool
	visit  func(string)
}

// step takes one component off rest.
func (w *walker) step() error {
	name, rest, more := strings.Cut(w.rest, "/")
	w.rest = rest
	switch name {
	case "", ".":
		return nil
	case "..":
		w.here = Parent(w.here)
		return nil
	}
	next := Join(w.here, name)
	info, err := w.root.Lstat(next)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENAMETOOLONG):
		return &AbsentError{Path: next}
	case err != nil:
		return err
	case info.IsLink() && (more || w.follow):
		return w.through(next, more)
	case more && !info.IsDir():
		return &AbsentError{Path: next}
	}
	w.here = next
	return nil
}

// through puts the target of the link before what is left to do.
func (w *walker) through(link string, more bool) error {
	if w.links++; w.links > MaxLinks {
		return &fs.PathError{Op: "resolve", Path: link, Err: unix.ELOOP}
	}
	w.visit(link)
	target, err := w.root.Readlink(link)
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, "/") {
		w.here = "/"
	}
	if more {
		target += "/" + w.rest
	}
	w.rest = target
	return nil
}

// FromRuntime says whether the container runtime provides what is at the path,
// whatever the image has there.
func FromRuntime(path string) bool {
	switch path {
	case "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/mtab":
		return true
	}
	return false
}
