package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"
	"golang.org/x/sys/unix"
)

const (
	startTimeout = time.Minute      // opening a large cache takes seconds
	stopTimeout  = 30 * time.Second // a daemon ends its running steps first
	killTimeout  = 10 * time.Second
	pollEvery    = 50 * time.Millisecond
	// maxSocketPath is what fits into sun_path with its final zero (unix(7)).
	maxSocketPath = 107
	maxLogTail    = 40 // lines of the daemon's log that a message shows
)

// Lease is one build's use of the daemon.
type Lease struct {
	cfg   Config
	users *lock
}

// Acquire starts the daemon, or joins the one that another build has started.
// The caller must Release the lease.
func Acquire(ctx context.Context, cfg Config) (*Lease, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: it needs root, and you are not: run as root, or start a rootless one "+
			"(https://github.com/moby/buildkit/blob/master/docs/rootless.md) and give its address with --addr", ErrUnavailable)
	}
	l := &Lease{cfg: cfg}
	if len(l.socket()) > maxSocketPath {
		return nil, fmt.Errorf("%w: the socket's path %s is longer than %d bytes: set XDG_DATA_HOME to a shorter folder",
			ErrUnavailable, l.socket(), maxSocketPath)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the private buildkitd's folder: %w", err)
	}
	guard, err := l.guard(ctx)
	if err != nil {
		return nil, err
	}
	defer guard.close()
	if l.users, err = openLock(l.path("users.lock")); err != nil {
		return nil, err
	}
	if err := l.join(ctx); err != nil {
		l.users.close()
		return nil, err
	}
	return l, nil
}

// Addr is the daemon's address as BuildKit's clients take it.
func (l *Lease) Addr() string { return "unix://" + l.socket() }

// Release ends the daemon unless another build uses it. It needs no context:
// it also runs after an interrupt, and all its waits are bounded.
func (l *Lease) Release() error {
	defer l.users.close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout+stopTimeout)
	defer cancel()
	guard, err := l.guard(ctx)
	if err != nil {
		return err
	}
	defer guard.close()
	last, err := l.users.tryExclusive()
	if err != nil || !last {
		return err
	}
	return l.stop()
}

func (l *Lease) path(name string) string { return filepath.Join(l.cfg.Dir, name) }
func (l *Lease) socket() string          { return l.path("buildkitd.sock") }

// guard keeps others from starting or ending the daemon meanwhile.
func (l *Lease) guard(ctx context.Context) (*lock, error) {
	guard, err := openLock(l.path("start.lock"))
	if err != nil {
		return nil, err
	}
	told := false
	err = poll(ctx, func() (bool, error) {
		ok, err := guard.tryExclusive()
		if !ok && !told {
			told = true
			fmt.Fprintln(l.cfg.Notes, "waiting for another build that starts or ends the private buildkitd")
		}
		return ok, err
	})
	if err != nil {
		guard.close()
		return nil, fmt.Errorf("wait for %s: %w", guard.file.Name(), err)
	}
	return guard, nil
}

// join makes this build a user of a daemon that runs. The guard is held.
func (l *Lease) join(ctx context.Context) error {
	if ok, err := l.users.tryShared(); err != nil || !ok {
		return errors.Join(errors.New("mark the private buildkitd as used"), err)
	}
	if l.answers(ctx) {
		return nil
	}
	return l.start(ctx)
}

// answers tells whether a daemon serves the socket.
func (l *Lease) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := client.New(ctx, l.Addr())
	if err != nil {
		return false
	}
	_, err = c.ListWorkers(ctx)
	return errors.Join(err, c.Close()) == nil
}

// start runs a daemon and waits until it serves.
func (l *Lease) start(ctx context.Context) error {
	fmt.Fprintln(l.cfg.Notes, "starting a private buildkitd in", l.cfg.Dir)
	log, err := os.OpenFile(l.path("buildkitd.log"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the private buildkitd's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(l.cfg.Buildkitd, l.args()...)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: an interrupt or a hangup of the terminal is for
	// the builds, which end the daemon when the last of them is done.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the private buildkitd: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it did not answer within %s", startTimeout))
	defer cancel()
	err = poll(ctx, func() (bool, error) {
		select {
		case err := <-ended:
			return false, fmt.Errorf("it ended: %w", errors.Join(err, errors.New(cmd.ProcessState.String())))
		default:
			return l.answers(ctx), nil
		}
	})
	if err == nil {
		return nil
	}
	if killErr := cmd.Process.Kill(); killErr != nil && !errors.Is(killErr, os.ErrProcessDone) {
		err = errors.Join(err, killErr)
	}
	return fmt.Errorf("start the private buildkitd: %w\n%s", err, tail(log))
}

func (l *Lease) args() []string {
	args := []string{
		"--root", l.path("root"),
		"--addr", l.Addr(),
		"--otel-socket-path", l.path("otel.sock"),
		"--oci-worker=true",
		"--containerd-worker=false",
		"--oci-worker-binary", l.cfg.Runc,
		// The daemon is the user's own: each build's --allow decides.
		"--allow-insecure-entitlement", "security.insecure",
		"--allow-insecure-entitlement", "network.host",
	}
	if l.cfg.Settings != "" {
		args = append([]string{"--config", l.cfg.Settings}, args...)
	}
	return args
}

// stop ends the daemon that serves the socket, whoever started it. The guard
// is held and nobody uses the daemon.
func (l *Lease) stop() (err error) {
	proc, err := socketOwner(l.socket())
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the private buildkitd's process: %w", err)
	}
	defer func() { err = errors.Join(err, proc.close()) }()
	for _, try := range []struct {
		signal  unix.Signal
		timeout time.Duration
	}{{unix.SIGTERM, stopTimeout}, {unix.SIGKILL, killTimeout}} {
		ended, err := proc.end(try.signal, try.timeout)
		if err != nil {
			return fmt.Errorf("end the private buildkitd: %w", err)
		}
		if ended {
			return nil
		}
	}
	return fmt.Errorf("the private buildkitd does not end, see %s", l.path("buildkitd.log"))
}

// poll tries until cond holds or fails, or ctx is done.
func poll(ctx context.Context, cond func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := cond(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// tail reads the last lines of the daemon's log.
func tail(log *os.File) string {
	const window = 64 << 10
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	data, err := io.ReadAll(io.NewSectionReader(log, max(0, size-window), window))
	if err != nil || len(data) == 0 {
		return "it logged nothing"
	}
	lines := strings.Split(string(bytes.TrimSpace(data)), "\n")
	lines = lines[max(0, len(lines)-maxLogTail):]
	return "the end of its log, " + log.Name() + ":\n" + strings.Join(lines, "\n")
}
