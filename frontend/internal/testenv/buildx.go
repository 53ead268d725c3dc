package testenv

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Buildx runs the real buildx in a folder, on the environment's daemon. It
// returns what it printed and its exit code.
func (e *Env) Buildx(t testing.TB, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	if _, err := e.frontend(); err != nil { // "# syntax=" lines find its image then
		t.Fatal(err)
	}
	config := t.TempDir()
	run := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), e.tools.buildx, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
		cmd.Env = append(os.Environ(), "BUILDX_CONFIG="+config, "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatalf("buildx: %v", err)
		}
		return out.String(), errs.String(), cmd.ProcessState.ExitCode()
	}
	if _, errs, code := run("create", "--name", "test", "--driver", "remote", e.Address); code != 0 {
		t.Fatalf("buildx create: %s", errs)
	}
	return run(append([]string{"build", "--builder", "test", "--progress", "plain"}, args...)...)
}
