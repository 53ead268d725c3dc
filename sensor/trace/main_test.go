package trace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// The test binary plays every part: the tests, the sensor as process 1 of a
// container, the stub of package launch, and the app.
func TestMain(m *testing.M) {
	if launch.IsStub(os.Args) {
		launch.StubMain()
	}
	if order := os.Getenv(sensorEnv); order != "" {
		os.Exit(sensorMain(order))
	}
	if os.Getenv(fixtureEnv) != "" {
		fixtureMain(os.Args[1:])
	}
	os.Exit(m.Run())
}

// sensorEnv holds a sensorOrder in the process that is to be the sensor.
const sensorEnv = "SLIMFILE_TEST_SENSOR"

// sensorOrder is what a test wants of the sensor.
type sensorOrder struct {
	Dirs Dirs
	Mode Mode
	// Check runs Check instead of a run.
	Check bool
	// Insecure leaves the sensor all capabilities, as security.insecure does.
	Insecure bool
	// Refuse is a system call that the kernel does not have, if it is not 0.
	Refuse uint32
	// OutputOptions, if set, are those of a tmpfs that is put on the output.
	OutputOptions string
}

// sensorMain is cmd/slimfile-sensor in a container made of namespaces. It
// leaves the exit code 3 to a container that cannot be made.
func sensorMain(text string) int {
	var order sensorOrder
	err := json.Unmarshal([]byte(text), &order)
	if err == nil && os.Getenv(containerEnv) == "" {
		err = enterContainer(order)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "container:", err)
		return 3
	}
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer cancel()
	if order.Check {
		err = Check()
	} else {
		err = Run(ctx, order.Dirs, order.Mode, os.Stdout)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	var failure *manifest.Failure
	if errors.As(err, &failure) {
		return 1
	}
	return 2
}

// containerEnv is set once the container is complete.
const containerEnv = "SLIMFILE_TEST_CONTAINER"

// enterContainer completes the namespaces that the process was started in: a
// /proc of its own, a loopback that is up, and the capabilities of a sandboxed
// step. It then executes the program anew and only returns with an error.
func enterContainer(order sensorOrder) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if order.OutputOptions != "" {
		if err := unix.Mount("tmpfs", order.Dirs.Output, "tmpfs", 0, order.OutputOptions); err != nil {
			return fmt.Errorf("mount output: %w", err)
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if !order.Insecure {
		if err := dropCapabilities(); err != nil {
			return err
		}
	}
	if order.Refuse != 0 {
		if err := refuse(order.Refuse); err != nil {
			return fmt.Errorf("refuse call %d: %w", order.Refuse, err)
		}
	}
	return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), containerEnv+"=1"))
}

// refuse makes a system call fail with ENOSYS.
func refuse(nr uint32) error {
	prog := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // struct seccomp_data: nr comes first
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	runtime.LockOSThread() // execve takes the filters of its thread
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&fprog)), 0, 0)
}

// dropCapabilities takes all but the default ones of a container from the
// bounding set, so that they are gone after the next execve.
func dropCapabilities() error {
	const sandbox = 0xa80425fb
	runtime.LockOSThread() // execve takes the capabilities of its thread
	for c := range uint(unix.CAP_LAST_CAP + 1) {
		if sandbox&(1<<c) != 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	return errors.Join(err, unix.Close(fd))
}
