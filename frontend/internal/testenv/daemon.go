package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"golang.org/x/sys/unix"
)

// Deadlines for the daemon; generous, for a loaded machine.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	pollInterval = 20 * time.Millisecond
)

const daemonConfig = `
[registry."docker.io"]
  mirrors = ["%[1]s"]
[registry."%[1]s"]
  http = true
`

// startDaemon runs buildkitd with its state in dir until the test ends. Its log
// is shown if the test failed.
func startDaemon(t testing.TB, tools toolchain, dir, registry string, opts Options) (*client.Client, string) {
	t.Helper()
	config := filepath.Join(dir, "buildkitd.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, daemonConfig, registry), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "buildkitd.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()

	address := "unix://" + filepath.Join(dir, "bk.sock")
	args := []string{
		"--config", config, "--root", filepath.Join(dir, "root"), "--addr", address,
		"--containerd-worker=false", "--oci-worker-gc=false",
	}
	if opts.Insecure {
		args = append(args, "--allow-insecure-entitlement", "security.insecure")
	}
	cmd := exec.Command(tools.buildkitd, args...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(tools.runc)+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = log, log
	// A test binary that is killed takes its daemon along.
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	exited, err := startLocked(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopDaemon(t, cmd, exited)
		if t.Failed() {
			data, _ := os.ReadFile(log.Name())
			t.Logf("buildkitd's log:\n%s", data)
		}
		unmountBelow(t, dir)
	})

	c, err := connect(t.Context(), address, exited)
	if err != nil {
		t.Fatalf("start buildkitd: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, address
}

// startLocked starts cmd from a thread that lives as long as cmd does: a parent
// death signal comes when the starting thread ends (PR_SET_PDEATHSIG(2const)).
// The channel is closed when cmd has ended.
func startLocked(cmd *exec.Cmd) (<-chan struct{}, error) {
	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the state is read from cmd
		}
	}()
	return exited, <-started
}

// connect waits until the daemon answers with a worker.
func connect(ctx context.Context, address string, exited <-chan struct{}) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c, err := client.New(ctx, address)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		workers, err := c.ListWorkers(ctx)
		if err == nil && len(workers) > 0 {
			return c, nil
		}
		select {
		case <-exited:
			err = fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			err = fmt.Errorf("no worker after %v: %w", startTimeout, errors.Join(ctx.Err(), err))
		case <-tick.C:
			continue
		}
		return nil, errors.Join(err, c.Close())
	}
}

func stopDaemon(t testing.TB, cmd *exec.Cmd, exited <-chan struct{}) {
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop buildkitd: %v", err)
	}
	select {
	case <-exited:
		return
	case <-time.After(stopTimeout):
		t.Errorf("buildkitd did not end within %v", stopTimeout)
	}
	if err := cmd.Process.Kill(); err == nil {
		<-exited
	}
}

// unmountBelow detaches what is still mounted below dir, and reports it: a leak
// would keep the folder from being removed.
func unmountBelow(t testing.TB, dir string) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// The fifth field is the mount point (proc_pid_mountinfo(5)).
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.HasPrefix(fields[4], dir+"/") {
			continue
		}
		t.Errorf("still mounted after the daemon ended: %s", fields[4])
		if err := unix.Unmount(fields[4], unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", fields[4], err)
		}
	}
}
