package record

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is struct seccomp_notif (include/uapi/linux/seccomp.h), 80 bytes.
type notification struct {
	ID    uint64
	PID   uint32 // of the thread, in the reader's pid namespace
	Flags uint32
	Nr    int32 // from here on struct seccomp_data
	Arch  uint32
	IP    uint64
	Args  [6]uint64
}

// response is struct seccomp_notif_resp, 24 bytes.
type response struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// recv waits for a notification.
func recv(fd int, n *notification) unix.Errno {
	*n = notification{} // the kernel insists on zeros
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(n)))
	return errno
}

// send lets the call go on, or fails it with errno. ENOENT says that the thread
// is gone; that is no error here.
func send(fd int, id uint64, errno unix.Errno) unix.Errno {
	r := response{ID: id, Error: -int32(errno)}
	if errno == 0 {
		r.Flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	_, _, errno = unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&r)))
	return errno
}

// valid reports whether the notification's thread still waits for an answer, so
// that its pid has not been reused meanwhile.
func valid(fd int, id uint64) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_ID_VALID, uintptr(unsafe.Pointer(&id)))
	return errno == 0
}

// wakeOnSameCPU makes the kernel hand the CPU over between the two sides
// instead of waking another one (Linux 6.6).
func wakeOnSameCPU(fd int) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return errno
}

// sendValue answers the call with a result of its own.
func sendValue(fd int, id uint64, value int64) {
	r := response{ID: id, Val: value}
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&r)))
}

// ready waits for a notification or the end of all processes and reports whether
// there is one.
func ready(fd int, timeout time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(timeout.Milliseconds()))
	return n > 0 || err != nil && err != unix.EINTR
}

// hungUp reports whether no process with the filter is left. It waits up to
// timeout milliseconds (-1: forever) for that or a notification.
func hungUp(fd, timeout int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, timeout)
		if err == unix.EINTR {
			continue
		}
		return fds[0].Revents&unix.POLLHUP != 0 && fds[0].Revents&unix.POLLIN == 0, err
	}
}
