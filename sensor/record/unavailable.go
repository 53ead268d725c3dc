package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
)

// The recorders, as Result.Recorders has them.
const (
	Seccomp  = "seccomp"
	Fanotify = "fanotify"
)

// UnavailableError says that a recorder cannot work in this build step,
// whatever the program.
type UnavailableError struct {
	Recorder string // Seccomp or Fanotify
	Cause    string
	Remedy   string // what the user can change; may be empty
	Err      error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the %s recorder cannot work here: %s: %v", e.Recorder, e.Cause, e.Err)
}

// Unwrap gives the kernel's answer.
func (e *UnavailableError) Unwrap() error { return e.Err }

// seccompSteps are the stub's steps that fail when the kernel or the step's own
// seccomp profile lacks what the recorder needs.
var seccompSteps = map[string]bool{launch.StepFilter: true, launch.StepNoNewPrivs: true, launch.StepCloseRange: true}

// explainStart makes an UnavailableError of a start that failed because of the
// recorder and not of the program.
//
// EBUSY is a listener that an outer supervisor has (seccomp(2)): a filter chain
// can have one only. There is no going round it by ptrace(2): of all filters'
// results USER_NOTIF comes before TRACE (include/uapi/linux/seccomp.h), so that
// just the calls which the outer supervisor answers would go unseen.
func explainStart(err error) error {
	var own *UnavailableError
	if errors.As(err, &own) {
		return own
	}
	var died *launch.StubDiedError
	if errors.As(err, &died) {
		return &UnavailableError{
			Recorder: Seccomp, Cause: "the process that is to become the program died before it could report", Err: died,
			Remedy: "look for what kills processes in BuildKit's own container: a seccomp profile whose action is to kill, a limit of memory or processes",
		}
	}
	var start *launch.StartError
	if !errors.As(err, &start) || !seccompSteps[start.Step] {
		return err
	}
	e := &UnavailableError{Recorder: Seccomp, Err: start.Err}
	switch {
	case errors.Is(err, unix.EBUSY):
		e.Cause = "another supervisor has a seccomp listener on this build step already"
		e.Remedy = "run BuildKit where no outer container engine intercepts system calls: for LXD and Incus, unset security.syscalls.intercept.* of its container"
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		e.Cause = "the kernel has no seccomp user notification"
		e.Remedy = "run BuildKit on Linux 5.9 or newer with CONFIG_SECCOMP_FILTER, natively: neither under gVisor nor under user mode emulation"
	default:
		e.Cause = "the build step may not install a seccomp filter"
		e.Remedy = "let the seccomp profile of BuildKit's own container allow seccomp(2), as Docker's default profile does"
	}
	return e
}

// checkReadable asks whether a process with our own ids can be read, by reading
// where there is no memory: permission is checked first (process_vm_readv(2)).
func checkReadable(pid int) error {
	var buf [1]byte
	_, err := readMemory(pid, 0, buf[:])
	if err == nil || errors.Is(err, errFault) || errors.Is(err, errGone) {
		return nil
	}
	e := &UnavailableError{
		Recorder: Seccomp, Err: fmt.Errorf("process_vm_readv: %w", err),
		Cause:  "the build step may not read the memory of its own processes",
		Remedy: "let the security profile (seccomp, AppArmor, SELinux) of BuildKit's own container allow process_vm_readv(2) and ptrace(2), as Docker's default profile does",
	}
	// Documentation/admin-guide/LSM/Yama.rst. With 1, descendants may be read.
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	switch string(bytes.TrimSpace(scope)) {
	case "2":
		e.Remedy = "set sysctl kernel.yama.ptrace_scope=1 on the machine that runs BuildKit (it is 2), or build with `--allow security.insecure`"
	case "3":
		e.Remedy = "set sysctl kernel.yama.ptrace_scope=1 on the machine that runs BuildKit (it is 3, which lasts until the machine restarts)"
	}
	return e
}
