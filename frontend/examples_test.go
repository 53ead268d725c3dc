package frontend_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/frontend/internal/testenv"
)

// example is one folder of examples/.
type example struct {
	name string
	port int
	// use talks to the running slim image, also in ways that no probe did.
	use func(*testing.T, *testenv.Container)
	// gone are files of the fat image that the slim one has no use for.
	gone []string
	// maxBytes bounds the slim image's files; 0: by nothing.
	maxBytes int64
	// stopped is the exit code after STOPSIGNAL.
	stopped  int
	contexts func(*testing.T) map[string]string
}

var examples = []example{
	{
		name: "flask", port: 8008, use: useFlask, maxBytes: 27_000_000,
		gone: []string{"usr/bin/apt-get", "usr/bin/bash", "usr/bin/perl", "usr/local/bin/pip"},
	},
	{
		name: "express", port: 3000, use: useExpress, contexts: nodeModules,
		gone: []string{"usr/bin/apt-get", "usr/bin/npm", "usr/bin/perl"},
	},
	{
		name: "go", port: 8080, use: useGo, gone: []string{"usr/bin/apt-get", "bin/sh", "usr/bin/perl"},
	},
	{
		name: "nginx", port: 8443, use: useNginx, gone: []string{"usr/bin/apt-get", "usr/bin/openssl", "usr/bin/perl"},
	},
	{
		name: "redis", port: 6379, use: useRedis, gone: []string{"usr/bin/apt-get", "usr/bin/redis-benchmark", "usr/bin/perl"},
	},
}

// testExamples: every example is slimmed in each way, and works.
func testExamples(t *testing.T, s suite) {
	for _, ex := range examples {
		t.Run(ex.name, func(t *testing.T) {
			t.Parallel()
			b := testenv.Build{Context: filepath.Join("../examples", ex.name), Rules: true}
			if ex.contexts != nil {
				for name, dir := range ex.contexts(t) {
					b = namedContext(t, b, name, dir)
				}
			}
			ex.test(t, s, b)
		})
	}
	t.Run("flask is reproducible", func(t *testing.T) {
		reproducible(t, s, testenv.Build{Context: "../examples/flask"})
	})
}

func (ex example) test(t *testing.T, s suite, b testenv.Build) {
	fat := s.env.BuildImage(t, args(b, "SLIM=off"))
	fatRoot := fat.Unpack(t, "")
	for _, name := range ex.gone {
		if _, err := os.Lstat(filepath.Join(fatRoot, name)); err != nil {
			t.Errorf("the fat image should have it: %v", err)
		}
	}
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		kept := map[bool][]string{}
		for _, granted := range []bool{true, false} {
			t.Run(fmt.Sprintf("granted=%t", granted), func(t *testing.T) {
				b := attr(b, "no-cache", "slim")
				b.InProcess, b.Insecure = build, granted
				slim := s.env.BuildImage(t, b)
				checkConfig(t, fat, slim)
				sum := checkSummary(t, slim, granted)
				t.Log(slim.Metadata["frontend.result.inlinemessage"])
				if ex.maxBytes > 0 && sum.KeptBytes > ex.maxBytes {
					t.Errorf("%d bytes kept, want at most %d", sum.KeptBytes, ex.maxBytes)
				}
				kept[granted] = testenv.Paths(t, slim.Unpack(t, ""))
				ex.run(t, slim)
			})
		}
		if !slices.Equal(kept[true], kept[false]) {
			t.Errorf("kept by both recorders: %q\nby seccomp alone: %q", without(kept[true], kept[false]), without(kept[false], kept[true]))
		}
	})
}

// without are the paths of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return slices.Contains(b, p) })
}

// run starts the slim image as production would, uses it and stops it.
func (ex example) run(t *testing.T, slim *testenv.Image) {
	root, config := slim.Unpack(t, ""), slim.Config(t, "").Config
	for _, name := range ex.gone {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil {
			t.Errorf("%s is in the slim image", name)
		}
	}
	c := testenv.Run(t, root, config, testenv.RunOptions{})
	c.WaitListen(t, ex.port)
	ex.use(t, c)
	signal := unix.SIGTERM
	if config.StopSignal != "" {
		signal = unix.SignalNum(config.StopSignal)
	}
	c.Signal(t, signal)
	if code := c.Wait(t); code != ex.stopped {
		t.Errorf("exit code %d after %s, want %d", code, unix.SignalName(signal), ex.stopped)
	}
}

// request is one exchange; status and answer are what is wanted.
type request struct {
	method, url, body string
	status            int
	answer            string
}

func exchange(t *testing.T, client *http.Client, requests ...request) {
	t.Helper()
	for _, r := range requests {
		req, err := http.NewRequestWithContext(t.Context(), r.method, r.url, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if r.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s %s: %v", r.method, r.url, err)
			continue
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if err != nil || resp.StatusCode != r.status || !bytes.Contains(body, []byte(r.answer)) {
			t.Errorf("%s %s: %s %q, error %v, want %d with %q", r.method, r.url, resp.Status, body, err, r.status, r.answer)
		}
	}
}

func useFlask(t *testing.T, c *testenv.Container) {
	exchange(t, c.HTTPClient(),
		request{"GET", "http://localhost:8008/hello", "", 200, "Hello, world!"},
		request{"GET", "http://localhost:8008/", "", 200, `"/hello"`},
		request{"GET", "http://localhost:8008/hello?name=%C3%9Cn%C3%AF", "", 200, "Hello, Ünï!"},
		request{"GET", "http://localhost:8008/nothing", "", 404, "Not Found"},
		request{"POST", "http://localhost:8008/hello", "{}", 405, "Method Not Allowed"},
		request{"HEAD", "http://localhost:8008/", "", 200, ""},
	)
}

func useExpress(t *testing.T, c *testenv.Container) {
	exchange(t, c.HTTPClient(),
		request{"GET", "http://localhost:3000/", "", 200, "Hello from Express"},
		request{"POST", "http://localhost:3000/echo", `{"deep": {"er": [1, 2]}}`, 200, `{"deep":{"er":[1,2]}}`},
		request{"POST", "http://localhost:3000/echo", `{"broken`, 400, "Error"},
		request{"GET", "http://localhost:3000/nothing", "", 404, "Cannot GET /nothing"},
	)
}

func useGo(t *testing.T, c *testenv.Container) {
	exchange(t, c.HTTPClient(),
		request{"GET", "http://localhost:8080/time?zone=Europe/Vienna", "", 200, "in Europe/Vienna"},
		request{"GET", "http://localhost:8080/time?zone=Asia/Kathmandu", "", 200, "in Asia/Kathmandu"},
		request{"GET", "http://localhost:8080/time?zone=Moon/Base", "", 404, "unknown time zone"},
		request{"GET", "http://localhost:8080/hello/you", "", 200, "Hello, you!"},
	)
}

func useNginx(t *testing.T, c *testenv.Container) {
	secure := c.HTTPClient()
	transport := secure.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // made for the test
	transport.ForceAttemptHTTP2 = true
	exchange(t, secure,
		request{"GET", "https://localhost:8443/", "", 200, "It works"},
		request{"GET", "https://localhost:8443/about.html", "", 200, "About"},
		request{"GET", "https://localhost:8443/style.css", "", 200, "sans-serif"},
		request{"GET", "https://localhost:8443/nothing", "", 404, "404 Not Found"},
	)
	exchange(t, c.HTTPClient(), request{"GET", "http://localhost:8443/", "", 400, "plain HTTP request"})
}

func useRedis(t *testing.T, c *testenv.Container) {
	conn, err := c.Dial(t.Context(), "tcp", "127.0.0.1:6379")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, tc := range []struct{ command, answer string }{
		{"SET name slim", "+OK"},
		{"INCR counter", ":1"},
		{`EVAL "return redis.call('GET', 'name')" 0`, "$4"},
		{"", "slim"},
		{"SAVE", "+OK"},
		{"BGREWRITEAOF", "+Background append only file rewriting started"},
		{"CONFIG SET maxmemory 10mb", "+OK"},
		{"NONSENSE", "-ERR unknown command"},
	} {
		if answer := say(t, conn, answers, tc.command); !strings.HasPrefix(answer, tc.answer) {
			t.Errorf("%s: %q, want %q", tc.command, answer, tc.answer)
		}
	}
}

// say sends a command, if there is one, and reads the next line of the answer.
func say(t *testing.T, conn net.Conn, answers *bufio.Reader, command string) string {
	t.Helper()
	if command != "" {
		if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	line, err := answers.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(line)
}

// nodeModules is the Express example's stage of that name, installed outside of
// the build: builds may reach no npm registry.
func nodeModules(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../hack/modules.sh", "../examples/express")
	cmd.Stderr = new(strings.Builder)
	out, err := cmd.Output()
	if err != nil {
		testenv.Unavailable(t, fmt.Sprintf("npm module (%v: %s)", err, cmd.Stderr), "run hack/modules.sh examples/express")
	}
	return map[string]string{"modules": strings.TrimSpace(string(out))}
}
