package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sys/unix"
)

// buildTimeout bounds one build, and the compilation of the frontend's programs.
const buildTimeout = 10 * time.Minute

// toolsLocal is frontend.ToolsLocal; importing it would keep frontend's own
// tests from using this package.
const toolsLocal = "slimfile-tools"

// buildFrontend makes the frontend image with the checkout's Dockerfile, its
// programs compiled on this machine instead of in a container: the Go build
// cache makes that quick. It returns the folder of the steps' programs, which
// in-process builds need.
func (e *Env) buildFrontend() (libexec string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	programs := filepath.Join(filepath.Dir(e.images), "programs")
	if err := compile(ctx, root, e.tools.cache, programs); err != nil {
		return "", fmt.Errorf("compile the frontend: %w", err)
	}
	locals := make(map[string]fsutil.FS)
	for name, dir := range map[string]string{"dockerfile": root, "context": root, "programs": programs} {
		if locals[name], err = fsutil.NewFS(dir); err != nil {
			return "", err
		}
	}
	res, err := e.solve(ctx, nil, client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{"context:programs": "local:programs"},
		LocalMounts:   locals,
		Exports:       []client.ExportEntry{ociLayout(filepath.Join(e.images, "frontend"), FrontendRef)},
	})
	if err != nil {
		return "", fmt.Errorf("build the frontend image: %w\n%s", err, res.Log)
	}
	return filepath.Join(programs, "libexec"), nil
}

// Sensor compiles slimfile-sensor for this machine and returns its folder.
func Sensor(t testing.TB) string {
	t.Helper()
	tools := findTools(t)
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	if err := compile(t.Context(), root, tools.cache, programs); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programs, "libexec", "linux-"+runtime.GOARCH)
}

// compile builds what the Dockerfile's stage "programs" holds, into out. The
// links are made in a cache folder, where a second test package finds them up to
// date, and copied under a lock.
func compile(ctx context.Context, root, cache, out string) error {
	built := filepath.Join(cache, "programs")
	if err := os.MkdirAll(built, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(built+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", built, err)
	}
	for _, b := range []struct{ arch, dir, program string }{
		{runtime.GOARCH, "linux-" + runtime.GOARCH, "slimfile-frontend"},
		{"amd64", "libexec/linux-amd64", "slimfile-sensor"},
		{"amd64", "libexec/linux-amd64", "slimfile-pack"},
		{"arm64", "libexec/linux-arm64", "slimfile-sensor"},
		{"arm64", "libexec/linux-arm64", "slimfile-pack"},
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
			"-o", filepath.Join(built, b.dir, b.program), "./cmd/"+b.program)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.arch)
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s for %s: %w\n%s", b.program, b.arch, err, output)
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	return os.CopyFS(out, os.DirFS(built))
}

// moduleRoot is the checkout that the test runs in.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
