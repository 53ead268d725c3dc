package trace

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// script writes an executable file.
func script(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// openDir is a folder that every user may enter, which t.TempDir is not.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trace")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestResolveProgram(t *testing.T) {
	needRoot(t)
	dir := openDir(t)
	good := script(t, filepath.Join(dir, "good"), "tool", "#!/bin/sh\n", 0o755)
	mine := script(t, filepath.Join(dir, "mine"), "tool", "#!/bin/sh\n", 0o700)
	script(t, filepath.Join(dir, "plain"), "tool", "", 0o644)
	hidden := script(t, filepath.Join(dir, "hidden", "bin"), "tool", "#!/bin/sh\n", 0o755)
	if err := os.Chmod(filepath.Join(dir, "hidden"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(names ...string) string {
		for i, name := range names {
			names[i] = filepath.Join(dir, name)
		}
		return strings.Join(names, ":")
	}
	for _, tt := range []struct {
		name, program, path, user, dir string

		want string
		err  string
	}{
		{name: "found", program: "tool", path: at("none", "good"), want: good},
		{name: "folders and plain files do not count", program: "tool", path: at("folder", "plain", "good"), want: good},
		{name: "root may", program: "tool", path: at("mine", "good"), want: mine},
		{name: "nobody may not", program: "tool", path: at("mine", "good"), user: "nobody", want: good},
		{name: "absolute", program: good, want: good},
		{name: "relative to WORKDIR", program: "./tool", dir: filepath.Join(dir, "good"), want: good},
		{name: "relative PATH is not searched", program: "tool", path: "good:", dir: dir, err: `"tool" is not in PATH (good:)`},
		{name: "nowhere", program: "python9", path: "/usr/bin:/bin", err: `"python9" is not in PATH (/usr/bin:/bin)`},
		{name: "not executable", program: "tool", path: at("plain"), err: "plain/tool is not executable by root (its mode is 0644)"},
		{name: "not by nobody", program: "tool", path: at("mine"), user: "nobody", err: "mine/tool is not executable by uid 65534 (its mode is 0700)"},
		{name: "behind a closed door", program: "tool", path: filepath.Dir(hidden), user: "nobody", err: "it may not enter " + at("hidden")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec, err := resolve(manifest.Command{Args: []string{tt.program}, Env: []string{"PATH=" + tt.path}, User: tt.user, Dir: tt.dir})
			if tt.err == "" {
				if err != nil || spec.Path != tt.want {
					t.Errorf("got %q, %v, want %q", spec.Path, err, tt.want)
				}
				return
			}
			var f *manifest.Failure
			if !errors.As(err, &f) || !strings.Contains(f.Message, tt.err) || f.Remedy == "" {
				t.Errorf("error %v, want one with %q and a remedy", err, tt.err)
			}
		})
	}
}

func TestResolveUser(t *testing.T) {
	for _, tt := range []struct {
		user     string
		uid, gid uint32
		home     string
		err      string
	}{
		{user: "", home: "/root"},
		{user: "root", home: "/root"},
		{user: "nobody", uid: 65534, gid: 65534, home: "/nonexistent"},
		{user: "65534", uid: 65534, gid: 65534, home: "/nonexistent"},
		{user: "12345", uid: 12345, home: "/"},
		{user: "12345:678", uid: 12345, gid: 678, home: "/"},
		{user: "nobody:tty", uid: 65534, gid: 5, home: "/nonexistent"},
		{user: "nosuchuser", err: `USER "nosuchuser" cannot be resolved`},
		{user: "root:nosuchgroup", err: "cannot be resolved"},
		{user: "-5", err: "cannot be resolved"},
	} {
		t.Run(tt.user, func(t *testing.T) {
			needDebian(t)
			spec, err := resolve(manifest.Command{Args: []string{"/bin/true"}, User: tt.user})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if spec.UID != tt.uid || spec.GID != tt.gid || getenv(spec.Env, "HOME") != tt.home {
				t.Errorf("got uid %d gid %d env %q", spec.UID, spec.GID, spec.Env)
			}
			if !slices.Equal(spec.Groups[:1], []uint32{tt.gid}) {
				t.Errorf("groups %d, want the primary one first", spec.Groups)
			}
		})
	}
}

// needDebian skips where the machine's accounts are not those that the test
// knows.
func needDebian(t *testing.T) {
	t.Helper()
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil || !strings.Contains(string(passwd), "nobody:x:65534:65534:nobody:/nonexistent:") {
		skip(t, "Debian's /etc/passwd")
	}
}

func TestCompleteEnv(t *testing.T) {
	for _, tt := range []struct{ env, want []string }{
		{nil, []string{"PATH=" + defaultPath, "HOME=/home/joe"}},
		{[]string{"PATH=/bin", "HOME=/here", "A=b"}, []string{"PATH=/bin", "HOME=/here", "A=b"}},
		{[]string{"HOME=", "PATH=/bin"}, []string{"HOME=", "PATH=/bin", "HOME=/home/joe"}},
	} {
		if got := completeEnv(tt.env, "/home/joe"); !slices.Equal(got, tt.want) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestResolveMakesWorkdir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := makeDir(workDir(manifest.Command{Dir: dir[1:]})); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
	if err := makeDir("/etc/passwd/x"); err == nil || !strings.Contains(err.Error(), "WORKDIR") {
		t.Errorf("error %v", err)
	}
}

// The ids taken for a check are gone afterwards, on every thread.
func TestAccessAsLeavesNoTrace(t *testing.T) {
	needRoot(t)
	secret := script(t, t.TempDir(), "secret", "", 0o600)
	for range 20 {
		if err := accessAs(launch.Spec{UID: 65534, GID: 65534}, secret, unix.R_OK); !errors.Is(err, unix.EACCES) {
			t.Fatalf("error %v, want permission denied", err)
		}
		if _, err := os.ReadFile(secret); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutputPipe(t *testing.T) {
	needRoot(t)
	r, w, err := outputPipe(65534)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(w.Fd()), &stat); err != nil || stat.Uid != 65534 {
		t.Errorf("owner %d, %v", stat.Uid, err)
	}
	if flags, err := unix.FcntlInt(w.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("the program's end does not block: %#x, %v", flags, err)
	}
	if err := r.SetReadDeadline(time.Now()); err != nil {
		t.Error(err)
	}
}

func TestInputFile(t *testing.T) {
	f, err := inputFile([]byte("some input"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if data, err := io.ReadAll(f); err != nil || string(data) != "some input" {
		t.Errorf("%q, %v", data, err)
	}
	if f, err := inputFile(nil); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, text, message, remedy string }{
		{"interpreter", "#! /no/such/python3 -E\nprint()\n", `names the interpreter "/no/such/python3"`, "install the interpreter"},
		{"windows", "#!/bin/sh\r\necho\r\n", `"/bin/sh\r"`, "Windows line ends"},
		{"neither", "\x7fELF", "it was linked for", "another system"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f *manifest.Failure
			err := missing(launch.Spec{Path: script(t, dir, tt.name, tt.text, 0o755)})
			if !errors.As(err, &f) || !strings.Contains(f.Message, tt.message) || !strings.Contains(f.Remedy, tt.remedy) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestLogHint(t *testing.T) {
	for _, tt := range []struct {
		log  string
		uid  uint32
		port int
		want string // a part; empty: no hint
	}{
		{"nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", 65534, 8080, "EXPOSE the port"},
		{"self.socket.bind(self.server_address)\nPermissionError: [Errno 13] Permission denied", 65534, 8443, "EXPOSE the port"},
		{"Error: listen EACCES: permission denied 0.0.0.0:80", 0, 80, "--chown"},
		{"OSError: [Errno 98] Address already in use", 0, 80, "one port"},
		{"could not translate host name \"db\" to address", 0, 80, "network default"},
		{"Error: connect ECONNREFUSED 127.0.0.1:5432", 0, 80, "network default"},
		{"PermissionError: [Errno 13] Permission denied: '/app/data'", 65534, 8008, "--chown"},
		{"ModuleNotFoundError: No module named 'flask'", 65534, 80, ""},
	} {
		s := supervisor{run: manifest.Run{Ready: manifest.Ready{Ports: []int{tt.port}}}, spec: launch.Spec{UID: tt.uid}}
		got := s.logHint(strings.Split(tt.log, "\n"))
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("hint for %q is %q, want %q", tt.log, got, tt.want)
		}
	}
}
