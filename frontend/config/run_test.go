package config

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/org/slimfile/sensor/manifest"
)

type (
	imageConfig = dockerspec.DockerOCIImageConfig
	healthcheck = dockerspec.HealthcheckConfig
)

// service is an image's config with the given ports EXPOSEd.
func service(ports ...string) imageConfig {
	var img imageConfig
	img.Entrypoint = []string{"python3"}
	img.Cmd = []string{"app.py"}
	img.Env = []string{"PATH=/bin", "A=0"}
	img.WorkingDir = "/app"
	img.User = "nobody"
	img.ExposedPorts = map[string]struct{}{}
	for _, p := range ports {
		img.ExposedPorts[p] = struct{}{}
	}
	return img
}

func (c *Config) mustRun(t *testing.T, img imageConfig) manifest.Run {
	t.Helper()
	run, err := c.Run(img)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(run); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRunZeroConfiguration(t *testing.T) {
	img := service("443/tcp", "80", "53/udp", "8080/TCP")
	img.StopSignal = "SIGQUIT"
	img.Healthcheck = &healthcheck{Test: []string{"CMD-SHELL", "curl -f localhost"}}
	app := manifest.Command{Args: []string{"python3", "app.py"}, Env: img.Env, Dir: "/app", User: "nobody"}
	check := app
	check.Args = []string{"/bin/sh", "-c", "curl -f localhost"}
	want := manifest.Run{
		Version: manifest.Version,
		App:     app,
		Ready:   manifest.Ready{Kind: "tcp", Ports: []int{80, 443, 8080}, TimeoutSeconds: 120},
		Probes: []manifest.Probe{
			{Name: "tcp 80 (EXPOSE)", TimeoutSeconds: 30, TCP: &manifest.TCPProbe{Port: 80}},
			{Name: "tcp 443 (EXPOSE)", TimeoutSeconds: 30, TCP: &manifest.TCPProbe{Port: 443}},
			{Name: "tcp 8080 (EXPOSE)", TimeoutSeconds: 30, TCP: &manifest.TCPProbe{Port: 8080}},
			{Name: "HEALTHCHECK", TimeoutSeconds: 30, Retries: 3, Exec: &manifest.ExecProbe{Command: check}},
		},
		Stop:           manifest.Stop{Signal: "SIGQUIT", GraceSeconds: 10},
		TimeoutSeconds: 300,
	}
	if got := parse(t, base).mustRun(t, img); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A base image's EXPOSE cannot be taken back: `ready tcp:` says what counts.
func TestRunPortProbes(t *testing.T) {
	for _, test := range []struct {
		name, directives string
		want             []string
	}{
		{"EXPOSEd", "# slim: ready timeout=3s", []string{"tcp 80 (EXPOSE)", "tcp 8443 (EXPOSE)"}},
		{"ready", "# slim: ready tcp:8443", []string{"tcp 8443 (ready)"}},
		{"declared", "# slim: ready tcp:8443\n# slim: probe tcp 80", []string{"tcp 80"}},
		{"other condition", "# slim: ready log:up", []string{"tcp 80 (EXPOSE)", "tcp 8443 (EXPOSE)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, p := range parse(t, base+test.directives+"\n").mustRun(t, service("80", "8443")).Probes {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("probes %q, want %q", got, test.want)
			}
		})
	}
}

func TestRunProbes(t *testing.T) {
	withCheck := service("80")
	withCheck.Shell = []string{"/bin/bash", "-o", "pipefail", "-c"}
	withCheck.Healthcheck = &healthcheck{Test: []string{"CMD-SHELL", "a | b"}, Timeout: time.Second, StartPeriod: time.Minute, Retries: 7}
	c := parse(t, base+`# slim: start env.A=1 env.B=2 serve --test
# slim: probe http /hello
# slim: probe http / port=81 scheme=https
# slim: probe tcp 82
# slim: probe exec id user=root stdin=x
# slim: probe exec id
`)
	run := c.mustRun(t, withCheck)
	env := []string{"PATH=/bin", "A=1", "B=2"}
	command := func(args ...string) manifest.Command {
		return manifest.Command{Args: args, Env: env, Dir: "/app", User: "nobody"}
	}
	if want := command("python3", "serve", "--test"); !reflect.DeepEqual(run.App, want) {
		t.Errorf("app %+v, want %+v", run.App, want)
	}
	if len(run.Probes) != 6 {
		t.Fatalf("got %d probes", len(run.Probes))
	}
	if h := run.Probes[0].HTTP; h.Port != 80 || run.Probes[0].Source.Line != 4 {
		t.Errorf("first probe %+v", h)
	}
	if h := run.Probes[1].HTTP; h.Port != 81 || h.Scheme != "https" {
		t.Errorf("second probe %+v", h)
	}
	rooted := command("id")
	rooted.User, rooted.Stdin = "root", []byte("x")
	if got := run.Probes[3].Exec.Command; !reflect.DeepEqual(got, rooted) {
		t.Errorf("exec probe %+v, want %+v", got, rooted)
	}
	if got := run.Probes[4].Exec.Command; !reflect.DeepEqual(got, command("id")) {
		t.Errorf("exec probe %+v", got)
	}
	check := run.Probes[5]
	if want := command("/bin/bash", "-o", "pipefail", "-c", "a | b"); !reflect.DeepEqual(check.Exec.Command, want) || check.TimeoutSeconds != 61 || check.Retries != 7 {
		t.Errorf("HEALTHCHECK %+v %+v", check, check.Exec)
	}
	// The Config serves other platforms too: it must be as it was.
	if c.Probes[0].HTTP.Port != 0 || c.Probes[4].Exec.Command.Dir != "" {
		t.Errorf("Run changed the Config: %+v", c.Probes)
	}
	if again := c.mustRun(t, withCheck); !reflect.DeepEqual(run, again) {
		t.Errorf("second time %+v, first %+v", again, run)
	}
}

func TestRunReady(t *testing.T) {
	at := &manifest.Location{Line: 3, EndLine: 3, Column: 8}
	tests := []struct {
		name, directives string
		img              imageConfig
		want             manifest.Ready
	}{
		{"command-line tool", "", service(), manifest.Ready{Kind: "exit", TimeoutSeconds: 120}},
		{"tool with an exec probe", "# slim: probe exec id", service(), manifest.Ready{Kind: "exit", TimeoutSeconds: 120}},
		{"EXPOSEd", "# slim: probe tcp 82", service("80"), manifest.Ready{Kind: "tcp", Ports: []int{80}, TimeoutSeconds: 120}},
		{"ports of probes", "# slim: probe tcp 82\n# slim: probe http / port=81\n# slim: probe http /b port=81", service("53/udp"),
			manifest.Ready{Kind: "tcp", Ports: []int{81, 82}, TimeoutSeconds: 120}},
		{"timeout only", "# slim: ready timeout=3s", service("80"), manifest.Ready{Kind: "tcp", Ports: []int{80}, TimeoutSeconds: 3, Source: at}},
		{"ports", "# slim: ready tcp:1 tcp:2", service("80"), manifest.Ready{Kind: "tcp", Ports: []int{1, 2}, TimeoutSeconds: 120, Source: at}},
		{"http", "# slim: ready http:/up?x=1", service("80"), manifest.Ready{Kind: "http", URL: "http://localhost:80/up?x=1", TimeoutSeconds: 120, Source: at}},
		{"http with a port", "# slim: ready http:/ port=9", service(), manifest.Ready{Kind: "http", URL: "http://localhost:9/", TimeoutSeconds: 120, Source: at}},
		{"log", "# slim: ready log:up", service("53/udp"), manifest.Ready{Kind: "log", Pattern: "up", TimeoutSeconds: 120, Source: at}},
		{"exit", "# slim: ready exit", service(), manifest.Ready{Kind: "exit", TimeoutSeconds: 120, Source: at}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := parse(t, base+test.directives+"\n").mustRun(t, test.img).Ready
			if got.Source != nil {
				got.Source.EndColumn = 0
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	empty := service()
	empty.Entrypoint, empty.Cmd = nil, nil
	checked := service()
	checked.Healthcheck = &healthcheck{Test: []string{"CMD", "true"}}
	tests := []struct {
		name, directives string
		img              imageConfig
	}{
		{"no command", "", empty},
		{"no port for http", "# slim: probe http /", service()},
		{"several ports for http", "# slim: probe http /", service("80", "443")},
		{"several ports for ready", "# slim: ready http:/", service("80", "443")},
		{"udp only", "", service("53/udp")},
		{"HEALTHCHECK only", "", checked},
		{"bad port", "", service("http")},
		{"probe of an app that exits", "# slim: ready exit\n# slim: probe tcp 80", service()},
	}
	var out strings.Builder
	for _, test := range tests {
		run, err := parseInput(t, Input{Dockerfile: []byte(base + test.directives + "\n")}).Run(test.img)
		if err == nil {
			t.Errorf("%s: no error, but %+v", test.name, run)
			continue
		}
		out.WriteString(test.name + "\n" + err.Error() + "\n")
	}
	golden(t, "run-errors.golden", out.String())
}

func TestHealthcheck(t *testing.T) {
	tests := []struct {
		name string
		test []string
		want []string
	}{
		{"inherited", nil, nil},
		{"none", []string{"NONE"}, nil},
		{"none, with a rest", []string{"NONE", "x"}, nil},
		{"program", []string{"CMD", "curl", "-f", "x"}, []string{"curl", "-f", "x"}},
		{"no program", []string{"CMD"}, nil},
		{"shell", []string{"CMD-SHELL", "curl x"}, []string{"/bin/sh", "-c", "curl x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			img := service("80")
			img.Healthcheck = &healthcheck{Test: test.test}
			if got := healthCommand(img); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			probes := parse(t, base).mustRun(t, img).Probes
			if got := len(probes) == 2; got != (test.want != nil) {
				t.Errorf("got %d probes", len(probes))
			}
		})
	}
}

func TestPack(t *testing.T) {
	img := service()
	img.Volumes = map[string]struct{}{"/b": {}, "/a": {}}
	img.Shell = []string{"/bin/bash", "-c"}
	img.Healthcheck = &healthcheck{Test: []string{"CMD", "true"}}
	c := parse(t, base+"# slim: start other\n# slim: keep /x reason=y\n")
	got := c.Pack(img, "linux/arm64/v8")
	want := manifest.Pack{
		Version: manifest.Version,
		Image: manifest.Image{
			Entrypoint: []string{"python3"}, Cmd: []string{"app.py"}, Healthcheck: []string{"true"}, Env: img.Env,
			WorkingDir: "/app", User: "nobody", Volumes: []string{"/a", "/b"}, Shell: img.Shell,
		},
		Platform: "linux/arm64/v8",
		Rules: []manifest.Rule{{Kind: "keep", Args: []string{"/x"}, Reason: "y",
			Source: &manifest.Location{Line: 4, EndLine: 4, Column: 8, EndColumn: 24}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
