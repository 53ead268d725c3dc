package trace

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Check tells whether both recorders can work here: fanotify with a queue that
// loses nothing and a mark on the whole root, and seccomp's user notification.
// Nil means that they can.
func Check() error {
	if err := checkFanotify(); err != nil {
		return fmt.Errorf("fanotify: %w", err)
	}
	if err := checkSeccomp(); err != nil {
		return fmt.Errorf("seccomp user notification: %w", err)
	}
	return nil
}

func checkFanotify() error {
	const flags = unix.FAN_CLASS_NOTIF | unix.FAN_CLOEXEC | unix.FAN_UNLIMITED_QUEUE | unix.FAN_UNLIMITED_MARKS
	fd, err := unix.FanotifyInit(flags, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return fmt.Errorf("fanotify_init: %w", err)
	}
	const events = unix.FAN_OPEN | unix.FAN_OPEN_EXEC | unix.FAN_ONDIR
	for _, mark := range []uint{unix.FAN_MARK_MOUNT, unix.FAN_MARK_FILESYSTEM} {
		if markErr := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|mark, events, unix.AT_FDCWD, "/"); markErr != nil {
			err = errors.Join(err, fmt.Errorf("fanotify_mark: %w", markErr))
		}
	}
	return errors.Join(err, unix.Close(fd))
}

// checkSeccomp asks for the action that seccomp_unotify(2) needs; since Linux
// 5.0.
func checkSeccomp() error {
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return errno
	}
	return nil
}
