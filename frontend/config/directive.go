package config

import (
	"slices"
	"strings"
	"unicode"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

// directive is one `# slim:` line while it is read.
type directive struct {
	scanner
	verb word
	// sets names what the directive decides; deciding the same thing twice in
	// one stage is an error.
	sets []string
	// secret is what no message about a probe may show.
	secret span
}

// statement is a directive that was understood.
type statement struct {
	verb  string
	at    manifest.Location
	sets  []string
	apply func(*Config)
}

// verb is one row of the grammar.
type verb struct {
	name string
	// read reads the rest of the line and returns what it does to a Config.
	// Nil: the verb is part of the grammar, but not supported yet.
	read func(*directive) func(*Config)
}

// verbs is the grammar, in the order of the documentation.
func verbs() []verb {
	return []verb{
		{"on", (*directive).on},
		{"probe", (*directive).probe},
		{"service", nil},
		{"start", (*directive).start},
		{"network", (*directive).network},
		{"ready", (*directive).ready},
		{manifest.RuleKeep, globs(manifest.RuleKeep)},
		{manifest.RuleDrop, globs(manifest.RuleDrop)},
		{manifest.RuleKeepExe, names(manifest.RuleKeepExe, "curl or /usr/sbin/nginx", isProgram)},
		{manifest.RuleKeepPackage, names(manifest.RuleKeepPackage, "tzdata", isPackage)},
		{manifest.RuleKeepShell, (*directive).keepShell},
		{manifest.RuleKeepStageCopy, (*directive).keepStageCopy},
		{"granularity", (*directive).granularity},
		{"sensor", (*directive).sensor},
		{"lock", (*directive).lock},
		{"verify", (*directive).verify},
		{"rule", (*directive).override},
		{"policy", (*directive).policy},
		{"refresh", (*directive).refresh},
		{"output", nil},
	}
}

func findVerb(name string) (verb, bool) {
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == name })
	if i < 0 {
		return verb{}, false
	}
	return all[i], true
}

func verbNames() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// readDirective reads the words of text, line number line of f, from pos on.
func readDirective(f file, line, pos int, text string) (statement, Errors) {
	d := &directive{scanner: scanner{file: f, line: line, text: text, pos: pos}}
	apply := d.read()
	at := d.location(span{pos, len(text)})
	if d.verb.text != "" {
		at.Column = d.verb.start
	}
	return statement{verb: d.verb.text, at: at, sets: d.sets, apply: apply}, d.errs
}

func (d *directive) read() func(*Config) {
	if !d.isText() {
		return nil
	}
	var ok bool
	if d.verb, ok = d.next(); !ok {
		d.fail(span{d.pos, d.pos}, "the directive has no verb, want %s", spell.Alternatives(verbNames()))
		return nil
	}
	v, ok := findVerb(d.verb.text)
	switch {
	case d.verb.text == "off" || d.verb.text == "lint":
		d.fail(d.verb.span, "no directive %q: build with --build-arg SLIM=%s", d.verb.text, d.verb.text)
	case !ok:
		d.fail(d.verb.span, "unknown directive %q%s", d.verb.text, spell.Hint(d.verb.text, verbNames()))
	case v.read == nil:
		d.unsupported(d.verb.span, "directive %s is", v.name)
	default:
		return v.read(d)
	}
	return nil
}

// isText refuses what could not be handed on unchanged: configuration crosses
// into the build steps as JSON, which is UTF-8, and to programs as
// NUL-terminated strings.
func (d *directive) isText() bool {
	for i, r := range d.text[d.pos:] {
		at := span{d.pos + i, d.pos + i + 1}
		if r == unicode.ReplacementChar && !strings.HasPrefix(d.text[at.start:], string(unicode.ReplacementChar)) {
			d.breakOff(at, "the directive is not valid UTF-8")
			return false
		}
		if r == 0 {
			d.breakOff(at, "the directive holds a NUL byte")
			return false
		}
	}
	return true
}

// partition divides the rest of the line into positional words and options.
func (d *directive) partition() (positional, opts []word) {
	for _, w := range d.rest() {
		if w.key > 0 {
			opts = append(opts, w)
		} else {
			positional = append(positional, w)
		}
	}
	return positional, opts
}

// split is partition with the options checked.
func (d *directive) split(what string, known ...string) ([]word, options) {
	positional, opts := d.partition()
	return positional, d.options(what, opts, known...)
}

// surplus fails at the words that nobody wants.
func (d *directive) surplus(what string, words []word) {
	if len(words) > 0 {
		d.fail(words[0].to(words[len(words)-1].span), "%s takes nothing more", what)
	}
}

// value is the one word that a verb like sensor takes: one of values; those
// in later are not supported yet.
func (d *directive) value(values, later []string) string {
	d.sets = append(d.sets, d.verb.text)
	words, _ := d.split(d.verb.text)
	if len(words) == 0 {
		d.fail(d.verb.span, "%s wants a value: %s", d.verb.text, spell.Alternatives(values))
		return ""
	}
	d.surplus(d.verb.text, words[1:])
	d.report(words[0].span, choose(d.verb.text+" value", words[0].text, values, later))
	return words[0].text
}

// on is only a mark: Parse looks for it in the target's own stage.
func (d *directive) on() func(*Config) {
	d.sets = append(d.sets, "on")
	words, _ := d.split("on")
	d.surplus("on", words)
	return func(*Config) {}
}

func (d *directive) sensor() func(*Config) {
	v := d.value(sensors, nil)
	return func(c *Config) { c.Sensor = Sensor(v) }
}

func (d *directive) network() func(*Config) {
	v := d.value([]string{string(NetworkNone), string(NetworkDefault)}, nil)
	return func(c *Config) { c.Network = Network(v) }
}

func (d *directive) verify() func(*Config) {
	v := d.value(verifications, nil)
	return func(c *Config) { c.Verify = Verify(v) }
}

func (d *directive) granularity() func(*Config) {
	v := d.value([]string{manifest.GranularityFile, manifest.GranularityPackage, manifest.GranularityApp, manifest.GranularityStrict}, nil)
	return func(c *Config) { c.Granularity = v }
}

// severities of a finding, as frontend/lint names them.
var severities = []string{"off", "info", "warn", "error"}

// override reads NAME=SEVERITY… [reason= until=]. Whether there is such a rule,
// and whether it may be turned off, the rules know.
func (d *directive) override() func(*Config) {
	words, opts := d.partition()
	isRule := func(w word) bool { key := w.text[:w.key]; return key != "reason" && key != "until" }
	known := d.options("rule", slices.DeleteFunc(slices.Clone(opts), isRule), "reason", "until")
	until := known.date("until")
	var list []Override
	for _, w := range opts {
		if !isRule(w) {
			continue
		}
		name, severity := w.text[:w.key], w.text[w.key+1:]
		d.report(span{w.start + w.key + 1, w.end}, choose("severity", severity, severities, nil))
		d.sets = append(d.sets, "rule "+name)
		at := d.location(w.span)
		list = append(list, Override{Rule: name, Severity: severity, Reason: known.text("reason", ""), Until: until, At: at})
	}
	if at := d.verb.span; len(words) > 0 || len(list) == 0 {
		if len(words) > 0 {
			at = words[0].span
		}
		d.fail(at, "rule wants NAME=SEVERITY, with a severity of %s", spell.Alternatives(severities))
	}
	return func(c *Config) {
		for _, o := range list {
			o.Stage = c.stage
			c.Overrides = append(c.Overrides, o)
		}
	}
}

func (d *directive) policy() func(*Config) {
	d.sets = append(d.sets, "policy")
	words, _ := d.split("policy")
	if len(words) == 0 {
		d.fail(d.verb.span, "policy wants a file of the build context, such as policy.yaml")
		return nil
	}
	d.surplus("policy", words[1:])
	return func(c *Config) { c.Policy = words[0].text }
}

// lock reads the name of a file.
func (d *directive) lock() func(*Config) {
	d.sets = append(d.sets, "lock")
	words, _ := d.split("lock")
	if len(words) == 0 {
		d.fail(d.verb.span, "lock wants a file of the build context, such as %s", DefaultLockFile)
		return nil
	}
	d.surplus("lock", words[1:])
	name := words[0].text
	if strings.ContainsAny(name, `*?[]{}\`) { // which BuildKit would take for a pattern
		d.fail(words[0].span, "bad file name %q", name)
	}
	name, ok := contextPath(name)
	if !ok {
		d.fail(words[0].span, "bad file %q, want a file of the build context", words[0].text)
	}
	return func(c *Config) { c.LockFile = name }
}

// refresh reads a duration, or off.
func (d *directive) refresh() func(*Config) {
	d.sets = append(d.sets, "refresh")
	words, _ := d.split("refresh")
	if len(words) == 0 {
		d.fail(d.verb.span, "refresh wants a duration such as 24h, or off")
		return nil
	}
	d.surplus("refresh", words[1:])
	age, err := parseRefresh(words[0].text)
	if err != nil {
		d.fail(words[0].span, "%s", err)
	}
	return func(c *Config) { c.Refresh = age }
}

// start reads [env.K=V …] [CMD…].
func (d *directive) start() func(*Config) {
	cmd, opts := d.command("start", "env.", "secret.")
	var start Start
	for _, opt := range opts.list {
		kind, name, _ := strings.Cut(opt.key, ".")
		switch {
		case kind == "secret":
			d.unsupported(opt.at, "a build secret in start is")
		case !isEnvName(name):
			d.fail(opt.at, "bad name of an environment variable %q", name)
		default:
			d.sets = append(d.sets, "start "+opt.key)
			start.Env = append(start.Env, name+"="+opt.value)
		}
	}
	for _, w := range cmd {
		start.Cmd = append(start.Cmd, w.text)
	}
	if len(cmd) > 0 {
		d.sets = append(d.sets, "the command of start")
	}
	if len(cmd) == 0 && len(opts.list) == 0 {
		d.fail(d.verb.span, "start wants env.NAME=VALUE or a command")
	}
	return func(c *Config) {
		c.Start.Env = mergeEnv(c.Start.Env, start.Env)
		if len(start.Cmd) > 0 {
			c.Start.Cmd = start.Cmd
		}
	}
}

// isEnvName follows POSIX, Base Definitions, 8.1 Environment Variable
// Definition.
func isEnvName(s string) bool {
	return s != "" && !strings.ContainsAny(s, ".-") && (s[0] < '0' || s[0] > '9')
}

// command reads a command, as words or as a JSON list, with options before or
// behind it. A word behind it that only looks like an option (FOO=bar) is the
// command's own, unless it is a misspelt one of ours; quotes make any word
// the command's own.
func (d *directive) command(what string, known ...string) ([]word, options) {
	var opts, cmd []word
	for {
		if list, at, ok := d.json(); ok {
			return d.jsonCommand(what, list, at, opts, known)
		}
		w, ok := d.next()
		if !ok {
			break
		}
		if w.key == 0 {
			cmd = append([]word{w}, d.rest()...)
			break
		}
		opts = append(opts, w)
	}
	end := len(cmd)
	for end > 1 && d.looksOurs(cmd[end-1], known) {
		end--
	}
	opts = append(opts, cmd[end:]...)
	d.checkProgram(cmd)
	for _, w := range cmd[:end] {
		if w.operator != (span{}) {
			d.fail(w.operator, "%s runs a program without a shell, so %q means nothing: write sh -c '…', or quote it",
				what, d.text[w.operator.start:w.operator.end])
			break
		}
	}
	return cmd[:end], d.options(what, opts, known...)
}

func (d *directive) checkProgram(cmd []word) {
	if len(cmd) > 0 && cmd[0].text == "" {
		d.fail(cmd[0].span, "the program's name is empty")
	}
}

func (d *directive) looksOurs(w word, known []string) bool {
	if w.key == 0 {
		return false
	}
	key := w.text[:w.key]
	return isKnown(key, known) || spell.Nearest(key, known) != ""
}

func (d *directive) jsonCommand(what string, list []string, at span, opts []word, known []string) ([]word, options) {
	var cmd []word
	for _, arg := range list {
		cmd = append(cmd, word{span: at, text: arg})
		if strings.ContainsRune(arg, 0) {
			d.fail(at, "an argument holds a NUL byte")
		}
	}
	d.checkProgram(cmd)
	positional, after := d.partition()
	d.surplus(what, positional)
	return cmd, d.options(what, append(opts, after...), known...)
}
