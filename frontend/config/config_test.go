package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/sensor/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const base = "FROM debian:bookworm\nENTRYPOINT [\"app\"]\n"

// parse reads one Dockerfile that must be right.
func parse(t *testing.T, dockerfile string) *Config {
	t.Helper()
	return parseInput(t, Input{Dockerfile: []byte(dockerfile)})
}

func parseInput(t *testing.T, in Input) *Config {
	t.Helper()
	in.Filename = "Dockerfile"
	c, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parseError reads input that must be wrong and returns the message.
func parseError(t *testing.T, in Input) string {
	t.Helper()
	in.Filename = "Dockerfile"
	c, err := Parse(in)
	if err == nil {
		t.Fatalf("no error, but %+v", c)
	}
	return err.Error()
}

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run the test with -update, then read the difference):\n%s", path, got)
	}
}

func TestDefaults(t *testing.T) {
	c := parse(t, base)
	want := Config{
		Mode: ModeOn, Slim: true, Sensor: SensorAuto, Output: OutputImage, FailOn: "error", Refresh: 24 * time.Hour, Timeout: 5 * time.Minute,
		Verify: VerifyOn, Network: NetworkNone, Lock: LockOff, LockFile: "slim.lock",
	}
	c.file, c.from, c.places = file{}, manifest.Location{}, nil
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got %+v\nwant %+v", *c, want)
	}
}

// TestExamples: what users copy must be right.
func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/Dockerfile")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := parse(t, string(text))
			if !c.Slim || len(c.Warnings) > 0 {
				t.Errorf("got %+v", *c)
			}
		})
	}
}

func TestDirectives(t *testing.T) {
	// at is where the directive stands that the tests put on line 3.
	at := func(end int) *manifest.Location {
		return &manifest.Location{Line: 3, EndLine: 3, Column: 8, EndColumn: end}
	}
	http := func(name string, change func(*Probe)) func(*Config) {
		return func(c *Config) {
			p := Probe{Probe: manifest.Probe{Name: name, Source: at(14 + len(name)), TimeoutSeconds: 30,
				HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "http", Path: "/"}}}
			change(&p)
			c.Probes = []Probe{p}
		}
	}
	tcp := func(name string, probe manifest.TCPProbe) func(*Config) {
		return func(c *Config) {
			c.Probes = []Probe{{Probe: manifest.Probe{Name: name, Source: at(14 + len(name)), TimeoutSeconds: 30, TCP: &probe}}}
		}
	}
	exec := func(name string, probe manifest.ExecProbe) func(*Config) {
		return func(c *Config) {
			c.Probes = []Probe{{Probe: manifest.Probe{Name: name, Source: at(14 + len(name)), TimeoutSeconds: 30, Exec: &probe}}}
		}
	}
	args := func(args ...string) manifest.Command { return manifest.Command{Args: args} }
	rule := func(kind string, end int, reason string, args ...string) func(*Config) {
		return func(c *Config) {
			if args == nil {
				args = []string{}
			}
			c.Rules = []manifest.Rule{{Kind: kind, Args: args, Reason: reason, Source: at(end)}}
		}
	}
	ready := func(end int, r Ready) func(*Config) {
		return func(c *Config) {
			r.Source = *at(end)
			if r.Timeout == 0 {
				r.Timeout = 2 * time.Minute
			}
			c.Ready = &r
		}
	}
	tests := []struct {
		line string // without "# slim: "
		want func(*Config)
	}{
		{`probe http /`, http("http /", func(*Probe) {})},
		{`probe http /hello?a=1&b=2`, http("http /hello?a=1&b=2", func(p *Probe) { p.HTTP.Path = "/hello?a=1&b=2" })},
		{`probe http "/hello"`, http(`http "/hello"`, func(p *Probe) { p.HTTP.Path = "/hello" })},
		{`probe http status=2xx,301,400-404 /`, http("http status=2xx,301,400-404 /", func(p *Probe) { p.HTTP.Status = "2xx,301,400-404" })},
		{`probe http / match="Hello world"`, http(`http / match="Hello world"`, func(p *Probe) { p.HTTP.Match = "Hello world" })},
		{`probe http / match=^(ok|up)$`, http(`http / match=^(ok|up)$`, func(p *Probe) { p.HTTP.Match = "^(ok|up)$" })},
		{`probe http / match='\d+ \$x'`, http(`http / match='\d+ \$x'`, func(p *Probe) { p.HTTP.Match = `\d+ \$x` })},
		{`probe http / method=HEAD`, http(`http / method=HEAD`, func(p *Probe) { p.HTTP.Method = "HEAD" })},
		{`probe http / method=PROPFIND`, http(`http / method=PROPFIND`, func(p *Probe) { p.HTTP.Method = "PROPFIND" })},
		{`probe http / body=x=1`, http(`http / body=x=1`, func(p *Probe) { p.HTTP.Method, p.HTTP.Body = "POST", []byte("x=1") })},
		{`probe http / method=PUT body='{"a": "\n"}'`, http(`http / method=PUT body='{"a": "\n"}'`, func(p *Probe) {
			p.HTTP.Method, p.HTTP.Body = "PUT", []byte(`{"a": "\n"}`)
		})},
		{`probe http / body-file=./test//req.json`, http(`http / body-file=./test//req.json`, func(p *Probe) {
			p.HTTP.Method, p.BodyFile = "POST", "test/req.json"
		})},
		{`probe http / header="Accept: text/html" header=X-Y:z`, http(`http / header="Accept: text/html" header=X-Y:z`, func(p *Probe) {
			p.HTTP.Header = []string{"Accept: text/html", "X-Y:z"}
		})},
		{`probe http / scheme=https port=8443 insecure=on`, http(`http / scheme=https port=8443 insecure=on`, func(p *Probe) {
			p.HTTP.Scheme, p.HTTP.Port, p.HTTP.Insecure = "https", 8443, true
		})},
		{`probe http / insecure=off`, http(`http / insecure=off`, func(*Probe) {})},
		{`probe http / user=a:b:"c d" port=1`, http(`http / user=*** port=1`, func(p *Probe) {
			p.HTTP.User, p.HTTP.Port, p.Source.EndColumn = "a:b:c d", 1, 42
		})},
		{`probe http / retries=3 timeout=1m30s`, http(`http / retries=3 timeout=1m30s`, func(p *Probe) { p.Retries, p.TimeoutSeconds = 3, 90 })},

		{`probe tcp 6379`, tcp(`tcp 6379`, manifest.TCPProbe{Port: 6379})},
		{`probe tcp 6379 send='PING\r\n\x00\t\\' match=^.PONG`, tcp(`tcp 6379 send='PING\r\n\x00\t\\' match=^.PONG`,
			manifest.TCPProbe{Port: 6379, Send: []byte("PING\r\n\x00\t\\"), Match: "^.PONG"})},

		{`probe exec id`, exec(`exec id`, manifest.ExecProbe{Command: args("id")})},
		{`probe exec curl -f "http://localhost/a?b=c&d" exit=22 match=x`, exec(`exec curl -f "http://localhost/a?b=c&d" exit=22 match=x`,
			manifest.ExecProbe{Command: args("curl", "-f", "http://localhost/a?b=c&d"), Exit: 22, Match: "x"})},
		{`probe exec exit=1 false`, exec(`exec exit=1 false`, manifest.ExecProbe{Command: args("false"), Exit: 1})},
		{`probe exec env FOO=bar`, exec(`exec env FOO=bar`, manifest.ExecProbe{Command: args("env", "FOO=bar")})},
		{`probe exec env exit=1 FOO=bar`, exec(`exec env exit=1 FOO=bar`, manifest.ExecProbe{Command: args("env", "exit=1", "FOO=bar")})},
		{`probe exec env 'exit=1'`, exec(`exec env 'exit=1'`, manifest.ExecProbe{Command: args("env", "exit=1")})},
		{`probe exec sh -c 'echo $HOME | grep "$USER" > /dev/null'`, exec(`exec sh -c 'echo $HOME | grep "$USER" > /dev/null'`,
			manifest.ExecProbe{Command: args("sh", "-c", `echo $HOME | grep "$USER" > /dev/null`)})},
		{`probe exec [ -f /etc/passwd ]`, exec(`exec [ -f /etc/passwd ]`, manifest.ExecProbe{Command: args("[", "-f", "/etc/passwd", "]")})},
		{`probe exec ["a b", "$c\n", "exit=2"] exit=3`, exec(`exec ["a b", "$c\n", "exit=2"] exit=3`,
			manifest.ExecProbe{Command: args("a b", "$c\n", "exit=2"), Exit: 3})},
		{`probe exec exit=3 [ "a" ] match=é`, exec(`exec exit=3 [ "a" ] match=é`, manifest.ExecProbe{Command: args("a"), Exit: 3, Match: "é"})},
		{`probe exec cat user=nobody:nogroup stdin='a\nb'`, exec(`exec cat user=nobody:nogroup stdin='a\nb'`,
			manifest.ExecProbe{Command: manifest.Command{Args: []string{"cat"}, User: "nobody:nogroup", Stdin: []byte("a\nb")}})},
		{`probe exec ls /a # a comment`, exec(`exec ls /a # a comment`, manifest.ExecProbe{Command: args("ls", "/a")})},

		{`ready tcp:80`, ready(20, Ready{Kind: "tcp", Ports: []int{80}})},
		{`ready tcp:80 tcp:443 timeout=10s`, ready(40, Ready{Kind: "tcp", Ports: []int{80, 443}, Timeout: 10 * time.Second})},
		{`ready http:/health?x=1 port=81`, ready(38, Ready{Kind: "http", Path: "/health?x=1", Port: 81})},
		{`ready log:"listening on .*:\d+"`, ready(39, Ready{Kind: "log", Pattern: `listening on .*:\d+`})},
		{`ready exit`, ready(18, Ready{Kind: "exit"})},
		{`ready timeout=1h`, ready(24, Ready{Timeout: time.Hour})},

		{`start env.A=1 env.B_c="x y" env.C=`, func(c *Config) { c.Start.Env = []string{"A=1", "B_c=x y", "C="} }},
		{`start python3 -m app --x=1 a=b`, func(c *Config) { c.Start.Cmd = []string{"python3", "-m", "app", "--x=1", "a=b"} }},
		{`start env.A=1 ["x", "y"]`, func(c *Config) { c.Start = Start{Env: []string{"A=1"}, Cmd: []string{"x", "y"}} }},

		{`network none`, func(c *Config) { c.Network = NetworkNone }},
		{`network default`, func(c *Config) { c.Network = NetworkDefault }},
		{`sensor auto`, func(c *Config) { c.Sensor = SensorAuto }},
		{`sensor seccomp`, func(c *Config) { c.Sensor = SensorSeccomp }},
		{`sensor fanotify`, func(c *Config) { c.Sensor = SensorFanotify }},
		{`verify on`, func(c *Config) { c.Verify = VerifyOn }},
		{`verify repair`, func(c *Config) { c.Verify = VerifyRepair }},
		{`verify off`, func(c *Config) { c.Verify = VerifyOff }},
		{`granularity file`, func(c *Config) { c.Granularity = manifest.GranularityFile }},
		{`granularity package`, func(c *Config) { c.Granularity = manifest.GranularityPackage }},
		{`granularity app`, func(c *Config) { c.Granularity = manifest.GranularityApp }},
		{`granularity strict`, func(c *Config) { c.Granularity = manifest.GranularityStrict }},
		{`refresh off`, func(c *Config) { c.Refresh = 0 }},
		{`refresh 7d`, func(c *Config) { c.Refresh = 7 * 24 * time.Hour }},
		{`refresh 90m`, func(c *Config) { c.Refresh = 90 * time.Minute }},
		{`policy team/policy.yaml`, func(c *Config) { c.Policy = "team/policy.yaml" }},
		{`rule DL3006=off NonRootUser=warn reason="drops it itself" until=2026-12-31`, func(c *Config) {
			until := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
			c.Overrides = []Override{
				{"DL3006", "off", "drops it itself", until, 0, manifest.Location{Line: 3, Column: 13, EndLine: 3, EndColumn: 23}},
				{"NonRootUser", "warn", "drops it itself", until, 0, manifest.Location{Line: 3, Column: 24, EndLine: 3, EndColumn: 40}},
			}
		}},
		{`on`, func(*Config) {}},

		{`keep /a/** "/b c/[xy]?{1,2}" reason="loaded at \"run\" time"`, rule("keep", 68, `loaded at "run" time`, "/a/**", "/b c/[xy]?{1,2}")},
		{`keep /usr/bin/\[ '/usr/bin/\['`, rule("keep", 38, "", `/usr/bin/\[`, `/usr/bin/\[`)},
		{`drop /usr/share/doc/**`, rule("drop", 30, "", "/usr/share/doc/**")},
		{`keep-exe bash /usr/sbin/nginx`, rule("keep-exe", 37, "", "bash", "/usr/sbin/nginx")},
		{`keep-package libc6:amd64 @types/node g++`, rule("keep-package", 48, "", "libc6:amd64", "@types/node", "g++")},
		{`keep-shell`, rule("keep-shell", 18, "")},
		{`keep-shell reason=debug`, rule("keep-shell", 31, "debug")},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			got := parse(t, base+"# slim: "+test.line+"  \n")
			want := parse(t, base)
			test.want(want)
			got.file, want.file = file{}, file{}
			got.places, want.places = nil, nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", dump(got), dump(want))
			}
		})
	}
}

func dump(c *Config) string {
	text := fmt.Sprintf("%+v", *c)
	for _, p := range c.Probes {
		text += fmt.Sprintf("\n   %+v %+v %+v %+v %+v", p, p.Source, p.HTTP, p.TCP, p.Exec)
	}
	for _, r := range c.Rules {
		text += fmt.Sprintf("\n   %q %+v", r.Args, r.Source)
	}
	if c.Ready != nil {
		text += fmt.Sprintf("\n   %+v", *c.Ready)
	}
	return text
}

// TestDirectiveErrors shows the whole message for each mistake.
func TestDirectiveErrors(t *testing.T) {
	directives := []string{
		"", "porbe http /", "Probe http /", "keep_exe bash", "frobnicate", "off", "lint", "on now", "on x=1",
		// Words.
		`probe http / match="$HOME"`, `probe http /$x`, "probe http /`id`", `start env.A=$(id)`, `start "${x}"`,
		`probe http / match='a`, `probe http / match="a\"`, `probe http / \`, `probe exec a\`, `probe tcp 1 send=a\n`, `keep /\d`,
		// Probes.
		`probe`, `probe htpt /`, `probe icmp`, `probe http`, `probe http hello`, `probe http //hello`, `probe http http://localhost:80/`,
		`probe http "/a b"`, `probe http /a#b`, `probe http /%zz`, `probe http / /b`,
		`probe http /hello statsu=200`, `probe http / x=1`, `probe http / status`, `probe http / status=`, `probe http / status=""`,
		`probe http / status=2000`, `probe http / status=200,,201`, `probe http / status=299-200`, `probe http / status=20x`,
		`probe http / status=200 status=200`, `probe http / port=0`, `probe http / port=65536`, `probe http / port=http`,
		`probe http / method=get`, `probe http / method=PSOT`, `probe http / method=x`, `probe http / scheme=htps`, `probe http / scheme=ftp`,
		`probe http / match=(`, `probe http / header=Accept`, `probe http / header="A b: c"`, `probe http / body=a body-file=b`,
		`probe http / body-file=../a`, `probe http / body-file=/`, `probe http / user=me`, `probe http / insecure=yes`,
		`probe http / retries=-1`, `probe http / retries=101`, `probe http / retries=x`, `probe http / timeout=30`, `probe http / timeout=0s`,
		`probe http / timeout=48h`, `probe http / timeout=soon`, `probe http / portt=1 timout=3s match=[`,
		`probe tcp`, `probe tcp http`, `probe tcp 1 2`, `probe tcp 1 send='\q'`, `probe tcp 1 send='\x1'`, `probe tcp 1 send='a\'`, `probe tcp 1 status=200`,
		`probe exec`, `probe exec exit=1`, `probe exec a exti=1`, `probe exec FOO=1 a`, `probe exec a exit=256`, `probe exec a | b`, `probe exec a && b`,
		`probe exec a >/dev/null`, `probe exec (a)`, `probe exec ["a"`, `probe exec ["a", 1]`, `probe exec ["a"]b`, `probe exec ["a"] b`, `probe exec []`,
		`probe exec ["\u0000"]`, `probe exec ''`, `probe exec ["a"] exit=x`,
		`probe grpc`, `probe crawl /`, `probe openapi /openapi.json`, `probe stage test`,
		// The other verbs.
		`ready`, `ready 80`, `ready tcp`, `ready tcp:`, `ready tcp:x`, `ready tpc:80`, `ready http`, `ready http:health`, `ready http://localhost/`,
		`ready log:(`, `ready exit:0`, `ready tcp:80 http:/`, `ready http:/ http:/b`, `ready tcp:80 port=80`, `ready timeout=1`, `ready exit retries=3`,
		`start`, `start FOO=bar a`, `start evn.FOO=bar a`, `start env.1=a`, `start env.A-B=a`, `start env.A=1 env.A=2`, `start secret.A=b`, `start a; b`, `start []`,
		`network`, `network noen`, `network host`, `network none none`, `network none x=1`,
		`sensor`, `sensor secomp`, `sensor ebpf`, `verify yes`, `granularity x`,
		`refresh`, `refresh 1s`, `refresh 400d`, `refresh daily`, `refresh on`, `refresh off off`,
		`keep`, `keep app/**`, `keep /a/../b`, `keep /a/./b`, `keep /a[`, `keep /a/{b`, `keep /a raeson=x`, `keep reason=x`, `drop`, `drop a`,
		`keep-exe`, `keep-exe bin/sh`, `keep-exe *`, `keep-package`, `keep-package lib*`, `keep-package ''`, `keep-shell bash`,
		`keep-stage-copy x`, `lock`, `lock a b`, `lock ../slim.lock`, `lock /`, `lock *.lock`, `policy`, `policy a b`, `rule`, `rule X`, `rule X=never`, `rule X=off until=soon`, `rule X=off X=warn`, `rule reason=x`, `service db image=postgres`, `output keep-metadata=on`,
		"probe http /\x00", "probe http /\xff", "probe http /\u202e\x1b[31m match=(",
		`probe http /` + strings.Repeat("a", 300) + ` statsu=200 ` + strings.Repeat("é=", 300),
	}
	var out strings.Builder
	for _, d := range directives {
		in := Input{Filename: "Dockerfile", Dockerfile: []byte("FROM a AS a\n# slim: " + d + "\n")}
		_, err := Parse(in)
		if err == nil {
			t.Errorf("%q: no error", d)
			continue
		}
		var located *parser.LocationError
		if !errors.As(err, &located) || located.Locations[0][0].Start.Line != 2 {
			t.Errorf("%q: no location in line 2 in %#v", d, err)
		}
		fmt.Fprintf(&out, "%s\n", err)
	}
	golden(t, "directive-errors.golden", out.String())
}
