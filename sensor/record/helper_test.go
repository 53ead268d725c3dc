package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// The test binary plays three parts beside the tests: the stub that becomes a
// traced program, the sensor that traces (argument "sensor"), and the traced
// program itself ("fixture", see fixture_test.go).
func TestMain(m *testing.M) {
	switch {
	case launch.IsStub(os.Args):
		launch.StubMain()
	case len(os.Args) > 2 && os.Args[1] == "sensor":
		exitOn(sensorMain(os.Args[2]))
	case len(os.Args) > 2 && os.Args[1] == "fixture":
		exitOn(runFixture(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// mode is the surroundings that a sensor runs in.
type mode string

const (
	// direct: as this test is, root with everything, in the same namespaces.
	direct mode = "direct"
	// sandbox: pid 1 of a pid namespace with Docker's default capabilities, as
	// BuildKit's default exec.
	sandbox mode = "sandbox"
	// insecure: pid 1 of a pid namespace with all capabilities and fanotify,
	// as an exec with security.insecure; the program is confined.
	insecure mode = "insecure"
)

var modes = []mode{direct, sandbox, insecure}

// job is what a sensor is to trace.
type job struct {
	Mode mode
	Spec launch.Spec
	// Args and Env are Spec's: a type whose JSON keeps all bytes.
	Args, Env []manifest.Path
	Repeat    int // start the program that often at once
	// Root is the root filesystem that the sensor runs in, which is left
	// unchanged; empty: this machine's.
	Root string
	// Setup is a shell command to run before, unrecorded. Ask is one that is
	// recorded as well: it is tried until it succeeds, once something listens on
	// Listens. Stop then ends the program.
	Setup, Listens, Ask string
	Stop                unix.Signal
	// Then has the arguments of runs of the same program that follow, each in
	// a phase of its own.
	Then [][]string
	// Obstacle is what the sensor has to do without.
	Obstacle obstacle
	// MaxNodes limits the recorder's set, if it is not 0.
	MaxNodes int
	// Outside is a command that the sensor runs at the end without the seccomp
	// recorder. Overflow makes it one that fanotify cannot keep up with.
	Outside  []string
	Overflow bool
	Calls    bool // have them recorded as well
	// Untraced runs the program without a recorder, for comparison.
	Untraced bool
}

// outcome is what it tells.
type outcome struct {
	Entries   []manifest.Entry
	Touches   []manifest.Touch
	Calls     map[Phase][]string
	Assumed   []string
	Programs  []manifest.Program
	Main      int
	Listening []manifest.Socket
	Outbound  []manifest.Socket
	Witness   []manifest.Sighting
	Warnings  []string
	Recorders []string
	Events    uint64
	Lost      uint64
	Exit      int
	Signal    int
	StartErr  string
	Remedy    string // of an UnavailableError
	NotExist  bool
	CloseErr  string
	Elapsed   time.Duration
	CPU       time.Duration // of the program and the sensor
	MaxRSS    int64         // KiB
}

// ops finds what was done to a path.
func (o outcome) ops(path string) manifest.Ops {
	for _, e := range o.Entries {
		if string(e.Path) == path {
			return e.Ops
		}
	}
	return 0
}

func sensorMain(name string) error {
	var j job
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	if err := obstruct(j.Obstacle); err != nil {
		return err
	}
	if err := surround(j, filepath.Dir(name)); err != nil {
		return fmt.Errorf("surroundings: %w", err)
	}
	out, err := trace(j)
	if err != nil {
		return err
	}
	if data, err = json.Marshal(out); err != nil {
		return err
	}
	return os.WriteFile(name+".out", data, 0o600)
}

// surround makes the sensor's process what it is in a build. dir stays where it
// is whatever the root.
func surround(j job, dir string) error {
	m := j.Mode
	if m == direct {
		return nil
	}
	if os.Getenv(sandboxed) != "" {
		return nil
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if j.Root != "" {
		if err := enterRoot(j.Root, dir); err != nil {
			return fmt.Errorf("enter %s: %w", j.Root, err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := ownDev(); err != nil {
		return err
	}
	if m == insecure {
		return nil
	}
	// Capabilities belong to the thread; after the execve all threads have them.
	runtime.LockOSThread()
	for c := uintptr(0); c < 64; c++ {
		if sandboxCaps&(1<<c) == 0 && unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) != nil {
			break
		}
	}
	return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), sandboxed+"=1"))
}

// enterRoot makes root the root directory, as an overlay whose upper layer is
// in memory, with dir in its place.
func enterRoot(root, dir string) error {
	layers := filepath.Join(dir, "layers")
	if err := os.Mkdir(layers, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", layers, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	upper, work, merged := layers+"/upper", layers+"/work", layers+"/merged"
	if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755), os.Mkdir(merged, 0o755)); err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", root, upper, work)
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return err
	}
	if err := os.MkdirAll(merged+dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(dir, merged+dir, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := unix.Chdir(merged); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	return errors.Join(unix.Unmount(".", unix.MNT_DETACH), unix.Chdir("/"), loopbackUp())
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	return errors.Join(err, unix.Close(fd))
}

// ownDev mounts a /dev with the few devices that programs expect and a folder
// of the sensor as a build step has it.
func ownDev() error {
	if err := unix.Mount("tmpfs", "/dev", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "random": 8, "urandom": 9} {
		if err := unix.Mknod("/dev/"+name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return err
		}
		if err := os.Chmod("/dev/"+name, 0o666); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"} {
		if err := os.Symlink("/proc/self/fd"+target, "/dev/"+name); err != nil {
			return err
		}
	}
	if err := errors.Join(os.MkdirAll(manifest.BinDir, 0o755), os.Mkdir("/dev/shm", 0o700), os.Chmod("/dev/shm", 0o1777)); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", manifest.BinDir, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	return os.WriteFile(manifest.BinDir+"/secret", []byte("x"), 0o644)
}

const (
	sandboxed   = "SLIMFILE_TEST_SANDBOXED"
	sandboxCaps = 0xa80425fb // what BuildKit's default exec has
)

func trace(j job) (outcome, error) {
	var out outcome
	spec := j.Spec
	spec.Args, spec.Env = convert[string](j.Args), convert[string](j.Env)
	spec.Stdout, spec.Stderr = os.Stdout, os.Stderr
	before, err := cpuTime()
	if err != nil {
		return out, err
	}
	if j.Untraced {
		if out, err = untraced(spec); err != nil {
			return out, err
		}
		after, err := cpuTime()
		out.CPU = after - before
		return out, err
	}
	if j.Setup != "" {
		if text, err := exec.Command("/bin/sh", "-ec", j.Setup).CombinedOutput(); err != nil {
			return out, fmt.Errorf("setup: %w\n%s", err, text)
		}
	}
	s, err := New(Options{Calls: j.Calls, Fanotify: j.Mode == insecure, Privileged: j.Mode == insecure, shortQueue: j.Overflow})
	if err != nil {
		return out, err
	}
	if j.MaxNodes > 0 {
		s.recorder.walker.set.limit = j.MaxNodes
	}
	begin := time.Now()
	var procs []*launch.Process
	for range max(j.Repeat, 1) {
		p, err := s.Start(spec)
		if err != nil {
			out.StartErr, out.NotExist = err.Error(), errors.Is(err, os.ErrNotExist)
			if u := (*UnavailableError)(nil); errors.As(err, &u) {
				out.Remedy = u.Remedy
			}
			break
		}
		procs = append(procs, p)
	}
	if j.Ask != "" {
		if err := errors.Join(awaitListener(j.Listens), ask(s, j.Ask, spec)); err != nil {
			return out, err
		}
	}
	for _, p := range procs {
		if j.Stop != 0 {
			if err := p.Signal(j.Stop); err != nil {
				return out, fmt.Errorf("stop the program: %w", err)
			}
		}
		select {
		case <-p.Done():
			out.Exit, out.Signal = p.ExitStatus().ExitStatus(), 0
			if p.ExitStatus().Signaled() {
				out.Signal = int(p.ExitStatus().Signal())
			}
		case <-time.After(programTime):
			return out, errors.New("program does not end")
		}
	}
	out.Elapsed = time.Since(begin)
	for i, args := range j.Then {
		s.Enter(Phase(i + 1))
		spec.Args = args
		p, err := s.Start(spec)
		if err != nil {
			return out, err
		}
		<-p.Done()
		out.Exit = max(out.Exit, p.ExitStatus().ExitStatus())
	}
	if err := runOutside(s, j); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.KillAll(ctx); err != nil {
		return out, err
	}
	res, err := s.Close()
	if err != nil {
		out.CloseErr = err.Error()
	}
	if res != nil {
		for e := range res.Entries {
			out.Entries = append(out.Entries, e)
		}
		for e := range res.Touches {
			out.Touches = append(out.Touches, e)
		}
		if len(out.Entries) != res.N || len(out.Touches) != res.N {
			return out, fmt.Errorf("%d entries, N=%d", len(out.Entries), res.N)
		}
		out.Calls, out.Assumed = res.Calls, res.AssumedCalls
		out.Programs, out.Main, out.Listening, out.Outbound = res.Programs, res.Main, res.Listening, res.Outbound
		out.Witness, out.Warnings, out.Recorders = res.Witness, res.Warnings, res.Recorders
		out.Events, out.Lost = res.Events, res.Lost
	}
	after, err := cpuTime()
	if err != nil {
		return out, err
	}
	var usage unix.Rusage
	err = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	out.MaxRSS, out.CPU = usage.Maxrss, after-before
	return out, err
}

// cpuTime is what this process and its children, as far as they are reaped, used.
func cpuTime() (time.Duration, error) {
	var sum int64
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if err := unix.Getrusage(who, &usage); err != nil {
			return 0, err
		}
		sum += usage.Utime.Nano() + usage.Stime.Nano()
	}
	return time.Duration(sum), nil
}

// programTime bounds one program.
const programTime = 2 * time.Minute

// awaitListener waits until something accepts connections on a local port.
func awaitListener(port string) error {
	if port == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for port %s: %w", port, err)
		}
	}
}

// ask tries a shell command until it succeeds, as an exec probe.
func ask(s *Session, command string, spec launch.Spec) error {
	spec.Path, spec.Args = "/bin/sh", []string{"sh", "-c", command}
	again, end := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		p, err := s.Start(spec)
		if err != nil {
			return err
		}
		select {
		case <-p.Done():
			if p.ExitStatus().ExitStatus() == 0 {
				return nil
			}
		case <-end:
			return fmt.Errorf("%q does not end", command)
		}
		select {
		case <-again.C:
		case <-end:
			return fmt.Errorf("%q does not succeed", command)
		}
	}
}

// untraced runs the program as it is.
func untraced(spec launch.Spec) (outcome, error) {
	begin := time.Now()
	cmd := exec.Cmd{Path: spec.Path, Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Stdout: os.Stdout, Stderr: os.Stderr}
	err := cmd.Run()
	return outcome{Elapsed: time.Since(begin)}, err
}

// noRaceSleep keeps the race detector from making every process last a second.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// run traces a job in a sensor process of its own.
func run(t testing.TB, j job) outcome {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "root")
	}
	if j.Spec.Dir == "" {
		j.Spec.Dir = "/"
	}
	j.Spec.Confine = j.Mode == insecure
	if j.Spec.Env == nil {
		j.Spec.Env = []string{noRaceSleep}
	}
	j.Args, j.Env = convert[manifest.Path](j.Spec.Args), convert[manifest.Path](j.Spec.Env)
	dir := t.TempDir()
	name := filepath.Join(dir, "job")
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "sensor", name)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), noRaceSleep)
	if j.Mode != direct {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	}
	if j.Root != "" {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("sensor in mode %s: %v\n%s", j.Mode, err, log.String())
	}
	var out outcome
	if data, err = os.ReadFile(name + ".out"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	if s := strings.TrimSpace(log.String()); s != "" {
		t.Logf("output of %v:\n%s", j.Spec.Args, s)
	}
	return out
}

func convert[T, F ~string](list []F) []T {
	var out []T
	for _, s := range list {
		out = append(out, T(s))
	}
	return out
}

// skip skips a test for something missing, or fails it where that must not be.
func skip(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("needs %s", what)
	}
	t.Skipf("needs %s", what)
}

// need looks a program up.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		skip(t, program)
	}
	return path
}
