package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/hack/container"
)

// readyTimeout bounds how long a container may take to listen or to end.
const readyTimeout = 60 * time.Second

// RunOptions differ from how the image says that it runs.
type RunOptions = container.Options

// Container runs an image's root as Docker would: the image's user with its
// supplementary groups, Docker's capabilities and seccomp profile, and a network
// of its own with loopback only.
type Container struct {
	id     string
	runc   []string
	cmd    *exec.Cmd
	pid    int
	output *buffer
	exited <-chan struct{}
}

// Run starts a container in root, which the container may write to. It is
// removed when the test ends; its output is shown if the test failed.
func Run(t testing.TB, root string, config ocispecs.ImageConfig, opts RunOptions) *Container {
	t.Helper()
	tools := findTools(t)
	id := "slimfile-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	spec, err := container.Spec(id, root, config, opts)
	if err != nil {
		t.Fatalf("container for %s: %v", root, err)
	}
	bundle := t.TempDir()
	data, err := json.Marshal(spec)
	if err == nil {
		err = os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &Container{
		id:     id,
		runc:   []string{tools.runc, "--root", filepath.Join(bundle, "runc")},
		output: new(buffer),
	}
	pidFile := filepath.Join(bundle, "pid")
	c.cmd = exec.Command(c.runc[0], append(c.runc[1:], "run", "--bundle", bundle, "--pid-file", pidFile, c.id)...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	if c.exited, err = startLocked(c.cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.remove(t)
		if t.Failed() {
			t.Logf("the container's output:\n%s", c.Output())
		}
	})
	c.await(t, "the container's process", func(context.Context) error {
		data, err := os.ReadFile(pidFile)
		if err != nil {
			return err
		}
		c.pid, err = strconv.Atoi(string(data))
		return err
	})
	return c
}

// Output is what the container wrote so far to standard output and error.
func (c *Container) Output() string { return c.output.String() }

// Wait returns the exit code, 128+N after signal N.
func (c *Container) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-c.exited:
	case <-time.After(readyTimeout):
		t.Fatalf("the container still runs after %v", readyTimeout)
	}
	return c.cmd.ProcessState.ExitCode()
}

// Peak is the most resident memory in bytes that the container's first process
// has had. It must still run.
func (c *Container) Peak() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	_, err = fmt.Sscan(rest, &kib)
	return kib << 10, err
}

// Exited is closed when the container has ended.
func (c *Container) Exited() <-chan struct{} { return c.exited }

// Signal sends a signal to the container's first process.
func (c *Container) Signal(t testing.TB, sig unix.Signal) {
	t.Helper()
	if out, err := exec.Command(c.runc[0], append(c.runc[1:], "kill", c.id, strconv.Itoa(int(sig)))...).CombinedOutput(); err != nil {
		t.Fatalf("signal the container: %v\n%s", err, out)
	}
}

// WaitListen waits until a TCP port of the container's loopback accepts.
func (c *Container) WaitListen(t testing.TB, port int) {
	t.Helper()
	c.await(t, fmt.Sprintf("port %d", port), func(ctx context.Context) error {
		conn, err := c.Dial(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// HTTPClient sends all requests to the container's loopback, whatever host the
// URL names.
func (c *Container) HTTPClient() *http.Client {
	return &http.Client{
		Timeout: readyTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return c.Dial(ctx, network, net.JoinHostPort("127.0.0.1", port))
			},
		},
	}
}

// Dial connects from inside the container's network. The host must be an IP
// address: the socket has to be made by the calling thread.
func (c *Container) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// Never unlocked: the thread has changed its network namespace and ends
		// with the goroutine.
		runtime.LockOSThread()
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", c.pid))
		if err != nil {
			done <- result{err: err}
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("enter the container's network: %w", err)}
			return
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// await polls ready until it returns nil; the container's end is a failure.
func (c *Container) await(t testing.TB, what string, ready func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-c.exited:
			if err = ready(ctx); err == nil {
				return
			}
			t.Fatalf("wait for %s: the container ended with %s: %v", what, c.cmd.ProcessState, err)
		case <-ctx.Done():
			t.Fatalf("wait for %s: %v", what, errors.Join(ctx.Err(), err))
		}
	}
}

func (c *Container) remove(t testing.TB) {
	out, err := exec.Command(c.runc[0], append(c.runc[1:], "delete", "--force", c.id)...).CombinedOutput()
	if err != nil {
		t.Errorf("remove the container: %v\n%s", err, out)
	}
	select {
	case <-c.exited:
	case <-time.After(stopTimeout):
		t.Errorf("the container's runtime still runs after %v", stopTimeout)
	}
}

// buffer collects output; it may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
