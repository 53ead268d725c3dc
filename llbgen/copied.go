package llbgen

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"

	"github.com/org/slimfile/sensor/manifest"
)

// Copied are the places that COPY and ADD filled in the image st: those of its
// stage and of the stages that it is built FROM, with WORKDIR and variables
// resolved, sorted. What comes right out of another image is somebody else's
// software, and left out.
func Copied(ctx context.Context, st llb.State) ([]manifest.Copy, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, fmt.Errorf("marshal LLB: %w", err)
	}
	if len(def.Def) == 0 {
		return nil, nil
	}
	g := graph{ops: map[string]*pb.Op{}, seen: map[string]bool{}}
	var last *pb.Op
	for _, data := range def.Def {
		op := &pb.Op{}
		if err := proto.Unmarshal(data, op); err != nil {
			return nil, fmt.Errorf("read LLB: %w", err)
		}
		g.ops[digest.FromBytes(data).String()] = op
		last = op // has the definition's result as its input
	}
	for _, in := range last.Inputs {
		g.follow(in)
	}
	slices.SortFunc(g.copied, func(a, b manifest.Copy) int {
		return slices.Compare([]string{a.Dest, a.Name}, []string{b.Dest, b.Name})
	})
	return slices.Compact(g.copied), nil
}

// graph is a definition, and what was found in it.
type graph struct {
	ops    map[string]*pb.Op // by digest
	seen   map[string]bool   // inputs followed
	copied []manifest.Copy
}

// follow goes down from an op's output to what its root file system is made of.
func (g *graph) follow(in *pb.Input) {
	key := fmt.Sprintf("%s %d", in.Digest, in.Index)
	op := g.ops[in.Digest]
	if op == nil || g.seen[key] {
		return
	}
	g.seen[key] = true
	switch {
	case op.GetExec() != nil:
		for _, m := range op.GetExec().Mounts {
			if m.Output == in.Index {
				g.followInput(op, m.Input)
			}
		}
	case op.GetFile() != nil:
		g.followFile(op, in.Index)
	case op.GetMerge() != nil:
		for _, layer := range op.GetMerge().Inputs {
			g.followInput(op, layer.Input)
		}
	}
}

func (g *graph) followInput(op *pb.Op, input int64) {
	if input >= 0 && input < int64(len(op.Inputs)) {
		g.follow(op.Inputs[input])
	}
}

// followFile goes from a file op's output back through its actions: an input
// beyond the op's own is the result of an action.
func (g *graph) followFile(op *pb.Op, output int64) {
	actions := op.GetFile().Actions
	i := slices.IndexFunc(actions, func(a *pb.FileAction) bool { return a.Output == output })
	for i >= 0 && i < len(actions) {
		a := actions[i]
		if c := a.GetCopy(); c != nil && !g.isImage(op, a.SecondaryInput) {
			g.copied = append(g.copied, copies(c)...)
		}
		before := int(a.Input) - len(op.Inputs)
		if before < 0 {
			g.followInput(op, a.Input)
			return
		}
		if before >= i { // no action uses what comes after it
			return
		}
		i = before
	}
}

// isImage says whether an input is an image as it was pulled.
func (g *graph) isImage(op *pb.Op, input int64) bool {
	if input < 0 || input >= int64(len(op.Inputs)) {
		return false
	}
	from := g.ops[op.Inputs[input].Digest]
	id := from.GetSource().GetIdentifier()
	return strings.HasPrefix(id, "docker-image://") || strings.HasPrefix(id, "oci-layout://")
}

// copies are the places that an action fills: one, or with --parents one for
// each pattern.
func copies(c *pb.FileActionCopy) []manifest.Copy {
	dest := path.Clean("/" + c.Dest)
	if len(c.IncludePatterns) == 0 {
		name := path.Base(path.Clean("/" + c.Src))
		if name == "/" || hasWildcard(name) {
			name = ""
		}
		return []manifest.Copy{{Dest: dest, Name: name}}
	}
	var list []manifest.Copy
	for _, pattern := range c.IncludePatterns {
		below := dest
		for name := range strings.SplitSeq(pattern, "/") {
			if hasWildcard(name) {
				break
			}
			below = path.Join(below, name)
		}
		list = append(list, manifest.Copy{Dest: below})
	}
	return list
}

// hasWildcard says whether COPY takes a name for a pattern (filepath.Match).
func hasWildcard(name string) bool { return strings.ContainsAny(name, `*?[\`) }
