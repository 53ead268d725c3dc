package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testTimeout bounds a test's waits; none of them needs it on a healthy machine.
const testTimeout = 3 * time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// missing skips the test, or fails it where everything must be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

// testDir is short: a socket's path is limited.
func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// realConfig runs this machine's buildkitd.
func realConfig(t *testing.T, notes io.Writer) Config {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
	cfg, err := Find(notes)
	if err != nil {
		missing(t, "buildkitd and runc: "+err.Error())
	}
	cfg.Dir = testDir(t)
	return cfg
}

// script is a program that stands in for buildkitd.
func script(t *testing.T, text string) Config {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
	dir := testDir(t)
	path := filepath.Join(dir, "buildkitd")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Config{Dir: filepath.Join(dir, "d"), Buildkitd: path, Runc: "runc", Notes: io.Discard}
}

func acquire(t *testing.T, cfg Config) *Lease {
	t.Helper()
	l, err := Acquire(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func release(t *testing.T, l *Lease) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

// owner opens the process that serves the daemon's socket.
func owner(t *testing.T, l *Lease) *process {
	t.Helper()
	p, err := socketOwner(l.socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// ended asks without waiting.
func ended(t *testing.T, p *process) bool {
	t.Helper()
	ok, err := p.end(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestSharedByBuilds(t *testing.T) {
	var notes bytes.Buffer
	cfg := realConfig(t, &notes)
	first := acquire(t, cfg)
	proc := owner(t, first)
	second := acquire(t, cfg)
	if n := strings.Count(notes.String(), "starting"); n != 1 {
		t.Errorf("started %d times: %s", n, notes.String())
	}
	release(t, first)
	if ended(t, proc) || !second.answers(testContext(t)) {
		t.Fatal("the daemon ended while a build used it")
	}
	release(t, second)
	if !ended(t, proc) {
		t.Fatal("the daemon outlives the last build")
	}
	third := acquire(t, cfg)
	release(t, third)
	if n := strings.Count(notes.String(), "starting"); n != 2 {
		t.Errorf("started %d times: %s", n, notes.String())
	}
}

func TestKilledDaemonIsReplaced(t *testing.T) {
	cfg := realConfig(t, io.Discard)
	first := acquire(t, cfg)
	if ok, err := owner(t, first).end(unix.SIGKILL, testTimeout); !ok || err != nil {
		t.Fatalf("kill the daemon: %v, %v", ok, err)
	}
	second := acquire(t, cfg)
	proc := owner(t, second)
	release(t, first)
	if ended(t, proc) {
		t.Fatal("the daemon ended while a build used it")
	}
	release(t, second)
}

func TestKilledBuildLeavesDaemonToNext(t *testing.T) {
	cfg := realConfig(t, io.Discard)
	first := acquire(t, cfg)
	proc := owner(t, first)
	first.users.close() // as the kernel does for a killed process
	second := acquire(t, cfg)
	if ended(t, proc) {
		t.Fatal("the daemon ended by itself")
	}
	release(t, second)
	if !ended(t, proc) {
		t.Fatal("the daemon outlives the last build")
	}
}

func TestStartFails(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         []string
	}{
		{"with a log", `i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "line $i."; done; exit 3`,
			[]string{"exit status 3", "line 100.", "line 61.", "buildkitd.log"}},
		{"without", "exit 0", []string{"it ended", "logged nothing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := script(t, tc.script)
			_, err := Acquire(testContext(t), cfg)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "line 60.") {
				t.Errorf("too much of the log: %v", err)
			}
		})
	}
}

func TestStartIsInterrupted(t *testing.T) {
	cfg := script(t, `echo $$ > "$0.pid"; exec sleep 1000`)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	pidFile := cfg.Buildkitd + ".pid"
	go func() {
		defer cancel()
		_ = poll(ctx, func() (bool, error) {
			data, err := os.ReadFile(pidFile)
			return err == nil && bytes.HasSuffix(data, []byte("\n")), nil
		})
	}()
	if _, err := Acquire(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	proc := filepath.Join("/proc", strings.TrimSpace(string(pid)))
	if err := poll(testContext(t), func() (bool, error) {
		_, err := os.Stat(proc)
		return errors.Is(err, os.ErrNotExist), nil
	}); err != nil {
		t.Errorf("the program goes on: %v", err)
	}
}

func TestGuardWaits(t *testing.T) {
	cfg := script(t, "exit 1")
	var notes bytes.Buffer
	cfg.Notes = &notes
	if err := os.Mkdir(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := &Lease{cfg: cfg}
	held, err := l.guard(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := l.guard(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if !strings.Contains(notes.String(), "waiting") {
		t.Errorf("the user is told %q", notes.String())
	}
	held.close()
	again, err := l.guard(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	again.close()
}

func TestLongPath(t *testing.T) {
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
	_, err := Acquire(testContext(t), Config{Dir: "/tmp/" + strings.Repeat("x", 100)})
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "XDG_DATA_HOME") {
		t.Errorf("error %v", err)
	}
}

func TestFind(t *testing.T) {
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	for _, variable := range []string{"XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("PATH", bin)
	program := func(path string) string {
		t.Helper()
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := Find(io.Discard); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "hack/tools.sh") {
		t.Fatalf("nothing installed: error %v", err)
	}
	want := Config{
		Dir:       filepath.Join(home, ".local/share/slimfile/buildkitd"),
		Buildkitd: program(".cache/slimfile/tools/buildkitd"),
		Runc:      program(".cache/slimfile/tools/runc"),
		Notes:     io.Discard,
	}
	if got, err := Find(io.Discard); err != nil || got != want {
		t.Errorf("from the cache: got %+v, %v, want %+v", got, err, want)
	}
	want.Buildkitd, want.Runc = program("bin/buildkitd"), program("bin/buildkit-runc")
	want.Settings = program(".config/slimfile/buildkitd.toml")
	if got, err := Find(io.Discard); err != nil || got != want {
		t.Errorf("from PATH: got %+v, %v, want %+v", got, err, want)
	}
	t.Setenv("XDG_DATA_HOME", "/elsewhere")
	want.Dir = "/elsewhere/slimfile/buildkitd"
	if got, err := Find(io.Discard); err != nil || got != want {
		t.Errorf("XDG_DATA_HOME: got %+v, %v, want %+v", got, err, want)
	}
}
