package daemon

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock is an advisory lock on a file. The kernel drops it with the process, so
// that a killed build leaves none behind (flock(2)).
type lock struct{ file *os.File }

func openLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	return &lock{file: f}, nil
}

// tryExclusive takes the lock alone, or answers false when another has it. A
// shared lock that is held may be lost in an unsuccessful try.
func (l *lock) tryExclusive() (bool, error) { return l.try(unix.LOCK_EX) }

// tryShared takes the lock together with others that do the same.
func (l *lock) tryShared() (bool, error) { return l.try(unix.LOCK_SH) }

func (l *lock) try(how int) (bool, error) {
	for {
		err := unix.Flock(int(l.file.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		default:
			return false, fmt.Errorf("lock %s: %w", l.file.Name(), err)
		}
	}
}

func (l *lock) close() { l.file.Close() }
