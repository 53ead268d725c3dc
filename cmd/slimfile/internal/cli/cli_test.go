package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs slimfile with args and returns what it printed.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "stream"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	code = Main(args, strings.NewReader(""), files[0], files[1])
	var text [2]string
	for i, f := range files {
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(data)
	}
	return code, text[0], text[1]
}

func TestMainPrints(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // a part of it
	}{
		{"version", []string{"version"}, 0, "slimfile ", ""},
		{"help", []string{"build", "--help"}, 0, "slimfile build --image nginx:1.25 --slim 'probe http /'", ""},
		{"completion", []string{"completion", "bash"}, 0, "slimfile", ""},
		{"completion of flags", []string{"__complete", "build", "--build-c"}, 0, "--build-context", ""},
		{"lock's help", []string{"lock", "--help"}, 0, "slimfile lock --check app", ""},
		{"completion of lock's flags", []string{"__complete", "lock", "--che"}, 0, "--check", ""},
		{"lock of two contexts", []string{"lock", ".", "."}, 1, "", "takes one build context"},
		{"lock of a URL", []string{"lock", "https://example.com/x.git"}, 1, "", "is no folder"},
		{"lock without a Dockerfile", []string{"lock", "/proc/self/task"}, 1, "", "Dockerfile does not exist"},
		{"unknown command", []string{"biuld"}, 1, "", `unknown command "biuld"`},
		{"no context", []string{"build"}, 1, "", "needs the build context"},
		{"two contexts", []string{"build", ".", "."}, 1, "", "takes one build context"},
		{"context not there", []string{"build", "/nonexistent"}, 1, "", "find the build context"},
		{"two builders", []string{"build", "--image=x", "--addr=a", "--builder=b"}, 1, "", "give one of them"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, tc.args...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if code != 0 && !strings.HasPrefix(stderr, "ERROR: ") {
				t.Errorf("stderr %q", stderr)
			}
		})
	}
}

func TestLint(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bad":    "FROM debian:12.9-slim\nWORKDIR /app\nCMD [\"./app\"]\n",
		"broken": "FROM a\nRUM b\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // a part of it
	}{
		{"passed", []string{"--rule=NonRootUser=off", dir + "/bad"}, 0, "", ""},
		{"failed", []string{dir + "/bad"}, 1, "ERROR: NonRootUser", ""},
		{"never", []string{"--fail-on=never", "-f", "json", dir + "/bad"}, 0, `"ruleName": "NonRootUser"`, ""},
		{"broken", []string{dir + "/bad", dir + "/broken"}, 2, "unknown instruction: RUM", ""},
		{"missing", []string{dir + "/nope"}, 2, "", "ERROR: stat "},
		{"flag", []string{"--nope"}, 2, "", "ERROR: unknown flag: --nope"},
		{"format", []string{"-f", "yaml"}, 2, "", `ERROR: unknown format "yaml"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, append([]string{"lint"}, tc.args...)...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.HasPrefix(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
				t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
	for flag, want := range map[string]string{"format": "sarif\n", "profile": "release\n", "fail-on": "never\n", "rule": "NonRootUser=\n"} {
		if _, stdout, _ := invoke(t, "__complete", "lint", "--"+flag, ""); !strings.Contains(stdout, want) {
			t.Errorf("--%s completes to %q, want %q in it", flag, stdout, want)
		}
	}
}
