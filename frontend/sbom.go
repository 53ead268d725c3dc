package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/result"
)

// sbomScanner scans the slim root (and what else the Dockerfile asks to have
// scanned) when the build asked for an SBOM; nil when it did not.
type sbomScanner = sbom.Scanner

func newSBOMScanner(ctx context.Context, c gwclient.Client, bc *dockerui.Client) (sbomScanner, error) {
	if bc.SBOM == nil {
		return nil, nil
	}
	platform := bc.BuildPlatforms[0]
	return sbom.CreateSBOMScanner(ctx, c, bc.SBOM.Generator, platform, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{
			ResolveMode: bc.ImageResolveMode.String(),
			Platform:    &platform,
		},
	}, bc.SBOM.Parameters)
}

// attest adds the SBOM of one platform's image to the result.
func (b *build) attest(ctx context.Context, rb *dockerui.ResultBuilder, id string) error {
	if b.scanner == nil {
		return nil
	}
	s := b.done[id]
	var opts []llb.ConstraintsOpt
	if s.fat.IsIgnoreCache {
		opts = append(opts, llb.IgnoreCache)
	}
	att, err := b.scanner(ctx, id, b.shipped(s), s.fat.SBOM.Extras, opts...)
	if err != nil {
		return err
	}
	solved, err := result.ConvertAttestation(&att, func(st *llb.State) (gwclient.Reference, error) {
		return solve(ctx, b.client, *st, gwclient.SolveRequest{})
	})
	if err != nil {
		return err
	}
	rb.AddAttestation(id, *solved)
	return nil
}
