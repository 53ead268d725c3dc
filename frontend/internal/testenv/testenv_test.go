package testenv

import (
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDenied(t *testing.T) {
	env := Start(t, Options{})
	t.Run("Build", func(t *testing.T) { testBuild(t, env) })
	t.Run("Run", func(t *testing.T) { testRun(t, env) })
	t.Run("FrontendImage", func(t *testing.T) { testFrontendImage(t, env) })
	t.Run("Entitlement", func(t *testing.T) {
		wantInsecure(t, env, true, "is not allowed by build daemon configuration")
	})
}

func TestGranted(t *testing.T) {
	env := Start(t, Options{Insecure: true})
	wantInsecure(t, env, true, "")
	wantInsecure(t, env, false, "security.insecure is not allowed")
}

// wantInsecure builds a step with all privileges, which must fail with an error
// that says want, or succeed if want is empty.
func wantInsecure(t *testing.T, env *Env, ask bool, want string) {
	t.Helper()
	_, err := env.Build(t, Build{
		Dockerfile: "FROM debian:bookworm-slim\nRUN --security=insecure true\n",
		Insecure:   ask,
	})
	if want == "" {
		if err != nil {
			t.Errorf("asked for security.insecure: %v", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("asked for security.insecure (%t): error %v, want %q", ask, err, want)
	}
}

func testBuild(t *testing.T, env *Env) {
	t.Run("a base image resolves by its usual name", func(t *testing.T) {
		img := env.BuildImage(t, Build{Dockerfile: "FROM debian:bookworm-slim\nRUN mkdir /made && ln -s /nowhere /made/link\n"})
		paths := Paths(t, img.Unpack(t, ""))
		for _, want := range []string{"etc/", "etc/os-release", "made/link"} {
			if !slices.Contains(paths, want) {
				t.Errorf("the image has no %s", want)
			}
		}
		if !strings.Contains(img.Log, "RUN mkdir /made") {
			t.Errorf("the progress does not show the step:\n%s", img.Log)
		}
	})

	t.Run("a built image serves as a base", func(t *testing.T) {
		env.BuildAs(t, Build{Dockerfile: "FROM debian:bookworm-slim\nENV MARK=base\n"}, "example/base:1")
		img := env.BuildImage(t, Build{Dockerfile: "FROM example/base:1\n"})
		if got := img.Config(t, "").Config.Env; !slices.Contains(got, "MARK=base") {
			t.Errorf("environment %v, want the base's", got)
		}
	})

	t.Run("a failed build returns its progress", func(t *testing.T) {
		res, err := env.Build(t, Build{Dockerfile: "FROM debian:bookworm-slim\nRUN echo seen && exit 3\n"})
		if err == nil || !strings.Contains(err.Error(), "exit code: 3") {
			t.Errorf("error %v, want exit code 3", err)
		}
		if !strings.Contains(res.Log, "seen") {
			t.Errorf("the log lacks the step's output:\n%s", res.Log)
		}
	})

	t.Run("an image of two platforms", func(t *testing.T) {
		img := env.BuildImage(t, Build{
			Dockerfile: "FROM scratch\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nCOPY <<EOT /arch\n$TARGETARCH\nEOT\n",
			Attrs:      map[string]string{"platform": "linux/amd64,linux/arm64"},
		})
		if got := img.Platforms(t); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
			t.Fatalf("platforms %v", got)
		}
		if got := img.Config(t, "linux/arm64").Config.Env; !slices.Contains(got, "ARCH=arm64") {
			t.Errorf("environment %v of linux/arm64", got)
		}
	})
}

func testRun(t *testing.T, env *Env) {
	t.Run("a command as the image's user", func(t *testing.T) {
		img := env.BuildImage(t, Build{Dockerfile: "FROM debian:bookworm-slim\nUSER nobody\nWORKDIR /tmp\n" +
			`CMD ["sh", "-c", "id -un; pwd; ls /sys/class/net; grep CapEff /proc/self/status; exit 7"]` + "\n"})
		app := Run(t, img.Unpack(t, ""), img.Config(t, "").Config, RunOptions{})
		if code := app.Wait(t); code != 7 {
			t.Errorf("exit code %d, want 7", code)
		}
		if got, want := app.Output(), "nobody\n/tmp\nlo\nCapEff:\t0000000000000000\n"; got != want {
			t.Errorf("output %q, want %q", got, want)
		}
	})

	t.Run("root has Docker's capabilities", func(t *testing.T) {
		img := env.BuildImage(t, Build{Dockerfile: "FROM debian:bookworm-slim\n"})
		app := Run(t, img.Unpack(t, ""), img.Config(t, "").Config, RunOptions{Args: []string{"grep", "CapEff", "/proc/self/status"}})
		app.Wait(t)
		if got, want := app.Output(), "CapEff:\t00000000a80425fb\n"; got != want {
			t.Errorf("output %q, want %q", got, want)
		}
	})

	t.Run("a server is reached in its own network", func(t *testing.T) {
		img := env.BuildImage(t, Build{Dockerfile: "FROM python:3.11-slim-bookworm\nWORKDIR /srv\nRUN echo hello > index.html\n" +
			`CMD ["python3", "-m", "http.server", "8008"]` + "\n"})
		app := Run(t, img.Unpack(t, ""), img.Config(t, "").Config, RunOptions{})
		app.WaitListen(t, 8008)
		resp, err := app.HTTPClient().Get("http://localhost:8008/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "hello\n" {
			t.Errorf("body %q, error %v", body, err)
		}
		app.Signal(t, unix.SIGKILL)
		if code := app.Wait(t); code != 137 {
			t.Errorf("exit code %d after SIGKILL, want 137", code)
		}
	})
}

func testFrontendImage(t *testing.T, env *Env) {
	img := env.BuildImage(t, Build{
		Dockerfile: "# syntax=" + FrontendRef + "\nFROM debian:bookworm-slim\nRUN echo built > /made\n",
		Attrs:      map[string]string{"build-arg:SLIM": "off"},
	})
	if !slices.Contains(Paths(t, img.Unpack(t, "")), "made") {
		t.Error("the image has no /made")
	}
}
