package frontend

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/org/slimfile/frontend/lint/policy"
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

// policySource is where a policy comes from.
type policySource struct {
	name string // of the file; empty for no policy
	data []byte
	// folder holds the file, of which it knows nothing but what was asked for.
	folder func(ctx context.Context, name string) (folder, error)
}

// readPolicy reads the policy file, from where comes first: the build context
// named policy, the frontend's own file system if its path is absolute, the main
// build context.
func (b *build) readPolicy(ctx context.Context) (policySource, error) {
	src := policySource{name: b.cfg.Policy}
	named, err := b.namedFolder(ctx, policyContext)
	switch {
	case err != nil:
		return src, err
	case named != nil:
		if src.name == "" || path.IsAbs(src.name) {
			src.name = policyFile
		}
		src.folder = func(context.Context, string) (folder, error) { return named, nil }
	case src.name == "":
		return src, nil
	case path.IsAbs(src.name):
		src.folder = func(context.Context, string) (folder, error) { return ownFolder{}, nil }
	default:
		src.folder = func(ctx context.Context, name string) (folder, error) {
			ref, err := b.mainContext(ctx, []string{name}, "load policy")
			return builtFolder{ref}, err
		}
	}
	files, err := src.folder(ctx, src.name)
	if err == nil {
		src.data, err = readAll(ctx, files, src.name, policy.MaxSize+1)
	}
	if err != nil {
		from := ""
		if named != nil {
			from = " from the build context " + policyContext
		}
		return src, fmt.Errorf("read the policy %s%s: %s", src.name, from, err.Error()) // see failed
	}
	return src, nil
}

// namedFolder loads a named build context; nil if the build has none of that name.
func (b *build) namedFolder(ctx context.Context, name string) (folder, error) {
	named, err := b.bc.NamedContext(name, dockerui.ContextOpt{NoDockerignore: true})
	if err != nil || named == nil {
		return nil, err
	}
	st, _, err := named.Load(ctx)
	if err != nil {
		return nil, err
	}
	ref, err := solve(ctx, b.client, *st, gwclient.SolveRequest{})
	if err != nil {
		return nil, err
	}
	return builtFolder{ref}, nil
}
