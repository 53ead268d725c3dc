package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
	"github.com/org/slimfile/sensor/record"
	"github.com/org/slimfile/sensor/rootfs"
)

// supervisor carries out one run.
type supervisor struct {
	run     manifest.Run
	mode    Mode
	console *console
	log     *appLog
	session *record.Session
	source  *rootfs.Root // the image as built, of a verifying run

	probers []probe.Prober // parallel to run.Probes
	ready   condition
	signal  unix.Signal // STOPSIGNAL

	spec      launch.Spec
	app       *launch.Process
	phase     string // one of the phase constants
	report    manifest.RunReport
	answers   int // bytes of text in the report's answers
	beginning time.Time
}

// outcome is how a run ended: with a failure, or with a report.
type outcome struct {
	failure *manifest.Failure
	report  manifest.RunReport
	trace   *record.Result // nil unless it is wanted
}

// cleanupTime bounds the end of a run, whatever happened before: killing all
// processes and taking in what they wrote.
const cleanupTime = 30 * time.Second

// newSupervisor reads the run and refuses what cannot work before anything is
// started.
func newSupervisor(input string, mode Mode, stdout io.Writer) (*supervisor, error) {
	run, err := readRun(input)
	if err != nil {
		return nil, err
	}
	c := &console{w: stdout}
	s := &supervisor{
		run:     run,
		mode:    mode,
		console: c,
		log:     &appLog{console: c},
		report:  manifest.RunReport{Version: manifest.Version, Phases: phasesOf(run), ReadOnly: run.ReadOnly},
	}
	if s.signal, err = parseSignal(run.Stop.Signal); err != nil {
		return nil, &manifest.Failure{Phase: phaseStop, Message: err.Error(), Remedy: "correct STOPSIGNAL"}
	}
	if run.Ready.Kind == manifest.ReadyExit {
		s.log.room = maxOutput
	}
	if s.ready, err = newCondition(run.Ready, s.log); err != nil {
		return nil, &manifest.Failure{Phase: phaseReady, Message: err.Error(), Source: run.Ready.Source}
	}
	for _, p := range run.Probes {
		prober, err := s.newProber(p)
		if err != nil {
			return nil, err
		}
		s.probers = append(s.probers, prober)
	}
	return s, nil
}

func (s *supervisor) newProber(p manifest.Probe) (probe.Prober, error) {
	prober, err := probe.New(p, s.startProbe)
	if err != nil {
		return nil, &manifest.Failure{Phase: phaseProbe, Message: err.Error(), Probe: p.Name, Source: p.Source}
	}
	if s.run.Ready.Kind == manifest.ReadyExit && p.Exec == nil {
		return nil, &manifest.Failure{
			Phase:   phaseProbe,
			Message: fmt.Sprintf("probe %q needs a running app, but this one counts as ready when it has exited", p.Name),
			Probe:   p.Name,
			Remedy:  "for a service: EXPOSE its port, or say `# slim: ready tcp:PORT`; for a command-line tool: use `# slim: probe exec …`",
			Source:  p.Source,
		}
	}
	return prober, nil
}

// supervise does the run. The error is for what leaves the container in an
// unknown state; nothing may be written then.
func (s *supervisor) supervise(ctx context.Context) (outcome, error) {
	s.phase = phaseStart
	s.beginning = time.Now()
	session, err := s.newSession()
	if err != nil {
		return outcome{failure: asFailure(err, phaseRecord)}, nil
	}
	s.session = session
	timeout := probe.Seconds(s.run.TimeoutSeconds)
	bounded, cancel := context.WithTimeoutCause(ctx, timeout, &deadlineError{timeout})
	defer cancel()
	failed := s.steps(bounded)
	interrupted := context.Cause(bounded) // later it might be the end's own fault

	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if err := session.KillAll(cleanup); err != nil {
		return outcome{}, errors.Join(failed, fmt.Errorf("end all processes: %w", err))
	}
	s.log.finish(cleanupTime)
	result, err := session.Close()
	if failed != nil {
		f := s.explain(failed, interrupted)
		f.Missing = s.missing(result, append(strings.Split(f.Got, "\n"), f.Log...))
		if errors.Is(err, record.ErrLost) { // which may be why
			f.Message += "; besides, " + err.Error()
		}
		return s.failed(f, result), nil
	}
	return s.conclude(result, err), nil
}

// failed is the outcome of a run that failed.
func (s *supervisor) failed(f *manifest.Failure, result *record.Result) outcome {
	var changed []manifest.Touch
	if result != nil {
		changed, _ = changes(result)
	}
	if !s.run.Tentative && (!s.run.ReadOnly || len(changed) == 0) {
		return outcome{failure: f}
	}
	s.console.printf("failed: %s", f.Message)
	f.Version = manifest.Version
	return outcome{report: manifest.RunReport{
		Version: manifest.Version, Phases: s.report.Phases, Main: -1, ReadOnly: s.run.ReadOnly, Changes: changed, Failure: f,
	}}
}

// newSession arms the recorders that the run asks for.
func (s *supervisor) newSession() (*record.Session, error) {
	opt := record.Options{
		Calls:      s.run.Calls,
		Privileged: s.run.Privileged,
		Fanotify: s.run.Fanotify == manifest.FanotifyDemand ||
			s.run.Fanotify == manifest.FanotifyAuto && s.run.Privileged,
	}
	session, err := record.New(opt)
	var unavailable *record.UnavailableError
	if errors.As(err, &unavailable) && unavailable.Recorder == record.Fanotify && s.run.Fanotify == manifest.FanotifyAuto {
		s.warn("the fanotify witness did not run: %s", err)
		opt.Fanotify = false
		session, err = record.New(opt)
	}
	if err != nil {
		return nil, recorderFailure(err, s.run)
	}
	return session, nil
}

// steps are the phases of a run in their order.
func (s *supervisor) steps(ctx context.Context) error {
	for _, step := range []struct {
		phase string
		do    func(context.Context) error
	}{
		{phaseStart, s.start},
		{phaseReady, s.awaitReady},
		{phaseProbe, s.probe},
		{phaseStop, s.stop},
	} {
		s.phase = step.phase
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// start starts the app.
func (s *supervisor) start(context.Context) error {
	if err := s.portsFree(); err != nil {
		return err
	}
	if err := makeDir(workDir(s.run.App)); err != nil {
		return entrypointFailure(err)
	}
	spec, err := s.prepare(s.run.App)
	if err != nil {
		return entrypointFailure(err)
	}
	stdout, err := s.log.pipe(spec.UID)
	if err != nil {
		return err
	}
	defer stdout.Close()
	stderr, err := s.log.pipe(spec.UID)
	if err != nil {
		return err
	}
	defer stderr.Close()
	spec.Stdout, spec.Stderr, spec.Adopts = stdout, stderr, true
	s.spec = spec
	s.app, err = s.launch(spec, s.run.App.Stdin)
	if err != nil {
		return entrypointFailure(err)
	}
	return nil
}

// prepare resolves a command to be run in the app's container.
func (s *supervisor) prepare(cmd manifest.Command) (launch.Spec, error) {
	spec, err := resolve(cmd)
	spec.Confine = s.run.Privileged
	spec.LowPorts = wantsLowPort(s.run)
	return spec, err
}

// wantsLowPort reports whether the image declares a port below 1024.
func wantsLowPort(run manifest.Run) bool {
	ports := slices.Clone(run.Ready.Ports)
	for _, p := range run.Probes {
		switch {
		case p.HTTP != nil:
			ports = append(ports, p.HTTP.Port)
		case p.TCP != nil:
			ports = append(ports, p.TCP.Port)
		}
	}
	return slices.ContainsFunc(ports, func(port int) bool { return port < firstFreePort })
}

// launch starts a prepared program under the recorder.
func (s *supervisor) launch(spec launch.Spec, stdin []byte) (*launch.Process, error) {
	input, err := inputFile(stdin)
	if err != nil {
		return nil, err
	}
	if input != nil {
		defer input.Close()
	}
	spec.Stdin = input
	process, err := s.session.Start(spec)
	if unavailable := (*record.UnavailableError)(nil); errors.As(err, &unavailable) {
		return nil, recorderFailure(err, s.run)
	}
	if err != nil {
		return nil, startFailure(err, spec)
	}
	return process, nil
}

// startProbe is the probe.Starter of exec probes.
func (s *supervisor) startProbe(cmd manifest.Command) (probe.Process, *os.File, error) {
	spec, err := s.prepare(cmd)
	if err != nil {
		return nil, nil, err
	}
	r, w, err := outputPipe(spec.UID)
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	spec.Stdout, spec.Stderr = w, w
	process, err := s.launch(spec, cmd.Stdin)
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return process, r, nil
}

// probe makes all probes in their order.
func (s *supervisor) probe(ctx context.Context) error {
	for i, p := range s.run.Probes {
		s.enterProbe(i)
		title := fmt.Sprintf("probe %d/%d %s", i+1, len(s.run.Probes), p.Name)
		begin := time.Now()
		got, err := s.probeOne(ctx, p, s.probers[i])
		took := time.Since(begin)
		if err != nil {
			s.console.printf("%s: FAILED (%s)", title, round(took))
			return err
		}
		s.console.printf("%s: ok %s (%s)", title, got.Got, round(took))
		s.report.Probes = append(s.report.Probes, manifest.ProbeResult{Name: p.Name, Got: got.Got, MS: took.Milliseconds(), Answer: s.fit(got.Answer)})
	}
	return nil
}

const (
	// maxOutput bounds how much of a tool's output is compared, in bytes.
	maxOutput = 256 << 10
	// maxAnswers bounds the text of all answers in a report, in bytes.
	maxAnswers = 512 << 10
)

// fit makes an answer fit into the report: without its text if that is full.
func (s *supervisor) fit(a *manifest.Answer) *manifest.Answer {
	if a == nil {
		return nil
	}
	size := 0
	for _, p := range a.Pieces {
		size += len(p)
	}
	if s.answers+size > maxAnswers {
		a.Pieces, a.Cut, size = nil, true, 0
	}
	s.answers += size
	return a
}

// probeOne makes one probe and sees to it that the app is alive at its end.
func (s *supervisor) probeOne(ctx context.Context, p manifest.Probe, prober probe.Prober) (probe.Result, error) {
	if s.run.Ready.Kind == manifest.ReadyExit {
		got, err := probe.Run(ctx, p, prober)
		return got, s.probeFailure(ctx, p, prober, err)
	}
	alive, stop := s.whileAlive(ctx)
	defer stop()
	got, err := probe.Run(alive, p, prober)
	if err != nil {
		// A dying app closes its connections before it is seen to be dead.
		s.awaitExit(alive)
	}
	how, gone, goneErr := s.gone()
	switch {
	case goneErr != nil:
		return probe.Result{}, goneErr
	case gone:
		return probe.Result{}, s.diedDuring(p, prober, how)
	default:
		return got, s.probeFailure(ctx, p, prober, err)
	}
}

// conclude makes the outcome of a run in which nothing failed so far.
func (s *supervisor) conclude(result *record.Result, err error) outcome {
	unimportant := s.mode == Verify && errors.Is(err, record.ErrLost)
	if err != nil && !unimportant {
		return outcome{failure: recorderFailure(err, s.run)}
	}
	s.report.Recorders = result.Recorders
	s.report.Events, s.report.Lost = result.Events, result.Lost
	s.report.Witness = result.Witness[:min(len(result.Witness), manifest.MaxWitness)]
	s.observe(result)
	s.report.Complaints = s.log.complaints
	if s.run.Ready.Kind == manifest.ReadyExit {
		s.report.Output = s.fit(probe.NewAnswer(s.app.ExitStatus().ExitStatus(), "", s.log.head))
	}
	s.report.Missing = s.missing(result, s.log.complainedOf())
	s.report.Warnings = append(s.report.Warnings, result.Warnings...)
	s.report.TotalMS = time.Since(s.beginning).Milliseconds()
	for _, warning := range s.report.Warnings {
		s.console.printf("warning: %s", warning)
	}
	out := outcome{report: s.report}
	if s.mode == Trace {
		out.trace = result
		s.console.printf("recorded %d paths, events=%d lost=%d (%s)", result.N, result.Events, result.Lost, strings.Join(result.Recorders, ", "))
	}
	return out
}

func (s *supervisor) warn(format string, args ...any) {
	s.report.Warnings = append(s.report.Warnings, fmt.Sprintf(format, args...))
}

// round shortens a duration for display.
func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
