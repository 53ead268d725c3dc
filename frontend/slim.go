package frontend

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

// build is one slimming build, for all its platforms.
type build struct {
	client  gwclient.Client
	bc      *dockerui.Client
	src     *dockerui.Source
	cfg     *config.Config
	tools   llbgen.Tools
	scanner sbomScanner

	mu   sync.Mutex
	done map[string]*slimmed // by platform ID
}

// slimmed is one platform's way from the Dockerfile to the slim image.
type slimmed struct {
	fat      *dockerfile2llb.Result
	fatState llb.State
	steps    llbgen.Steps
	traced   llbgen.Traced
	packed   llbgen.Packed
	verified *llbgen.Traced
	run      manifest.RunReport
	summary  manifest.Summary
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
	b.done = map[string]*slimmed{}
	return b.readBodies(ctx)
}

// platform builds one platform; p is nil for the worker's own. idx counts the
// platforms: what is about the Dockerfile is said for the first one only.
func (b *build) platform(ctx context.Context, p *ocispecs.Platform, idx int) (*dockerui.BuildResult, error) {
	fat, err := dockerfile2llb.Dockerfile2LLB(ctx, b.src.Data, b.convertOpt(ctx, p, idx))
	if err != nil {
		return nil, err
	}
	s, err := b.slim(ctx, fat, p)
	if err != nil {
		return nil, err
	}
	b.warn(ctx, s)
	b.mu.Lock()
	b.done[platformID(p)] = s
	b.mu.Unlock()
	return b.result(ctx, s)
}

func (b *build) convertOpt(ctx context.Context, p *ocispecs.Platform, idx int) dockerfile2llb.ConvertOpt {
	opt := dockerfile2llb.ConvertOpt{
		Config:         b.bc.Config,
		Client:         b.bc,
		SourceMap:      b.src.SourceMap,
		MetaResolver:   b.client,
		TargetPlatform: p,
	}
	// Conversion changes both while it runs, and platforms run side by side.
	opt.BuildArgs = maps.Clone(opt.BuildArgs)
	if lc := opt.LinterConfig; lc != nil {
		clone := *lc
		opt.LinterConfig = &clone
	}
	if idx == 0 {
		opt.Warn = func(rule, description, url, msg string, at []parser.Range) {
			line := 0
			if len(at) > 0 {
				line = at[0].Start.Line
			}
			b.src.Warn(ctx, linter.LintFormatShort(rule, msg, line), gwclient.WarnOpts{
				Level: 1, Detail: [][]byte{[]byte(description)}, URL: url, Range: ranges(at),
			})
		}
	}
	return opt
}

// slim runs the three steps. Each is solved before the next is made, so that a
// failure is known to be that step's.
func (b *build) slim(ctx context.Context, fat *dockerfile2llb.Result, p *ocispecs.Platform) (*slimmed, error) {
	image := fat.Image.Config
	run, err := b.cfg.Run(image)
	if err != nil {
		return nil, err
	}
	s := &slimmed{fat: fat, steps: llbgen.Steps{
		Tools:       b.tools,
		IgnoreCache: fat.IsIgnoreCache || b.bc.IsNoCache("slim"),
		Network:     b.network(),
	}}
	if b.bc.MultiPlatformRequested {
		s.steps.Name = platformID(p)
	}
	if s.fatState, err = fixed(ctx, fat.State); err != nil {
		return nil, err
	}
	if err := b.trace(ctx, s, run); err != nil {
		return nil, err
	}
	pack := b.cfg.Pack(image, platformID(p))
	if fat.Epoch != nil {
		seconds := fat.Epoch.Unix()
		pack.Epoch = &seconds
	}
	if err := b.pack(ctx, s, pack); err != nil {
		return nil, err
	}
	if !b.cfg.Verify {
		return s, nil
	}
	return s, b.verify(ctx, s, run)
}

// trace runs the image under the recorder: with the fanotify witness when the
// build may have security.insecure. Whether it may is only known by asking;
// BuildKit refuses before anything runs, so asking costs nothing.
func (b *build) trace(ctx context.Context, s *slimmed, run manifest.Run) error {
	if b.cfg.Sensor != config.SensorSeccomp {
		run.Privileged, run.Fanotify = true, manifest.FanotifyAuto
		if b.cfg.Sensor == config.SensorFanotify {
			run.Fanotify = manifest.FanotifyDemand
		}
		s.steps.Security = pb.SecurityMode_INSECURE
		err := b.traceOnce(ctx, s, run)
		if !notEntitled(err) {
			return err
		}
		if b.cfg.Sensor == config.SensorFanotify {
			return entitlementError(err)
		}
	}
	run.Privileged, run.Fanotify = false, manifest.FanotifyOff
	s.steps.Security = pb.SecurityMode_SANDBOX
	return b.traceOnce(ctx, s, run)
}

func (b *build) traceOnce(ctx context.Context, s *slimmed, run manifest.Run) error {
	traced, err := s.steps.Trace(s.fatState, run)
	if err != nil {
		return err
	}
	s.traced = traced
	ref, err := b.solve(ctx, traced.Output)
	if err != nil {
		return b.failed(ctx, "trace", err)
	}
	return readJSON(ctx, ref, manifest.SidecarFile, &s.run)
}

func (b *build) pack(ctx context.Context, s *slimmed, pack manifest.Pack) error {
	packed, err := s.steps.Pack(s.fatState, s.traced, pack)
	if err != nil {
		return err
	}
	s.packed = packed
	ref, err := b.solve(ctx, packed.Output)
	if err != nil {
		return b.failed(ctx, "pack", err)
	}
	return readJSON(ctx, ref, manifest.SummaryFile, &s.summary)
}

func (b *build) verify(ctx context.Context, s *slimmed, run manifest.Run) error {
	verified, err := s.steps.Verify(s.packed, run)
	if err != nil {
		return err
	}
	s.verified = &verified
	if _, err := b.solve(ctx, verified.Output); err != nil {
		return b.failed(ctx, "verify", err)
	}
	return nil
}

func (b *build) network() pb.NetMode {
	if b.cfg.Network == config.NetworkDefault {
		return b.bc.NetworkMode
	}
	return pb.NetMode_NONE
}

// solve evaluates a state.
func (b *build) solve(ctx context.Context, st llb.State) (gwclient.Reference, error) {
	return solve(ctx, b.client, st, gwclient.SolveRequest{Evaluate: true, CacheImports: b.bc.CacheImports})
}

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

// fixed marshals a state with its own defaults (the target platform among
// them), so that mounting it into a step of another platform changes nothing.
func fixed(ctx context.Context, st llb.State) (llb.State, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return llb.State{}, fmt.Errorf("marshal LLB: %w", err)
	}
	if len(def.Def) == 0 {
		return llb.Scratch(), nil
	}
	op, err := llb.NewDefinitionOp(def.ToPB())
	if err != nil {
		return llb.State{}, err
	}
	return llb.NewState(op), nil
}

// platformID names a platform as BuildKit's results do; nil is the worker's.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return platforms.FormatAll(platforms.Normalize(platforms.DefaultSpec()))
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
