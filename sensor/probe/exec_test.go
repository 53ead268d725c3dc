package probe

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// child is a Process of os/exec.
type child struct {
	cmd  *osexec.Cmd
	done chan struct{}
}

func (c child) Done() <-chan struct{} { return c.done }

func (c child) ExitStatus() unix.WaitStatus {
	return unix.WaitStatus(c.cmd.ProcessState.Sys().(syscall.WaitStatus))
}

func (c child) Signal(sig unix.Signal) error { return unix.Kill(c.cmd.Process.Pid, sig) }

// startChild is a Starter without a recorder.
func startChild(cmd manifest.Command) (Process, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	c := child{osexec.Command(cmd.Args[0], cmd.Args[1:]...), make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = w, w
	if err := c.cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	go func() {
		_ = c.cmd.Wait() // the status says it
		close(c.done)
	}()
	return c, r, nil
}

func TestExec(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script string
		exit   int
		match  string
		got    string
		err    string
	}{
		{name: "good", script: "echo fine", match: "fine", got: "exit 0"},
		{name: "expected exit", script: "exit 3", exit: 3, got: "exit 3"},
		{name: "wrong exit", script: "echo oops >&2; exit 4", err: "exit 4, output:\noops"},
		{name: "no match", script: "echo no", match: "yes", err: "exit 0 and output that does not match, output:\nno"},
		{name: "silent", script: "exit 1", err: "exit 1, no output"},
		{name: "leaves a process behind", script: "sleep 5 &", got: "exit 0"},
		{name: "much output", script: "head -c 5000000 /dev/zero; echo end", got: "exit 0"},
		{name: "hangs", script: "echo begun; exec sleep 60", err: "still running, output:\nbegun"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prober, err := newExec(manifest.ExecProbe{
				Command: manifest.Command{Args: []string{"/bin/sh", "-c", tt.script}}, Exit: tt.exit, Match: tt.match,
			}, startChild)
			if err != nil {
				t.Fatal(err)
			}
			limit := 30 * time.Second
			if tt.name == "hangs" {
				limit = 500 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			got, err := prober.Probe(ctx)
			if tt.err == "" && (err != nil || got.Got != tt.got) {
				t.Errorf("got %q, %v, want %q", got.Got, err, tt.got)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}

func TestExit(t *testing.T) {
	for status, want := range map[unix.WaitStatus]string{
		0:      "exit 0",
		1 << 8: "exit 1",
		9:      "signal 9 (SIGKILL)",
		0x8b:   "signal 11 (SIGSEGV)", // with core
	} {
		if got := Exit(status); got != want {
			t.Errorf("Exit(%#x) = %q, want %q", int(status), got, want)
		}
	}
}
