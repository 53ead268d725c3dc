package frontend

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
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
	ref, err := b.mainContext(ctx, names, "load probe bodies")
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

// mainContext loads files of the build context.
func (b *build) mainContext(ctx context.Context, names []string, title string) (gwclient.Reference, error) {
	st, err := b.bc.MainContext(ctx, llb.FollowPaths(slices.Clone(names)), dockerui.WithInternalName(title))
	if err != nil {
		return nil, err
	}
	return solve(ctx, b.client, *st, gwclient.SolveRequest{})
}

// The build context that holds a policy of somebody else's than the
// Dockerfile's author, and the file in it.
const (
	policyContext = "policy"
	policyFile    = "policy.yaml"
)

// readPolicy reads the policy file, from where comes first: the build context
// named policy, the frontend's own file system if its path is absolute, the main
// build context. Without one it returns nil.
func (b *build) readPolicy(ctx context.Context) (name string, data []byte, err error) {
	name = b.cfg.Policy
	named, err := b.bc.NamedContext(policyContext, dockerui.ContextOpt{NoDockerignore: true})
	if err != nil {
		return "", nil, err
	}
	if named != nil {
		if name == "" || path.IsAbs(name) {
			name = policyFile
		}
		st, _, err := named.Load(ctx)
		if err != nil {
			return "", nil, err
		}
		ref, err := solve(ctx, b.client, *st, gwclient.SolveRequest{})
		if err != nil {
			return "", nil, err
		}
		data, err := dockerui.ReadFile(ctx, ref, name)
		if err != nil {
			return "", nil, fmt.Errorf("read the policy %s from the build context %s: %s", name, policyContext, err.Error()) // see failed
		}
		return name, data, nil
	}
	switch {
	case name == "":
		return "", nil, nil
	case path.IsAbs(name):
		data, err = readOwnFile(name)
	default:
		var ref gwclient.Reference
		if ref, err = b.mainContext(ctx, []string{name}, "load policy"); err == nil {
			data, err = dockerui.ReadFile(ctx, ref, name)
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("read the policy %s: %s", name, err.Error()) // see failed
	}
	return name, data, nil
}

// maxPolicy bounds a policy file, in bytes.
const maxPolicy = 1 << 20

// readOwnFile reads a file that is beside the frontend, in its image.
func readOwnFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxPolicy))
}
