// Package trace is the supervisor that runs as process 1 in the app's own
// root: it starts the app under the recorder as a container runtime would,
// waits until it is up, probes it, stops it, and writes what the run touched.
//
// It joins launch (how a program starts), record (what is seen) and probe (what
// is asked). Imported by cmd/slimfile-sensor.
//
// # Threat model
//
// The app is hostile: root or another user, in a sandboxed step or confined in
// an insecure one (package launch), in the pid namespace of which this process
// is number 1. Its own image is its own: it may have any path of it kept by
// naming it, and leave any of its own accesses out by racing the recorder with
// memory or links that it changes meanwhile. What it may not do:
//
//   - reach this process' memory, descriptors or privileges: that is not
//     dumpable and the app has no CAP_SYS_PTRACE (TestHostileProcess,
//     TestRootAppCannotSpy)
//   - end or stop this process, other than by SIGTERM or SIGINT, which fail the
//     run (TestHostileSignals, TestHostileShutdown)
//   - turn limits that root may set for this process into a record that is not
//     complete: the run fails (TestHostileLimits)
//   - lay mounts over what this process uses (TestHostileMounts), or put results
//     in the place of its own (TestRootAppCannotSpoilOutput)
//   - outlive the run: all is killed before results are written
//     (TestHostileSurvive)
//   - make this process wait, open a device or record a path outside the image by
//     what it swaps a name for (TestHostileRaces; package regular's TestOpen)
//   - take its memory without end by names, arguments or output
//     (TestHostileMemory; package record's TestLosses), or an event out of the
//     count (TestLosses, TestWitnessOverflow)
//
// A program of an exec probe runs in the app's container with the app's rights:
// an app that is root can tamper with it once the recorder is in place.
package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/record"
	"github.com/org/slimfile/sensor/rootfs"
)

// Mode is what a run is for.
type Mode int

// Modes of a run.
const (
	// Trace records an image as it was built; without a complete record the
	// run fails.
	Trace Mode = iota
	// Verify runs a slim image under the same conditions. What it finds is of
	// no interest, but what it does not find is: see comparison.
	Verify
)

// Dirs are the folders of a step.
type Dirs struct {
	Input  string // has manifest.RunFile; manifest.InputDir in a step
	Output string // manifest.OutputDir in a step
	// Source is the image as built, for Verify; manifest.SourceDir in a step.
	Source string
}

// Run carries out the run that dirs.Input asks for. The app's log and one line
// per event go to stdout. It is for a process of its own: that one reaps all
// children, becomes unreadable for others and deaf to signals other than those
// that the caller handles, and as process 1 of a pid namespace
// ends the run by killing everything else in it.
//
// Results are written to dirs.Output, replacing all that is there, once no
// other process is left: the app may be root and able to write there. A
// *manifest.Failure as error has been written there; any other has not.
func Run(ctx context.Context, dirs Dirs, mode Mode, stdout io.Writer) error {
	// An app that is root as well must not get at our memory and descriptors
	// through /proc (ptrace(2), access mode checking).
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("set dumpable: %w", err)
	}
	if err := deafen(); err != nil {
		return fmt.Errorf("ignore signals: %w", err)
	}
	out, err := openOutput(dirs.Output)
	if err != nil {
		return err
	}
	defer out.close()
	if err := record.CheckNative(); err != nil { // where even files cannot be read safely
		return out.fail(recorderFailure(err, manifest.Run{}))
	}
	s, err := newSupervisor(dirs.Input, mode, stdout)
	if err != nil {
		return out.fail(asFailure(err, phaseStart))
	}
	if mode == Verify {
		if s.source, err = rootfs.Open(dirs.Source); err != nil {
			return err
		}
		defer s.source.Close()
	}
	outcome, err := s.supervise(ctx)
	if err != nil {
		return err
	}
	if outcome.failure != nil {
		return out.fail(outcome.failure)
	}
	return out.succeed(outcome)
}

// maxRun bounds RunFile: it holds the bodies of the probes.
const maxRun = 64 << 20

// readRun reads the run that dir asks for.
func readRun(dir string) (manifest.Run, error) {
	data, err := readRegular(filepath.Join(dir, manifest.RunFile), maxRun)
	if err != nil {
		return manifest.Run{}, err
	}
	return decodeRun(data)
}

func decodeRun(data []byte) (manifest.Run, error) {
	var run manifest.Run
	if err := manifest.Decode(data, &run); err != nil {
		return run, fmt.Errorf("%s: %w", manifest.RunFile, err)
	}
	switch {
	case run.Version != manifest.Version:
		return run, fmt.Errorf("%s has version %d, want %d", manifest.RunFile, run.Version, manifest.Version)
	case len(run.App.Args) == 0:
		return run, errors.New("the image has neither ENTRYPOINT nor CMD")
	case !(run.TimeoutSeconds > 0 && run.TimeoutSeconds <= maxSeconds):
		return run, fmt.Errorf("bad timeout of %v seconds", run.TimeoutSeconds)
	case !(run.Ready.TimeoutSeconds > 0 && run.Ready.TimeoutSeconds <= maxSeconds):
		return run, fmt.Errorf("bad timeout of %v seconds for readiness", run.Ready.TimeoutSeconds)
	case !(run.Stop.GraceSeconds >= 0 && run.Stop.GraceSeconds <= maxSeconds):
		return run, fmt.Errorf("bad grace time of %v seconds", run.Stop.GraceSeconds)
	}
	for _, p := range run.Probes {
		if !(p.TimeoutSeconds > 0 && p.TimeoutSeconds <= maxSeconds) || p.Retries < 0 {
			return run, fmt.Errorf("probe %q: bad timeout of %v seconds or %d retries", p.Name, p.TimeoutSeconds, p.Retries)
		}
	}
	return run, nil
}

// maxSeconds bounds every time of a run: a week. It keeps them within what a
// time.Duration holds.
const maxSeconds = 7 * 24 * 3600
