package record

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// errRefused says that the kernel will refuse a call for its arguments alone.
var errRefused = errors.New("invalid arguments")

// openWants translates the flags of open(2).
func openWants(flags uint64) (manifest.Ops, look) {
	var (
		ops manifest.Ops
		l   look
	)
	switch {
	case flags&unix.O_PATH != 0:
		ops = manifest.Checked
	case flags&unix.O_ACCMODE == unix.O_RDONLY:
		ops = manifest.Opened
	case flags&unix.O_ACCMODE == unix.O_WRONLY:
		ops = manifest.Written
	default:
		ops = manifest.Opened | manifest.Written
	}
	if flags&unix.O_TRUNC != 0 && flags&unix.O_PATH == 0 {
		ops |= manifest.Written
	}
	if flags&unix.O_NOFOLLOW != 0 {
		l |= noFollow
		if flags&unix.O_PATH == 0 {
			l |= refusesLink
		}
	}
	if flags&unix.O_DIRECTORY != 0 {
		l |= onlyDir
	}
	if flags&unix.O_PATH != 0 { // which leaves no other flag a meaning
		return ops, l
	}
	if flags&unix.O_CREAT != 0 {
		l |= creates
	}
	if flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL {
		l |= exclusive | noFollow
	}
	if flags&unix.O_TMPFILE == unix.O_TMPFILE { // an unnamed file in the directory
		ops = manifest.Checked
	}
	return ops, l
}

// resolveCached is RESOLVE_CACHED (include/uapi/linux/openat2.h, Linux 5.12).
const resolveCached = 0x20

// resolveWants translates the resolve flags of openat2(2). It refuses what fails
// without a look at anything (build_open_flags in fs/open.c).
//
// Any other open with RESOLVE_CACHED counts as one without. Whether the kernel
// has all of the path in its caches cannot be known, and is mostly so once the
// recorder has followed it; a program that is told EAGAIN tries again without.
func resolveWants(how unix.OpenHow) (look, error) {
	var l look
	for _, r := range [...]struct {
		flag uint64
		look look
	}{
		{unix.RESOLVE_IN_ROOT, inRoot}, {unix.RESOLVE_BENEATH, beneathDir}, {unix.RESOLVE_NO_XDEV, noMounts},
		{unix.RESOLVE_NO_SYMLINKS, noLinks}, {unix.RESOLVE_NO_MAGICLINKS, noMagicLinks}, {resolveCached, 0},
	} {
		if how.Resolve&r.flag != 0 {
			l |= r.look
			how.Resolve &^= r.flag
			if r.flag == resolveCached && how.Flags&(unix.O_CREAT|unix.O_TRUNC|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 {
				return 0, errRefused
			}
		}
	}
	if how.Resolve != 0 || l&(inRoot|beneathDir) == inRoot|beneathDir {
		return 0, errRefused
	}
	return l, nil
}
