package trace

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
	"github.com/org/slimfile/sensor/record"
)

// Phases of a run, as manifest.Failure.Phase has them.
const (
	phaseStart  = "start"
	phaseReady  = "ready"
	phaseProbe  = "probe"
	phaseStop   = "stop"
	phaseRecord = "record"
)

// deadlineError is the cause when the time of the whole run is over.
type deadlineError struct{ limit time.Duration }

func (e *deadlineError) Error() string {
	return fmt.Sprintf("the run took longer than %s in all", e.limit)
}

// asFailure is err as a failure of a phase, unless it says which itself.
func asFailure(err error, phase string) *manifest.Failure {
	var f *manifest.Failure
	if !errors.As(err, &f) {
		f = &manifest.Failure{Message: plain(err)}
	}
	if f.Phase == "" {
		f.Phase = phase
	}
	return f
}

// seeLog is the remedy where nothing better is known.
const seeLog = "see the app's log"

// explain makes the failure of a run whose processes are all gone: the log is
// complete, and may tell more than the error. interrupted is why the run had to
// end, if it was not for err.
func (s *supervisor) explain(err, interrupted error) *manifest.Failure {
	f := asFailure(err, s.phase)
	f.Log = s.log.lines()
	var deadline *deadlineError
	hint := s.logHint(f.Log)
	switch {
	case errors.As(interrupted, &deadline):
		f.Message = fmt.Sprintf("%s, in phase %s", deadline, s.phase)
		f.Remedy = "give it longer with the build argument SLIM_TIMEOUT"
	case interrupted != nil:
		f.Message = fmt.Sprintf("the build was cancelled, or the app sent SIGTERM or SIGINT to process 1, in phase %s", s.phase)
		f.Remedy = ""
	case s.mode == Verify:
		f.Remedy = "the image as built passed, so the slim image lacks something that this run needed; its log may name it: " +
			"add `# slim: keep GLOB`, or a probe that makes the traced run use it"
	case hint != "" && (f.Phase != phaseProbe || f.Remedy == seeLog):
		f.Remedy = hint
	}
	return f
}

// firstFreePort is the first port that needs no privilege: ip(7),
// ip_unprivileged_port_start.
const firstFreePort = 1024

// bindDenied is how programs say that they may not listen: nginx, Python, Node.
// It is a pattern and no expression, as are the others here: what is compiled
// with the program is compiled for each process that it starts (launch.StubMain).
const bindDenied = `(?i)bind[^\n]*permission denied|listen EACCES|\.bind\([^\n]*\n[^\n]*permission denied`

// logHint is what an app's last lines give away of the cause.
func (s *supervisor) logHint(lines []string) string {
	log := strings.Join(lines, "\n")
	denied := regexp.MustCompile(`(?i)permission denied|EACCES`).MatchString(log)
	if s.spec.UID != 0 && !s.spec.LowPorts && regexp.MustCompile(bindDenied).MatchString(log) {
		return "EXPOSE the port: a USER other than root may listen on ports below 1024 in a traced run only if the image declares one"
	}
	for _, h := range []struct{ pattern, hint string }{
		{`(?i)address (already )?in use|EADDRINUSE`,
			"two parts of the app want one port: see its log"},
		{`(?i)(could not|couldn't|can't|cannot|failed to|unable to) (translate host|resolve|connect)|name or service not known|` +
			`temporary failure in name resolution|getaddrinfo|no such host|ECONNREFUSED|network is unreachable`,
			"the traced run has a network of its own with nothing but the app: if the app needs another service to start, " +
				"let it try again later, or say `# slim: network default`"},
		{`(?i)read-only file system|EROFS`,
			"the app writes to a place that is read-only: see its log"},
	} {
		if regexp.MustCompile(h.pattern).MatchString(log) {
			return h.hint
		}
	}
	if denied {
		return "the app's USER lacks a permission, see its log: COPY --chown, chmod, or another USER"
	}
	return ""
}

// recorderFailure is a failure of the recorder itself.
func recorderFailure(err error, run manifest.Run) *manifest.Failure {
	f := &manifest.Failure{Phase: phaseRecord, Message: err.Error()}
	var unavailable *record.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		f.Message, f.Remedy = unavailable.Error(), unavailable.Remedy
	case errors.Is(err, record.ErrLost) && !run.Privileged:
		f.Message = "the record is incomplete: " + err.Error()
		f.Remedy = "the privileged recorder sees more: docker buildx build --allow security.insecure"
	case errors.Is(err, record.ErrLost):
		f.Message = "the record is incomplete: " + err.Error()
		f.Remedy = "build again; if it happens each time, please report it with the app's name"
	}
	return f
}

// diedEarly is the failure of an app that ended before it was up.
func (s *supervisor) diedEarly(how string) *manifest.Failure {
	f := &manifest.Failure{
		Phase:    phaseStart,
		Message:  "the app ended before it was ready",
		Expected: s.ready.want,
		Got:      how,
		Remedy:   "see its log; what it needs to start (environment, files, other services) must be there in the build: `# slim: start env.K=V …`",
		Source:   s.run.Ready.Source,
	}
	if s.run.Ready.Kind == manifest.ReadyExit {
		f.Message = "the app failed"
	} else if how == "exit 0" {
		f.Remedy = "a service must stay in the foreground; if this is a command-line tool, say `# slim: ready exit`"
	}
	if how == "exit 127" || how == "exit 126" {
		f.Remedy = "a shell did not find a command, or may not execute it: see its log"
	}
	return f
}

// neverReady is the failure of an app that runs but does not come up. lack is
// what there is instead of the condition.
func (s *supervisor) neverReady(lack error) *manifest.Failure {
	ready := s.run.Ready
	timeout := probe.Seconds(ready.TimeoutSeconds)
	f := &manifest.Failure{
		Phase:    phaseReady,
		Message:  fmt.Sprintf("the app was not ready within %s", timeout),
		Expected: s.ready.want,
		Got:      lack.Error(),
		Remedy:   "if it only needs longer: `# slim: ready timeout=…`",
		Source:   ready.Source,
	}
	switch ready.Kind {
	case manifest.ReadyExit:
		f.Message = fmt.Sprintf("the app did not exit within %s", timeout)
		f.Remedy = "for a service: EXPOSE its port, or say `# slim: ready tcp:PORT`; if it only needs longer: `# slim: ready exit timeout=…`"
	case manifest.ReadyTCP:
		f.Remedy = portRemedy(ready.Ports, f.Remedy)
	}
	return f
}

// portRemedy says what to write for an app that listens on other ports than
// those that were waited for, or only on some of them.
func portRemedy(wanted []int, otherwise string) string {
	listeners, err := probe.Listeners()
	if err != nil || len(listeners) == 0 {
		return otherwise
	}
	open := openPorts(listeners)
	missing := slices.DeleteFunc(slices.Clone(wanted), func(port int) bool { return slices.Contains(open, port) })
	if len(missing) == 0 {
		return otherwise
	}
	directive := "ready"
	for _, port := range open[:min(len(open), maxListeners)] {
		directive += fmt.Sprintf(" tcp:%d", port)
	}
	return fmt.Sprintf("the app listens on %s but not on %s: say `# slim: %s`, or correct EXPOSE where it is not a base image's; %s",
		portNames(open), portNames(missing), directive, otherwise)
}

// diedDuring is the failure of an app that did not survive a probe.
func (s *supervisor) diedDuring(p manifest.Probe, prober probe.Prober, how string) *manifest.Failure {
	return &manifest.Failure{
		Phase:    phaseProbe,
		Message:  fmt.Sprintf("the app ended during probe %q", p.Name),
		Probe:    p.Name,
		Expected: prober.Expected(),
		Got:      how + " of the app",
		Remedy:   seeLog,
		Source:   p.Source,
	}
}

// probeFailure is the failure of a probe that did not get what it wanted; nil
// for no error. When ctx has ended, that is the failure.
func (s *supervisor) probeFailure(ctx context.Context, p manifest.Probe, prober probe.Prober, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &manifest.Failure{
		Phase:    phaseProbe,
		Message:  fmt.Sprintf("probe %q failed", p.Name),
		Probe:    p.Name,
		Expected: prober.Expected(),
		Got:      err.Error(),
		Remedy:   probeRemedy(p, err),
		Source:   p.Source,
	}
}

func probeRemedy(p manifest.Probe, err error) string {
	var cause *manifest.Failure
	var untrusted *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	text := err.Error()
	switch {
	case errors.As(err, &cause):
		return cause.Remedy
	case errors.As(err, &untrusted):
		return "to accept any certificate: insecure=true"
	case errors.As(err, &notTLS):
		return "the app speaks plain HTTP there: scheme=http"
	case p.HTTP != nil && p.HTTP.Scheme == "http" && (strings.Contains(text, `malformed HTTP response "\x15\x03`) ||
		strings.Contains(text, "HTTP request to an HTTPS server") || strings.Contains(text, "HTTP request was sent to HTTPS port")):
		return "the app speaks TLS there: scheme=https, and insecure=true for a self-signed certificate"
	case errors.Is(err, unix.ECONNREFUSED):
		listeners, listErr := probe.Listeners()
		if listErr != nil {
			return ""
		}
		if p.TCP != nil && p.Source == nil && len(listeners) > 0 { // it is there for an EXPOSE
			return fmt.Sprintf("the app listens on %s: say which ports count, `# slim: probe tcp %d`", portNames(openPorts(listeners)), listeners[0].Port())
		}
		return describe(listeners) + ": correct the probe's port"
	case p.HTTP != nil && strings.HasPrefix(text, "404 "):
		return "correct the path, or say which status is right: status=404"
	case p.HTTP != nil && strings.HasPrefix(text, "401 "):
		return "give credentials with user=NAME:PASSWORD, or say which status is right: status=401"
	}
	return seeLog
}
