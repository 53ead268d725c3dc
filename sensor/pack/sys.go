package pack

import (
	"errors"

	"golang.org/x/sys/unix"
)

// The system calls on names within one directory. Each is repeated when a
// signal interrupted it: the Go runtime sends itself signals, and FUSE file
// systems, which rootless builders use, answer them with EINTR.

func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func openat(dir int, name string, flags int, mode uint32) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

func fstatat(dir int, name string, st *unix.Stat_t) error {
	return retry(func() error { return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW) })
}

func mkdirat(dir int, name string, mode uint32) error {
	return retry(func() error { return unix.Mkdirat(dir, name, mode) })
}

func mknodat(dir int, name string, mode uint32, device uint64) error {
	return retry(func() error { return unix.Mknodat(dir, name, mode, int(device)) })
}

func symlinkat(target string, dir int, name string) error {
	return retry(func() error { return unix.Symlinkat(target, dir, name) })
}

func linkat(oldDir int, oldName string, dir int, name string) error {
	return retry(func() error { return unix.Linkat(oldDir, oldName, dir, name, 0) })
}

func fchown(fd int, uid, gid uint32) error {
	return retry(func() error { return unix.Fchown(fd, int(uid), int(gid)) })
}

func fchownat(dir int, name string, uid, gid uint32) error {
	return retry(func() error { return unix.Fchownat(dir, name, int(uid), int(gid), unix.AT_SYMLINK_NOFOLLOW) })
}

func fchmod(fd int, mode uint32) error {
	return retry(func() error { return unix.Fchmod(fd, mode) })
}

func fchmodat(dir int, name string, mode uint32) error {
	return retry(func() error { return unix.Fchmodat(dir, name, mode, 0) })
}

func utimensat(dir int, name string, time unix.Timespec) error {
	times := []unix.Timespec{time, time}
	return retry(func() error { return unix.UtimesNanoAt(dir, name, times, unix.AT_SYMLINK_NOFOLLOW) })
}

// readlinkat returns the target of a link, which has less than PATH_MAX bytes.
func readlinkat(dir int, name string) (string, error) {
	var buf [unix.PathMax]byte
	var n int
	err := retry(func() (err error) {
		n, err = unix.Readlinkat(dir, name, buf[:])
		return err
	})
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func pread(fd int, buf []byte, at int64) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Pread(fd, buf, at)
		return err
	})
	return n, err
}

// writeAt writes all of data.
func writeAt(fd int, data []byte, at int64) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(fd, data, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		data = data[n:]
		at += int64(n)
	}
	return nil
}

// copyRange is copy_file_range(2) at the same offset on both sides.
func copyRange(in, out int, at, length int64) (int64, error) {
	var n int
	err := retry(func() (err error) {
		from, to := at, at
		n, err = unix.CopyFileRange(in, &from, out, &to, int(length), 0)
		return err
	})
	return int64(n), err
}
