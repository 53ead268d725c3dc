package trace

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
	"github.com/org/slimfile/sensor/record"
)

// phasesOf lists the phases of a run: until the app is ready, each probe, the
// stop. Their places in the list are the recorder's numbers for them.
func phasesOf(run manifest.Run) []manifest.Phase {
	phases := []manifest.Phase{{Name: phaseStart}}
	for i, p := range run.Probes {
		phases = append(phases, manifest.Phase{Name: fmt.Sprintf("%s %d", phaseProbe, i+1), Probe: p.Name})
	}
	return append(phases, manifest.Phase{Name: phaseStop})
}

func (s *supervisor) enterProbe(i int) { s.session.Enter(record.Phase(1 + i)) }

func (s *supervisor) enterStop() { s.session.Enter(record.Phase(1 + len(s.run.Probes))) }

// observe puts what was recorded beside paths into the report.
func (s *supervisor) observe(result *record.Result) {
	r := &s.report
	r.Omitted.Programs, r.Omitted.Listening, r.Omitted.Outbound = result.Omitted.Programs, result.Omitted.Listening, result.Omitted.Outbound
	for i := range r.Phases {
		r.Phases[i].Calls = result.Calls[record.Phase(i)]
	}
	r.AssumedCalls = result.AssumedCalls
	r.Programs, r.Main = result.Programs, result.Main
	r.LargestEUID, r.Root = result.LargestEUID, result.Root
	r.Listening, r.Outbound = result.Listening, result.Outbound
	r.Changes, r.Omitted.Changes = changes(result)
}

const (
	// maxChanges bounds the paths listed as changed, and maxChangeBytes their
	// names, so that a report stays readable whatever the app does.
	maxChanges     = 1000
	maxChangeBytes = 512 << 10
)

// changes lists what the run made, wrote, moved or removed.
func changes(result *record.Result) (list []manifest.Touch, omitted int64) {
	const changing = manifest.Written | manifest.Created | manifest.Deleted | manifest.Renamed | manifest.Changed
	room := maxChangeBytes
	for t := range result.Touches {
		if t.Ops&changing == 0 {
			continue
		}
		if len(list) == maxChanges || len(t.Path) > room {
			omitted++
			continue
		}
		room -= len(t.Path)
		list = append(list, t)
	}
	return list, omitted
}

const (
	// zombieTime is how long a process that has ended may take to be waited for
	// before it counts as left over.
	zombieTime = 250 * time.Millisecond
	maxZombies = 20
)

// findZombies notes the children that the app's first process has not waited
// for: its own, and, since it is the one to adopt them as process 1 of a
// container is, those whose parents are gone.
func (s *supervisor) findZombies(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, zombieTime)
	defer cancel()
	var names []string
	err := poll(ctx, func() (bool, error) {
		var err error
		names, err = zombies(s.app.Pid())
		return len(names) == 0, err
	})
	if err == nil || len(names) == 0 {
		return
	}
	slices.Sort(names)
	s.report.Omitted.Zombies = int64(max(len(names)-maxZombies, 0))
	s.report.Zombies = names[:min(len(names), maxZombies)]
}

// zombies are the names of a process' children that have ended and were not
// waited for.
func zombies(parent int) ([]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil { // gone since
			continue
		}
		if name, ok := zombieOf(string(stat), parent); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// zombieOf reads name, state and parent from proc_pid_stat(5).
func zombieOf(stat string, parent int) (name string, ok bool) {
	head, rest, _ := cutLast(stat, ")")
	_, name, _ = strings.Cut(head, "(")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[0] != "Z" || fields[1] != strconv.Itoa(parent) {
		return "", false
	}
	return probe.Printable([]byte(name)), true
}

// missing lists what a verifying run lacked, as far as result tells, which is nil
// if the recorder failed; lines are those in which it may be spoken of.
func (s *supervisor) missing(result *record.Result, lines []string) []manifest.Missing {
	if s.source == nil || result == nil {
		return nil
	}
	list, omitted, err := compare(s.source, result, s.report.Phases, lines)
	if err != nil { // what was found is good all the same
		s.warn("what the slim image lacks is not known in full: %s", err)
	}
	s.report.Omitted.Missing = omitted
	return list
}
