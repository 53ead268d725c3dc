package trace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
)

// condition is what has to hold before the app counts as up.
type condition struct {
	want string // "port 8008 to be listened on"
	// check returns nil when the condition holds, else what there is instead.
	check func(context.Context) error
}

// newCondition returns the condition that ready asks for. ReadyExit has none
// to be polled: it is for awaitReady itself.
func newCondition(ready manifest.Ready, log *appLog) (condition, error) {
	switch ready.Kind {
	case manifest.ReadyTCP:
		if len(ready.Ports) == 0 {
			return condition{}, errors.New("ready tcp: no port")
		}
		return condition{
			want:  "something to listen on " + portNames(ready.Ports),
			check: func(context.Context) error { return checkPorts(ready.Ports) },
		}, nil
	case manifest.ReadyHTTP:
		return httpCondition(ready.URL)
	case manifest.ReadyLog:
		pattern, err := regexp.Compile(ready.Pattern)
		if err != nil {
			return condition{}, fmt.Errorf("ready log: %w", err)
		}
		log.ready = pattern
		return condition{
			want: fmt.Sprintf("a line of its log to match %q", ready.Pattern),
			check: func(context.Context) error {
				if !log.isReady() {
					return errors.New("no such line")
				}
				return nil
			},
		}, nil
	case manifest.ReadyExit:
		return condition{want: "the app to exit 0"}, nil
	default:
		return condition{}, fmt.Errorf("ready: unknown kind %q", ready.Kind)
	}
}

// requestTime bounds one request that asks whether the app is up: early ones
// may find it listening but unable to answer.
const requestTime = 5 * time.Second

func httpCondition(rawURL string) (condition, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return condition{}, fmt.Errorf("ready http: %w", err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return condition{}, fmt.Errorf("ready http: %q has no port", rawURL)
	}
	prober, err := probe.NewHTTP(manifest.HTTPProbe{
		Method: http.MethodGet, Scheme: u.Scheme, Port: int(port), Path: u.RequestURI(),
	})
	if err != nil {
		return condition{}, fmt.Errorf("ready http: %w", err)
	}
	return condition{
		want: fmt.Sprintf("%s to answer with %s", rawURL, prober.Expected()),
		check: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeoutCause(ctx, requestTime, fmt.Errorf("no answer within %s", requestTime))
			defer cancel()
			_, err := prober.Probe(ctx)
			return err
		},
	}, nil
}

// awaitReady waits until the app is up.
func (s *supervisor) awaitReady(ctx context.Context) error {
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, probe.Seconds(s.run.Ready.TimeoutSeconds), errNotReady)
	defer cancel()
	wait := s.awaitCondition
	if s.run.Ready.Kind == manifest.ReadyExit {
		wait = s.awaitSuccess
	}
	if err := wait(ctx); err != nil {
		return err
	}
	took := time.Since(begin)
	s.report.StartMS = took.Milliseconds()
	s.console.printf("ready after %s", round(took))
	return nil
}

// errNotReady is the cause when the time to become ready is over.
var errNotReady = errors.New("the app did not become ready in time")

func (s *supervisor) awaitCondition(ctx context.Context) error {
	alive, stop := s.whileAlive(ctx)
	defer stop()
	var lack error
	err := poll(alive, func() (bool, error) {
		now := s.ready.check(alive)
		if now == nil {
			return true, nil
		}
		if lack == nil || alive.Err() == nil { // else it is but the end of the time
			lack = now
		}
		return false, s.lives()
	})
	switch {
	case errors.Is(err, errGone):
		return s.lives()
	case errors.Is(err, errNotReady):
		return s.neverReady(lack)
	case err != nil:
		return err
	}
	s.reportListeners()
	return nil
}

// lives returns a failure once the app is gone.
func (s *supervisor) lives() error {
	how, gone, err := s.gone()
	if err != nil || !gone {
		return err
	}
	return s.diedEarly(how)
}

// awaitSuccess waits for a command-line tool to exit 0.
func (s *supervisor) awaitSuccess(ctx context.Context) error {
	select {
	case <-s.app.Done():
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errNotReady) {
			return s.neverReady(errors.New("still running"))
		}
		return context.Cause(ctx)
	}
	status := s.app.ExitStatus()
	if !status.Exited() || status.ExitStatus() != 0 {
		return s.diedEarly(probe.Exit(status))
	}
	return nil
}

// portsFree makes sure that what listens later is the app.
func (s *supervisor) portsFree() error {
	if s.run.Ready.Kind != manifest.ReadyTCP {
		return nil
	}
	listeners, err := probe.Listeners()
	if err != nil {
		return fmt.Errorf("listening ports: %w", err)
	}
	for _, l := range listeners {
		if slices.Contains(s.run.Ready.Ports, int(l.Port())) {
			return &manifest.Failure{
				Message: fmt.Sprintf("port %d is in use before the app has started", l.Port()),
				Remedy:  "trace in a network of its own, which is the default: remove `# slim: network default`",
				Source:  s.run.Ready.Source,
			}
		}
	}
	return nil
}

// checkPorts returns nil when all ports are listened on.
func checkPorts(ports []int) error {
	listeners, err := probe.Listeners()
	if err != nil {
		return fmt.Errorf("listening ports: %w", err)
	}
	for _, port := range ports {
		if len(onPort(listeners, port)) == 0 {
			return errors.New(describe(listeners))
		}
	}
	return nil
}

func onPort(listeners []netip.AddrPort, port int) []netip.AddrPort {
	var found []netip.AddrPort
	for _, l := range listeners {
		if int(l.Port()) == port {
			found = append(found, l)
		}
	}
	return found
}

// openPorts are the listeners' ports, sorted.
func openPorts(listeners []netip.AddrPort) []int {
	var ports []int
	for _, l := range listeners {
		ports = append(ports, int(l.Port()))
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// maxListeners bounds how many are named in a message.
const maxListeners = 8

// describe names what listens: "listening: 0.0.0.0:8080, [::1]:25".
func describe(listeners []netip.AddrPort) string {
	if len(listeners) == 0 {
		return "no TCP port is listened on"
	}
	var names []string
	for _, l := range listeners[:min(len(listeners), maxListeners)] {
		names = append(names, l.String())
	}
	if len(listeners) > maxListeners {
		names = append(names, "…")
	}
	return "listening: " + strings.Join(names, ", ")
}

// reportListeners warns of ports that work here, where the probes run beside
// the app, but cannot be reached from outside the container.
func (s *supervisor) reportListeners() {
	if s.run.Ready.Kind != manifest.ReadyTCP {
		return
	}
	listeners, err := probe.Listeners()
	if err != nil {
		return // they could be read a moment ago; this is but a warning
	}
	for _, port := range s.run.Ready.Ports {
		found := onPort(listeners, port)
		reachable := func(l netip.AddrPort) bool { return !l.Addr().IsLoopback() }
		if len(found) > 0 && !slices.ContainsFunc(found, reachable) {
			s.warn("port %d is listened on at %s only: nothing outside the container can reach it; listen on 0.0.0.0 or [::]", port, found[0].Addr())
		}
	}
}

// portNames is "port 80" or "ports 80, 443".
func portNames(ports []int) string {
	var names []string
	for _, port := range ports {
		names = append(names, strconv.Itoa(port))
	}
	if len(ports) == 1 {
		return "port " + names[0]
	}
	return "ports " + strings.Join(names, ", ")
}
