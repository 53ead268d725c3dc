package frontend

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

// ToolsLocal is the local source that carries the steps' programs when the
// frontend does not come out of an image: a client that runs Build in-process
// mounts a folder under this name that holds linux-amd64/slimfile-sensor and so
// on.
const ToolsLocal = "slimfile-tools"

// toolsDir is where the frontend's own image has that folder.
const toolsDir = "/libexec"

// findTools finds the programs for the worker's platform.
func findTools(c gwclient.Client, worker ocispecs.Platform) (llbgen.Tools, error) {
	tools := llbgen.Tools{Platform: worker}
	if worker.OS != "linux" || (worker.Architecture != "amd64" && worker.Architecture != "arm64") {
		return tools, fmt.Errorf("slimming needs a linux/amd64 or linux/arm64 builder, this one is %s/%s: build with SLIM=off",
			worker.OS, worker.Architecture)
	}
	image, err := ownImage(c)
	if err != nil {
		return tools, err
	}
	if image != nil {
		tools.State, tools.Dir = *image, toolsDir
		return tools, nil
	}
	tools.State = llb.Local(ToolsLocal,
		llb.SessionID(c.BuildOpts().SessionID),
		llb.SharedKeyHint(ToolsLocal),
		llb.WithCustomName("[internal] load slimfile's tools"),
	)
	tools.Dir = "/"
	return tools, nil
}

// checkCaps refuses a BuildKit that cannot run the steps, before it tries.
func checkCaps(opts gwclient.BuildOpts) error {
	const remedy = "slimming needs BuildKit 0.13 or later (Docker 26 or later): update the builder, or build with SLIM=off"
	for _, id := range []struct{ err error }{
		{opts.LLBCaps.Supports(pb.CapExecMountContentCache)},
		{opts.LLBCaps.Supports(pb.CapExecMetaNetwork)},
		{opts.Caps.Supports(gwpb.CapGatewayEvaluateSolve)},
		{opts.Caps.Supports(gwpb.CapGatewayExec)},
	} {
		if id.err != nil {
			return fmt.Errorf("%s (%w)", remedy, id.err)
		}
	}
	return nil
}

// maxReport bounds what is read of a step's own report.
const maxReport = 8 << 20

// readJSON reads a step's report.
func readJSON(ctx context.Context, ref gwclient.Reference, name string, v any) error {
	data, err := ref.ReadFile(ctx, gwclient.ReadRequest{
		Filename: name, Range: &gwclient.FileRange{Length: maxReport},
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := manifest.Decode(data, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var version struct{ Version int }
	if err := json.Unmarshal(data, &version); err != nil || version.Version != manifest.Version {
		return fmt.Errorf("read %s: version %d, want %d", name, version.Version, manifest.Version)
	}
	return nil
}
