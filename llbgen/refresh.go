package llbgen

import (
	"context"
	"fmt"
	"path"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"

	"github.com/org/slimfile/sensor/manifest"
)

// Fixed is a state with its own defaults, the target platform among them, so that
// mounting it into a step of another platform changes nothing.
//
// The execs for which dated holds get key as a part of their cache key: they run
// again under another key, and with them what is built on them. They see no more
// of it than an empty folder on a file system of its own, which leaves nothing in
// their root.
func Fixed(ctx context.Context, st llb.State, key string, dated func(*pb.ExecOp) bool) (llb.State, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return llb.State{}, fmt.Errorf("marshal LLB: %w", err)
	}
	if len(def.Def) == 0 {
		return llb.Scratch(), nil
	}
	fixed, err := redate(def.ToPB(), key, dated)
	if err != nil {
		return llb.State{}, err
	}
	op, err := llb.NewDefinitionOp(fixed)
	if err != nil {
		return llb.State{}, err
	}
	return llb.NewState(op), nil
}

// redate rewrites the ops of a definition from the leaves on: an op that changes
// gets another digest, by which those above it and the metadata name it.
func redate(def *pb.Definition, key string, dated func(*pb.ExecOp) bool) (*pb.Definition, error) {
	renamed := map[string]string{}
	for i, data := range def.Def {
		var op pb.Op
		if err := proto.Unmarshal(data, &op); err != nil {
			return nil, fmt.Errorf("read LLB: %w", err)
		}
		changed := false
		for _, in := range op.Inputs {
			if name, ok := renamed[in.Digest]; ok {
				in.Digest, changed = name, true
			}
		}
		if exec := op.GetExec(); exec != nil && dated(exec) {
			exec.Mounts = append(exec.Mounts, &pb.Mount{
				Input: int64(pb.Empty), Output: int64(pb.SkipOutput), MountType: pb.MountType_TMPFS,
				Dest: path.Join(manifest.RefreshDir, key),
			})
			changed = true
		}
		if !changed {
			continue
		}
		rewritten, err := proto.MarshalOptions{Deterministic: true}.Marshal(&op)
		if err != nil {
			return nil, fmt.Errorf("write LLB: %w", err)
		}
		def.Def[i] = rewritten
		renamed[digest.FromBytes(data).String()] = digest.FromBytes(def.Def[i]).String()
	}
	for before, after := range renamed {
		if m, ok := def.Metadata[before]; ok {
			def.Metadata[after] = m
			delete(def.Metadata, before)
		}
		if def.Source == nil {
			continue
		}
		if at, ok := def.Source.Locations[before]; ok {
			def.Source.Locations[after] = at
			delete(def.Source.Locations, before)
		}
	}
	return def, nil
}
