// Package launch starts a program as a child of the sensor with exactly the
// privileges that production would give it, and with a seccomp user
// notification listener in place before its first instruction.
//
// The sensor re-executes itself as a small stub (StubMain) that installs the
// filter, hands the listener over, waits for the recorder to be armed, drops to
// the program's privileges and becomes the program. Imported by sensor/record,
// sensor/trace (for Spec and Process) and cmd/slimfile-sensor (for StubMain).
package launch

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Spec is a program with the surroundings to start it in.
type Spec struct {
	// Path is the absolute path of the executable, already looked up.
	Path string
	// Args is the argument list, Args[0] included; Env is K=V and complete.
	Args, Env []string
	// Dir is the working directory, entered as the program's user.
	Dir      string
	UID, GID uint32
	// Groups are the supplementary groups.
	Groups []uint32
	// Stdin, Stdout and Stderr are the program's only descriptors; nil means
	// /dev/null.
	Stdin, Stdout, Stderr *os.File
	// Confine drops the program to the privileges of a sandboxed build step;
	// set it when the sensor itself runs as security.insecure.
	Confine bool
}

// Process is a started program.
type Process struct {
	pid    int
	done   chan struct{}
	status unix.WaitStatus // valid once done is closed
}

// Pid is the process id in the sensor's pid namespace.
func (p *Process) Pid() int { return p.pid }

// Done is closed when the program has exited and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitStatus is how the program ended; valid once Done is closed.
func (p *Process) ExitStatus() unix.WaitStatus { return p.status }

// StartError says why a program did not start. It unwraps to the errno, so
// that errors.Is(err, fs.ErrNotExist) and the like work.
type StartError struct {
	Program string // Args[0] as the user knows it
	Step    string // what failed: "exec", "chdir", "setuid", "confine", ...
	Detail  string // the path concerned, if any
	Err     error
}

func (e *StartError) Error() string {
	s := fmt.Sprintf("start %q: ", e.Program)
	if e.Step != "exec" {
		s += e.Step + " "
		if e.Detail != "" {
			s += fmt.Sprintf("%q: ", e.Detail)
		}
	}
	return s + e.Err.Error()
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Signal sends sig to the program (not to its children).
func (p *Process) Signal(sig unix.Signal) error {
	return unix.Kill(p.pid, sig)
}
