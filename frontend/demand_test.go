package frontend

import (
	"slices"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
)

// runOf is the run that a Dockerfile asks for, and its Config.
func runOf(t *testing.T, directives ...string) (*config.Config, manifest.Run) {
	t.Helper()
	text := "FROM x\nEXPOSE 80\nCMD app\n"
	for _, d := range directives {
		text += "# slim: " + d + "\n"
	}
	cfg, err := config.Parse(config.Input{Filename: "Dockerfile", Dockerfile: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	img := dockerspec.DockerOCIImageConfig{}
	img.Cmd = []string{"app"}
	img.ExposedPorts = map[string]struct{}{"80/tcp": {}}
	run, err := cfg.Run(img)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, run
}

func TestDemands(t *testing.T) {
	for _, tc := range []struct {
		name       string
		directives []string
		want       []string
	}{
		{"by default", nil, []string{"granularity file", "probe tcp 80 (EXPOSE)"}},
		{"probes and rules", []string{`probe http /a user=me:secret`, `keep /b '/c d'  reason=x`, `keep-shell`, `granularity app`},
			[]string{"granularity app", "probe http /a user=***", "keep /b", `keep "/c d"`, "keep-shell"}},
		{"another run", []string{`start env.A=b sh -c 'x y'`, `network default`},
			[]string{"granularity file", "network default", `start env "A=b"`, `start sh -c "x y"`, "probe tcp 80 (EXPOSE)"}},
		{"what decides nothing", []string{`verify repair`, `sensor seccomp`, `ready timeout=1m`, `lock x.lock`}, []string{"granularity file", "probe tcp 80 (EXPOSE)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, d := range demands(runOf(t, tc.directives...)) {
				got = append(got, d.text)
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if err := (lock.File{Sections: []lock.Section{{Platform: "linux/amd64", Settings: got}}}).Encode(&strings.Builder{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDigestRun: what counts is what is asked, not where and for how long.
func TestDigestRun(t *testing.T) {
	digest := func(directives ...string) string {
		_, run := runOf(t, directives...)
		d, err := digestRun(run, manifest.Pack{Platform: "linux/amd64", Rules: []manifest.Rule{{}}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := digest(`probe http /a`)
	for _, same := range [][]string{
		{`keep /x`, `probe http /a timeout=3s retries=2`},
		{`probe http /a user=me:secret`},
		{`probe http /a`, `ready tcp:80 timeout=1m`},
	} {
		if digest(same...) != first {
			t.Errorf("another digest with %q", same)
		}
	}
	for _, other := range [][]string{nil, {`probe http /b`}, {`probe http /a body=x`}, {`probe http /a`, `start env.A=b`}} {
		if digest(other...) == first {
			t.Errorf("the same digest with %q", other)
		}
	}
}

func TestLockedFolders(t *testing.T) {
	entries := []lock.Entry{{Path: "/data/x"}, {Path: "/run"}, {Path: "/tmpfile"}}
	if got, want := lockedFolders(entries, []string{"/tmp", "/run", "/data"}), []string{"/data", "/run"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
