// Package frontend is the build: it compiles a Dockerfile to a graph with
// BuildKit's own converter, runs the image under the sensor, packs what the run
// needed and returns the slim image as the result.
//
// Files are in the order of the build: frontend.go decides who builds, slim.go
// prepares the steps, lock.go asks the lock which of them it spares, verify.go
// runs them and repairs, proof.go holds the slim image against the one as built,
// judge.go holds the Dockerfile against the rules, failure.go tells what went
// wrong, result.go makes the image. Imported by cmd only.
package frontend

import (
	"context"
	"fmt"
	"maps"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	stocklint "github.com/moby/buildkit/frontend/subrequests/lint"

	"github.com/org/slimfile/frontend/config"
)

// Frontend builds Dockerfiles into slim images.
type Frontend struct {
	// Env is the environment of the frontend's own image, as K=V. SLIM and
	// SLIM_* in it are the defaults of every build.
	Env []string
}

// Frontend options that BuildKit's gateway sets.
const (
	optRequestID = "requestid" // a subrequest such as lint or outline
	optCmdline   = "cmdline"   // what stands on the # syntax= line
	optTarget    = "target"
)

// Build is the gateway's entry point.
func (f Frontend) Build(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
	opts := c.BuildOpts().Opts
	bc, err := dockerui.NewClient(c)
	if err != nil {
		return nil, err
	}
	src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(config.Input{
		Filename:   src.Filename,
		Dockerfile: src.Data,
		Target:     opts[optTarget],
		BuildArgs:  bc.BuildArgs,
		Syntax:     opts[optCmdline],
		ImageEnv:   f.Env,
	})
	b := &build{client: c, bc: bc, src: src, cfg: cfg}
	if id, ok := opts[optRequestID]; ok && (err == nil || id != stocklint.RequestLint) {
		res, err := b.answer(ctx, id)
		return res, withSource(err, src.SourceMap)
	}
	if err != nil {
		return nil, withSource(err, src.SourceMap)
	}
	for _, w := range cfg.Warnings {
		src.Warn(ctx, "slim: "+w.Message, gwclient.WarnOpts{Level: 1, Range: location(w.Location)})
	}
	if cfg.Mode == config.ModeLint {
		if err := b.lintOnly(ctx); err != nil {
			return nil, withSource(err, src.SourceMap)
		}
	}
	if !cfg.Slim || cfg.Mode != config.ModeOn {
		return stock(ctx, c)
	}
	res, err := b.run(ctx)
	return res, withSource(err, src.SourceMap)
}

// stock is exactly what docker/dockerfile does.
func stock(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
	image, err := ownImage(c)
	if err != nil {
		return nil, err
	}
	if image == nil {
		c = forwarded{c}
	}
	return builder.Build(ctx, c)
}

// ownImage is the image that this frontend runs out of, nil in a client's own
// process.
func ownImage(c gwclient.Client) (*llb.State, error) {
	current, ok := c.(interface{ CurrentFrontend() (*llb.State, error) })
	if !ok {
		return nil, nil
	}
	image, err := current.CurrentFrontend()
	if err != nil {
		return nil, fmt.Errorf("find the frontend's own image: %w", err)
	}
	return image, nil
}

// forwarded makes the stock frontend in a client's process believe that
// # syntax= was already followed: the line names this frontend. From an image it
// is BuildKit that says so, or not.
type forwarded struct{ gwclient.Client }

// BuildOpts implements gwclient.Client.
func (c forwarded) BuildOpts() gwclient.BuildOpts {
	opts := c.Client.BuildOpts()
	if _, ok := opts.Opts[optCmdline]; !ok {
		opts.Opts = maps.Clone(opts.Opts)
		if opts.Opts == nil {
			opts.Opts = map[string]string{}
		}
		opts.Opts[optCmdline] = ""
	}
	return opts
}
