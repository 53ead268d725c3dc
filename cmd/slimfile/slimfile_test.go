//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/buildkit/client"

	"github.com/org/slimfile/cmd/slimfile/internal/daemon"
)

// commandTimeout bounds one run of a program.
const commandTimeout = 10 * time.Minute

// environment is slimfile installed as by go install, an image to build on and
// a place for the private buildkitd.
type environment struct {
	bin   string            // folder of the programs
	base  string            // OCI layout of the image, tagged app
	files map[string]string // what the image holds besides /app
	data  string            // XDG_DATA_HOME
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
	if _, err := daemon.Find(io.Discard); err != nil {
		missing(t, "buildkitd and runc: "+err.Error())
	}
	e := &environment{
		bin:   t.TempDir(),
		files: map[string]string{"data/page.txt": "the page", "data/unused.txt": strings.Repeat("unused\n", 1000)},
		data:  shortDir(t),
	}
	for _, pkg := range []string{".", "../slimfile-sensor", "../slimfile-pack", "./testdata/app"} {
		cmd := command(t, "go", "build", "-o", e.bin+"/", pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", pkg, err, out)
		}
	}
	e.base = e.image(t)
	return e
}

// missing skips the test, or fails it where everything must be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

// shortDir is a folder that leaves room for the path of a socket.
func shortDir(t *testing.T) string {
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

func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// image writes the app's image as an OCI layout.
func (e *environment) image(t *testing.T) string {
	t.Helper()
	app, err := os.ReadFile(filepath.Join(e.bin, "app"))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	add := func(name string, mode int64, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add("app", 0o755, app)
	for name, text := range e.files {
		add(name, 0o644, []byte(text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
	if err != nil {
		t.Fatal(err)
	}
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, configFor(t, img))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "app"})); err != nil {
		t.Fatal(err)
	}
	return dir
}

func configFor(t *testing.T, img v1.Image) *v1.ConfigFile {
	t.Helper()
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.Architecture, cfg.OS = goEnv(t, "GOARCH"), "linux"
	cfg.Config = v1.Config{
		Entrypoint:   []string{"/app"},
		User:         "65534:65534",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
	}
	return cfg
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := command(t, "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// result is what a run of slimfile left.
type result struct {
	err            error
	stdout, stderr string
}

// slimfile is a command in a new folder that holds files.
func (e *environment) slimfile(t *testing.T, files map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, filepath.Join(e.bin, "slimfile"), args...)
	cmd.Dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(cmd.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+e.data, "BUILDKIT_HOST=", "BUILDKIT_PROGRESS=plain")
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return result{err, stdout.String(), stderr.String()}
}

// build runs slimfile build on a private buildkitd.
func (e *environment) build(t *testing.T, files map[string]string, args ...string) (dir string, r result) {
	t.Helper()
	cmd := e.slimfile(t, files, append([]string{"build", "--addr=private", "--build-context=base=oci-layout://" + e.base}, args...)...)
	return cmd.Dir, run(t, cmd)
}

func (r result) good(t *testing.T) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, r.stderr)
	}
}

// tree lists the regular files below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSlimfile(t *testing.T) {
	e := newEnvironment(t)
	// One build holds the daemon for all the others.
	cfg, err := daemon.Find(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = filepath.Join(e.data, "slimfile", "buildkitd")
	lease, err := daemon.Acquire(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lease.Release(); err != nil {
			t.Error(err)
		}
	}()
	t.Run("fat", e.testFat)
	t.Run("slim", e.testSlim)
	t.Run("lock", e.testLock)
	t.Run("image", e.testImage)
	t.Run("syntax line", e.testSyntax)
	t.Run("secret", e.testSecret)
	t.Run("tar stdin", e.testTarStdin)
	t.Run("docker archive", e.testDockerArchive)
	t.Run("errors", e.testErrors)
	t.Run("address", func(t *testing.T) { e.testAddress(t, lease.Addr()) })
	t.Run("docker", func(t *testing.T) { e.testDocker(t, lease.Addr()) })
	t.Run("no tools", e.testNoTools)
	t.Run("interrupt", e.testInterrupt)
}

func (e *environment) testFat(t *testing.T) {
	dir, r := e.build(t, map[string]string{"Dockerfile": "FROM base\nCOPY Dockerfile /copied\n"}, "--build-arg=SLIM=off", "-o=out", ".")
	r.good(t)
	want := []string{"app", "copied", "data/page.txt", "data/unused.txt"}
	if got := tree(t, filepath.Join(dir, "out")); !slices.Equal(got, want) {
		t.Errorf("the image holds %q, want %q", got, want)
	}
	_, r = e.build(t, map[string]string{"Dockerfile": "FROM base\n"}, "--build-arg=SLIM=off", ".")
	r.good(t)
	if !strings.Contains(r.stderr, "no output was asked for") {
		t.Errorf("no word about the missing output:\n%s", r.stderr)
	}
}

// slimTree is what the slim image must hold, and what it must not.
func slimTree(t *testing.T, dir string) {
	t.Helper()
	got := tree(t, dir)
	for _, name := range []string{"app", "data/page.txt"} {
		if !slices.Contains(got, name) {
			t.Errorf("the slim image lacks %s: it holds %q", name, got)
		}
	}
	if slices.Contains(got, "data/unused.txt") {
		t.Errorf("the slim image holds what nobody used: %q", got)
	}
}

func (e *environment) testSlim(t *testing.T) {
	dir, r := e.build(t, map[string]string{
		"Dockerfile": "FROM base\n# slim: probe http /page match=\"the page\"\n",
	}, "-o=out", "--metadata-file=meta.json", ".")
	r.good(t)
	slimTree(t, filepath.Join(dir, "out"))
	if !strings.Contains(r.stderr, "\nslim: kept ") {
		t.Errorf("no summary:\n%s", r.stderr)
	}
	data, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var meta map[string]any
	if err := json.Unmarshal(data, &meta); err != nil {
		t.Fatal(err)
	}
	if report, ok := meta["frontend.slim.report"].(map[string]any); !ok || len(report) == 0 {
		t.Errorf("the metadata holds no report: %s", data)
	}
}

// testLock: the lock is written where the directive says, tells what changed, and
// is what a frozen build keeps.
func (e *environment) testLock(t *testing.T) {
	const name = "conf/app.lock"
	files := map[string]string{"Dockerfile": "FROM base\nCOPY Dockerfile /kept\n# slim: lock " + name + "\n# slim: probe http /page\n"}
	dir := ""
	lock := func(status int, stdout string, args ...string) {
		t.Helper()
		cmd := e.slimfile(t, files, append([]string{"lock", "--addr=private", "--build-context=base=oci-layout://" + e.base}, args...)...)
		if dir == "" {
			if dir = cmd.Dir; os.Mkdir(filepath.Join(dir, "conf"), 0o755) != nil {
				t.Fatal("no folder for the lock")
			}
		}
		cmd.Dir = dir
		r := run(t, cmd)
		if got := cmd.ProcessState.ExitCode(); got != status || r.stdout != stdout {
			t.Fatalf("exit status %d, stdout %q, want %d, %q\n%s", got, r.stdout, status, stdout, r.stderr)
		}
	}
	platform := "linux/" + runtime.GOARCH
	lock(1, name+": 2 entries for "+platform+", new\n", "--check")
	lock(0, name+": 2 entries for "+platform+", new\n")
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lock(0, name+": 2 entries for "+platform+", unchanged\n", "--progress=quiet", "--check", ".")
	stale := strings.Replace(string(text), "\n/data/page.txt ", "\n/data/gone opened package=libgone\n/data/page.txt ", 1)
	stale = strings.Replace(stale, "\n/app ", "\n/app2 ", 1)
	if err := os.WriteFile(path, []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	changes := name + ": 2 entries for " + platform + ", +1 -2\n  + /app\n  - /app2\n  - /data/gone (libgone)\n"
	lock(1, changes, "--check")
	lock(0, changes)
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, text) {
		t.Errorf("%v, got %s, want %s", err, again, text)
	}
	cmd := e.slimfile(t, files, "build", "--addr=private", "--build-context=base=oci-layout://"+e.base, "--build-arg=SLIM_LOCK=frozen", "-o=out", ".")
	cmd.Dir = dir
	r := run(t, cmd)
	r.good(t)
	slimTree(t, filepath.Join(dir, "out"))
	if strings.Contains(r.stderr, "trace") || !strings.Contains(r.stderr, ", lock: frozen\n") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
	lock(1, "", "--build-arg=SLIM=off")
}

func (e *environment) testImage(t *testing.T) {
	for _, image := range []string{"base", "oci-layout://" + e.base + ":app"} {
		dir, r := e.build(t, nil, "--image="+image, "--slim=probe http /page", "-o=out")
		r.good(t)
		slimTree(t, filepath.Join(dir, "out"))
	}
}

func (e *environment) testSyntax(t *testing.T) {
	dir, r := e.build(t, map[string]string{"Dockerfile": "# syntax=org/slimfile SLIM=off\nFROM base\n"}, "-o=out", ".")
	r.good(t)
	if got := tree(t, filepath.Join(dir, "out")); !slices.Contains(got, "data/unused.txt") {
		t.Errorf("the syntax line's setting does not count: the image holds %q", got)
	}
	dir, r = e.build(t, map[string]string{"Dockerfile": "FROM base\n"}, "--build-arg=BUILDKIT_SYNTAX=org/slimfile SLIM=off", "-o=out", ".")
	r.good(t)
	if got := tree(t, filepath.Join(dir, "out")); !slices.Contains(got, "data/unused.txt") {
		t.Errorf("the setting of BUILDKIT_SYNTAX does not count: the image holds %q", got)
	}
	_, r = e.build(t, map[string]string{"Dockerfile": "# syntax=example.com/other\nFROM base\n"}, "--build-arg=SLIM=off", "-o=out", ".")
	r.good(t)
	if !strings.Contains(r.stderr, "# syntax=example.com/other is not followed") {
		t.Errorf("no warning:\n%s", r.stderr)
	}
	_, r = e.build(t, map[string]string{"Dockerfile": "# syntax=docker/dockerfile:1\nFROM base\n"}, "--build-arg=SLIM=off", "-o=out", ".")
	r.good(t)
	if strings.Contains(r.stderr, "not followed") {
		t.Errorf("a warning about Docker's own frontend:\n%s", r.stderr)
	}
}

func (e *environment) testSecret(t *testing.T) {
	_, r := e.build(t, map[string]string{
		"Dockerfile": "FROM base\nRUN --mount=type=secret,id=s,target=/data/page.txt,required=true [\"/app\", \"x\"]\n",
	}, "--build-arg=SLIM=off", "-o=out", ".")
	if r.err == nil || !strings.Contains(r.stderr, "secret s: not found") {
		t.Errorf("without the secret: %v\n%s", r.err, r.stderr)
	}
}

func (e *environment) testTarStdin(t *testing.T) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	text := "FROM base\nCOPY Dockerfile /copied\n"
	if err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := e.slimfile(t, nil, "build", "--addr=private", "--build-context=base=oci-layout://"+e.base, "--build-arg=SLIM=off", "-o=-", "-")
	cmd.Stdin = &buf
	r := run(t, cmd)
	r.good(t)
	if got := tarNames(t, strings.NewReader(r.stdout)); !slices.Contains(got, "copied") || !slices.Contains(got, "app") {
		t.Errorf("stdout holds %q", got)
	}
}

func tarNames(t *testing.T, r io.Reader) []string {
	t.Helper()
	var names []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, path.Clean(h.Name))
	}
}

func (e *environment) testDockerArchive(t *testing.T) {
	dir, r := e.build(t, map[string]string{"Dockerfile": "FROM base\n"}, "--build-arg=SLIM=off",
		"-t=one:1", "-t=two", "--label=k=v", "-o=type=docker,dest=app.tar", ".")
	r.good(t)
	for _, name := range []string{"one:1", "two"} {
		img, err := tarball.ImageFromPath(filepath.Join(dir, "app.tar"), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cfg, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Config.User != "65534:65534" || cfg.Config.Labels["k"] != "v" {
			t.Errorf("%s: the image has the configuration %+v", name, cfg.Config)
		}
	}
}

func (e *environment) testErrors(t *testing.T) {
	for _, tc := range []struct {
		name, dockerfile string
		args             []string
		want             []string
	}{
		{"directive", "FROM base\n# slim: probee http /\n", nil, []string{">>> # slim: probee http /", `did you mean "probe"`}},
		{"step", "FROM base\nRUN [\"/nope\"]\n", []string{"--build-arg=SLIM=off"}, []string{">>> RUN [\"/nope\"]", "ERROR: "}},
		{"stage", "FROM base\n", []string{"--target=nope"}, []string{`target stage "nope" could not be found`}},
		{"flag", "FROM base\n", []string{"--nope"}, []string{"unknown flag: --nope"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{"Dockerfile": tc.dockerfile, "app.tar": "before"}
			dir, r := e.build(t, files, append([]string{"-o=type=oci,dest=app.tar", "."}, tc.args...)...)
			var exit *exec.ExitError
			if !errors.As(r.err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("ended with %v, want exit status 1", r.err)
			}
			for _, want := range tc.want {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("no %q in:\n%s", want, r.stderr)
				}
			}
			if strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, ".go:") {
				t.Errorf("a stack trace:\n%s", r.stderr)
			}
			if data, err := os.ReadFile(filepath.Join(dir, "app.tar")); err != nil || string(data) != "before" {
				t.Errorf("the failed build left %q, %v", data, err)
			}
		})
	}
}

// testAddress builds on a BuildKit that somebody else runs.
func (e *environment) testAddress(t *testing.T, addr string) {
	for _, how := range []string{"flag", "environment"} {
		cmd := e.slimfile(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, "build", "--build-arg=SLIM=off", "-o=out", ".")
		if how == "flag" {
			cmd.Args = append(cmd.Args, "--addr="+addr)
		} else {
			cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
		}
		cmd.Env = append(cmd.Env, "XDG_DATA_HOME=/nonexistent")
		run(t, cmd).good(t)
	}
	cmd := e.slimfile(t, map[string]string{"Dockerfile": "FROM scratch\n"}, "build", "--addr=unix:///nonexistent.sock", ".")
	if r := run(t, cmd); r.err == nil || !strings.Contains(r.stderr, "connect to BuildKit at unix:///nonexistent.sock") {
		t.Errorf("nobody there: %v\n%s", r.err, r.stderr)
	}
}

// testDocker builds through a Docker API in front of a real BuildKit. What is
// not real is the store of images, so that the result goes to a folder.
func (e *environment) testDocker(t *testing.T, addr string) {
	c, err := client.New(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	socket := filepath.Join(shortDir(t), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: dockerAPI(t.Context(), c, addr), ReadHeaderTimeout: time.Minute}}
	server.Start()
	defer server.Close()
	docker := func(env string, args ...string) result {
		cmd := e.slimfile(t, map[string]string{"Dockerfile": "FROM base\n# slim: probe http /page\n"},
			append([]string{"build", "--build-context=base=oci-layout://" + e.base, "."}, args...)...)
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+env, "XDG_DATA_HOME=/nonexistent")
		r := run(t, cmd)
		if r.err == nil {
			slimTree(t, filepath.Join(cmd.Dir, "out"))
		}
		return r
	}
	docker("unix://"+socket, "-o=out").good(t)
	docker("unix://"+socket, "-o=out", "--addr=docker").good(t)
	if r := docker("unix://"+socket, "-t=app"); !strings.Contains(r.stderr, `exporter "moby" could not be found`) {
		t.Errorf("without output the image does not go to the Docker daemon: %v\n%s", r.err, r.stderr)
	}
	if r := docker("unix:///nonexistent.sock"); r.err == nil || !strings.Contains(r.stderr, "DOCKER_HOST names") {
		t.Errorf("no Docker daemon: %v\n%s", r.err, r.stderr)
	}
}

// dockerAPI is the part of the Docker API that leads to its BuildKit.
func dockerAPI(ctx context.Context, c *client.Client, addr string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_ping", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /grpc", func(w http.ResponseWriter, r *http.Request) {
		join(w, r, func() (net.Conn, error) { return net.Dial("unix", strings.TrimPrefix(addr, "unix://")) })
	})
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		session := maps.Clone(r.Header)
		maps.DeleteFunc(session, func(name string, _ []string) bool { return !strings.HasPrefix(name, "X-Docker-Expose-Session-") })
		join(w, r, func() (net.Conn, error) { return c.Dialer()(ctx, r.Header.Get("Upgrade"), session) })
	})
	return mux
}

// join upgrades a request and connects it with what dial opens.
func join(w http.ResponseWriter, r *http.Request, dial func() (net.Conn, error)) {
	other, err := dial()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer other.Close()
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n"); err != nil {
		return
	}
	// Either side may end; how it ends is for those who talk.
	ended := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go pass(other, rw)
	go pass(conn, other)
	<-ended
}

// testNoTools is slimfile alone, without the programs of the steps.
func (e *environment) testNoTools(t *testing.T) {
	alone := *e
	alone.bin = t.TempDir()
	if err := os.Link(filepath.Join(e.bin, "slimfile"), filepath.Join(alone.bin, "slimfile")); err != nil {
		t.Fatal(err)
	}
	_, r := alone.build(t, map[string]string{"Dockerfile": "FROM base\n"}, "-o=out", ".")
	if r.err == nil || !strings.Contains(r.stderr, "not installed with slimfile") {
		t.Errorf("ended with %v:\n%s", r.err, r.stderr)
	}
	_, r = alone.build(t, map[string]string{"Dockerfile": "FROM base\n"}, "--build-arg=SLIM=off", "-o=out", ".")
	r.good(t)
}

// testInterrupt checks that an interrupted build ends its daemon.
func (e *environment) testInterrupt(t *testing.T) {
	alone := *e
	alone.data = shortDir(t)
	cmd := alone.slimfile(t, map[string]string{"Dockerfile": "FROM base\nRUN [\"/app\"]\n"},
		"build", "--addr=private", "--build-context=base=oci-layout://"+e.base, "--build-arg=SLIM=off", "-o=out", ".")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	interrupted := false
	for buf := make([]byte, 4096); ; {
		n, err := stderr.Read(buf)
		seen.Write(buf[:n])
		if !interrupted && strings.Contains(seen.String(), `RUN ["/app"]`) {
			interrupted = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err == nil || !interrupted {
		t.Errorf("ended with %v:\n%s", err, seen.String())
	}
	if sockets := listeners(t, alone.data); len(sockets) > 0 {
		t.Errorf("still served: %q", sockets)
	}
}

// listeners are the unix sockets below dir that a process listens on.
func listeners(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if name := fields[len(fields)-1]; strings.HasPrefix(name, dir) {
			found = append(found, name)
		}
	}
	return found
}
