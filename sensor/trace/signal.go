package trace

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
)

// The real-time signals that a libc leaves to programs: glibc and musl keep 32
// and 33, and musl 34 too, for themselves (signal(7), nptl(7)).
const (
	sigRTMin = 34
	sigRTMax = 64
)

// deafen makes signals of the app harmless, which may have our uid: by default
// the Go library ends a program on most of them. The kernel keeps SIGKILL and
// SIGSTOP from process 1, as long as they come from its own namespace
// (pid_namespaces(7)), and signals without a handler: but these only if the main
// thread does not block them at that moment (sig_ignored and complete_signal in
// kernel/signal.c). Ignored ones, unlike those with a handler, stay so in the
// programs that we start, which the stub of package launch undoes.
func deafen() error {
	dropped := make(chan os.Signal, 1) // a full channel drops what comes
	for sig := unix.Signal(1); sig <= sigRTMax; sig++ {
		switch sig {
		case unix.SIGKILL, unix.SIGSTOP:
		case unix.SIGCHLD, unix.SIGURG, unix.SIGPROF: // of the library's own use, and harmless
		default:
			signal.Notify(dropped, sig)
		}
	}
	return launch.IgnoreLibrarySignals()
}

// parseSignal reads a STOPSIGNAL: a number, or a name with or without SIG, in
// any case; real-time ones as RTMIN+N and RTMAX-N. Empty means SIGTERM.
func parseSignal(text string) (unix.Signal, error) {
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if name == "" && text == "" {
		return unix.SIGTERM, nil
	}
	number, ok := signalNumber(name)
	if !ok || number < 1 || number > sigRTMax {
		return 0, fmt.Errorf("STOPSIGNAL %q is no signal: want a name like SIGTERM or a number from 1 to %d", text, sigRTMax)
	}
	return unix.Signal(number), nil
}

func signalNumber(name string) (number int, ok bool) {
	if n := unix.SignalNum("SIG" + name); n != 0 {
		return int(n), true
	}
	if rest, found := strings.CutPrefix(name, "RTMIN"); found {
		offset, ok := signalOffset(rest, "+")
		return sigRTMin + offset, ok
	}
	if rest, found := strings.CutPrefix(name, "RTMAX"); found {
		offset, ok := signalOffset(rest, "-")
		return sigRTMax - offset, ok
	}
	n, err := strconv.ParseUint(name, 10, 8)
	return int(n), err == nil
}

// signalOffset reads the "+3" of RTMIN+3; nothing means 0.
func signalOffset(text, sign string) (offset int, ok bool) {
	if text == "" {
		return 0, true
	}
	digits, found := strings.CutPrefix(text, sign)
	n, err := strconv.ParseUint(digits, 10, 8)
	return int(n), found && err == nil && n <= sigRTMax-sigRTMin
}

// signalName is how messages call a signal: SIGTERM, SIGRTMIN+3.
func signalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("SIGRTMIN%+d", int(sig)-sigRTMin)
}
