package frontend

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/osv"
	"github.com/org/slimfile/frontend/lint/policy"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
)

// build is one slimming build, for all its platforms.
type build struct {
	client  gwclient.Client
	bc      *dockerui.Client
	src     *dockerui.Source
	cfg     *config.Config
	tools   llbgen.Tools
	scanner sbomScanner

	// For the rules, which judge the first platform.
	stock      []lint.StockFinding // BuildKit's own linter's
	input      lint.Input
	settings   lint.Settings
	policy     policySource
	profile    policy.Profile    // the policy's
	advisories policy.Advisories // where the policy says that they are
	// checkErrors: "check=error=true" makes warnings errors.
	checkErrors bool

	locked *committed // nil without a lock

	converting sync.Mutex // see convert

	mu   sync.Mutex
	done map[string]*slimmed // by platform ID
}

// slimmed is one platform's way from the Dockerfile to the slim image.
type slimmed struct {
	fat      *dockerfile2llb.Result
	fatState llb.State
	ranState llb.State // fatState as a container has it
	steps    llbgen.Steps
	packing  manifest.Pack
	section  manifest.Section
	locked   *llb.State     // the lock, if it decides what is kept
	was      lock.Section   // what the lock has for the platform
	outdated string         // why it cannot; empty if it does, or was not to
	traced   *llbgen.Traced // nil if it does
	packed   llbgen.Packed
	lock     llb.State // the section that is right now
	verified *llbgen.Traced
	run      manifest.RunReport
	summary  manifest.Summary
	facts    manifest.Facts
	probes   []manifest.Probe
	proof    manifest.RunReport // of the verifying run
	warnings []string           // of the proof
	repairs  int                // rounds
	packages manifest.Packages
	// vulnerabilities is what advisories tell; nil if they were not read.
	vulnerabilities *osv.Result
}

// run builds every platform and puts the result together.
func (b *build) run(ctx context.Context) (*gwclient.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	rb, err := b.bc.Build(ctx, b.platform)
	if err != nil {
		return nil, err
	}
	if b.cfg.Output == config.OutputLock {
		return b.lockResult(ctx)
	}
	if err := rb.EachPlatform(ctx, func(ctx context.Context, id string, p ocispecs.Platform) error {
		return b.attest(ctx, rb, id)
	}); err != nil {
		return nil, err
	}
	if err := b.describe(rb); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// prepare does what is the same for all platforms.
func (b *build) prepare(ctx context.Context) (err error) {
	if err := checkCaps(b.client.BuildOpts()); err != nil {
		return err
	}
	if b.tools, err = findTools(b.client, b.bc.BuildPlatforms[0]); err != nil {
		return err
	}
	if b.scanner, err = newSBOMScanner(ctx, b.client, b.bc); err != nil {
		return err
	}
	if b.input, b.settings, err = b.lintInput(ctx); err != nil {
		return err
	}
	if err := b.takeCheckErrors(); err != nil {
		return err
	}
	if b.locked, err = b.readLock(ctx); err != nil {
		return err
	}
	b.done = map[string]*slimmed{}
	return b.readBodies(ctx)
}

// platform builds one platform; p is nil for the worker's own. idx counts the
// platforms: what is about the Dockerfile is said for the first one only.
func (b *build) platform(ctx context.Context, p *ocispecs.Platform, idx int) (*dockerui.BuildResult, error) {
	fat, err := b.convert(ctx, p, idx)
	if err != nil {
		return nil, err
	}
	if idx == 0 {
		if err := b.judge(ctx, fat.Image); err != nil {
			return nil, err
		}
	}
	s, err := b.slim(ctx, fat, p)
	if err != nil && idx == 0 {
		err = b.explain(ctx, s, err)
	}
	if err != nil {
		return nil, err
	}
	if idx == 0 {
		if err := b.judgeBuilt(ctx, s); err != nil {
			return nil, err
		}
	}
	b.warn(ctx, s)
	b.mu.Lock()
	b.done[platformID(p)] = s
	b.mu.Unlock()
	return b.result(ctx, s)
}

// convert makes the fat image's graph. BUILDKIT_DOCKERFILE_CHECK, as
// takeCheckErrors, makes a linter configuration that all platforms share, and
// conversion writes into it (newRuleLinter in dockerfile2llb): then it is one
// platform's turn at a time.
func (b *build) convert(ctx context.Context, p *ocispecs.Platform, idx int) (*dockerfile2llb.Result, error) {
	if b.bc.LinterConfig != nil {
		b.converting.Lock()
		defer b.converting.Unlock()
	}
	return dockerfile2llb.Dockerfile2LLB(ctx, b.src.Data, b.convertOpt(ctx, p, idx))
}

func (b *build) convertOpt(ctx context.Context, p *ocispecs.Platform, idx int) dockerfile2llb.ConvertOpt {
	opt := dockerfile2llb.ConvertOpt{
		Config:         b.bc.Config,
		Client:         b.bc,
		SourceMap:      b.src.SourceMap,
		MetaResolver:   b.client,
		TargetPlatform: p,
	}
	// Conversion changes them while it runs, and platforms run side by side.
	opt.BuildArgs = maps.Clone(opt.BuildArgs)
	if idx == 0 {
		opt.Warn = func(rule, description, url, msg string, at []parser.Range) {
			b.stock = append(b.stock, lint.StockFinding{Rule: rule, Description: description, URL: url, Message: msg, Ranges: at})
		}
	}
	return opt
}

// slim runs the three steps, of which a lock may spare the first.
func (b *build) slim(ctx context.Context, fat *dockerfile2llb.Result, p *ocispecs.Platform) (*slimmed, error) {
	s := &slimmed{fat: fat, steps: llbgen.Steps{
		Tools:       b.tools,
		IgnoreCache: fat.IsIgnoreCache || b.bc.IsNoCache("slim"),
		Network:     b.network(),
	}}
	if b.bc.MultiPlatformRequested {
		s.steps.Name = platformID(p)
	}
	run, err := b.cfg.Run(fat.Image.Config)
	if err != nil {
		return nil, err
	}
	s.probes = run.Probes
	if s.fatState, err = llbgen.Fixed(ctx, fat.State, b.date(fat.Epoch), b.dated); err != nil {
		return nil, err
	}
	s.packing = b.cfg.Pack(fat.Image.Config, platformID(p))
	s.ranState = llbgen.WithVolumes(s.fatState, s.packing.Image.Volumes)
	if s.packing.Copied, err = llbgen.Copied(ctx, fat.State); err != nil {
		return nil, err
	}
	if fat.Epoch != nil {
		seconds := fat.Epoch.Unix()
		s.packing.Epoch = &seconds
	}
	frozen, err := b.consult(ctx, s, run)
	if err != nil {
		return nil, err
	}
	if frozen {
		err = b.frozen(ctx, s, run)
	} else {
		err = b.watched(ctx, s, run)
	}
	if err != nil {
		return s, err
	}
	if s.lock, err = s.steps.Lock(s.ranState, &s.packed, nil, s.section); err != nil {
		return s, err
	}
	return s, b.tellOutdated(ctx, s)
}

// watched evaluates with the fanotify witness when the build may have
// security.insecure. Whether it may is only known by asking; BuildKit refuses
// before anything runs, so asking costs nothing.
func (b *build) watched(ctx context.Context, s *slimmed, run manifest.Run) error {
	if b.cfg.Sensor != config.SensorSeccomp {
		witnessed := run
		witnessed.Privileged, witnessed.Fanotify = true, manifest.FanotifyAuto
		if b.cfg.Sensor == config.SensorFanotify {
			witnessed.Fanotify = manifest.FanotifyDemand
		}
		s.steps.Security = pb.SecurityMode_INSECURE
		err := b.evaluate(ctx, s, witnessed)
		if !notEntitled(err) {
			return err
		}
		if b.cfg.Sensor == config.SensorFanotify {
			return entitlementError(err)
		}
	}
	run.Privileged, run.Fanotify = false, manifest.FanotifyOff
	s.steps.Security = pb.SecurityMode_SANDBOX
	return b.evaluate(ctx, s, run)
}

func (b *build) network() pb.NetMode {
	if b.cfg.Network == config.NetworkDefault {
		return b.bc.NetworkMode
	}
	return pb.NetMode_NONE
}

// solve asks BuildKit for a state; it is not evaluated unless req says so.
func solve(ctx context.Context, c gwclient.Client, st llb.State, req gwclient.SolveRequest) (gwclient.Reference, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, fmt.Errorf("marshal LLB: %w", err)
	}
	req.Definition = def.ToPB()
	res, err := c.Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// platformID names a platform as BuildKit's results do; nil is the worker's.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return platforms.FormatAll(platforms.Normalize(platforms.DefaultSpec()))
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
