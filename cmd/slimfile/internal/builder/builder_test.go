package builder

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestBuildxAddr(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BUILDX_CONFIG", dir)
	if err := os.Mkdir(filepath.Join(dir, "instances"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"instances/box":    `{"Name":"box","Driver":"docker-container","Nodes":[{"Name":"box0","Endpoint":"unix:///var/run/docker.sock"}]}`,
		"instances/far":    `{"Name":"far","Driver":"remote","Nodes":[{"Name":"far0","Endpoint":"tcp://far:1234"}],"Extra":1}`,
		"instances/tls":    `{"Name":"tls","Driver":"remote","Nodes":[{"Name":"t","Endpoint":"tcp://far:1234","DriverOpts":{"cacert":"x"}}]}`,
		"instances/k8s":    `{"Name":"k8s","Driver":"kubernetes","Nodes":[{"Name":"k"}]}`,
		"instances/local":  `{"Name":"local","Driver":"docker","Nodes":[{"Name":"l"}]}`,
		"instances/empty":  `{"Name":"empty","Driver":"remote"}`,
		"instances/broken": `{`,
		"secret":           `{"Driver":"remote","Nodes":[{"Endpoint":"tcp://stolen"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ name, want, err string }{
		{name: "box", want: "docker-container://buildx_buildkit_box0"},
		{name: "Far", want: "tcp://far:1234"},
		{name: "local", want: AddrDocker},
		{name: "default", want: AddrDocker},
		{name: "tls", err: "driver options"},
		{name: "k8s", err: "--addr"},
		{name: "empty", err: "has no node"},
		{name: "broken", err: "unexpected EOF"},
		{name: "none", err: "docker buildx ls"},
		{name: "../secret", err: "path escapes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := buildxAddr(tc.name)
			if tc.err == "" && (err != nil || got != tc.want) {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
			if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want one with %q", err, tc.err)
			}
		})
	}
	t.Setenv("BUILDX_CONFIG", t.TempDir())
	if _, err := buildxAddr("box"); err == nil || !strings.Contains(err.Error(), "docker buildx create") {
		t.Errorf("no builders at all: error %v", err)
	}
}

func TestAddr(t *testing.T) {
	t.Setenv("BUILDX_CONFIG", t.TempDir())
	for _, tc := range []struct {
		name      string
		o         Options
		env, want string
		fails     bool
	}{
		{name: "flag over environment", o: Options{Addr: "tcp://a"}, env: "tcp://b", want: "tcp://a"},
		{name: "builder over environment", o: Options{Name: "default"}, env: "tcp://b", want: AddrDocker},
		{name: "environment", env: "tcp://b", want: "tcp://b"},
		{name: "nothing"},
		{name: "both flags", o: Options{Addr: "tcp://a", Name: "default"}, fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("BUILDKIT_HOST", tc.env)
			if got, err := tc.o.addr(); got != tc.want || (err != nil) != tc.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// fakeDocker serves the Docker API on a socket that DOCKER_HOST names.
func fakeDocker(t *testing.T, handler http.HandlerFunc) host {
	t.Helper()
	dir, err := os.MkdirTemp("", "sf") // short: a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	l, err := net.Listen("unix", filepath.Join(dir, "d.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "d.sock"))
	h, err := dockerHost()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHijack(t *testing.T) {
	h := fakeDocker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/session" || r.Header.Get("Upgrade") != "h2c" || r.Header.Get("X-Docker-Expose") != "a" {
			http.Error(w, "unexpected request", http.StatusBadRequest)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		// The first words of the new protocol come in the answer's packet.
		if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello\n"); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(conn, rw); err != nil {
			t.Error(err)
		}
	})
	conn, err := h.hijack(testContext(t), "/session", "h2c", map[string][]string{"x-docker-expose": {"a"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	br := bufio.NewReader(conn)
	if line, err := br.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("read %q, %v", line, err)
	}
	if _, err := io.WriteString(conn, "echo\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := br.ReadString('\n'); err != nil || line != "echo\n" {
		t.Fatalf("read %q, %v", line, err)
	}
}

func TestHijackRefused(t *testing.T) {
	h := fakeDocker(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such endpoint", http.StatusNotFound)
	})
	_, err := h.hijack(testContext(t), "/grpc", "h2c", nil)
	if err == nil || !strings.Contains(err.Error(), "404 Not Found: no such endpoint") {
		t.Errorf("error %v", err)
	}
}

func TestHijackInterrupted(t *testing.T) {
	asked := make(chan struct{})
	h := fakeDocker(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		<-asked
		cancel()
	}()
	if _, err := h.hijack(ctx, "/grpc", "h2c", nil); err == nil {
		t.Error("no error")
	}
}

func TestPing(t *testing.T) {
	h := fakeDocker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_ping" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	if err := h.ping(testContext(t)); err != nil {
		t.Error(err)
	}
	h = fakeDocker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if err := h.ping(testContext(t)); err == nil || !strings.Contains(err.Error(), "teapot") {
		t.Errorf("error %v", err)
	}
}

func TestDockerHost(t *testing.T) {
	t.Setenv("DOCKER_HOST", "ssh://far")
	if _, err := dockerHost(); err == nil || !strings.Contains(err.Error(), "--addr private") {
		t.Errorf("error %v", err)
	}
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	t.Setenv("BUILDKIT_HOST", "")
	if _, err := Connect(testContext(t), Options{Notes: io.Discard}); err == nil || !strings.Contains(err.Error(), "DOCKER_HOST names") {
		t.Errorf("a Docker daemon that does not run: error %v", err)
	}
}
