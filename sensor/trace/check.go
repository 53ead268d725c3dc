package trace

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/record"
)

// Check tells whether both recorders can work here, by arming them as a
// privileged run would. Nil means that they can.
func Check() error {
	if err := checkSeccomp(); err != nil {
		return fmt.Errorf("seccomp user notification: %w", err)
	}
	session, err := record.New(record.Options{Fanotify: true, Privileged: true})
	if err != nil {
		return err
	}
	_, err = session.Close()
	return err
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
