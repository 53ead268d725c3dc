package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/org/slimfile/sensor/manifest"
)

// Docker's own values for a HEALTHCHECK that leaves them out
// (Dockerfile reference, HEALTHCHECK).
const (
	healthTimeout = DefaultProbeTimeout
	healthRetries = 3
)

// defaultStopSignal is the one for an image without STOPSIGNAL (OCI image
// specification, config).
const defaultStopSignal = "SIGTERM"

// Run is the run that img's app and c ask for; Fanotify and Privileged are
// the caller's to set. What is still open in c is taken from img: with no
// probe declared, the TCP ports that have to listen are probed, the EXPOSEd
// ones unless `ready` names others, and HEALTHCHECK always is. Without any port the app is a command-line tool: ready when it has
// exited 0.
//
// Every BodyFile must have been read into its probe's HTTP.Body by then.
func (c *Config) Run(img dockerspec.DockerOCIImageConfig) (manifest.Run, error) {
	exposed, err := tcpPorts(img.ExposedPorts)
	if err != nil {
		return manifest.Run{}, Errors{c.file.fail(c.from, "%s", err)}.located()
	}
	r := resolver{config: c, image: img, exposed: exposed}
	run := manifest.Run{
		Version:        manifest.Version,
		App:            r.app(),
		Probes:         r.probes(),
		Stop:           manifest.Stop{Signal: cmp.Or(img.StopSignal, defaultStopSignal), GraceSeconds: StopGrace.Seconds()},
		TimeoutSeconds: c.Timeout.Seconds(),
	}
	run.Ready = r.ready(run.Probes)
	return run, r.errs.located()
}

// Pack is what slimfile-pack needs of img and c; Epoch is the caller's to
// set. Platform is os/arch[/variant].
func (c *Config) Pack(img dockerspec.DockerOCIImageConfig, platform string) manifest.Pack {
	return manifest.Pack{
		Version: manifest.Version,
		Image: manifest.Image{
			Entrypoint:  img.Entrypoint,
			Cmd:         img.Cmd,
			Healthcheck: healthCommand(img),
			Env:         img.Env,
			WorkingDir:  img.WorkingDir,
			User:        img.User,
			Volumes:     slices.Sorted(maps.Keys(img.Volumes)),
			Shell:       img.Shell,
		},
		Platform:    platform,
		Rules:       c.Rules,
		Granularity: c.Granularity,
	}
}

// resolver fills what a Config left open from one image's config.
type resolver struct {
	config  *Config
	image   dockerspec.DockerOCIImageConfig
	exposed []int
	errs    Errors
}

func (r *resolver) fail(loc manifest.Location, format string, args ...any) {
	r.errs = append(r.errs, r.config.file.fail(loc, format, args...))
}

// app is the image's command with the changes of the start directive.
func (r *resolver) app() manifest.Command {
	cmd := r.image.Cmd
	if len(r.config.Start.Cmd) > 0 {
		cmd = r.config.Start.Cmd
	}
	app := r.command(slices.Concat(r.image.Entrypoint, cmd))
	if len(app.Args) == 0 {
		r.fail(r.config.from, "the image has neither ENTRYPOINT nor CMD, so there is nothing to trace: "+
			"add one, or say `# slim: start COMMAND` for the traced run only")
	}
	return app
}

// command is args with the surroundings that the image gives its app.
func (r *resolver) command(args []string) manifest.Command {
	return manifest.Command{
		Args: args,
		Env:  mergeEnv(r.image.Env, r.config.Start.Env),
		Dir:  r.image.WorkingDir,
		User: r.image.User,
	}
}

// mergeEnv is base with the variables of over set, each in its first place.
func mergeEnv(base, over []string) []string {
	env := slices.Clone(base)
	for _, kv := range over {
		name, _, _ := strings.Cut(kv, "=")
		same := func(s string) bool { return strings.HasPrefix(s, name+"=") }
		if i := slices.IndexFunc(env, same); i >= 0 {
			env[i] = kv
			continue
		}
		env = append(env, kv)
	}
	return env
}

// probes are the declared ones, or one for each port that has to listen; then
// the HEALTHCHECK, which has to work in the slim image in any case.
func (r *resolver) probes() []manifest.Probe {
	var probes []manifest.Probe
	for _, declared := range r.config.Probes {
		probes = append(probes, r.probe(declared.Probe))
	}
	if len(probes) == 0 {
		probes = r.portProbes()
	}
	if cmd := healthCommand(r.image); cmd != nil {
		probes = append(probes, r.healthProbe(cmd))
	}
	return probes
}

// probe is p with what the image decides filled in. The declared probe is
// shared by all platforms, so what changes is copied.
func (r *resolver) probe(p manifest.Probe) manifest.Probe {
	switch {
	case p.HTTP != nil:
		h := *p.HTTP
		if h.Port == 0 {
			h.Port = r.onlyPort(*p.Source, "probe http")
		}
		p.HTTP = &h
	case p.Exec != nil:
		e := *p.Exec
		user, stdin := e.Command.User, e.Command.Stdin
		e.Command = r.command(e.Command.Args)
		e.Command.User = cmp.Or(user, e.Command.User)
		e.Command.Stdin = stdin
		p.Exec = &e
	}
	return p
}

// onlyPort is the one EXPOSEd TCP port, where the directive at loc names none.
func (r *resolver) onlyPort(loc manifest.Location, directive string) int {
	switch len(r.exposed) {
	case 0:
		r.fail(loc, "%s has no port, and the image EXPOSEs none: add port=NUMBER", directive)
		return 0
	case 1:
		return r.exposed[0]
	default:
		r.fail(loc, "%s has no port, and the image EXPOSEs several (%s): add port=NUMBER", directive, joinPorts(r.exposed))
		return 0
	}
}

// portProbes connect to the ports of `ready tcp:`, else to the EXPOSEd ones: a
// base image may EXPOSE what this app does not open, and that cannot be undone.
func (r *resolver) portProbes() []manifest.Probe {
	ports, origin := r.exposed, "EXPOSE"
	if ready := r.config.Ready; ready != nil && ready.Kind == manifest.ReadyTCP {
		ports, origin = ready.Ports, "ready"
	}
	var probes []manifest.Probe
	for _, port := range ports {
		probes = append(probes, manifest.Probe{
			Name:           fmt.Sprintf("tcp %d (%s)", port, origin),
			TimeoutSeconds: DefaultProbeTimeout.Seconds(),
			TCP:            &manifest.TCPProbe{Port: port},
		})
	}
	return probes
}

// HealthProbe is the name of the probe that is the HEALTHCHECK.
const HealthProbe = "HEALTHCHECK"

// healthProbe runs the HEALTHCHECK once more for each of its retries, and
// gives it the start period that it asks for.
func (r *resolver) healthProbe(cmd []string) manifest.Probe {
	h := r.image.Healthcheck
	timeout := cmp.Or(h.Timeout, healthTimeout)
	return manifest.Probe{
		Name:           HealthProbe,
		TimeoutSeconds: (h.StartPeriod + timeout).Seconds(),
		Retries:        cmp.Or(h.Retries, healthRetries),
		Exec:           &manifest.ExecProbe{Command: r.command(cmd)},
	}
}

// healthCommand is img's HEALTHCHECK as an argument list, nil for none.
// Its form is that of Docker's image specification, HealthcheckConfig.
func healthCommand(img dockerspec.DockerOCIImageConfig) []string {
	if img.Healthcheck == nil || len(img.Healthcheck.Test) < 2 {
		return nil
	}
	kind, args := img.Healthcheck.Test[0], img.Healthcheck.Test[1:]
	switch kind {
	case "CMD":
		return slices.Clone(args)
	case "CMD-SHELL":
		shell := img.Shell
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		return slices.Concat(shell, args)
	default: // NONE
		return nil
	}
}

// ready is the declared condition, or the default: all EXPOSEd TCP ports, or
// else those that probes want, listen; with no port at all, the app exits.
func (r *resolver) ready(probes []manifest.Probe) manifest.Ready {
	declared := r.config.Ready
	if declared == nil {
		declared = &Ready{Timeout: DefaultReadyTimeout}
	}
	ready := manifest.Ready{
		Kind:           declared.Kind,
		Ports:          declared.Ports,
		Pattern:        declared.Pattern,
		TimeoutSeconds: declared.Timeout.Seconds(),
	}
	if declared.Source.Line > 0 {
		source := declared.Source
		ready.Source = &source
	}
	switch declared.Kind {
	case manifest.ReadyHTTP:
		port := declared.Port
		if port == 0 {
			port = r.onlyPort(declared.Source, "ready http")
		}
		ready.URL = fmt.Sprintf("http://%s%s", net.JoinHostPort("localhost", strconv.Itoa(port)), declared.Path)
	case manifest.ReadyExit:
		if len(probedPorts(probes)) > 0 {
			r.fail(declared.Source, "an app that has exited answers no http or tcp probe: "+
				"use another condition, or probes of the kind exec")
		}
	case "":
		ready.Kind, ready.Ports = r.defaultReady(probes)
	}
	return ready
}

func (r *resolver) defaultReady(probes []manifest.Probe) (kind string, ports []int) {
	ports = r.exposed
	if len(ports) == 0 {
		ports = probedPorts(probes)
	}
	if len(ports) > 0 {
		return manifest.ReadyTCP, ports
	}
	if len(r.image.ExposedPorts) > 0 || healthCommand(r.image) != nil {
		r.fail(r.config.from, "the image is a service without a TCP port, so nothing tells when it is up: "+
			"say `# slim: ready log:REGEX` (a line of its log), or EXPOSE the port it listens on")
	}
	return manifest.ReadyExit, nil
}

// probedPorts are the ports that probes connect to, sorted.
func probedPorts(probes []manifest.Probe) []int {
	var ports []int
	for _, p := range probes {
		switch {
		case p.HTTP != nil:
			ports = append(ports, p.HTTP.Port)
		case p.TCP != nil:
			ports = append(ports, p.TCP.Port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// tcpPorts are the TCP ports of an image config, sorted. A key is PORT or
// PORT/PROTOCOL, and no protocol means TCP (OCI image specification, config).
func tcpPorts(exposed map[string]struct{}) ([]int, error) {
	var ports []int
	for _, key := range slices.Sorted(maps.Keys(exposed)) {
		number, protocol, _ := strings.Cut(key, "/")
		if protocol != "" && !strings.EqualFold(protocol, "tcp") {
			continue
		}
		port, err := parsePort(number)
		if err != nil {
			return nil, fmt.Errorf("the image EXPOSEs %q: %w", key, err)
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}

func joinPorts(ports []int) string {
	var texts []string
	for _, port := range ports {
		texts = append(texts, strconv.Itoa(port))
	}
	return strings.Join(texts, ", ")
}

// parsePort reads a TCP port number, 1 to 65535.
func parsePort(s string) (int, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("bad port %q, want a number from 1 to 65535", s)
	}
	return int(port), nil
}
