// Package testenv gives integration tests a real BuildKit: a daemon of their
// own, base images by their usual names, the frontend image as users name it,
// and ways to look at what came out and to run it.
//
//	env := testenv.Start(t, testenv.Options{Insecure: true})
//	img := env.BuildImage(t, testenv.Build{Dockerfile: "# syntax=org/slimfile\nFROM debian:bookworm-slim\n…"})
//	app := testenv.Run(t, img.Unpack(t, ""), img.Config(t, "").Config, testenv.RunOptions{})
//	app.WaitListen(t, 8008)
//	resp, err := app.HTTPClient().Get("http://localhost:8008/")
//
// It needs root and what hack/tools.sh and hack/bases.sh make; without it tests
// are skipped, or fail where SLIMFILE_TEST_REQUIRE=1 is set. Imported by tests
// below frontend only.
package testenv

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/org/slimfile/hack/mirror"
)

// FrontendRef is the name under which the daemon finds the frontend image of
// this checkout, for "# syntax=" lines.
const FrontendRef = "org/slimfile"

// Options choose the daemon's configuration.
type Options struct {
	// Insecure lets builds that ask for it have the entitlement
	// security.insecure.
	Insecure bool
}

// Env is a running BuildKit daemon and the images that it can pull.
type Env struct {
	Client *client.Client
	// Address is the daemon's, as in BUILDKIT_HOST.
	Address string
	// Insecure is Options.Insecure.
	Insecure bool

	// images is the folder of OCI layouts that the daemon pulls from.
	images   string
	tools    toolchain
	frontend func() (libexec string, err error)
}

// Start starts a daemon that ends with the test. It takes about a second: start
// one in the top test of a package and share it among the subtests.
func Start(t testing.TB, opts Options) *Env {
	t.Helper()
	tools := findTools(t)
	dir := shortTempDir(t)
	images := filepath.Join(dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	registry := httptest.NewServer(mirror.Mirror{Folders: []string{images, tools.bases}})
	t.Cleanup(registry.Close)

	env := &Env{Insecure: opts.Insecure, images: images, tools: tools}
	env.frontend = sync.OnceValues(env.buildFrontend)
	env.Client, env.Address = startDaemon(t, tools, dir, registry.Listener.Addr().String(), opts)
	return env
}

// toolchain is where the daemon's programs and images are on this machine.
type toolchain struct {
	buildkitd, runc, buildx string
	bases                   string // folder of OCI layouts
	cache                   string
}

func findTools(t testing.TB) toolchain {
	t.Helper()
	if os.Getuid() != 0 {
		Unavailable(t, "root", "run the tests as root")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "slimfile")
	tools := toolchain{
		buildkitd: filepath.Join(cache, "tools/buildkitd"),
		runc:      filepath.Join(cache, "tools/runc"),
		buildx:    filepath.Join(cache, "tools/buildx"),
		bases:     filepath.Join(cache, "bases/current"),
		cache:     cache,
	}
	for path, script := range map[string]string{
		tools.buildkitd: "hack/tools.sh", tools.runc: "hack/tools.sh", tools.buildx: "hack/tools.sh buildx", tools.bases: "hack/bases.sh",
	} {
		if _, err := os.Stat(path); err != nil {
			Unavailable(t, path, "run "+script)
		}
	}
	return tools
}

// Unavailable skips a test that this machine cannot run, or fails it where
// SLIMFILE_TEST_REQUIRE=1 demands that all run.
func Unavailable(t testing.TB, what, remedy string) {
	t.Helper()
	msg := fmt.Sprintf("no %s on this machine: %s", what, remedy)
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatal(msg)
	}
	t.Skip(msg)
}

// shortTempDir is t.TempDir with a short name: the path of a Unix socket has at
// most 107 bytes (unix(7)).
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "slim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the daemon's folder: %v", err)
		}
	})
	return dir
}
