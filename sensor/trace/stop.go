package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
)

// errGrace is the cause when the grace time after STOPSIGNAL is over.
var errGrace = errors.New("the grace time is over")

// stop asks the app to end as a runtime does. What is still there afterwards
// is left to the session's KillAll.
func (s *supervisor) stop(ctx context.Context) error {
	s.enterStop()
	// Asked once: the first process may end of itself at any moment, and what
	// follows must not see it once alive and once dead.
	background := s.exited()
	if how, gone, err := s.gone(); gone || err != nil {
		s.report.Stopped = how
		return err
	}
	if !background {
		s.findZombies(ctx)
	}
	handled, handledErr := s.awaitHandler(ctx)
	begin := time.Now()
	ended, err := s.signalApp(background)
	if err != nil {
		return err
	}
	grace := probe.Seconds(s.run.Stop.GraceSeconds)
	waiting, cancel := context.WithTimeoutCause(ctx, grace, errGrace)
	defer cancel()
	err = poll(waiting, ended)
	switch {
	case err == nil:
		s.report.Stopped = probe.Exit(s.app.ExitStatus())
	case errors.Is(err, errGrace):
		s.report.Stopped = "killed"
		s.warn("the app did not end within %s of %s: in production each stop waits as long and then kills it", grace, signalName(s.signal))
	default:
		return err
	}
	s.report.Stop = &manifest.Stopping{
		Signal: signalName(s.signal), InTime: err == nil, Background: background,
		Unhandled: !background && handledErr == nil && !handled,
		Failed:    err == nil && !background && s.failedOn(s.signal),
	}
	switch {
	case background:
		s.warn("the image's command exits 0 and leaves the app running in the background: " +
			"a container ends when its first process does, so start the app in the foreground")
	case handledErr == nil && !handled:
		s.warnUnhandled()
	}
	took := time.Since(begin)
	s.report.StopMS = took.Milliseconds()
	s.console.printf("%s: %s (%s)", signalName(s.signal), s.report.Stopped, round(took))
	return nil
}

// handlerTime is how long an app that is up may take to get its signal handlers:
// many listen before. haproxy's first process executes itself anew by then.
const handlerTime = time.Second

// awaitHandler tells whether the first process handles STOPSIGNAL, and gives it
// time to begin with that.
func (s *supervisor) awaitHandler(ctx context.Context) (handled bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	err = poll(waiting, func() (bool, error) {
		var err error
		handled, err = handles(s.app.Pid(), s.signal)
		return handled || s.exited(), err
	})
	if waiting.Err() != nil {
		err = nil
	}
	return handled, err
}

// signalApp sends STOPSIGNAL to the app's first process, whose end is the end
// of a container, or to those that it left behind in the background. ended
// tells whether they are gone.
func (s *supervisor) signalApp(background bool) (ended func() (bool, error), err error) {
	if !background {
		err := s.app.Signal(s.signal)
		return func() (bool, error) { return s.exited(), nil }, s.signalError(err)
	}
	left, err := descendants()
	for _, pid := range left {
		err = errors.Join(err, s.signalError(unix.Kill(pid, s.signal)))
	}
	return func() (bool, error) {
		_, gone, err := s.gone()
		return gone, err
	}, err
}

// signalError is err of a signal sent to a process that may have ended.
func (s *supervisor) signalError(err error) error {
	if err == nil || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return fmt.Errorf("send %s: %w", signalName(s.signal), err)
}

// failedOn tells whether a signal has made the first process fail.
func (s *supervisor) failedOn(sig unix.Signal) bool {
	status := s.app.ExitStatus()
	return status.Exited() && status.ExitStatus() != 0 || status.Signaled() && status.Signal() != sig
}

// warnUnhandled warns if STOPSIGNAL has ended a first process that had no
// handler for it. In production, where that one is process 1 of its container,
// such a signal does nothing (pid_namespaces(7)); but SIGKILL does.
func (s *supervisor) warnUnhandled() {
	status := s.app.ExitStatus()
	if !s.exited() || !status.Signaled() || status.Signal() != s.signal || s.signal == unix.SIGKILL {
		return
	}
	s.warn("the app has no handler for %s: as first process of a container it ignores it, so that each stop waits for the timeout and kills it; "+
		"handle the signal, or run the container with an init (docker run --init)", signalName(s.signal))
}
