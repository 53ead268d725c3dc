package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

// evaluate traces, packs and verifies, and reads the steps' reports. It takes two
// solves: whether the slim root has to be writable the trace tells.
func (b *build) evaluate(ctx context.Context, s *slimmed, run manifest.Run) (err error) {
	verify := b.cfg.Verify != config.VerifyOff
	run.Calls = !verify // otherwise the verifying run has them recorded
	traced, err := s.steps.Trace(s.ranState, run)
	if err != nil {
		return err
	}
	s.traced = &traced
	if err := b.outcome(ctx, s.steps.Outcome(s.traced, nil, nil), map[string]any{llbgen.TraceReport: &s.run}); err != nil {
		return err
	}
	if !verify {
		return b.pack(ctx, s, nil)
	}
	if b.cfg.Verify == config.VerifyRepair {
		err = b.repair(ctx, s, run)
	} else {
		err = b.verify(ctx, s, run)
	}
	if err != nil {
		return err
	}
	p := proof{traced: s.run, verified: s.proof, probes: s.probes, rules: b.cfg.Rules}
	s.warnings = append(s.warnings, p.warnings()...)
	return p.failure()
}

// maxRounds bounds how often verify repair adds something. Each round finds what
// the app asks for once it has what the last one found: more than a few are a
// sign that the probes show little of the app.
const maxRounds = 5

// repair verifies, adds what the run lacked and packs again, until it lacks
// nothing more. All rounds but a last one that fails are cached.
func (b *build) repair(ctx context.Context, s *slimmed, run manifest.Run) error {
	run.Tentative = true
	for {
		if err := b.verify(ctx, s, run); err != nil {
			return err
		}
		lacks := s.proof.Missing
		if s.proof.Failure != nil {
			lacks = s.proof.Failure.Missing
		}
		added := additions(lacks, s.packing.Added, b.cfg.Rules)
		if len(added) == 0 {
			break
		}
		if s.repairs == maxRounds {
			return &StepError{Step: "verify", Failure: manifest.Failure{
				Message: fmt.Sprintf("after %d rounds of repair the slim image still lacks something", maxRounds),
				Remedy:  strings.Join(append(keepDirectives(lacks), "or probes that make the traced run ask for it"), "\n"),
				Missing: lacks,
			}}
		}
		s.repairs++
		s.packing.Added = slices.Compact(slices.Sorted(slices.Values(append(s.packing.Added, added...))))
		s.warnings = append(s.warnings, fmt.Sprintf("verify repair, round %d: added %s", s.repairs, listPaths(added)))
	}
	if s.proof.Failure == nil {
		return nil
	}
	// Nothing that could be added helps: let it fail as without repair, which
	// leaves nothing in the cache.
	run.Tentative = false
	return b.verify(ctx, s, run)
}

// additions are the paths that a run lacked and that can be added: not those that
// were, without success, and not what the user drops.
func additions(lacks []manifest.Missing, before []manifest.Path, rules []manifest.Rule) (added []manifest.Path) {
	for _, m := range lacks {
		if dropping(rules, m) != nil {
			continue
		}
		p := m.Path
		if m.Line != "" && m.Type == "dir" { // a package of a language
			p += "/"
		}
		if !slices.Contains(before, p) {
			added = append(added, p)
		}
	}
	slices.Sort(added)
	return slices.Compact(added)
}

// listPaths names the first few.
func listPaths(paths []manifest.Path) string {
	var names []string
	for _, p := range paths[:min(len(paths), maxKeeps)] {
		names = append(names, quotePath(p))
	}
	if more := len(paths) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, " ")
}

// verify packs and runs the result, with a read-only root if the traced run let
// it seem enough, or if there was none. Should this one want to write even so, it
// is not.
func (b *build) verify(ctx context.Context, s *slimmed, run manifest.Run) error {
	declared := declaredFolders(s.fat.Image.Config.Volumes)
	writable, ok := writableFolders(s.run, declared)
	if s.traced == nil {
		writable = lockedFolders(s.was.Entries, declared)
	}
	dropped := func(dir string) bool { return dropping(b.cfg.Rules, manifest.Missing{Path: manifest.Path(dir)}) != nil }
	if ok && !slices.ContainsFunc(writable, dropped) {
		run.ReadOnly = true
		err := b.pack(ctx, s, func() (llbgen.Traced, error) { return s.steps.Verify(s.ranState, s.packed, run, writable) })
		enough := s.proof.Failure == nil || len(s.proof.Changes) == 0
		if s.traced == nil && enough {
			_, enough = writableFolders(s.proof, declared)
		}
		if err != nil || enough {
			return err
		}
		run.ReadOnly = false
	}
	return b.pack(ctx, s, func() (llbgen.Traced, error) { return s.steps.Verify(s.ranState, s.packed, run, nil) })
}

// declaredFolders are those that a read-only container has for what is written:
// VOLUMEs and the system's own for what is temporary.
func declaredFolders(volumes map[string]struct{}) []string {
	declared := []string{"/run", "/tmp", "/var/tmp"}
	for volume := range maps.Keys(volumes) {
		declared = append(declared, path.Clean("/"+volume))
	}
	return declared
}

// writableFolders are the declared folders below which a run has changed
// something. ok is false if the run wants to write anywhere else.
func writableFolders(run manifest.RunReport, declared []string) (folders []string, ok bool) {
	used := map[string]bool{}
	for _, c := range run.Changes {
		i := slices.IndexFunc(declared, func(dir string) bool { return strings.HasPrefix(string(c.Path), strings.TrimSuffix(dir, "/")+"/") })
		if i < 0 {
			return nil, false
		}
		used[declared[i]] = true
	}
	return slices.Sorted(maps.Keys(used)), run.Omitted.Changes == 0
}

// pack packs and, unless verify is nil, runs the step that it makes of the result.
func (b *build) pack(ctx context.Context, s *slimmed, verify func() (llbgen.Traced, error)) (err error) {
	if s.packed, err = s.steps.Pack(s.ranState, s.traced, s.locked, s.packing); err != nil {
		return err
	}
	s.summary, s.facts, s.packages, s.proof = manifest.Summary{}, manifest.Facts{}, manifest.Packages{}, manifest.RunReport{}
	reports := map[string]any{manifest.SummaryFile: &s.summary, manifest.FactsFile: &s.facts, manifest.PackagesFile: &s.packages}
	if verify != nil {
		verified, err := verify()
		if err != nil {
			return err
		}
		s.verified = &verified
		reports[llbgen.VerifyReport] = &s.proof
	}
	return b.outcome(ctx, s.steps.Outcome(nil, &s.packed, s.verified), reports)
}

// outcome runs the steps that st comes from, and reads what they report.
func (b *build) outcome(ctx context.Context, st llb.State, reports map[string]any) error {
	ref, err := solve(ctx, b.client, st, gwclient.SolveRequest{Evaluate: true, CacheImports: b.bc.CacheImports})
	if err != nil {
		return b.failed(ctx, err)
	}
	eg, ctx := errgroup.WithContext(ctx)
	for name, report := range reports {
		eg.Go(func() error { return readJSON(ctx, ref, name, report) })
	}
	return eg.Wait()
}
