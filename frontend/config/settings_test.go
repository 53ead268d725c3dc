package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	tests := []struct {
		name, value string
		ok          func(*Config) bool
	}{
		{"SLIM", "on", func(c *Config) bool { return c.Mode == ModeOn && c.Slim }},
		{"SLIM", "lint", func(c *Config) bool { return c.Mode == ModeLint }},
		{"SLIM", "off", func(c *Config) bool { return c.Mode == ModeOff && !c.Slim }},
		{"SLIM", "", func(c *Config) bool { return c.Mode == ModeOn }},
		{"SLIM_SENSOR", "auto", func(c *Config) bool { return c.Sensor == SensorAuto }},
		{"SLIM_SENSOR", "seccomp", func(c *Config) bool { return c.Sensor == SensorSeccomp }},
		{"SLIM_SENSOR", "fanotify", func(c *Config) bool { return c.Sensor == SensorFanotify }},
		{"SLIM_SENSOR", "", func(c *Config) bool { return c.Sensor == SensorAuto }},
		{"SLIM_VERIFY", "on", func(c *Config) bool { return c.Verify == VerifyOn }},
		{"SLIM_VERIFY", "repair", func(c *Config) bool { return c.Verify == VerifyRepair }},
		{"SLIM_VERIFY", "off", func(c *Config) bool { return c.Verify == VerifyOff }},
		{"SLIM_OUTPUT", "image", func(c *Config) bool { return c.Output == OutputImage }},
		{"SLIM_OUTPUT", "fat", func(c *Config) bool { return c.Output == OutputFat }},
		{"SLIM_OUTPUT", "report", func(c *Config) bool { return c.Output == OutputReport }},
		{"SLIM_OUTPUT", "rootfs", func(c *Config) bool { return c.Output == OutputRootfs }},
		{"SLIM_TIMEOUT", "90s", func(c *Config) bool { return c.Timeout == 90*time.Second }},
		{"SLIM_OUTPUT", "lock", func(c *Config) bool { return c.Output == OutputLock }},
		{"SLIM_LOCK", "off", func(c *Config) bool { return c.Lock == LockOff }},
		{"SLIM_LOCK", "auto", func(c *Config) bool { return c.Lock == LockAuto && c.LockFile == "slim.lock" }},
		{"SLIM_LOCK", "frozen", func(c *Config) bool { return c.Lock == LockFrozen }},
		{"SLIM_LOCK", "update", func(c *Config) bool { return c.Lock == LockUpdate }},
		{"SLIM_LOCK", "", func(c *Config) bool { return c.Lock == LockOff && c.LockFile == "slim.lock" }},
		{"SLIM_REFRESH", "off", func(c *Config) bool { return c.Refresh == 0 }},
		{"SLIM_REFRESH", "7d", func(c *Config) bool { return c.Refresh == 7*24*time.Hour }},
		{"SLIM_FAIL_ON", "never", func(c *Config) bool { return c.FailOn == "never" }},
		{"SLIM_POLICY", "/policy.yaml", func(c *Config) bool { return c.Policy == "/policy.yaml" }},
		{"slim_sensor", "x", func(*Config) bool { return true }},
		{"SLIMFILE", "x", func(*Config) bool { return true }},
		{"VERSION", "3", func(*Config) bool { return true }},
	}
	for _, test := range tests {
		origins := map[string]Input{
			"build argument": {BuildArgs: map[string]string{test.name: test.value}},
			"environment":    {ImageEnv: []string{"PATH=/bin", test.name + "=" + test.value, "A"}},
			"syntax line":    {Syntax: "docker.io/org/slimfile:1  " + test.name + "=" + test.value},
		}
		for origin, in := range origins {
			if origin == "syntax line" && !isSetting(test.name) {
				continue
			}
			t.Run(test.name+"="+test.value+" as "+origin, func(t *testing.T) {
				in.Dockerfile = []byte(base)
				if c := parseInput(t, in); !test.ok(c) {
					t.Errorf("got %+v", c)
				}
			})
		}
	}
}

func TestSettingErrors(t *testing.T) {
	tests := []struct {
		name, value, want string
		unsupported       bool
	}{
		{"SLIM", "of", `SLIM: unknown value "of", did you mean "off"?`, false},
		{"SLIM", "true", `SLIM: unknown value "true", want on, lint or off`, false},
		{"SLIM", "no", `SLIM: unknown value "no", did you mean "on"?`, false},
		{"SLIM_SENSR", "auto", `unknown setting "SLIM_SENSR", did you mean "SLIM_SENSOR"?`, false},
		{"SLIM_X\n", "auto", `unknown setting "SLIM_X\n", want SLIM, SLIM_SENSOR, `, false},
		{"SLIM_", "x", `unknown setting "SLIM_", did you mean "SLIM"?`, false},
		{"SLIM_SENSOR", "fanotfy", `SLIM_SENSOR: unknown value "fanotfy", did you mean "fanotify"?`, false},
		{"SLIM_SENSOR", "\x1b", `SLIM_SENSOR: unknown value "\x1b", want auto, seccomp or fanotify`, false},
		{"SLIM_OUTPUT", "lokc", `SLIM_OUTPUT: unknown value "lokc", did you mean "lock"?`, false},
		{"SLIM_TIMEOUT", "90", `SLIM_TIMEOUT: duration "90" has no unit, want 90s or 90m`, false},
		{"SLIM_TIMEOUT", "0s", `SLIM_TIMEOUT: duration 0s is out of range, want more than 0 and at most 24h`, false},
		{"SLIM_LOCK", "forzen", `SLIM_LOCK: unknown value "forzen", did you mean "frozen"?`, false},
		{"SLIM_REFRESH", "daily", `SLIM_REFRESH: "daily" is no duration, want one such as 24h or 7d, or off`, false},
		{"SLIM_FAIL_ON", "info", `SLIM_FAIL_ON: unknown value "info", want error, warn or never`, false},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			for origin, in := range map[string]Input{
				"build argument":                    {BuildArgs: map[string]string{test.name: test.value}},
				"environment of the frontend image": {ImageEnv: []string{test.name + "=" + test.value}},
			} {
				in.Dockerfile = []byte(base)
				_, err := Parse(in)
				var all Errors
				if !errors.As(err, &all) || len(all) != 1 {
					t.Fatalf("%s: got %T %v", origin, err, err)
				}
				got := all[0]
				want := origin + " " + test.want
				if strings.HasPrefix(test.want, "unknown setting") {
					want = origin + ": " + test.want
				}
				if !strings.HasPrefix(got.Error(), want) || got.Unsupported != test.unsupported || got.Location.Line != 0 {
					t.Errorf("got %+v, want %s", got, want)
				}
			}
		})
	}
}

// TestLock: who names a lock wants it to count, whoever else says how.
func TestLock(t *testing.T) {
	const directive = "# slim: lock ./prod//app.lock\n"
	for _, test := range []struct {
		name       string
		dockerfile string
		in         Input
		want       Lock
		file       string
		line       int
	}{
		{"nothing", base, Input{}, LockOff, "slim.lock", 0},
		{"directive", base + directive, Input{}, LockAuto, "prod/app.lock", strings.Count(base, "\n") + 1},
		{"directive, and the image's environment", base + directive, Input{ImageEnv: []string{"SLIM_LOCK=frozen"}}, LockFrozen, "prod/app.lock", strings.Count(base, "\n") + 1},
		{"directive, and a build argument", base + directive, Input{BuildArgs: map[string]string{"SLIM_LOCK": "off"}}, LockOff, "prod/app.lock", strings.Count(base, "\n") + 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.in.Dockerfile = []byte(test.dockerfile)
			c := parseInput(t, test.in)
			if c.Lock != test.want || c.LockFile != test.file || c.Place("lock").Line != test.line {
				t.Errorf("%s of %s in line %d", c.Lock, c.LockFile, c.Place("lock").Line)
			}
		})
	}
}

// TestSyntaxLine: what stands on the syntax line is shown there.
func TestSyntaxLine(t *testing.T) {
	const line = "#!/usr/bin/env slimfile\n# syntax = org/slimfile  SLIM_TIMEOUT=1m\tSLIM_SENSR=x SLIM_TIMEOUT=1 foo\n"
	cmdline := "org/slimfile  SLIM_TIMEOUT=1m\tSLIM_SENSR=x SLIM_TIMEOUT=1 foo"
	got := parseError(t, Input{Dockerfile: []byte(line + base), Syntax: cmdline})
	want := `Dockerfile:2: syntax line: unknown setting "SLIM_SENSR", did you mean "SLIM_SENSOR"?
   # syntax = org/slimfile  SLIM_TIMEOUT=1m	SLIM_SENSR=x SLIM_TIMEOUT=1 foo
                                           	^~~~~~~~~~~~
Dockerfile:2: syntax line SLIM_TIMEOUT: duration "1" has no unit, want 1s or 1m
   # syntax = org/slimfile  SLIM_TIMEOUT=1m	SLIM_SENSR=x SLIM_TIMEOUT=1 foo
                                           	             ^~~~~~~~~~~~~~
Dockerfile:2: syntax line: "foo" is no setting, want NAME=VALUE with one of SLIM, SLIM_SENSOR, SLIM_VERIFY, SLIM_OUTPUT, SLIM_TIMEOUT, SLIM_LOCK, SLIM_REFRESH, SLIM_POLICY or SLIM_FAIL_ON
   # syntax = org/slimfile  SLIM_TIMEOUT=1m	SLIM_SENSR=x SLIM_TIMEOUT=1 foo
                                           	                            ^~~`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got = parseError(t, Input{Dockerfile: []byte(line + base)}); got != want {
		t.Errorf("without the client's: got\n%s\nwant\n%s", got, want)
	}
	// The line is not the Dockerfile's own when BUILDKIT_SYNTAX replaced it.
	got = parseError(t, Input{Dockerfile: []byte(line + base), Syntax: "other SLIM_SENSR=x"})
	if want := `syntax line: unknown setting "SLIM_SENSR", did you mean "SLIM_SENSOR"?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	in := func(arg, directive, syntax, env string) Input {
		in := Input{Dockerfile: []byte(base)}
		if directive != "" {
			in.Dockerfile = []byte(base + "# slim: sensor " + directive + "\n")
		}
		if syntax != "" {
			in.Syntax = "ref SLIM_SENSOR=" + syntax
		}
		if env != "" {
			in.ImageEnv = []string{"SLIM_SENSOR=" + env}
		}
		in.BuildArgs = map[string]string{"SLIM_SENSOR": arg}
		return in
	}
	tests := []struct {
		name string
		in   Input
		want Sensor
	}{
		{"default", in("", "", "", ""), SensorAuto},
		{"image environment", in("", "", "", "seccomp"), SensorSeccomp},
		{"syntax line", in("", "", "fanotify", "seccomp"), SensorFanotify},
		{"directive", in("", "seccomp", "fanotify", "auto"), SensorSeccomp},
		{"build argument", in("fanotify", "seccomp", "auto", "auto"), SensorFanotify},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := parseInput(t, test.in).Sensor; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestOff: SLIM=off is exactly the stock build, whatever else is wrong.
func TestOff(t *testing.T) {
	bad := []byte("FROM a\n# slim: nonsense\nNONSENSE\n")
	tests := []struct {
		name string
		in   Input
		off  bool
	}{
		{"build argument", Input{BuildArgs: map[string]string{"SLIM": "off", "SLIM_X": "y"}, Target: "none"}, true},
		{"syntax line", Input{Syntax: "ref SLIM=off nonsense"}, true},
		{"image environment", Input{ImageEnv: []string{"SLIM=off"}}, true},
		{"turned on by a build argument", Input{BuildArgs: map[string]string{"SLIM": "on"}, ImageEnv: []string{"SLIM=off"}}, false},
		{"turned on by the syntax line", Input{Syntax: "ref SLIM=on", ImageEnv: []string{"SLIM=off"}}, false},
		{"wrong value", Input{BuildArgs: map[string]string{"SLIM": "OFF"}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.in.Dockerfile = bad
			c, err := Parse(test.in)
			if off := err == nil && c.Mode == ModeOff && !c.Slim; off != test.off {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	}
}

// TestOwnArgument: a Dockerfile may have arguments whose names only look like
// settings.
func TestOwnArgument(t *testing.T) {
	args := map[string]string{"SLIM_VERSION": "4.12"}
	for name, dockerfile := range map[string]string{
		"in a stage":          "FROM php\nARG A SLIM_VERSION=4\n",
		"above the first":     "ARG SLIM_VERSION\nFROM php:${SLIM_VERSION}\n",
		"in some other stage": "FROM php\nARG SLIM_VERSION\nFROM x\n",
	} {
		t.Run(name, func(t *testing.T) { parseInput(t, Input{Dockerfile: []byte(dockerfile), BuildArgs: args}) })
	}
	parseError(t, Input{Dockerfile: []byte("FROM php\n"), BuildArgs: args})
	parseError(t, Input{Dockerfile: []byte("FROM php\nARG SLIM_SENSOR\n"), BuildArgs: map[string]string{"SLIM_SENSOR": "x"}})
}
