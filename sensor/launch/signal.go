package launch

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// librarySignals are those that the Go library leaves to a C library and never
// handles (runtime/sigtab_linux_generic.go).
var librarySignals = [...]uintptr{32, 33, 34}

// IgnoreLibrarySignals has this process ignore the signals that os/signal cannot
// do anything about. Programs that a Launcher starts do not inherit that.
func IgnoreLibrarySignals() error { return disposeLibrarySignals(1) } // SIG_IGN

// defaultLibrarySignals undoes IgnoreLibrarySignals.
func defaultLibrarySignals() error { return disposeLibrarySignals(0) } // SIG_DFL

func disposeLibrarySignals(handler uintptr) error {
	// struct sigaction of both machines (arch/*/include/uapi/asm/signal.h).
	action := struct {
		handler, flags, restorer uintptr
		mask                     uint64
	}{handler: handler}
	for _, sig := range librarySignals {
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&action)), 0, unsafe.Sizeof(action.mask), 0, 0)
		if errno != 0 {
			return errno
		}
	}
	return nil
}
