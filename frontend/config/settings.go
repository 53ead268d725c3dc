package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

// Values of settings that directives share; those in …Later are not
// supported yet.
var (
	sensors       = []string{string(SensorAuto), string(SensorSeccomp), string(SensorFanotify)}
	verifications = []string{string(VerifyOn), string(VerifyRepair), string(VerifyOff)}
)

// setting is one SLIM or SLIM_* name.
type setting struct {
	name string
	// set checks value and puts it into c. Its error has no location.
	set func(c *Config, value string) *Error
}

// settings lists all names. Where only the default can be had so far, that
// value is accepted: it asks for nothing that does not happen.
func settings() []setting {
	return []setting{
		{"SLIM", chosen([]string{string(ModeOn), string(ModeLint), string(ModeOff)}, nil, func(c *Config, v string) { c.Mode = Mode(v) })},
		{"SLIM_SENSOR", chosen(sensors, nil, func(c *Config, v string) { c.Sensor = Sensor(v) })},
		{"SLIM_VERIFY", chosen(verifications, nil, func(c *Config, v string) { c.Verify = Verify(v) })},
		{"SLIM_OUTPUT", chosen(
			[]string{string(OutputImage), string(OutputFat), string(OutputReport), string(OutputRootfs), string(OutputLock)}, nil,
			func(c *Config, v string) { c.Output = Output(v) })},
		{"SLIM_TIMEOUT", func(c *Config, v string) *Error { return setDuration(&c.Timeout, v, parseDuration) }},
		{"SLIM_LOCK", chosen(
			[]string{string(LockOff), string(LockAuto), string(LockFrozen), string(LockUpdate)}, nil,
			func(c *Config, v string) { c.Lock = Lock(v) })},
		{"SLIM_REFRESH", func(c *Config, v string) *Error { return setDuration(&c.Refresh, v, parseRefresh) }},
		{"SLIM_POLICY", func(c *Config, v string) *Error { c.Policy = v; return nil }},
		{"SLIM_FAIL_ON", chosen([]string{"error", "warn", "never"}, nil, func(c *Config, v string) { c.FailOn = v })},
	}
}

func settingNames() []string {
	var names []string
	for _, s := range settings() {
		names = append(names, s.name)
	}
	return names
}

// chosen is the set function of a setting with fixed values.
func chosen(values, later []string, set func(*Config, string)) func(*Config, string) *Error {
	return func(c *Config, value string) *Error {
		if err := choose("value", value, values, later); err != nil {
			return err
		}
		if set != nil {
			set(c, value)
		}
		return nil
	}
}

func setDuration(to *time.Duration, value string, parse func(string) (time.Duration, error)) *Error {
	d, err := parse(value)
	if err != nil {
		return &Error{Message: err.Error()}
	}
	*to = d
	return nil
}

// maxRefresh bounds the age of a step that applies updates: older is never.
const maxRefresh = 365 * 24 * time.Hour

// parseRefresh reads a duration, also in days (7d), or off, which is 0.
func parseRefresh(value string) (time.Duration, error) {
	if value == "off" {
		return 0, nil
	}
	text := value
	if days, ok := strings.CutSuffix(value, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			text = fmt.Sprintf("%dh", 24*n)
		}
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no duration, want one such as 24h or 7d, or off", value)
	case d < time.Minute || d > maxRefresh:
		return 0, fmt.Errorf("duration %s is out of range, want 1m to 365d, or off", value)
	}
	return d, nil
}

// assignment is one SLIM or SLIM_* as the user gave it.
type assignment struct {
	name, value string
	origin      string // for messages
	at          manifest.Location
}

// isSetting tells whether a name is in slimfile's name space.
func isSetting(name string) bool { return name == "SLIM" || strings.HasPrefix(name, "SLIM_") }

// fromMap picks the settings of vars, sorted. An empty value is as good as
// none: build files pass variables on that may be unset.
func fromMap(vars map[string]string, origin string) []assignment {
	var list []assignment
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if isSetting(name) && vars[name] != "" {
			list = append(list, assignment{name: name, value: vars[name], origin: origin})
		}
	}
	return list
}

func fromEnv(env []string) []assignment {
	vars := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	return fromMap(vars, "environment of the frontend image")
}

// fromSyntax reads a syntax line: the frontend's ref, then settings. Without
// one from the client (cmdline) it is the Dockerfile's.
func fromSyntax(cmdline string, f file, dockerfile []byte) ([]assignment, Errors) {
	own, line := syntaxLine(dockerfile)
	if cmdline = strings.TrimSpace(cmdline); cmdline == "" {
		cmdline = own
	} else if cmdline != own {
		line = 0 // the build argument BUILDKIT_SYNTAX replaced it
	}
	words := strings.Fields(cmdline)
	if len(words) > 0 && !isSetting(before(words[0], "=")) {
		words = words[1:]
	}
	var (
		list []assignment
		errs Errors
		from int
	)
	for _, w := range words {
		at := f.find(line, w, from)
		from = at.EndColumn
		name, value, ok := strings.Cut(w, "=")
		if !ok || !isSetting(name) {
			errs = append(errs, f.fail(at, "syntax line: %q is no setting, want NAME=VALUE with one of %s", w, spell.Alternatives(settingNames())))
			continue
		}
		if value != "" {
			list = append(list, assignment{name: name, value: value, origin: "syntax line", at: at})
		}
	}
	return list, errs
}

func before(s, sep string) string {
	head, _, _ := strings.Cut(s, sep)
	return head
}

// syntaxLine is the Dockerfile's own, and its number; 0 if it is no comment.
func syntaxLine(dockerfile []byte) (text string, line int) {
	_, text, loc, ok := parser.DetectSyntax(dockerfile)
	if !ok || len(loc) == 0 {
		return "", 0
	}
	return text, loc[0].Start.Line
}

// find is where text stands in a line, searched from a column on.
func (f file) find(line int, text string, from int) manifest.Location {
	if line == 0 || line > len(f.lines) {
		return manifest.Location{}
	}
	loc := manifest.Location{Line: line, EndLine: line}
	if i := strings.Index(f.lines[line-1][from:], text); i >= 0 {
		loc.Column, loc.EndColumn = from+i, from+i+len(text)
	}
	return loc
}

// set applies a to c.
func (a assignment) set(c *Config, f file) *Error {
	all := settings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.name == a.name })
	if i < 0 {
		return f.fail(a.at, "%s: unknown setting %q%s", a.origin, a.name, spell.Hint(a.name, settingNames()))
	}
	err := all[i].set(c, a.value)
	if err == nil {
		return nil
	}
	located := f.fail(a.at, "%s %s: %s", a.origin, a.name, err.Message)
	located.Unsupported = err.Unsupported
	return located
}
