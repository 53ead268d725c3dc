package config

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

// Kinds of probes; those in probesLater are not supported yet.
var (
	probeKinds  = []string{"http", "tcp", "exec"}
	probesLater = []string{"grpc", "crawl", "openapi", "stage"}
)

const maxRetries = 100

// probe reads KIND and what belongs to it.
func (d *directive) probe() func(*Config) {
	kind, ok := d.next()
	if !ok {
		d.fail(d.verb.span, "probe wants a kind: %s", spell.Alternatives(probeKinds))
		return nil
	}
	var p Probe
	switch kind.text {
	case "http":
		p = d.httpProbe(kind)
	case "tcp":
		p = d.tcpProbe(kind)
	case "exec":
		p = d.execProbe(kind)
	default:
		d.report(kind.span, choose("probe kind", kind.text, probeKinds, probesLater))
		return nil
	}
	end := len(strings.TrimRight(d.text, blanks))
	at := d.location(span{d.verb.start, end})
	p.Name, p.Source = d.probeName(span{kind.start, end}), &at
	return func(c *Config) { c.Probes = append(c.Probes, p) }
}

// probeName is the probe as it was typed, without the password in it.
func (d *directive) probeName(typed span) string {
	name := d.text[typed.start:typed.end]
	if d.secret != (span{}) {
		name = d.text[typed.start:d.secret.start] + "***" + d.text[d.secret.end:typed.end]
	}
	return firstRunes(printable(name), maxShown)
}

// common reads the options of every probe.
func (o options) common() manifest.Probe {
	return manifest.Probe{
		TimeoutSeconds: o.duration("timeout", DefaultProbeTimeout).Seconds(),
		Retries:        o.number("retries", 0, maxRetries, 0),
	}
}

// httpProbe reads PATH [option=…]….
func (d *directive) httpProbe(kind word) Probe {
	words, opts := d.split("probe http", "method", "port", "scheme", "status", "match", "header",
		"body", "body-file", "user", "insecure", "retries", "timeout")
	p := Probe{Probe: opts.common(), BodyFile: opts.contextFile("body-file")}
	p.HTTP = &manifest.HTTPProbe{
		Method:   opts.method(),
		Scheme:   opts.choice("scheme", []string{"http", "https"}),
		Port:     opts.port("port"),
		Path:     d.one(kind, "probe http", "a path such as /", words),
		Header:   opts.headers(),
		User:     opts.credentials(),
		Insecure: opts.choice("insecure", []string{"on", "off"}) == "on",
		Status:   opts.status(),
		Match:    opts.regexp("match"),
	}
	if user, ok := opts.get("user"); ok {
		d.secret = user.at
	}
	if p.HTTP.Scheme == "" {
		p.HTTP.Scheme = "http"
	}
	if body := opts.text("body", ""); body != "" {
		p.HTTP.Body = []byte(body)
	}
	if body, ok := opts.get("body"); ok && p.BodyFile != "" {
		d.fail(body.at, "body and body-file exclude each other")
	}
	if len(words) > 0 {
		d.checkPath(words[0].span, p.HTTP.Path)
	}
	return p
}

// one is the single positional word of what; kind is the word before it.
func (d *directive) one(kind word, what, want string, words []word) string {
	if len(words) == 0 {
		d.fail(d.verb.to(kind.span), "%s wants %s", what, want)
		return ""
	}
	d.surplus(what, words[1:])
	return words[0].text
}

// checkPath checks the path of a request.
func (d *directive) checkPath(at span, p string) {
	if strings.Contains(p, "://") && !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") {
		d.fail(at, "%q is a URL, want its path alone: the host is always the app, and its port goes into port=", p)
		return
	}
	if !strings.HasPrefix(p, "/") {
		d.fail(at, "path %q does not start with /", p)
		return
	}
	u, err := url.ParseRequestURI(p)
	if err != nil || strings.ContainsAny(p, " #") || u.Host != "" {
		d.fail(at, "bad path %q: write a blank or # in it as %%20 or %%23", p)
	}
}

// methods are those that a misspelling is compared with; any other token in
// capitals (PROPFIND) is taken as it is.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

var methodToken = regexp.MustCompile(`^[A-Z][A-Z-]*$`)

// method is GET, or POST when there is a body.
func (o options) method() string {
	opt, ok := o.get("method")
	switch {
	case !ok && (o.has("body") || o.has("body-file")):
		return "POST"
	case !ok:
		return "GET"
	case !slices.Contains(methods, opt.value) && (spell.Nearest(opt.value, methods) != "" || !methodToken.MatchString(opt.value)):
		o.fail(opt.at, "unknown method %q%s", opt.value, spell.Hint(opt.value, methods))
	}
	return opt.value
}

// header is a field as RFC 9110, section 5 has it.
var header = regexp.MustCompile(`^[!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+:[ \t]*[^\x00-\x08\x0a-\x1f\x7f]*$`)

func (o options) headers() []string {
	var headers []string
	for _, opt := range o.list {
		if opt.key != "header" {
			continue
		}
		if !header.MatchString(opt.value) {
			o.fail(opt.at, `bad header %q, want one such as "Accept: text/html"`, opt.value)
		}
		headers = append(headers, opt.value)
	}
	return headers
}

func (o options) credentials() string {
	opt, ok := o.get("user")
	if ok && !strings.Contains(opt.value, ":") {
		o.fail(opt.at, "bad user, want NAME:PASSWORD")
	}
	return opt.value
}

// contextFile is a path within the build context.
func (o options) contextFile(key string) string {
	opt, ok := o.get(key)
	if !ok {
		return ""
	}
	clean, ok := contextPath(opt.value)
	if !ok {
		o.fail(opt.at, "bad %s %q, want a file of the build context", key, opt.value)
	}
	return clean
}

// contextPath is a path within the build context, clean and without a slash in
// front; ok is false for one that may lead out of it, and for the context itself.
func contextPath(name string) (clean string, ok bool) {
	clean = path.Clean("/" + name)[1:]
	return clean, clean != "" && !slices.Contains(strings.Split(name, "/"), "..")
}

// status is a set of HTTP status codes: 200, 2xx, 200-299, joined by commas.
func (o options) status() string {
	opt, ok := o.get("status")
	if !ok {
		return ""
	}
	for part := range strings.SplitSeq(opt.value, ",") {
		if !isStatus(part) {
			o.fail(opt.at, "bad status %q, want codes such as 200, 2xx or 200-299, joined by commas", part)
		}
	}
	return opt.value
}

var (
	statusCode  = regexp.MustCompile(`^[1-5][0-9][0-9]$`)
	statusClass = regexp.MustCompile(`^[1-5]xx$`)
)

func isStatus(s string) bool {
	if low, high, ok := strings.Cut(s, "-"); ok {
		return statusCode.MatchString(low) && statusCode.MatchString(high) && low <= high
	}
	return statusCode.MatchString(s) || statusClass.MatchString(s)
}

// tcpProbe reads PORT [option=…]….
func (d *directive) tcpProbe(kind word) Probe {
	words, opts := d.split("probe tcp", "send", "match", "retries", "timeout")
	p := Probe{Probe: opts.common()}
	p.TCP = &manifest.TCPProbe{Send: opts.escaped("send"), Match: opts.regexp("match")}
	if text := d.one(kind, "probe tcp", "a port", words); text != "" {
		p.TCP.Port = d.portAt(words[0].span, text)
	}
	return p
}

func (d *directive) portAt(at span, text string) int {
	port, err := parsePort(text)
	if err != nil {
		d.fail(at, "%s", err)
	}
	return port
}

// execProbe reads CMD… [option=…]….
func (d *directive) execProbe(kind word) Probe {
	cmd, opts := d.command("probe exec", "exit", "match", "user", "stdin", "retries", "timeout")
	if len(cmd) == 0 {
		d.fail(d.verb.to(kind.span), "probe exec wants a command")
	}
	p := Probe{Probe: opts.common()}
	p.Exec = &manifest.ExecProbe{
		Command: manifest.Command{User: opts.text("user", ""), Stdin: opts.escaped("stdin")},
		Exit:    opts.number("exit", 0, 255, 0),
		Match:   opts.regexp("match"),
	}
	for _, w := range cmd {
		p.Exec.Command.Args = append(p.Exec.Command.Args, w.text)
	}
	return p
}

// ready reads one condition, or several tcp:PORT, and timeout=.
func (d *directive) ready() func(*Config) {
	d.sets = append(d.sets, "ready")
	words, opts := d.split("ready", "timeout", "port")
	r := Ready{Timeout: opts.duration("timeout", DefaultReadyTimeout), Port: opts.port("port")}
	if len(words) == 0 && !opts.has("timeout") {
		d.fail(d.verb.span, "ready wants %s", readyForms)
	}
	for _, w := range words {
		d.condition(&r, w)
	}
	if port, ok := opts.get("port"); ok && r.Kind != manifest.ReadyHTTP {
		d.fail(port.at, "port= belongs to http:PATH")
	}
	r.Source = d.location(span{d.verb.start, len(strings.TrimRight(d.text, blanks))})
	return func(c *Config) { c.Ready = &r }
}

const readyForms = "tcp:PORT, http:PATH, log:REGEX, exit or timeout=DURATION"

// condition adds the condition w to r.
func (d *directive) condition(r *Ready, w word) {
	kind, arg, hasArg := strings.Cut(w.text, ":")
	kinds := []string{manifest.ReadyTCP, manifest.ReadyHTTP, manifest.ReadyLog, manifest.ReadyExit}
	switch {
	case !slices.Contains(kinds, kind):
		d.fail(w.span, "unknown condition %q%s", kind, spell.Hint(kind, kinds))
		return
	case hasArg == (kind == manifest.ReadyExit), hasArg && arg == "":
		d.fail(w.span, "bad condition %q, want %s", w.text, readyForms)
		return
	case r.Kind != "" && (r.Kind != kind || kind != manifest.ReadyTCP):
		d.fail(w.span, "ready takes one condition, or several tcp:PORT")
		return
	}
	r.Kind = kind
	switch kind {
	case manifest.ReadyTCP:
		r.Ports = append(r.Ports, d.portAt(w.span, arg))
	case manifest.ReadyHTTP:
		d.checkPath(w.span, arg)
		r.Path = arg
	case manifest.ReadyLog:
		if _, err := regexp.Compile(arg); err != nil {
			d.fail(w.span, "bad log expression: %s", err)
		}
		r.Pattern = arg
	}
}
