package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/slimfile/frontend/internal/spell"
)

// option is one key=value of a directive.
type option struct {
	key, value string
	at         span // of the value
}

// options are those of one directive. Its methods take an option by its key,
// check it, and return the fallback where it was not given.
type options struct {
	*scanner
	list []option
}

// repeatable lists the options that may be given more than once.
var repeatable = []string{"header"}

// options checks that words are options that what (as messages name it)
// knows. A key that ends in a dot stands for all that start with it.
func (sc *scanner) options(what string, words []word, known ...string) options {
	o := options{scanner: sc}
	for _, w := range words {
		key, value := w.text[:w.key], w.text[w.key+1:]
		keySpan := span{w.start, w.start + w.key}
		switch {
		case !isKnown(key, known):
			sc.fail(keySpan, "unknown option %q of %s%s", key, what, optionHint(key, known))
		case o.has(key) && !slices.Contains(repeatable, key):
			sc.fail(keySpan, "option %s is given twice", key)
		case value == "" && !strings.HasPrefix(key, "env."):
			sc.fail(w.span, "option %s has no value", key)
		default:
			o.list = append(o.list, option{key, value, span{w.start + w.key + 1, w.end}})
		}
	}
	return o
}

func isKnown(key string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool {
		return k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) && key != k
	})
}

func optionHint(key string, known []string) string {
	if len(known) == 0 {
		return ", which has none"
	}
	if slices.Contains(known, "env.") {
		_, name, _ := strings.Cut(key, ".")
		return fmt.Sprintf(", did you mean %q?", "env."+cmp.Or(name, key))
	}
	return spell.Hint(key, known)
}

func (o options) has(key string) bool {
	_, ok := o.get(key)
	return ok
}

func (o options) get(key string) (option, bool) {
	i := slices.IndexFunc(o.list, func(opt option) bool { return opt.key == key })
	if i < 0 {
		return option{}, false
	}
	return o.list[i], true
}

func (o options) text(key, fallback string) string {
	if opt, ok := o.get(key); ok {
		return opt.value
	}
	return fallback
}

// number is a whole number from low to high.
func (o options) number(key string, low, high, fallback int) int {
	opt, ok := o.get(key)
	if !ok {
		return fallback
	}
	n, err := strconv.Atoi(opt.value)
	if err != nil || n < low || n > high {
		o.fail(opt.at, "bad %s %q, want a number from %d to %d", key, opt.value, low, high)
	}
	return n
}

// port is a TCP port, 0 when not given.
func (o options) port(key string) int {
	opt, ok := o.get(key)
	if !ok {
		return 0
	}
	port, err := parsePort(opt.value)
	if err != nil {
		o.fail(opt.at, "%s", err)
	}
	return port
}

func (o options) duration(key string, fallback time.Duration) time.Duration {
	opt, ok := o.get(key)
	if !ok {
		return fallback
	}
	d, err := parseDuration(opt.value)
	if err != nil {
		o.fail(opt.at, "bad %s: %s", key, err)
	}
	return d
}

// date is a day, as YYYY-MM-DD; zero when not given.
func (o options) date(key string) time.Time {
	opt, ok := o.get(key)
	if !ok {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, opt.value)
	if err != nil {
		o.fail(opt.at, "bad %s %q, want a day such as 2026-12-31", key, opt.value)
	}
	return day
}

// regexp is a Go regular expression, as text.
func (o options) regexp(key string) string {
	opt, ok := o.get(key)
	if !ok {
		return ""
	}
	if _, err := regexp.Compile(opt.value); err != nil {
		o.fail(opt.at, "bad %s: %s", key, err)
	}
	return opt.value
}

// choice is one of values.
func (o options) choice(key string, values []string) string {
	opt, ok := o.get(key)
	if !ok {
		return ""
	}
	o.report(opt.at, choose(key+" value", opt.value, values, nil))
	return opt.value
}

// escaped is text in which \r, \n, \t, \\ and \xNN stand for bytes.
func (o options) escaped(key string) []byte {
	opt, ok := o.get(key)
	if !ok {
		return nil
	}
	data, err := unescape(opt.value)
	if err != nil {
		o.fail(opt.at, "bad %s: %s", key, err)
	}
	return data
}

func unescape(s string) ([]byte, error) {
	var out []byte
	for s != "" {
		before, after, found := strings.Cut(s, `\`)
		out = append(out, before...)
		if !found {
			break
		}
		b, rest, err := escape(after)
		if err != nil {
			return nil, err
		}
		out, s = append(out, b), rest
	}
	return out, nil
}

// escape reads what follows a backslash.
func escape(s string) (b byte, rest string, err error) {
	simple := map[string]byte{"r": '\r', "n": '\n', "t": '\t', `\`: '\\'}
	if s == "" {
		return 0, "", fmt.Errorf(`a backslash at the end, want \\`)
	}
	if b, ok := simple[s[:1]]; ok {
		return b, s[1:], nil
	}
	if s[0] == 'x' && len(s) >= 3 {
		if n, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(n), s[3:], nil
		}
	}
	return 0, "", fmt.Errorf(`unknown escape \%s, want \r, \n, \t, \\ or \xNN`, firstRunes(s, 1))
}

// maxDuration bounds every duration that a user can ask for.
const maxDuration = 24 * time.Hour

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		if _, numErr := strconv.ParseFloat(s, 64); numErr == nil {
			return 0, fmt.Errorf("duration %q has no unit, want %ss or %sm", s, s, s)
		}
		return 0, fmt.Errorf("%q is no duration, want one such as 30s or 5m", s)
	case d <= 0 || d > maxDuration:
		return 0, fmt.Errorf("duration %s is out of range, want more than 0 and at most %s", s, "24h")
	}
	return d, nil
}
