package frontend

import (
	"context"
	"fmt"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
)

// readBodies reads the files that probes name out of the build context.
func (b *build) readBodies(ctx context.Context) error {
	var names []string
	for _, p := range b.cfg.Probes {
		if p.BodyFile != "" {
			names = append(names, p.BodyFile)
		}
	}
	if len(names) == 0 {
		return nil
	}
	st, err := b.bc.MainContext(ctx, llb.FollowPaths(slices.Clone(names)), dockerui.WithInternalName("load probe bodies"))
	if err != nil {
		return err
	}
	ref, err := solve(ctx, b.client, *st, gwclient.SolveRequest{})
	if err != nil {
		return err
	}
	for i := range b.cfg.Probes {
		p := &b.cfg.Probes[i]
		if p.BodyFile == "" {
			continue
		}
		if p.HTTP.Body, err = dockerui.ReadFile(ctx, ref, p.BodyFile); err != nil {
			return parser.WithLocation(fmt.Errorf("read body-file of probe %s from the build context: %w", p.Name, err),
				[]parser.Range{{Start: parser.Position{Line: p.Source.Line}, End: parser.Position{Line: p.Source.Line}}})
		}
	}
	return nil
}
