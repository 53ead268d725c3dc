package llbgen

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// TestFixedDates: the key changes the dated execs and what is built on them,
// nothing else.
func TestFixedDates(t *testing.T) {
	base := llb.Image("docker.io/library/debian:12")
	before := base.Run(llb.Shlex("before")).Root()
	dated := before.Run(llb.Shlex("upgrade"), llb.WithCustomName("upgrade the system")).Root()
	st := llb.Merge([]llb.State{dated.Run(llb.Shlex("after")).Root(), before.Run(llb.Shlex("beside")).Root()})
	isUpgrade := func(e *pb.ExecOp) bool { return e.Meta.Args[0] == "upgrade" }

	digests := func(key string) map[string]string {
		fixed, err := Fixed(t.Context(), st, key, isUpgrade)
		if err != nil {
			t.Fatal(err)
		}
		def, err := fixed.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for i, op := range ops(t, fixed) {
			if exec := op.GetExec(); exec != nil {
				dgst := digest.FromBytes(def.Def[i])
				found[exec.Meta.Args[0]] = dgst.String()
				if isUpgrade(exec) != slices.ContainsFunc(exec.Mounts, func(m *pb.Mount) bool { return strings.HasSuffix(m.Dest, "/"+key) }) {
					t.Errorf("mounts of %s: %v", exec.Meta.Args[0], exec.Mounts)
				}
				if isUpgrade(exec) && def.Metadata[dgst].Description["llb.customname"] != "upgrade the system" {
					t.Errorf("the step lost its name: %v", def.Metadata[dgst])
				}
			}
		}
		return found
	}
	monday, again, tuesday := digests("monday"), digests("monday"), digests("tuesday")
	for name, changes := range map[string]bool{"before": false, "beside": false, "upgrade": true, "after": true} {
		if monday[name] != again[name] {
			t.Errorf("%s changes with the same key", name)
		}
		if (monday[name] != tuesday[name]) != changes {
			t.Errorf("%s: monday %s, tuesday %s", name, monday[name], tuesday[name])
		}
	}
}
