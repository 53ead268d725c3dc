package config

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/sensor/manifest"
)

// FuzzParse: whatever the Dockerfile says, Parse either fails at a place that
// exists, or gives a Config whose every value is usable.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		base,
		"# syntax=org/slimfile SLIM_SENSOR=seccomp\n# slim: sensor auto\nFROM a\n# slim: probe http /hello status=200 match=\"Hello\"\n",
		"FROM a\n# slim: probe http /a?b=c&d port=1 header='A: b' body=\"x\\\"y\" user=a:b retries=3 timeout=1s\n",
		"FROM a\n# slim: probe tcp 1 send='\\r\\n\\x00' match=^a$\n# slim: probe exec [\"a\", \"b\"] exit=1\n# slim: probe exec sh -c 'a | b' user=x\n",
		"FROM a\n# slim: ready log:\"a b\" timeout=3s\n# slim: start env.A=b c d\n# slim: keep /a/** /\\[ reason=x\n# slim: keep-shell\n",
		"FROM a AS b\nRUN <<E\n# slim: x\nE\nRUN x \\\n# slim: y\nz\nFROM b\n# slim: on\n",
		"\xef\xbb\xbf# escape=`\r\nfrom a\r\n# slim:\tverify off `\r\n",
		"FROM a\n# slim: probe http /\xff\n# slim probe http /\n# slimm: keep /\n",
		"ARG X=b\nFROM a AS b\n# slim: keep-exe [ /b\nFROM ${X:-a}-${TARGETARCH}\n",
		"FROM a\n# slim: probe exec [\"\\u0000\", \"\\ud800\"]\n# slim: start \"${x}\" `y` a\\n\n",
	} {
		f.Add([]byte(seed), "", "")
	}
	f.Add([]byte(base), "b", "ref SLIM_TIMEOUT=1s")
	f.Fuzz(func(t *testing.T, dockerfile []byte, target, syntax string) {
		c, err := Parse(Input{Filename: "Dockerfile", Dockerfile: dockerfile, Target: target, Syntax: syntax})
		if err != nil {
			checkError(t, err, len(lines(dockerfile)))
			return
		}
		checkConfig(t, c)
		again, err := Parse(Input{Filename: "Dockerfile", Dockerfile: dockerfile, Target: target, Syntax: syntax})
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("second time %+v, %v; first %+v", again, err, c)
		}
		run, err := c.Run(service("80"))
		if err != nil {
			checkError(t, err, len(c.file.lines))
			return
		}
		roundTrip(t, run)
		roundTrip(t, c.Pack(service("80"), "linux/amd64"))
	})
}

func checkError(t *testing.T, err error, lines int) {
	t.Helper()
	var all Errors
	if !errors.As(err, &all) {
		return // the Dockerfile parser's own
	}
	for _, e := range all {
		loc := e.Location
		if loc.Line < 0 || loc.Line > lines || loc.EndLine > lines || loc.Column < 0 || loc.EndColumn < loc.Column || e.Message == "" {
			t.Errorf("bad error %+v", e)
		}
		if strings.ContainsAny(e.Error(), "\x1b\x00\r") {
			t.Errorf("control characters in %q", e.Error())
		}
		var located *parser.LocationError
		if loc.Line > 0 && !errors.As(err, &located) {
			t.Errorf("no location in %v", err)
		}
	}
}

func checkConfig(t *testing.T, c *Config) {
	t.Helper()
	if c.Mode == "" || c.Sensor == "" || c.Output == "" || c.Network == "" || c.Timeout <= 0 {
		t.Errorf("a value is missing in %+v", c)
	}
	for _, p := range c.Probes {
		checkProbe(t, p)
	}
	for _, r := range c.Rules {
		if (len(r.Args) == 0) != (r.Kind == manifest.RuleKeepShell) || r.Source == nil {
			t.Errorf("bad rule %+v", r)
		}
		for _, arg := range r.Args {
			isGlob := r.Kind == manifest.RuleKeep || r.Kind == manifest.RuleDrop
			if arg == "" || isGlob && (!filepath.IsAbs(arg) || !doublestar.ValidatePattern(arg)) {
				t.Errorf("bad argument %q of rule %+v", arg, r)
			}
		}
	}
	for _, arg := range append(c.Start.Cmd, c.Start.Env...) {
		if strings.ContainsRune(arg, 0) {
			t.Errorf("NUL in %q", arg)
		}
	}
}

func checkProbe(t *testing.T, p Probe) {
	t.Helper()
	if p.Name == "" || p.Source == nil || p.TimeoutSeconds <= 0 || p.Retries < 0 {
		t.Errorf("bad probe %+v", p)
	}
	pattern := ""
	switch {
	case p.HTTP != nil && p.TCP == nil && p.Exec == nil:
		pattern = p.HTTP.Match
		if !strings.HasPrefix(p.HTTP.Path, "/") || p.HTTP.Port < 0 || p.HTTP.Port > 65535 || strings.ContainsAny(p.HTTP.Path, " \r\n") {
			t.Errorf("bad probe %+v", p.HTTP)
		}
		for _, h := range p.HTTP.Header {
			if strings.ContainsAny(h, "\r\n") {
				t.Errorf("bad header %q", h)
			}
		}
	case p.TCP != nil && p.HTTP == nil && p.Exec == nil:
		pattern = p.TCP.Match
		if p.TCP.Port < 1 || p.TCP.Port > 65535 {
			t.Errorf("bad probe %+v", p.TCP)
		}
	case p.Exec != nil && p.HTTP == nil && p.TCP == nil:
		pattern = p.Exec.Match
		if len(p.Exec.Command.Args) == 0 || p.Exec.Command.Args[0] == "" || strings.ContainsRune(strings.Join(p.Exec.Command.Args, ""), 0) {
			t.Errorf("bad probe %+v", p.Exec)
		}
	default:
		t.Errorf("not one kind: %+v", p)
	}
	if _, err := regexp.Compile(pattern); err != nil {
		t.Error(err)
	}
}

// roundTrip checks that v crosses into a build step unchanged.
func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	if err := manifest.Decode(data, &got); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(data) {
		t.Errorf("crossed as %s, was %s", again, data)
	}
}
