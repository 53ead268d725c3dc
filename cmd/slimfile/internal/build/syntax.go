package build

import (
	"context"
	"maps"
	"path"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

// Frontend options about the syntax.
const (
	optCmdline = "cmdline"                   // carries the `# syntax=` line to its frontend
	optSyntax  = "build-arg:BUILDKIT_SYNTAX" // takes the line's place
)

// followSyntax does for a build in-process what BuildKit does for one that
// starts with `# syntax=`: it hands the frontend the line, whose arguments are
// settings. The line's image is not run: the frontend is already here. Where
// the line names neither slimfile nor Docker's frontend, which is part of it,
// the user is told.
func followSyntax(build gwclient.BuildFunc) gwclient.BuildFunc {
	return func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		bc, err := dockerui.NewClient(c)
		if err != nil {
			return nil, err
		}
		src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
		if err != nil {
			return nil, err
		}
		ref, line, at, ok := parser.DetectSyntax(src.Data)
		if v := c.BuildOpts().Opts[optSyntax]; v != "" {
			line, at, ok = v, nil, true
			ref, _, _ = strings.Cut(v, " ")
		}
		if !ok {
			return build(ctx, c)
		}
		switch repository(ref) {
		case "slimfile":
			return build(ctx, withSyntax{Client: c, line: line})
		case "dockerfile", "dockerfile-upstream":
		default:
			src.Warn(ctx, "# syntax="+ref+" is not followed: slimfile builds the file itself, as a Dockerfile",
				gwclient.WarnOpts{Range: lines(at)})
		}
		return build(ctx, c)
	}
}

// repository is the last part of the name that an image reference has, without
// tag and digest; empty when it is no reference.
func repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	return path.Base(reference.Path(named))
}

func lines(at []parser.Range) []*pb.Range {
	var ranges []*pb.Range
	for _, r := range at {
		ranges = append(ranges, &pb.Range{
			Start: &pb.Position{Line: int32(r.Start.Line)},
			End:   &pb.Position{Line: int32(r.End.Line)},
		})
	}
	return ranges
}

// withSyntax adds the syntax line to a build's options.
type withSyntax struct {
	gwclient.Client
	line string
}

// BuildOpts implements gwclient.Client.
func (c withSyntax) BuildOpts() gwclient.BuildOpts {
	opts := c.Client.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	if opts.Opts == nil {
		opts.Opts = map[string]string{}
	}
	opts.Opts[optCmdline] = c.line
	return opts
}
