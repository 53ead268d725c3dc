// Package launch starts a program as a child of the sensor with exactly the
// privileges that production would give it, and with a seccomp user
// notification listener in place before its first instruction.
//
// The sensor re-executes itself as a small stub (StubMain) that installs the
// filter, hands the listener over, waits for the recorder to be armed, drops to
// the program's privileges and becomes the program. Imported by sensor/record,
// sensor/trace (for Spec and Process) and cmd/slimfile-sensor (for StubMain).
//
// # What a confined program gets
//
// With Spec.Confine the stub reproduces a sandboxed step inside an insecure
// one: the bounding set and, for root, the effective set a80425fb; no ambient
// or inheritable capabilities; a mount namespace of its own in which
// manifest.Dir is unmounted and the paths of /proc and /sys are masked or
// read-only as containerd does it; and Docker's default seccomp profile for
// both ABIs of the machine (github.com/moby/profiles/seccomp, kept current by
// go generate). All of the profile's argument conditions are covered:
// personality, namespace flags of clone, socket families; clone3 is ENOSYS,
// ptrace is allowed, calls newer than the profile are ENOSYS as with runc.
// The device cgroup of an insecure step stays, and with it the host's loop
// devices: their nodes are covered and no new ones can be made. Not covered:
// calls through the x32 ABI, which are ENOSYS instead of filtered, and an
// AppArmor profile or SELinux label.
package launch

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

//go:generate go -C ../../hack/seccompgen run . -arch amd64 -out ../../sensor/launch/docker_amd64.go
//go:generate go -C ../../hack/seccompgen run . -arch arm64 -out ../../sensor/launch/docker_arm64.go

// Spec is a program with the surroundings to start it in.
type Spec struct {
	// Path is the absolute path of the executable, already looked up.
	Path string
	// Args is the argument list, Args[0] included; Env is K=V and complete.
	Args, Env []string
	// Dir is the working directory; empty means /. As with runc it is entered
	// with the sensor's privileges, or as the program's user where those do
	// not suffice.
	Dir      string
	UID, GID uint32
	// Groups are the supplementary groups.
	Groups []uint32
	// Stdin, Stdout and Stderr are the program's only descriptors; nil means
	// /dev/null.
	Stdin, Stdout, Stderr *os.File
	// LowPorts lets a program that is not root listen on ports below 1024, as
	// Docker and containerd do by net.ipv4.ip_unprivileged_port_start=0. A build
	// step cannot set that: the program has CAP_NET_BIND_SERVICE instead.
	LowPorts bool
	// Adopts makes the program the parent of its descendants whose own parents
	// end, as process 1 of a container is.
	Adopts bool
	// Confine drops the program to the privileges of a sandboxed build step;
	// set it when the sensor itself runs as security.insecure.
	Confine bool
}

// StartError says why a program did not start. It unwraps to the errno, so
// that errors.Is(err, fs.ErrNotExist) and the like work.
type StartError struct {
	Program string // Args[0] as the user knows it
	Step    string // what failed: "exec", "chdir", "setuid", "seccomp", "mount", ...
	Detail  string // the path concerned, if any
	Err     error
}

func (e *StartError) Error() string {
	s := fmt.Sprintf("start %q: ", e.Program)
	if e.Step != StepExec {
		s += e.Step
		if e.Detail != "" {
			s += fmt.Sprintf(" %q", e.Detail)
		}
		s += ": "
	}
	return s + e.Err.Error()
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Listener is what a starting program hands to the recorder.
type Listener struct {
	// Notify is the seccomp user notification descriptor.
	Notify *os.File
	// Killable says that a notified call can only be interrupted by a fatal
	// signal (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
	Killable bool
	// NoNewPrivs says that setuid programs and file capabilities have no
	// effect, which is the price of a filter without CAP_SYS_ADMIN.
	NoNewPrivs bool
	Pid        int
	// Tid is the thread that becomes the program: until then it alone has the
	// program's mount namespace.
	Tid int
}

// Launcher starts programs and reaps them. While it exists nothing else in the
// process may start children or wait for them.
type Launcher struct {
	reaper
	sigchld chan os.Signal
	stop    sync.Once
}

// New returns a Launcher, which reaps from now on, orphans included.
func New() (*Launcher, error) {
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	l := &Launcher{
		reaper:  reaper{procs: map[int]*Process{}},
		sigchld: make(chan os.Signal, 1),
	}
	signal.Notify(l.sigchld, unix.SIGCHLD)
	go func() {
		for range l.sigchld {
			l.reap()
		}
	}()
	return l, nil
}

// Close ends the reaping. Processes that still run are nobody's then.
func (l *Launcher) Close() {
	l.stop.Do(func() {
		signal.Stop(l.sigchld)
		close(l.sigchld)
	})
}

// handshakeTimeout bounds each message of the stub, which only makes system
// calls between two of them.
const handshakeTimeout = 30 * time.Second

// Start starts a program under the seccomp filter prog. Between the filter's
// installation and the program's first instruction it calls arm with the
// listener, which arm then owns; from there on notified calls of the new
// process must be answered. The first execve reported is the program's own;
// what comes before it is the stub's.
func (l *Launcher) Start(spec Spec, prog []unix.SockFilter, arm func(Listener) error) (*Process, error) {
	fail := func(step string, err error) error {
		return &StartError{Program: spec.name(), Step: step, Err: err}
	}
	conn, child, err := socketpair()
	if err != nil {
		return nil, fail("socketpair", err)
	}
	defer func() { _ = conn.Close() }()
	p, err := l.fork(spec, child)
	child.Close()
	if err != nil {
		return nil, fail("fork", err)
	}
	if err := handshake(conn, spec, prog, p.pid, arm); err != nil {
		_ = p.Signal(unix.SIGKILL) // unless it ended by itself
		<-p.done
		if errors.Is(err, io.EOF) {
			return nil, fail(stepStub, &StubDiedError{p.status})
		}
		return nil, err
	}
	return p, nil
}

func (s Spec) name() string {
	if len(s.Args) > 0 {
		return s.Args[0]
	}
	return s.Path
}

func socketpair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "stub"), os.NewFile(uintptr(fds[1]), "stub")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// fork starts the stub; os/exec is no use here since it would wait for the
// child itself.
func (l *Launcher) fork(spec Spec, child *os.File) (*Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	files := make([]uintptr, 0, 4)
	for _, f := range []*os.File{spec.Stdin, spec.Stdout, spec.Stderr, child} {
		if f == nil {
			f = null
		}
		files = append(files, f.Fd())
	}
	return l.adopt(func() (int, error) {
		return syscall.ForkExec("/proc/self/exe", []string{stubName}, &syscall.ProcAttr{
			Dir: "/", Env: []string{}, Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
		})
	})
}

// handshake is the parent's half of the protocol that wire.go describes.
func handshake(conn *net.UnixConn, spec Spec, prog []unix.SockFilter, pid int, arm func(Listener) error) error {
	protocol := func(err error) error {
		return &StartError{Program: spec.name(), Step: stepStub, Err: err}
	}
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return protocol(err)
	}
	if err := json.NewEncoder(conn).Encode(newOrder(spec, prog)); err != nil {
		return protocol(err)
	}
	r, fd, err := receive(conn)
	if err != nil {
		return protocol(err)
	}
	if r.failed() {
		return r.startError(spec)
	}
	err = arm(Listener{
		Notify: os.NewFile(uintptr(fd), "seccomp-notify"), Pid: pid,
		Killable: r.Killable, NoNewPrivs: r.NoNewPrivs, Tid: r.Tid,
	})
	if err != nil {
		return protocol(err)
	}
	if _, err := conn.Write([]byte{goAhead}); err != nil {
		return protocol(err)
	}
	// The recorder may take its time with the calls of the last steps.
	line, err := bufio.NewReaderSize(conn, 4096).ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return nil // closed by a successful execve
	}
	if err != nil {
		return protocol(err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return protocol(err)
	}
	return r.startError(spec)
}
