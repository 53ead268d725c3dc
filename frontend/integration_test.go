package frontend_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"

	"github.com/org/slimfile/frontend"
	"github.com/org/slimfile/frontend/internal/testenv"
)

// TestIntegration holds all tests that a daemon which grants security.insecure
// can serve: they share it, and so what it has built already.
func TestIntegration(t *testing.T) {
	s := suite{env: testenv.Start(t, testenv.Options{Insecure: true}), fixture: buildFixture(t)}
	for _, group := range []struct {
		name string
		test func(*testing.T, suite)
	}{
		{"bad input", testBadInput},
		{"hard input", testHardInput},
		{"rules", testRules},
		{"fixes", testFixes},
		{"buildx", testBuildx},
		{"stock", testStock},
		{"image", testImage},
		{"outputs", testOutputs},
		{"observed", testObserved},
		{"proof", testProof},
		{"repair", testRepair},
		{"read-only root", testReadOnly},
		{"lock", testLock},
		{"caching", testCaching},
		{"refresh", testRefresh},
		{"attestations", testAttestations},
		{"platforms", testPlatforms},
		{"examples", testExamples},
		{"behaviours", testBehaviours},
	} {
		t.Run(group.name, func(t *testing.T) { group.test(t, s) })
	}
}

// suite is what the tests share.
type suite struct {
	env     *testenv.Env
	fixture string // build context with the fixture app
}

// clients are the two ways to the frontend: BuildKit runs the image that
// "# syntax=" names, or the client runs the frontend itself.
var clients = []struct {
	name  string
	build gwclient.BuildFunc
}{
	{"gateway", nil},
	{"in-process", frontend.Frontend{}.Build},
}

// eachClient runs a test for each way to the frontend.
func eachClient(t *testing.T, test func(*testing.T, gwclient.BuildFunc)) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) { test(t, c.build) })
	}
}

// buildFixture compiles testdata/fixture into a folder that is a build context.
func buildFixture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "fixture"), "./testdata/fixture")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile the fixture: %v\n%s", err, out)
	}
	return dir
}

// fixtureHead is how the fixture's Dockerfiles start; what is added to it
// begins on fixtureLine.
const (
	fixtureHead = "# syntax=org/slimfile\nFROM scratch\nCOPY fixture /\nENTRYPOINT [\"/fixture\"]\n"
	fixtureLine = 5
)

// app is a build of the fixture with more lines to its Dockerfile.
func (s suite) app(build gwclient.BuildFunc, lines ...string) testenv.Build {
	return testenv.Build{
		InProcess:  build,
		Context:    s.fixture,
		Dockerfile: fixtureHead + strings.Join(lines, "\n") + "\n",
		Attrs:      map[string]string{},
	}
}

// args adds build arguments, NAME=VALUE, to a build.
func args(b testenv.Build, args ...string) testenv.Build {
	attrs := maps.Clone(b.Attrs)
	if attrs == nil {
		attrs = map[string]string{}
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		attrs["build-arg:"+name] = value
	}
	b.Attrs = attrs
	return b
}

// attr sets an option of the frontend.
func attr(b testenv.Build, key, value string) testenv.Build {
	b = args(b)
	b.Attrs[key] = value
	return b
}

// changed adds to what a build changes in its request.
func changed(b testenv.Build, change func(*client.SolveOpt)) testenv.Build {
	before := b.Options
	b.Options = func(opt *client.SolveOpt) {
		if before != nil {
			before(opt)
		}
		change(opt)
	}
	return b
}

// namedContext adds a folder as a build context of that name.
func namedContext(t *testing.T, b testenv.Build, name, dir string) testenv.Build {
	t.Helper()
	files, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return changed(attr(b, "context:"+name, "local:"+name), func(opt *client.SolveOpt) {
		opt.LocalMounts[name] = files
	})
}

// export builds to a local folder, which it returns.
func (s suite) export(t *testing.T, b testenv.Build) (string, testenv.Result) {
	t.Helper()
	dir := t.TempDir()
	res, err := s.env.Build(t, changed(b, func(opt *client.SolveOpt) {
		opt.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dir}}
	}))
	if err != nil {
		t.Fatalf("build: %v\n%s", err, res.Log)
	}
	return dir, res
}

// refused runs a build that has to fail without an image coming out, and
// returns its error.
func (s suite) refused(t *testing.T, b testenv.Build) error {
	t.Helper()
	exported := false
	res, err := s.env.Build(t, changed(b, func(opt *client.SolveOpt) {
		opt.Exports = []client.ExportEntry{{
			Type: client.ExporterOCI,
			Output: func(map[string]string) (io.WriteCloser, error) {
				exported = true
				return nil, errors.New("no image may come out of a build that failed")
			},
		}}
	}))
	if exported {
		t.Error("an image came out")
	}
	if err == nil {
		t.Fatalf("the build succeeded:\n%s", res.Log)
	}
	return err
}

const syntaxLine = 1

// maxScreen is how many lines an error may have: the app's last 40, and what
// is said around them.
const maxScreen = 60

// checkError wants an error to fit a screen, to have the given texts in it and
// to point at a line of the Dockerfile; line 0 is for one that concerns none.
func checkError(t *testing.T, err error, line int, want ...string) {
	t.Helper()
	text := err.Error()
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("the error lacks %q", part)
		}
	}
	if n := strings.Count(text, "\n"); n > maxScreen {
		t.Errorf("the error has %d lines", n)
	}
	at := 0
	for _, source := range errdefs.Sources(err) {
		for _, r := range source.Ranges {
			at = int(r.Start.Line)
		}
	}
	// BuildKit blames "# syntax=" for what comes without a line from there.
	if at != line && !(line == 0 && at == syntaxLine) {
		t.Errorf("the error points at line %d, want %d", at, line)
	}
	if t.Failed() {
		t.Logf("the error:\n%s", text)
	}
}

// vertex matches the lines of plain progress that name a step.
var vertex = regexp.MustCompile(`(?m)^#(\d+) (\[.+)$`)

// cached lists the steps of a build's log by whether BuildKit had them already.
func cached(log string) map[string]bool {
	steps := map[string]bool{}
	for _, m := range vertex.FindAllStringSubmatch(log, -1) {
		if !strings.HasPrefix(m[2], "[internal]") {
			steps[m[2]] = steps[m[2]] || strings.Contains(log, "\n#"+m[1]+" CACHED\n")
		}
	}
	return steps
}

// ask sends a subrequest and returns the answer's metadata.
func (s suite) ask(t *testing.T, b testenv.Build, request string) map[string][]byte {
	t.Helper()
	build := b.InProcess
	if build == nil {
		build = func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
			return c.Solve(ctx, gwclient.SolveRequest{Frontend: "dockerfile.v0", FrontendOpt: c.BuildOpts().Opts})
		}
	}
	var answer map[string][]byte
	b.InProcess = func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		res, err := build(ctx, c)
		if err == nil {
			answer = res.Metadata
		}
		return res, err
	}
	if res, err := s.env.Build(t, attr(b, "requestid", request)); err != nil {
		t.Fatalf("%s: %v\n%s", request, err, res.Log)
	}
	return answer
}

// config is an image's configuration with Docker's own fields.
func config(t *testing.T, image *testenv.Image) dockerspec.DockerOCIImage {
	t.Helper()
	var c dockerspec.DockerOCIImage
	image.Blob(t, image.Manifest(t, "").Config.Digest, &c)
	return c
}

// inspect is the frontend with a look at its result before it is exported.
func inspect(look func(context.Context, *gwclient.Result) error) gwclient.BuildFunc {
	return func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		res, err := frontend.Frontend{}.Build(ctx, c)
		if err != nil {
			return nil, err
		}
		return res, look(ctx, res)
	}
}
