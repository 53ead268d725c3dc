package daemon

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// process is a process by its descriptor: unlike a pid it cannot come to mean
// another one (pidfd_open(2), Linux 5.3).
type process struct{ fd int }

// socketOwner is the process that listens on a unix socket, as the kernel tells
// a client of it (SO_PEERCRED, unix(7)): no pid file that could be out of date.
func socketOwner(path string) (*process, error) {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	if credErr != nil {
		return nil, fmt.Errorf("ask for the socket's owner: %w", credErr)
	}
	fd, err := unix.PidfdOpen(int(cred.Pid), 0)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", cred.Pid, err)
	}
	return &process{fd: fd}, nil
}

// end sends a signal and tells whether the process ended within timeout.
func (p *process) end(signal unix.Signal, timeout time.Duration) (bool, error) {
	err := unix.PidfdSendSignal(p.fd, signal, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	deadline := time.Now().Add(timeout)
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for {
		left := time.Until(deadline)
		n, err := unix.Poll(fds, int(max(0, left.Milliseconds())))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, err
		case n > 0:
			return true, nil
		case left <= 0:
			return false, nil
		}
	}
}

func (p *process) close() error { return unix.Close(p.fd) }
