package trace

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// needRoot skips a test that needs root, or fails it where nothing may be
// skipped.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "root")
	}
}

func skip(t *testing.T, need string) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("needs %s", need)
	}
	t.Skipf("needs %s", need)
}

// fixture is the app that carries out verbs.
func fixture(t *testing.T, verbs ...string) manifest.Command {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Command{Args: append([]string{program}, verbs...), Env: []string{fixtureEnv + "=1", noRaceSleep, "PATH=/usr/bin:/bin"}}
}

// noRaceSleep saves the second that a program built with the race detector
// waits at its end.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// service is a run of an app that listens on port 8008.
func service(t *testing.T, verbs ...string) manifest.Run {
	t.Helper()
	run := goodRun()
	run.App = fixture(t, verbs...)
	run.Ready = manifest.Ready{Kind: manifest.ReadyTCP, Ports: []int{8008}, TimeoutSeconds: 30}
	return run
}

// tool is a run of an app that does something and exits.
func tool(t *testing.T, verbs ...string) manifest.Run {
	t.Helper()
	run := goodRun()
	run.App = fixture(t, verbs...)
	return run
}

func get(path string) manifest.Probe {
	return manifest.Probe{
		Name: "http " + path, TimeoutSeconds: 20, Source: &manifest.Location{Line: 7},
		HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "http", Port: 8008, Path: path},
	}
}

// contained is what a run in a container left.
type contained struct {
	code           int
	stdout, stderr string
	failure        *manifest.Failure
	report         *manifest.RunReport
	header         manifest.Header
	paths          map[manifest.Path]manifest.Ops // nil without a trace file
	memory         int64                          // bytes that the sensor or a child of it took at most
}

// contain carries out a run in a container of its own.
func contain(t *testing.T, run manifest.Run, order sensorOrder) contained {
	t.Helper()
	c := startContainer(t, run, &order)
	c.wait()
	return c.collect(t, order)
}

// container is a running one.
type container struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	finished       chan struct{}

	mu     sync.Mutex
	marker []byte
	seen   chan struct{}
}

// containerTime bounds one container.
const containerTime = 2 * time.Minute

func startContainer(t *testing.T, run manifest.Run, order *sensorOrder) *container {
	t.Helper()
	needRoot(t)
	if order.Dirs.Input == "" {
		order.Dirs.Input, order.Dirs.Output = t.TempDir(), t.TempDir()
	}
	if order.Dirs.Source == "" {
		order.Dirs.Source = t.TempDir()
	}
	if err := os.WriteFile(filepath.Join(order.Dirs.Input, manifest.RunFile), encode(t, run), 0o400); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), containerTime)
	t.Cleanup(cancel)
	c := &container{cmd: exec.CommandContext(ctx, "/proc/self/exe"), finished: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), noRaceSleep, sensorEnv+"="+string(encode(t, order)))
	c.cmd.Stdout, c.cmd.Stderr = c, &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // collect looks at the exit code
		close(c.finished)
	}()
	return c
}

func (c *container) wait() { <-c.finished }

// Write takes the container's output.
func (c *container) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.stdout.Write(p)
	c.look()
	return n, err
}

// says returns a channel that is closed once the output has text.
func (c *container) says(text string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marker, c.seen = []byte(text), make(chan struct{})
	c.look()
	return c.seen
}

func (c *container) look() {
	if c.marker != nil && bytes.Contains(c.stdout.Bytes(), c.marker) {
		c.marker = nil
		close(c.seen)
	}
}

func (c *container) collect(t *testing.T, order sensorOrder) contained {
	t.Helper()
	got := contained{code: c.cmd.ProcessState.ExitCode(), stdout: c.stdout.String(), stderr: c.stderr.String()}
	if usage, ok := c.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		got.memory = usage.Maxrss << 10
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("exit %d\n%s%s", got.code, clip(got.stdout), clip(got.stderr))
		}
	})
	if got.code < 0 || got.code > 2 {
		t.Fatalf("exit code %d: %v", got.code, c.cmd.ProcessState)
	}
	read := func(name string, v any) bool {
		data, err := os.ReadFile(filepath.Join(order.Dirs.Output, name))
		if errors.Is(err, os.ErrNotExist) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := manifest.Decode(data, v); err != nil {
			t.Fatal(err)
		}
		return true
	}
	var failure manifest.Failure
	if read(manifest.FailureFile, &failure) {
		got.failure = &failure
	}
	var report manifest.RunReport
	if read(manifest.SidecarFile, &report) {
		got.report = &report
	}
	f, err := os.Open(filepath.Join(order.Dirs.Output, manifest.TraceSubdir, manifest.TraceFile))
	if err == nil {
		defer f.Close()
		got.paths = map[manifest.Path]manifest.Ops{}
		got.header, err = manifest.ReadTrace(f, func(e manifest.Entry) error {
			got.paths[e.Path] = e.Ops
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func clip(s string) string {
	if len(s) > 4000 {
		return s[:2000] + "\n…\n" + s[len(s)-2000:]
	}
	return s
}

// good fails the test unless the run was good and complete.
func (c contained) good(t *testing.T, mode Mode) {
	t.Helper()
	if c.code != 0 || c.failure != nil || c.report == nil || (c.paths != nil) != (mode == Trace) {
		t.Fatalf("exit %d, failure %+v, report %+v, %d paths", c.code, c.failure, c.report, len(c.paths))
	}
	if c.report.Lost != 0 || c.report.Events == 0 || !slices.Contains(c.report.Recorders, "seccomp") {
		t.Errorf("report %+v", c.report)
	}
}

func (c contained) says(t *testing.T, pattern string) {
	t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(c.stdout) {
		t.Errorf("the output does not match %q", pattern)
	}
}

func TestService(t *testing.T) {
	touched := filepath.Join(t.TempDir(), "touched")
	if err := os.WriteFile(touched, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run := service(t, "handle", "say:starting", "wait:200ms", "http:127.0.0.1:8008", "http:[::1]:8009", "open:"+touched)
	run.Ready.Ports = []int{8008, 8009}
	v6 := get("/hello")
	v6.HTTP.Port = 8009
	run.Probes = []manifest.Probe{
		get("/hello"), v6,
		{Name: "tcp 8008", TimeoutSeconds: 5, TCP: &manifest.TCPProbe{Port: 8008, Send: []byte("GET /hello HTTP/1.0\r\n\r\n"), Match: "Hello, world$"}},
		{Name: "exec cat", TimeoutSeconds: 20, Exec: &manifest.ExecProbe{
			Command: manifest.Command{Args: fixture(t, "cat").Args, Env: fixture(t).Env, Stdin: []byte("from stdin")}, Match: "^from stdin$",
		}},
	}
	for name, mode := range map[string]Mode{"trace": Trace, "verify": Verify} {
		t.Run(name, func(t *testing.T) {
			got := contain(t, run, sensorOrder{Mode: mode})
			got.good(t, mode)
			got.says(t, `^app\| starting$`)
			got.says(t, `^ready after \d+ms$`)
			got.says(t, `^probe 1/4 http /hello: ok 200 OK, 12 bytes \([\d.]+m?s\)$`)
			got.says(t, `^probe 3/4 tcp 8008: ok connected, \d+ bytes of answer \([\d.]+m?s\)$`)
			got.says(t, `^probe 4/4 exec cat: ok exit 0 \([\d.]+m?s\)$`)
			got.says(t, `^SIGTERM: exit 0 \([\d.]+m?s\)$`)
			if len(got.report.Probes) != 4 || got.report.Stopped != "exit 0" {
				t.Errorf("report %+v", got.report)
			}
			if mode == Trace && (got.header.Probes != 4 || got.paths[manifest.Path(touched)]&manifest.Opened == 0) {
				t.Errorf("header %+v, %s: %s", got.header, touched, got.paths[manifest.Path(touched)])
			}
		})
	}
}

func TestHTTPS(t *testing.T) {
	run := service(t, "handle", "https:127.0.0.1:8008")
	p := get("/hello")
	p.HTTP.Scheme, p.HTTP.Insecure = "https", true
	run.Probes = []manifest.Probe{p}
	contain(t, run, sensorOrder{}).good(t, Trace)
}

func TestReady(t *testing.T) {
	for _, tt := range []struct {
		name  string
		verbs []string
		ready manifest.Ready
	}{
		{"IPv6 only", []string{"handle", "http:[::1]:8008"}, manifest.Ready{Kind: manifest.ReadyTCP, Ports: []int{8008}}},
		{"http", []string{"handle", "http:127.0.0.1:8008"}, manifest.Ready{Kind: manifest.ReadyHTTP, URL: "http://localhost:8008/hello"}},
		{"log", []string{"handle", "wait:100ms", "say:now serving", "hang"}, manifest.Ready{Kind: manifest.ReadyLog, Pattern: "^now"}},
		{"exit", []string{"say:done"}, manifest.Ready{Kind: manifest.ReadyExit}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := tool(t, tt.verbs...)
			run.Ready = tt.ready
			run.Ready.TimeoutSeconds = 30
			contain(t, run, sensorOrder{}).good(t, Trace)
		})
	}
}

func TestTool(t *testing.T) {
	run := tool(t, "say:hello", "cat")
	run.App.Stdin = []byte("and the input\n")
	run.Probes = []manifest.Probe{{Name: "exec", TimeoutSeconds: 20, Exec: &manifest.ExecProbe{Command: fixture(t, "exit:3"), Exit: 3}}}
	got := contain(t, run, sensorOrder{})
	got.good(t, Trace)
	got.says(t, `^app\| and the input$`)
	if got.report.Stopped != "exit 0" {
		t.Errorf("stopped: %s", got.report.Stopped)
	}
}

func TestFailures(t *testing.T) {
	withProbe := func(run manifest.Run, change func(*manifest.Probe)) manifest.Run {
		p := get("/hello")
		change(&p)
		run.Probes = append(run.Probes, p)
		return run
	}
	impatient := func(run manifest.Run) manifest.Run {
		run.Ready.TimeoutSeconds = 3
		return run
	}
	exec := func(p *manifest.Probe, cmd manifest.Command) {
		p.Name, p.HTTP, p.Exec = "exec", nil, &manifest.ExecProbe{Command: cmd}
	}
	for _, tt := range []struct {
		name string
		run  manifest.Run
		want manifest.Failure // patterns; Log: the last line
	}{
		{"exits 1", service(t, "say:oh no", "exit:1"),
			manifest.Failure{Phase: "start", Message: "ended before it was ready", Expected: "port 8008", Got: "^exit 1$", Log: []string{"oh no"}}},
		{"exits 0", service(t, "say:bye"),
			manifest.Failure{Phase: "start", Got: "^exit 0$", Remedy: "foreground"}},
		{"is killed", service(t, "die"),
			manifest.Failure{Phase: "start", Got: `signal 9 \(SIGKILL\)`}},
		{"forks and dies", service(t, "fork:wait:200ms+exit:1"),
			manifest.Failure{Phase: "start", Got: "^exit 0$"}},
		{"never listens", impatient(service(t, "say:lazy", "hang")),
			manifest.Failure{Phase: "ready", Message: "within 3s", Expected: "port 8008", Got: "no TCP port", Remedy: "timeout=", Log: []string{"lazy"}}},
		{"listens elsewhere", impatient(service(t, "http:0.0.0.0:8080")),
			manifest.Failure{Phase: "ready", Got: `listening: \[::\]:8080`, Remedy: "on port 8080 but not on port 8008: say `# slim: ready tcp:8080`, .*timeout="}},
		{"listens on some", func() manifest.Run {
			run := impatient(service(t, "http:0.0.0.0:8443"))
			run.Ready.Ports = []int{80, 8443}
			return run
		}(), manifest.Failure{Phase: "ready", Remedy: "on port 8443 but not on port 80: say `# slim: ready tcp:8443`, .*base image"}},
		{"EXPOSEd but closed", func() manifest.Run {
			run := service(t, "http:0.0.0.0:8008")
			run.Probes = []manifest.Probe{{Name: "tcp 80 (EXPOSE)", TimeoutSeconds: 5, TCP: &manifest.TCPProbe{Port: 80}}}
			return run
		}(), manifest.Failure{Phase: "probe", Remedy: "listens on port 8008: .*`# slim: probe tcp 8008`"}},
		{"log never matches", func() manifest.Run {
			run := impatient(tool(t, "say:no", "hang"))
			run.Ready.Kind, run.Ready.Pattern, run.Ready.Source = manifest.ReadyLog, "yes", &manifest.Location{Line: 3}
			return run
		}(), manifest.Failure{Phase: "ready", Expected: `match "yes"`, Got: "no such line", Source: &manifest.Location{Line: 3}}},
		{"tool never exits", impatient(tool(t, "hang")),
			manifest.Failure{Phase: "ready", Message: "did not exit within 3s", Remedy: "EXPOSE"}},
		{"tool fails", tool(t, "say:usage: tool", "exit:2"),
			manifest.Failure{Phase: "start", Expected: "exit 0", Got: "^exit 2$", Log: []string{"usage: tool"}}},
		{"tool with an http probe", withProbe(tool(t), func(*manifest.Probe) {}),
			manifest.Failure{Phase: "probe", Probe: "http /hello", Message: "needs a running app", Source: &manifest.Location{Line: 7}}},
		{"wrong path", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { p.HTTP.Path = "/nope" }),
			manifest.Failure{Phase: "probe", Probe: "http /hello", Expected: "status 2xx,3xx", Got: "^404 Not Found, 19 bytes:\n404 page", Remedy: "correct the path", Source: &manifest.Location{Line: 7}}},
		{"probe times out", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { p.HTTP.Path, p.TimeoutSeconds = "/hang", 1 }),
			manifest.Failure{Phase: "probe", Got: "^no answer within 1s$"}},
		{"wrong port", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { p.HTTP.Port, p.TimeoutSeconds = 8009, 0.2 }),
			manifest.Failure{Phase: "probe", Got: "connection refused", Remedy: "listening: 127.0.0.1:8008"}},
		{"TLS", withProbe(service(t, "https:127.0.0.1:8008"), func(*manifest.Probe) {}),
			manifest.Failure{Phase: "probe", Got: "400 Bad Request", Remedy: "scheme=https"}},
		{"no TLS", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { p.HTTP.Scheme = "https" }),
			manifest.Failure{Phase: "probe", Remedy: "scheme=http"}},
		{"self-signed", withProbe(service(t, "https:127.0.0.1:8008"), func(p *manifest.Probe) { p.HTTP.Scheme = "https" }),
			manifest.Failure{Phase: "probe", Got: "certificate", Remedy: "insecure=true"}},
		{"no echo", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) {
			p.HTTP, p.TCP = nil, &manifest.TCPProbe{Port: 8008, Send: []byte("PING\r\n"), Match: "PONG"}
		}), manifest.Failure{Phase: "probe", Expected: "PONG", Got: "400 Bad Request"}},
		{"dies of a probe", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { p.Name, p.HTTP.Path = "http /crash", "/crash" }),
			manifest.Failure{Phase: "probe", Probe: "http /crash", Message: `ended during probe "http /crash"`, Got: "exit 3 of the app"}},
		{"exec exits wrongly", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) { exec(p, fixture(t, "say:sick", "exit:1")) }),
			manifest.Failure{Phase: "probe", Expected: "exit code 0", Got: "^exit 1, output:\nsick"}},
		{"exec hangs", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) {
			exec(p, fixture(t, "say:begun", "hang"))
			p.TimeoutSeconds = 3
		}), manifest.Failure{Phase: "probe", Got: "no answer within 3s: still running, output:\nbegun"}},
		{"exec is not there", withProbe(service(t, "http:127.0.0.1:8008"), func(p *manifest.Probe) {
			exec(p, manifest.Command{Args: []string{"nosuchcurl"}, Env: []string{"PATH=/usr/bin"}})
		}), manifest.Failure{Phase: "probe", Got: `"nosuchcurl" is not in PATH \(/usr/bin\)`, Remedy: "install it"}},
		{"entrypoint is not there", func() manifest.Run {
			run := tool(t)
			run.App = manifest.Command{Args: []string{"nosuchpython"}, Env: []string{"PATH=/usr/bin:/bin"}}
			return run
		}(), manifest.Failure{Phase: "start", Message: `entrypoint cannot be started: "nosuchpython" is not in PATH \(/usr/bin:/bin\)`}},
		{"entrypoint is a folder", func() manifest.Run {
			run := tool(t)
			run.App.Args = []string{"/usr/bin"}
			return run
		}(), manifest.Failure{Phase: "start", Message: "/usr/bin is not executable by root"}},
		{"no such user", func() manifest.Run {
			run := tool(t)
			run.App.User = "nosuchuser"
			return run
		}(), manifest.Failure{Phase: "start", Message: `USER "nosuchuser"`, Remedy: "useradd"}},
		{"bad signal", func() manifest.Run {
			run := tool(t)
			run.Stop.Signal = "SIGNONSENSE"
			return run
		}(), manifest.Failure{Phase: "stop", Message: "SIGNONSENSE"}},
		{"takes too long in all", func() manifest.Run {
			run := service(t, "hang")
			run.TimeoutSeconds = 2
			return run
		}(), manifest.Failure{Phase: "ready", Message: "longer than 2s in all, in phase ready", Remedy: "SLIM_TIMEOUT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := contain(t, tt.run, sensorOrder{})
			if got.code != 1 || got.failure == nil || got.report != nil || got.paths != nil {
				t.Fatalf("exit %d, failure %+v, report %+v", got.code, got.failure, got.report)
			}
			matchFailure(t, *got.failure, tt.want)
		})
	}
}

// matchFailure compares with patterns; an empty one matches all.
func matchFailure(t *testing.T, got, want manifest.Failure) {
	t.Helper()
	if got.Version != manifest.Version || got.Phase != want.Phase || got.Message == "" {
		t.Errorf("version %d, phase %q, want %q", got.Version, got.Phase, want.Phase)
	}
	for _, f := range []struct{ name, got, want string }{
		{"message", got.Message, want.Message}, {"probe", got.Probe, want.Probe}, {"expected", got.Expected, want.Expected},
		{"got", got.Got, want.Got}, {"remedy", got.Remedy, want.Remedy},
	} {
		if !regexp.MustCompile(f.want).MatchString(f.got) {
			t.Errorf("%s is %q, want a match of %q", f.name, f.got, f.want)
		}
	}
	if len(want.Log) > 0 && !slices.Contains(got.Log, want.Log[0]) {
		t.Errorf("log %q, want %q", got.Log, want.Log)
	}
	if want.Source != nil && (got.Source == nil || *got.Source != *want.Source) {
		t.Errorf("source %v, want %v", got.Source, want.Source)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name    string
		run     manifest.Run
		warning string
		stopped string
	}{
		{"ignores SIGTERM", func() manifest.Run {
			run := service(t, "ignore", "http:0.0.0.0:8008")
			run.Stop.GraceSeconds = 0.5
			return run
		}(), "did not end within 500ms of SIGTERM", "killed"},
		{"daemonises", service(t, "fork:handle+http:0.0.0.0:8008"), "leaves the app running in the background", "exit 0"},
		{"no handler", func() manifest.Run {
			run := tool(t)
			run.App.Args = []string{"/bin/sh", "-c", "echo up; exec sleep 100"}
			run.Ready.Kind, run.Ready.Pattern = manifest.ReadyLog, "up"
			return run
		}(), "no handler for SIGTERM", "signal 15 (SIGTERM)"},
		{"loopback only", service(t, "handle", "http:127.0.0.1:8008"), "port 8008 is listened on at 127.0.0.1 only", "exit 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.run.Ready.Kind == manifest.ReadyTCP {
				tt.run.Probes = []manifest.Probe{get("/hello")}
			}
			got := contain(t, tt.run, sensorOrder{})
			got.good(t, Trace)
			if !slices.ContainsFunc(got.report.Warnings, func(w string) bool { return strings.Contains(w, tt.warning) }) {
				t.Errorf("warnings %q, want one with %q", got.report.Warnings, tt.warning)
			}
			if got.report.Stopped != tt.stopped {
				t.Errorf("stopped: %q, want %q", got.report.Stopped, tt.stopped)
			}
		})
	}
}

func TestStopFailed(t *testing.T) {
	for _, tt := range []struct {
		verb, stopped string
		failed        bool
	}{
		{"handle", "exit 0", false},
		{"abort", "signal 9 (SIGKILL)", true},
	} {
		t.Run(tt.verb, func(t *testing.T) {
			got := contain(t, service(t, tt.verb, "http:0.0.0.0:8008"), sensorOrder{})
			got.good(t, Trace)
			if got.report.Stopped != tt.stopped || got.report.Stop.Failed != tt.failed {
				t.Errorf("stopped: %q, %+v", got.report.Stopped, got.report.Stop)
			}
		})
	}
}

// An app may be up before it has its signal handlers. This one is busy meanwhile:
// a shell that starts a program blocks all signals for a moment.
func TestStopWaitsForTheHandler(t *testing.T) {
	run := tool(t)
	run.App.Args = []string{"/bin/sh", "-c", "echo up; i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; trap 'exit 0' TERM; while :; do sleep 0.01; done"}
	run.Ready.Kind, run.Ready.Pattern = manifest.ReadyLog, "up"
	got := contain(t, run, sensorOrder{})
	got.good(t, Trace)
	if got.report.Stopped != "exit 0" || len(got.report.Warnings) > 0 {
		t.Errorf("stopped: %q, warnings %q", got.report.Stopped, got.report.Warnings)
	}
}

// The end of the first process is the end of the app, whatever it leaves.
func TestStopLeavesWorkers(t *testing.T) {
	run := service(t, "handle", "fork:ignore+hang", "http:0.0.0.0:8008")
	got := contain(t, run, sensorOrder{})
	got.good(t, Trace)
	if got.report.Stopped != "exit 0" || len(got.report.Warnings) > 0 {
		t.Errorf("stopped: %q, warnings %q", got.report.Stopped, got.report.Warnings)
	}
}

// Neither much log nor a line without an end blocks the app, and little of it
// is passed on.
func TestMuchLog(t *testing.T) {
	run := service(t, "handle", "log:200", "line:20", "http:127.0.0.1:8008")
	run.Ready.TimeoutSeconds = 50
	got := contain(t, run, sensorOrder{})
	got.good(t, Trace)
	got.says(t, `^app\| … \(log truncated after 256 KiB\)$`)
	if len(got.stdout) > 2*maxStreamed {
		t.Errorf("%d bytes of output", len(got.stdout))
	}
}

// The app gets what production would give it, and nothing of the sensor's.
func TestSurroundings(t *testing.T) {
	needDebian(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	dir := openDir(t)
	script(t, dir, "app", string(text), 0o755)
	run := tool(t, "self", "reopen", "spy")
	run.App.Args[0] = "app"
	run.App.Env = []string{fixtureEnv + "=1", noRaceSleep, "PATH=" + dir}
	run.App.Dir = filepath.Join(dir, "work", "dir")
	run.App.User = "nobody"
	got := contain(t, run, sensorOrder{})
	got.good(t, Trace)
	got.says(t, `^app\| args=\["self" "reopen" "spy"\] env=\["`+fixtureEnv+`=1" "`+noRaceSleep+`" "PATH=`+dir+`" "HOME=/nonexistent"\] dir=`+run.App.Dir+` uid=65534 gid=65534 groups=\[65534\]$`)
	got.says(t, `^app\| fd 0 /dev/null$`)
	got.says(t, `^app\| fd 1 pipe$`)
	got.says(t, `^app\| ignored 0000000000000000$`)
}

// Docker and containerd let every user listen on any port; a build step does
// not, but the app must be traced as it will run.
func TestLowPort(t *testing.T) {
	needDebian(t)
	dir := openDir(t)
	program, err := os.ReadFile(fixture(t).Args[0])
	if err != nil {
		t.Fatal(err)
	}
	script(t, dir, "app", string(program), 0o755)
	for name, insecure := range map[string]bool{"sandbox": false, "insecure": true} {
		t.Run(name, func(t *testing.T) {
			run := service(t, "handle", "http:127.0.0.1:80")
			run.App.Args[0] = filepath.Join(dir, "app")
			run.App.User = "nobody"
			run.Ready.Ports = []int{80}
			run.Privileged = insecure
			p := get("/hello")
			p.HTTP.Port = 80
			run.Probes = []manifest.Probe{p}
			contain(t, run, sensorOrder{Insecure: insecure}).good(t, Trace)
		})
	}
}

// runc enters WORKDIR before it drops its privileges.
func TestWorkdirBehindClosedFolder(t *testing.T) {
	needDebian(t)
	dir := openDir(t)
	program, err := os.ReadFile(fixture(t).Args[0])
	if err != nil {
		t.Fatal(err)
	}
	script(t, dir, "app", string(program), 0o755)
	closed := filepath.Join(dir, "closed")
	if err := os.MkdirAll(filepath.Join(closed, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	run := tool(t, "say:hello")
	run.App.Args[0] = filepath.Join(dir, "app")
	run.App.User = "nobody"
	run.App.Dir = filepath.Join(closed, "work")
	contain(t, run, sensorOrder{}).good(t, Trace)
}

func TestRootAppCannotSpy(t *testing.T) {
	contain(t, tool(t, "spy"), sensorOrder{}).good(t, Trace)
}

// With all privileges the app is confined all the same, and fanotify is a
// second witness.
func TestInsecure(t *testing.T) {
	run := service(t, "handle", "http:0.0.0.0:8008")
	run.Probes = []manifest.Probe{get("/hello")}
	run.Privileged, run.Fanotify = true, manifest.FanotifyDemand
	got := contain(t, run, sensorOrder{Insecure: true})
	got.good(t, Trace)
	if want := []string{"seccomp", "fanotify"}; !slices.Equal(got.report.Recorders, want) {
		t.Errorf("recorders %q, want %q", got.report.Recorders, want)
	}
}

func TestCheck(t *testing.T) {
	run := tool(t)
	if got := contain(t, run, sensorOrder{Check: true, Insecure: true}); got.code != 0 || got.stdout+got.stderr != "" {
		t.Errorf("with all privileges: exit %d, %q", got.code, got.stdout+got.stderr)
	}
	got := contain(t, run, sensorOrder{Check: true})
	if got.code == 0 || !strings.Contains(got.stderr, "fanotify") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("in a sandbox: exit %d, %q, want one line about fanotify", got.code, got.stderr)
	}
}

func TestFanotifyMissing(t *testing.T) {
	run := tool(t)
	run.Fanotify = manifest.FanotifyAuto
	contain(t, run, sensorOrder{}).good(t, Trace)

	run.Fanotify = manifest.FanotifyDemand
	got := contain(t, run, sensorOrder{})
	if got.code != 1 || got.failure == nil {
		t.Fatalf("exit %d, %+v", got.code, got.failure)
	}
	matchFailure(t, *got.failure, manifest.Failure{Phase: "record", Message: "fanotify", Remedy: "SLIM_SENSOR"})
}

// TestRecorderMissing: the failure names the cause and what to change, and so
// does the check.
func TestRecorderMissing(t *testing.T) {
	for _, tt := range []struct {
		refuse uint32
		want   manifest.Failure
	}{
		{unix.SYS_SECCOMP, manifest.Failure{Phase: "record", Message: "^the seccomp recorder cannot work here: the kernel has no", Remedy: "Linux 5.9"}},
		{unix.SYS_PROCESS_VM_READV, manifest.Failure{Phase: "record", Message: "^the seccomp recorder cannot work here: .*memory", Remedy: "process_vm_readv"}},
	} {
		for _, insecure := range []bool{false, true} {
			order := sensorOrder{Refuse: tt.refuse, Insecure: insecure}
			run := tool(t)
			run.Privileged = insecure
			got := contain(t, run, order)
			if got.code != 1 || got.failure == nil {
				t.Fatalf("call %d, insecure %v: exit %d, %+v", tt.refuse, insecure, got.code, got.failure)
			}
			matchFailure(t, *got.failure, tt.want)
			order.Check = true
			if got := contain(t, run, order); got.code == 0 || !strings.Contains(got.stderr, "seccomp recorder") {
				t.Errorf("check: exit %d, %q", got.code, got.stderr)
			}
		}
	}
}

// TestEmulatedSensor: a sensor that an emulator runs says so, whatever the
// emulator does not have.
func TestEmulatedSensor(t *testing.T) {
	needRoot(t)
	foreign := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	emulator, err := exec.LookPath(map[string]string{"arm64": "qemu-aarch64-static", "amd64": "qemu-x86_64-static"}[foreign])
	if err != nil {
		skip(t, "qemu-user-static")
	}
	dir := t.TempDir()
	sensor := filepath.Join(dir, "slimfile-sensor")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", sensor, "../../cmd/slimfile-sensor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+foreign)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	const container = `mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3; mkdir -p "$3"; mount --bind "$4" "$3"; exec "$1" "$2" trace`
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-ec", container, "sh", emulator, sensor, manifest.OutputDir, out)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	data, err := os.ReadFile(filepath.Join(out, manifest.FailureFile))
	if err != nil {
		t.Fatal(err)
	}
	var failure manifest.Failure
	if err := manifest.Decode(data, &failure); err != nil {
		t.Fatal(err)
	}
	matchFailure(t, failure, manifest.Failure{Phase: "record", Message: "this platform is emulated", Remedy: "natively.*linux/" + foreign + ".*SLIM=lint"})

	check, err := exec.CommandContext(t.Context(), emulator, sensor, "check").CombinedOutput()
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(check), failure.Message) {
		t.Errorf("check: %v\n%s", err, check)
	}
}

func TestRootAppCannotSpoilOutput(t *testing.T) {
	parent := t.TempDir()
	order := sensorOrder{Dirs: Dirs{Input: t.TempDir(), Output: filepath.Join(parent, "out")}}
	if err := os.Mkdir(order.Dirs.Output, 0o755); err != nil {
		t.Fatal(err)
	}
	run := tool(t, "spoil:"+order.Dirs.Output)
	c := startContainer(t, run, &order)
	c.wait()
	order.Dirs.Output += ".moved"
	got := c.collect(t, order)
	got.good(t, Trace)
	if names := list(t, order.Dirs.Output); !slices.Equal(names, []string{manifest.SidecarFile, manifest.TouchFile, manifest.TraceSubdir}) {
		t.Errorf("output has %q", names)
	}
}

func TestDiskFull(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		code          int
	}{
		{"room for a failure only", "size=4096", 1},
		{"no room at all", "nr_inodes=1", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := contain(t, tool(t, "say:fine"), sensorOrder{OutputOptions: tt.options})
			if got.code != tt.code || !strings.Contains(got.stderr, "the disk is full") {
				t.Errorf("exit %d, %q", got.code, got.stderr)
			}
		})
	}
}

// A cancelled build ends at once, with a failure that says so, and all
// processes with it.
func TestCancel(t *testing.T) {
	var order sensorOrder
	c := startContainer(t, service(t, "ignore", "say:up", "hang"), &order)
	select {
	case <-c.says("app| up\n"):
	case <-c.finished:
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.wait()
	got := c.collect(t, order)
	if got.code != 1 || got.failure == nil || !strings.Contains(got.failure.Message, "cancelled") {
		t.Errorf("exit %d, %+v", got.code, got.failure)
	}
}

func TestBadInput(t *testing.T) {
	got := contain(t, manifest.Run{Version: 99}, sensorOrder{})
	if got.code != 1 || got.failure == nil || !strings.Contains(got.failure.Message, "version 99") {
		t.Errorf("exit %d, %+v", got.code, got.failure)
	}
}
