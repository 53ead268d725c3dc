package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/internal/problems"
)

// probed lists the paths of c's http probes.
func probed(c *Config) []string {
	var paths []string
	for _, p := range c.Probes {
		paths = append(paths, p.HTTP.Path)
	}
	return paths
}

// TestComments: what counts as a top-level comment line is for BuildKit's
// parser to say.
func TestComments(t *testing.T) {
	tests := []struct {
		name, dockerfile string
		want             []string // paths probed
		warned           []int    // lines
	}{
		{"spacing", "FROM a\n#slim:probe http /1\n  \t#   slim:   probe\thttp   /2\t\n", []string{"/1", "/2"}, nil},
		{"other spaces", "FROM a\n\u00a0#\u00a0slim: probe http /1\n", []string{"/1"}, nil},
		{"no newline at the end", "FROM a\n# slim: probe http /1", []string{"/1"}, nil},
		{"crlf", "FROM a\r\n# slim: probe http /1\r\nRUN x \\\r\n  y\r\n# slim: probe http /2\r\n", []string{"/1", "/2"}, nil},
		{"byte order mark", "\xef\xbb\xbf# slim: probe http /1\nFROM a\n", []string{"/1"}, nil},
		{"lower case", "from a as b\nrun x \\\n  # slim: probe http /no\n  y\n# slim: probe http /1\nfrom b\n", []string{"/1"}, []int{3}},
		{"between instructions", "FROM a\n# slim: probe http /1\nRUN x\n\n# slim: probe http /2\nRUN y\n", []string{"/1", "/2"}, nil},
		{"continuation", "FROM a\nRUN x \\\n# slim: probe http /no\n  && y\n# slim: probe http /1\n", []string{"/1"}, []int{3}},
		{"stray continuation", "FROM a\nCMD x \\\n\n# slim: probe http /no\n", nil, []int{4}},
		{"escape directive", "# escape=`\nFROM a\nRUN x `\n# slim: probe http /no\n y\nRUN x \\\n# slim: probe http /1\nRUN y\n", []string{"/1"}, []int{4}},
		{"heredoc", "FROM a\nRUN <<EOF\n# slim: probe http /no\n# slimm: frob\nEOF\n# slim: probe http /1\n", []string{"/1"}, nil},
		{"heredocs", "FROM a\nCOPY <<A <<-B /x/\n# slim: probe\nA\n# slim: x\n\t# slim: y\n\tB\n# slim: probe http /1\n", []string{"/1"}, nil},
		{"heredoc after continuation", "FROM a\nRUN --mount=type=cache,target=/x \\\n# slim: probe http /no\n <<EOF\n# slim: z\nEOF\n# slim: probe http /1\n", []string{"/1"}, []int{3}},
		{"heredoc in onbuild", "FROM a\nONBUILD RUN <<EOF\n# slim: z\nEOF\n# slim: probe http /1\n", []string{"/1"}, nil},
		{"hash in an instruction", "FROM a\nRUN echo # slim: frob\n", nil, nil},
		{"unicode", "FROM a\n# slim: probe http /ünï?q=日本 match=\"✓ fertig\"\n", []string{"/ünï?q=日本"}, nil},
		{"inline check", "FROM a\n# check=skip=all\nRUN x\n# slim: probe http /1\n", []string{"/1"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := parse(t, test.dockerfile)
			if got := probed(c); !slices.Equal(got, test.want) {
				t.Errorf("probes %q, want %q", got, test.want)
			}
			var warned []int
			for _, w := range c.Warnings {
				warned = append(warned, w.Location.Line)
			}
			if !slices.Equal(warned, test.warned) {
				t.Errorf("warnings on %v, want %v", warned, test.warned)
			}
		})
	}
}

// TestPlainComments: prose is left alone, what can only be a misspelt
// directive is not.
func TestPlainComments(t *testing.T) {
	tests := []struct {
		comment string
		wrong   bool
	}{
		{"# slim image, see the README", false},
		{"# slim: probe http /", false}, // a directive
		{"# Slim: keep this image small", false},
		{"# SLIM: the slim variant of python", false},
		{"# slim output goes to stdout", false},
		{"# slim start here", false},
		{"# slim on alpine", false},
		{"# slimming: keep /app", false},
		{"# skip: on", false},
		{"# sim: on", false},
		{"# slip: drop the database", false},
		{"# lint: rule DL3008=off", false},
		{"# use the slim: probe http /", false},
		{"# syntax: keep /x", false},
		{"# --slim: probe http /", false},

		{"# slim probe http /", true},
		{"# slim probe http / statsu=3", true},
		{"# slim keep /app/**", true},
		{"# slim on", true},
		{"# slim : probe http /", true},
		{"# slim=on", true},
		{"# Slim: probe http /", true},
		{"# SLIM: keep-exe bash", true},
		{"## slim: on", true},
		{"# slimm: probe http /", true},
		{"# silm: probe http /x y=z", true},
		{"# sim: keep /app/**", true},
		{"# slimfile: sensor seccomp", true},
	}
	for _, test := range tests {
		t.Run(test.comment, func(t *testing.T) {
			_, err := Parse(Input{Filename: "Dockerfile", Dockerfile: []byte("FROM a\n" + test.comment + "\n")})
			if (err != nil) != test.wrong {
				t.Errorf("got %v, want wrong %v", err, test.wrong)
			}
			if err != nil && !strings.Contains(err.Error(), "this comment has no effect") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStages(t *testing.T) {
	const dockerfile = `
# slim: probe http /global
ARG BASE=app
FROM debian AS Base
# slim: probe http /base
FROM base AS app
# slim: probe http /app
FROM ${BASE} AS test
# slim: probe http /test
FROM app as other
# slim: on
FROM debian
COPY --from=app /a /a
# slim: probe http /last
`
	tests := []struct {
		name, target string
		args         map[string]string
		want         []string
		slim         bool
	}{
		{"last", "", nil, []string{"/global", "/last"}, true},
		{"base", "base", nil, []string{"/global", "/base"}, false},
		{"in any case", "BASE", nil, []string{"/global", "/base"}, false},
		{"inherited", "app", nil, []string{"/global", "/base", "/app"}, false},
		{"through an argument's default", "test", nil, []string{"/global", "/base", "/app", "/test"}, false},
		{"through an argument", "test", map[string]string{"BASE": "base"}, []string{"/global", "/base", "/test"}, false},
		{"an argument names an image", "test", map[string]string{"BASE": "nginx"}, []string{"/global", "/test"}, false},
		{"on", "other", nil, []string{"/global", "/base", "/app"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := parseInput(t, Input{Dockerfile: []byte(dockerfile), Target: test.target, BuildArgs: test.args})
			if got := probed(c); !slices.Equal(got, test.want) || c.Slim != test.slim {
				t.Errorf("probes %q, slim %v; want %q, %v", got, c.Slim, test.want, test.slim)
			}
		})
	}
}

func TestStageDetails(t *testing.T) {
	tests := []struct {
		name, dockerfile, target string
		want                     []string
		slim                     bool
	}{
		{"last stage by name", "FROM a AS x\nFROM b AS y\n# slim: probe http /1\n", "y", []string{"/1"}, true},
		{"on is not inherited", "FROM a AS x\n# slim: on\nFROM x AS y\nFROM z\n", "y", nil, false},
		{"base names are lower case", "FROM a AS x\n# slim: probe http /1\nFROM X\n", "", nil, true},
		{"name of the image", "FROM debian AS debian\n# slim: probe http /1\n", "", []string{"/1"}, true},
		{"same name twice", "FROM a AS x\n# slim: probe http /1\nFROM b AS x\n# slim: probe http /2\nFROM x\n", "", []string{"/2"}, true},
		{"only stages above", "FROM x\n# slim: probe http /1\nFROM b AS x\n# slim: probe http /2\nFROM c\n", "", nil, true},
		{"unknown base, nothing lost", "FROM a\n# slim: probe http /0\nFROM ${X} AS y\n# slim: probe http /1\n", "", []string{"/1"}, true},
		{"default in the FROM", "FROM a AS x\n# slim: probe http /1\nFROM ${NONE:-x}\n", "", []string{"/1"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := parseInput(t, Input{Dockerfile: []byte(test.dockerfile), Target: test.target})
			if got := probed(c); !slices.Equal(got, test.want) || c.Slim != test.slim {
				t.Errorf("probes %q, slim %v; want %q, %v", got, c.Slim, test.want, test.slim)
			}
		})
	}
}

// TestPlatformBase: the caller adds the platform's variables to BuildArgs.
func TestPlatformBase(t *testing.T) {
	const dockerfile = "FROM a AS base-arm64\n# slim: probe http /arm64\nFROM a AS base-amd64\n# slim: probe http /amd64\nFROM base-${TARGETARCH}\n"
	c := parseInput(t, Input{Dockerfile: []byte(dockerfile), BuildArgs: map[string]string{"TARGETARCH": "arm64"}})
	if got := probed(c); !slices.Equal(got, []string{"/arm64"}) {
		t.Errorf("got %q", got)
	}
	got := parseError(t, Input{Dockerfile: []byte(dockerfile)})
	if !strings.HasPrefix(got, "Dockerfile:5: the platform decides which stage base-${TARGETARCH} is") {
		t.Errorf("got %s", got)
	}
}

// TestOverride: in a stage, what it says itself counts before what it
// inherits and what is global.
func TestOverride(t *testing.T) {
	c := parse(t, `# slim: sensor seccomp
# slim: network default
# slim: verify off
# slim: start env.A=1 env.B=1 global
# slim: ready tcp:1
# slim: keep /global
FROM a AS base
# slim: sensor fanotify
# slim: start env.B=2
# slim: start env.C=2
# slim: ready tcp:2
# slim: drop /base
FROM base
# slim: verify on
# slim: start mine
# slim: ready timeout=3s
# slim: keep /last
`)
	if c.Sensor != SensorFanotify || c.Network != NetworkDefault || c.Verify != VerifyOn {
		t.Errorf("sensor %s, network %s, verify %v", c.Sensor, c.Network, c.Verify)
	}
	if want := (Start{Env: []string{"A=1", "B=2", "C=2"}, Cmd: []string{"mine"}}); !reflect.DeepEqual(c.Start, want) {
		t.Errorf("start %+v, want %+v", c.Start, want)
	}
	if c.Ready.Kind != "" || c.Ready.Timeout != 3*time.Second {
		t.Errorf("ready %+v", c.Ready)
	}
	var rules []string
	for _, r := range c.Rules {
		rules = append(rules, r.Kind+r.Args[0])
	}
	if want := []string{"keep/global", "drop/base", "keep/last"}; !slices.Equal(rules, want) {
		t.Errorf("rules %q, want %q", rules, want)
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct {
		name string
		in   Input
		want string // prefix
	}{
		{"twice", Input{Dockerfile: []byte("FROM a\n# slim: sensor auto\n# slim: sensor auto\n")}, "Dockerfile:3: sensor is given twice, first on line 2"},
		{"ready twice", Input{Dockerfile: []byte("FROM a\n# slim: ready exit\n# slim: ready timeout=1s\n")}, "Dockerfile:3: ready is given twice, first on line 2"},
		{"variable twice", Input{Dockerfile: []byte("FROM a\n# slim: start env.A=1\n# slim: start env.A=2\n")}, "Dockerfile:3: start env.A is given twice, first on line 2"},
		{"command twice", Input{Dockerfile: []byte("FROM a\n# slim: start x\n# slim: start y\n")}, "Dockerfile:3: the command of start is given twice, first on line 2"},
		{"on above all stages", Input{Dockerfile: []byte("# slim: on\nFROM a\n")}, "Dockerfile:1: on belongs to one stage"},
		{"in a stage that is not built", Input{Dockerfile: []byte("FROM a AS x\n# slim: prob http /\nFROM b\n")}, `Dockerfile:2: unknown directive "prob"`},
		{"unknown target", Input{Dockerfile: []byte("FROM a AS app\n"), Target: "apq"}, `target stage "apq" could not be found, did you mean "app"?`},
		{"target by number", Input{Dockerfile: []byte("FROM a AS app\n"), Target: "0"}, `target stage "0" could not be found`},
		{"stock parse error", Input{Dockerfile: []byte("FROM a\nFRUM b\n")}, "dockerfile parse error on line 2: unknown instruction: FRUM"},
		{"unterminated heredoc", Input{Dockerfile: []byte("FROM a\nRUN <<EOF\n# slim: x\n")}, "unterminated heredoc"},
		{"empty", Input{}, "file with no instructions"},
		{"no stage", Input{Dockerfile: []byte("ARG a\n")}, "Dockerfile has no stage"},
		{"line too long", Input{Dockerfile: []byte("FROM a\n# slim: probe http /" + strings.Repeat("a", 10<<20) + "\n")}, "dockerfile line greater than max allowed size"},
		{"control characters in the name", Input{Filename: "a\x1b[31m", Dockerfile: []byte("FROM a\n# slim: x\n")}, "a�[31m:2: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.in.Filename == "" {
				test.in.Filename = "Dockerfile"
			}
			_, err := Parse(test.in)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s…", err, test.want)
			}
		})
	}
}

func TestAllErrorsInOrder(t *testing.T) {
	_, err := Parse(Input{
		Filename:   "Dockerfile",
		Dockerfile: []byte("# syntax=x SLIM_SENSOR=a\n# slim: b\nFROM c\n# slim: keep d raeson=\n# slim: on\n# slim: on\n"),
		Syntax:     "x SLIM_SENSOR=a",
		BuildArgs:  map[string]string{"SLIM_VERIFY": "e"},
	})
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %T %v", err, err)
	}
	var lines []int
	for _, e := range all {
		lines = append(lines, e.Location.Line)
	}
	if want := []int{0, 1, 2, 4, 4, 6}; !slices.Equal(lines, want) {
		t.Errorf("errors on lines %v, want %v:\n%v", lines, want, err)
	}
	var located *parser.LocationError
	if !errors.As(err, &located) {
		t.Fatalf("no location in %T", err)
	}
	if want := [][]parser.Range{{{Start: parser.Position{Line: 1, Character: 11}, End: parser.Position{Line: 1, Character: 24}}}}; !reflect.DeepEqual(located.Locations, want) {
		t.Errorf("locations %v, want %v", located.Locations, want)
	}
	var one *Error
	if !errors.As(err, &one) || one != all[0] {
		t.Errorf("first error %v", one)
	}
}

// TestManyDirectives: a hostile file costs little and says little.
func TestManyDirectives(t *testing.T) {
	good := "FROM a\n" + strings.Repeat("# slim: probe http /\n", maxDirectives)
	if c := parse(t, good); len(c.Probes) != maxDirectives {
		t.Errorf("got %d probes", len(c.Probes))
	}
	got := parseError(t, Input{Dockerfile: []byte(good + "# slim: probe http /\n")})
	if !strings.HasPrefix(got, fmt.Sprintf("Dockerfile:%d: more than %d directives", maxDirectives+2, maxDirectives)) {
		t.Errorf("got %s", got)
	}
	parse(t, "FROM a\nCOPY <<E /x\n"+strings.Repeat("# slim: x\n", 200_000)+"E\nRUN x \\\n"+strings.Repeat("#\n", 200_000)+" y\n")
	got = parseError(t, Input{Dockerfile: []byte("FROM a\n" + strings.Repeat("# slim: x\n", 100))})
	if n := strings.Count(got, "unknown directive"); n != problems.MaxShown || !strings.HasSuffix(got, "and 90 more") {
		t.Errorf("%d messages, last: %s", n, got[len(got)-20:])
	}
}

// TestGrammar: every row of the product's table of directives is understood,
// if only to say that it cannot be done yet.
func TestGrammar(t *testing.T) {
	rows := []struct {
		line string
		done bool
	}{
		{`probe http / method=GET port=1 scheme=http status=200 match=a header=A:b body=x user=a:b insecure=on retries=1 timeout=1s`, true},
		{`probe http / body-file=x`, true},
		{`probe tcp 1 send=x match=y`, true},
		{`probe exec a b`, true},
		{`probe exec ["a"] exit=1 match=x user=u stdin=s`, true},
		{`probe grpc service=x port=1`, false},
		{`probe crawl / depth=1 pages=2`, false},
		{`probe openapi /openapi.json`, false},
		{`probe stage test pytest -q`, false},
		{`service db stage=x cmd=y env=z ready=tcp:1`, false},
		{`service db image=x`, false},
		{`start env.K=V a b`, true},
		{`start secret.K=ID`, false},
		{`network none`, true},
		{`network default`, true},
		{`ready tcp:1 timeout=1s`, true},
		{`ready http:/`, true},
		{`ready log:x`, true},
		{`ready exit`, true},
		{`keep /a /b reason=x`, true},
		{`drop /a /b`, true},
		{`keep-exe a b`, true},
		{`keep-package a b`, true},
		{`keep-shell`, true},
		{`keep-stage-copy`, true},
		{`granularity file`, true},
		{`granularity package`, true},
		{`granularity app`, true},
		{`granularity strict`, true},
		{`sensor auto`, true},
		{`sensor seccomp`, true},
		{`sensor fanotify`, true},
		{`lock slim.lock`, true},
		{`verify on`, true},
		{`verify repair`, true},
		{`verify off`, true},
		{`rule X=off reason=y until=2027-01-01`, true},
		{`policy FILE`, true},
		{`refresh 24h`, true},
		{`refresh off`, true},
		{`output keep-metadata=on`, false},
		{`on`, true},
	}
	seen := map[string]bool{}
	for _, row := range rows {
		t.Run(row.line, func(t *testing.T) {
			seen[strings.Fields(row.line)[0]] = true
			_, err := Parse(Input{Filename: "Dockerfile", Dockerfile: []byte("FROM a\n# slim: " + row.line + "\n")})
			if row.done {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || !e.Unsupported || e.Location.Line != 2 || !strings.Contains(e.Message, "not supported yet") {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, v := range verbNames() {
		if !seen[v] {
			t.Errorf("verb %s has no row", v)
		}
	}
}
