package frontend

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
)

// committed is a lock as the build context has it.
type committed struct {
	state llb.State // holds it as manifest.LockFile
	file  lock.File
}

// lockUse is what the lock is for in this build. One that writes the lock looks
// at the old one only to add to it.
func (b *build) lockUse() config.Lock {
	if b.cfg.Output == config.OutputLock && b.cfg.Lock != config.LockUpdate {
		return config.LockOff
	}
	return b.cfg.Lock
}

// readLock reads the lock, if it plays a part; nil if it does not exist. It may
// well be in .dockerignore: the image needs no copy of it.
func (b *build) readLock(ctx context.Context) (*committed, error) {
	if b.cfg.Lock == config.LockOff && b.cfg.Output != config.OutputLock {
		return nil, nil
	}
	name := b.cfg.LockFile
	from, err := b.bc.MainContext(ctx, llb.FollowPaths([]string{name}), llb.ExcludePatterns(nil), llb.SharedKeyHint(name), dockerui.WithInternalName("load "+name))
	if err != nil {
		return nil, err
	}
	// Only a pattern may match nothing: one for the first name on the way.
	_, first := utf8.DecodeRuneInString(name)
	pattern := `[\` + name[:first] + "]" + name[first:]
	locked := committed{state: llb.Scratch().File(
		llb.Copy(*from, pattern, "/"+manifest.LockFile, &llb.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true, FollowSymlinks: true}),
		llb.WithCustomName("[internal] read "+name))}
	ref, err := solve(ctx, b.client, locked.state, gwclient.SolveRequest{})
	if err != nil {
		return nil, err
	}
	found, err := ref.ReadDir(ctx, gwclient.ReadDirRequest{Path: "/"})
	if err != nil {
		return nil, fmt.Errorf("read %s: %s", name, err.Error()) // see failed
	}
	if len(found) == 0 {
		return nil, nil
	}
	if locked.file, err = decodeLock(ctx, ref, name); err != nil && b.lockUse() == config.LockOff {
		b.src.Warn(ctx, fmt.Sprintf("slim: %s; it is made anew, without what it says of other platforms", err), gwclient.WarnOpts{Level: 1})
		return nil, nil
	}
	return &locked, err
}

// decodeLock reads manifest.LockFile; name is what errors call it.
func decodeLock(ctx context.Context, ref gwclient.Reference, name string) (lock.File, error) {
	in, err := builtFolder{ref}.open(ctx, manifest.LockFile)
	if err != nil {
		return lock.File{}, fmt.Errorf("read %s: %s", name, err.Error()) // see failed
	}
	defer in.Close()
	return lock.Decode(name, in)
}

// demand is a setting that a lock is made with.
type demand struct {
	text string // as lock.Section has it
	at   manifest.Location
}

// demands are the settings that decide what is kept.
func demands(cfg *config.Config, run manifest.Run) []demand {
	list := []demand{{"granularity " + cmp.Or(cfg.Granularity, manifest.GranularityFile), cfg.Place("granularity")}}
	if cfg.Network != config.NetworkNone {
		list = append(list, demand{"network " + string(cfg.Network), cfg.Place("network")})
	}
	for _, env := range cfg.Start.Env {
		list = append(list, demand{"start env " + words(env), cfg.Place("start")})
	}
	if len(cfg.Start.Cmd) > 0 {
		list = append(list, demand{"start " + words(cfg.Start.Cmd...), cfg.Place("start")})
	}
	for _, p := range run.Probes {
		at := manifest.Location{}
		if p.Source != nil {
			at = *p.Source
		}
		list = append(list, demand{"probe " + p.Name, at})
	}
	for _, r := range cfg.Rules {
		at := manifest.Location{}
		if r.Source != nil {
			at = *r.Source
		}
		if len(r.Args) == 0 {
			list = append(list, demand{r.Kind, at})
		}
		for _, arg := range r.Args {
			list = append(list, demand{r.Kind + " " + words(arg), at})
		}
	}
	return list
}

// words writes words on one line, so that they can be told apart.
func words(list ...string) string {
	var quoted []string
	for _, w := range list {
		quoted = append(quoted, quotePath(manifest.Path(w)))
	}
	return strings.Join(quoted, " ")
}

// digestRun is a digest of how an app is run and probed, but for how long that may
// take and where it is asked for. Passwords are left out: it is committed.
func digestRun(run manifest.Run, pack manifest.Pack) (string, error) {
	run.TimeoutSeconds, run.Ready.TimeoutSeconds, run.Ready.Source = 0, 0, nil
	run.Probes = slices.Clone(run.Probes)
	for i := range run.Probes {
		p := &run.Probes[i]
		p.Name, p.Source, p.TimeoutSeconds, p.Retries = "", nil, 0, 0
		if p.HTTP != nil {
			request := *p.HTTP
			request.User, p.HTTP = "", &request
		}
	}
	data, err := json.Marshal(struct {
		Run    manifest.Run
		Image  manifest.Image
		Copied []manifest.Copy
	}{run, pack.Image, pack.Copied})
	if err != nil {
		return "", fmt.Errorf("encode the run: %w", err)
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// section is what the lock says of a platform beside what its image tells.
func (b *build) section(run manifest.Run, pack manifest.Pack) (manifest.Section, error) {
	digest, err := digestRun(run, pack)
	section := manifest.Section{Version: manifest.Version, Platform: pack.Platform, LockName: b.cfg.LockFile, Run: digest}
	for _, d := range demands(b.cfg, run) {
		section.Settings = append(section.Settings, d.text)
	}
	return section, err
}

// consult asks the lock what it has to say of a platform: with true it stands in
// for the traced run.
func (b *build) consult(ctx context.Context, s *slimmed, run manifest.Run) (frozen bool, err error) {
	if s.section, err = b.section(run, s.packing); err != nil {
		return false, err
	}
	if b.cfg.Lock != config.LockOff || b.cfg.Output == config.OutputLock {
		s.packing.LockName = b.cfg.LockFile
	}
	use := b.lockUse()
	if use == config.LockOff || b.locked == nil && use != config.LockFrozen {
		return false, nil
	}
	if b.locked == nil {
		return false, b.cfg.Fail(b.cfg.Place("lock"), "the build context has no %s, which SLIM_LOCK=frozen demands: make it with "+
			"`slimfile lock DIR`, or `docker buildx build --build-arg SLIM_OUTPUT=lock -o DIR DIR`, and commit it", b.cfg.LockFile)
	}
	was, known := b.locked.file.Section(s.packing.Platform)
	s.was = was
	switch {
	case use == config.LockUpdate:
		if known {
			s.packing.Lock, s.locked = manifest.LockUpdate, &b.locked.state
		}
		return false, nil
	case !known && use == config.LockFrozen:
		return false, b.cfg.Fail(b.cfg.Place("lock"), "%s has nothing for %s, only for %s: add it with `slimfile lock --platform %s DIR`",
			b.cfg.LockFile, s.packing.Platform, strings.Join(b.locked.file.Platforms(), ", "), s.packing.Platform)
	case use == config.LockFrozen:
		return true, b.sameDemands(was, run)
	}
	if !known {
		s.outdated = "has nothing for " + s.packing.Platform
	} else if s.outdated, err = b.outdated(ctx, s, was); err != nil {
		return false, err
	}
	return s.outdated == "", nil
}

// sameDemands fails at the first setting that is not as it was when the lock was
// made.
func (b *build) sameDemands(was lock.Section, run manifest.Run) error {
	now := demands(b.cfg, run)
	fail := func(at manifest.Location, said, text string) error {
		return b.cfg.Fail(at, "%s was made "+said+": make the lock anew and commit it: slimfile lock DIR", b.cfg.LockFile, text)
	}
	var byDefault []demand // maybe because something else is gone
	for _, d := range now {
		switch {
		case slices.Contains(was.Settings, d.text):
		case d.at.Line == 0:
			byDefault = append(byDefault, d)
		default:
			return fail(d.at, "without %q", d.text)
		}
	}
	for _, text := range was.Settings {
		if !slices.ContainsFunc(now, func(d demand) bool { return d.text == text }) {
			return fail(b.cfg.Place("lock"), "with %q, which the Dockerfile says no more", text)
		}
	}
	if len(byDefault) > 0 {
		return fail(b.cfg.Place("lock"), "without %q", byDefault[0].text)
	}
	return nil
}

// maxChanged bounds the inputs that a message names.
const maxChanged = 4

// outdated says what has changed since a section was made; empty for nothing.
func (b *build) outdated(ctx context.Context, s *slimmed, was lock.Section) (string, error) {
	settings := slices.Sorted(slices.Values(s.section.Settings))
	if !slices.Equal(slices.Compact(settings), was.Settings) {
		return "was made with other settings", nil
	}
	held, err := s.steps.Lock(s.ranState, nil, &b.locked.state, s.section)
	if err != nil {
		return "", err
	}
	is, err := b.solveLock(ctx, held, s.packing.Platform)
	if err != nil {
		return "", err
	}
	changed := lock.Changed(was, is)
	for i, name := range changed {
		if name == lock.Run {
			changed[i] = "how the app is run"
		} else if name == "/" {
			changed[i] = "the names in other folders"
		}
	}
	if more := len(changed) - maxChanged; more > 0 {
		changed = append(changed[:maxChanged], fmt.Sprintf("%d more", more))
	}
	if len(changed) == 0 {
		return "", nil
	}
	return "was made before changes to " + strings.Join(changed, ", "), nil
}

// solveLock runs the step that makes a section, and reads it.
func (b *build) solveLock(ctx context.Context, st llb.State, platform string) (lock.Section, error) {
	ref, err := solve(ctx, b.client, st, gwclient.SolveRequest{Evaluate: true, CacheImports: b.bc.CacheImports})
	if err != nil {
		return lock.Section{}, b.failed(ctx, err)
	}
	file, err := decodeLock(ctx, ref, manifest.LockFile)
	section, ok := file.Section(platform)
	if err == nil && !ok {
		err = fmt.Errorf("the lock step told nothing of %s", platform)
	}
	return section, err
}

// frozen packs what the lock names, and verifies that. There is no traced run to
// compare with: the probes' own conditions count.
func (b *build) frozen(ctx context.Context, s *slimmed, run manifest.Run) (err error) {
	run.Privileged, run.Fanotify = false, manifest.FanotifyOff
	s.steps.Security = pb.SecurityMode_SANDBOX
	s.packing.Lock, s.locked = manifest.LockFrozen, &b.locked.state
	if b.cfg.Verify == config.VerifyOff {
		s.warnings = append(s.warnings, s.packing.LockName+" stands in for the traced run and verify is off: "+
			"rules about what the app does when it runs are not judged")
		return b.pack(ctx, s, nil)
	}
	if err = b.verify(ctx, s, run); err == nil {
		s.warnings = append(s.warnings, proof{verified: s.proof, rules: b.cfg.Rules}.lookups()...)
	}
	var step *StepError
	if errors.As(err, &step) && step.Step == "verify" {
		step.Failure.Remedy = strings.TrimSpace(fmt.Sprintf("make %s anew, if the app needs more than it names: slimfile lock DIR\n%s", s.packing.LockName, step.Failure.Remedy))
	}
	return err
}

// lockedFolders are those of the declared folders that a lock has in the image.
func lockedFolders(entries []lock.Entry, declared []string) []string {
	return slices.DeleteFunc(slices.Sorted(slices.Values(declared)), func(dir string) bool {
		return !slices.ContainsFunc(entries, func(e lock.Entry) bool { return e.Path == dir || strings.HasPrefix(e.Path, dir+"/") })
	})
}

// tellOutdated warns of a lock that could not be used, and what would change in it.
func (b *build) tellOutdated(ctx context.Context, s *slimmed) error {
	if s.outdated == "" {
		return nil
	}
	is, err := b.solveLock(ctx, s.lock, s.packing.Platform)
	if err != nil {
		return err
	}
	added, removed := lock.Diff(s.was.Entries, is.Entries)
	s.warnings = append(s.warnings, fmt.Sprintf("%s %s, so the app was traced: +%d -%d entries; make it anew: slimfile lock DIR",
		b.cfg.LockFile, s.outdated, len(added), len(removed)))
	return nil
}

// lockResult is the lock with what was found out about all platforms.
func (b *build) lockResult(ctx context.Context) (*gwclient.Result, error) {
	var (
		sections []llb.State
		locked   *llb.State
	)
	ids := slices.Sorted(maps.Keys(b.done))
	for _, id := range ids {
		sections = append(sections, b.done[id].lock)
	}
	if b.locked != nil {
		locked = &b.locked.state
	}
	steps := b.done[ids[0]].steps
	steps.Name = ""
	ref, err := solve(ctx, b.client, steps.MergeLocks(sections, locked, b.cfg.LockFile), gwclient.SolveRequest{CacheImports: b.bc.CacheImports})
	if err != nil {
		return nil, err
	}
	res := gwclient.NewResult()
	res.SetRef(ref)
	return res, b.describe(res)
}
