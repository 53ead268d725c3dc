package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/probe"
)

// errGrace is the cause when the grace time after STOPSIGNAL is over.
var errGrace = errors.New("the grace time is over")

// stop asks the app to end as a runtime does. What is still there afterwards
// is left to the session's KillAll.
func (s *supervisor) stop(ctx context.Context) error {
	if how, gone, err := s.gone(); gone || err != nil {
		s.report.Stopped = how
		return err
	}
	begin := time.Now()
	s.warnFirstProcess()
	if err := s.signalApp(); err != nil {
		return err
	}
	grace := probe.Seconds(s.run.Stop.GraceSeconds)
	waiting, cancel := context.WithTimeoutCause(ctx, grace, errGrace)
	defer cancel()
	err := poll(waiting, func() (bool, error) {
		how, gone, err := s.gone()
		s.report.Stopped = how
		return gone, err
	})
	if errors.Is(err, errGrace) {
		s.report.Stopped = "killed"
		s.warn("the app did not end within %s of %s: in production each stop waits as long and then kills it", grace, signalName(s.signal))
		err = nil
	}
	if err != nil {
		return err
	}
	took := time.Since(begin)
	s.report.StopMS = took.Milliseconds()
	s.console.printf("%s: %s (%s)", signalName(s.signal), s.report.Stopped, round(took))
	return nil
}

// signalApp sends STOPSIGNAL to the app's first process, or to those that it
// left behind.
func (s *supervisor) signalApp() error {
	pids := []int{s.app.Pid()}
	if s.forked() {
		left, err := descendants()
		if err != nil {
			return err
		}
		pids = left
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, s.signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("send %s: %w", signalName(s.signal), err)
		}
	}
	return nil
}

// warnFirstProcess warns of what works here but not in production, where the
// app is process 1 of its container: that one's end is the end of all, and a
// signal for which it has no handler does nothing (pid_namespaces(7)).
func (s *supervisor) warnFirstProcess() {
	if s.forked() {
		s.warn("the image's command exits 0 and leaves the app running in the background: " +
			"a container ends when its first process does, so start the app in the foreground")
		return
	}
	if s.signal == unix.SIGKILL || s.signal == unix.SIGSTOP {
		return
	}
	if ok, err := handles(s.app.Pid(), s.signal); err == nil && !ok {
		s.warn("the app has no handler for %s: as first process of a container it ignores it, so that each stop waits for the timeout and kills it; "+
			"handle the signal, or run the container with an init (docker run --init)", signalName(s.signal))
	}
}
