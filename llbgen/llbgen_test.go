package llbgen

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/sensor/manifest"
)

var (
	amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = ocispecs.Platform{OS: "linux", Architecture: "arm64"}
)

func steps() Steps {
	return Steps{
		Tools:    Tools{State: llb.Image("docker.io/org/slimfile:latest"), Dir: "/libexec", Platform: amd64},
		Network:  pb.NetMode_NONE,
		Security: pb.SecurityMode_INSECURE,
	}
}

// pipeline makes every step for one image.
func pipeline(t *testing.T, s Steps) (Traced, Packed, Traced, llb.State) {
	t.Helper()
	fat := llb.Image("docker.io/library/app:1", llb.Platform(arm64)).AddEnv("SECRET", "app").Dir("/app").User("nobody")
	run := manifest.Run{Version: 1, App: manifest.Command{Args: []string{"app"}}, Privileged: true, Fanotify: manifest.FanotifyAuto}
	traced, err := s.Trace(fat, run)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := s.Pack(fat, &traced, nil, manifest.Pack{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	verified, err := s.Verify(fat, packed, run, nil)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := s.Lock(fat, &packed, nil, manifest.Section{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	return traced, packed, verified, s.Report(&traced, packed, &verified, lock)
}

func ops(t *testing.T, st llb.State) []*pb.Op {
	t.Helper()
	def, err := st.Marshal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out []*pb.Op
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			t.Fatal(err)
		}
		out = append(out, &op)
	}
	return out
}

// execs are the exec ops of a state, by the verb of their name.
func execs(t *testing.T, st llb.State) map[string]*pb.Op {
	t.Helper()
	out := map[string]*pb.Op{}
	for _, op := range ops(t, st) {
		if args := op.GetExec().GetMeta().GetArgs(); len(args) > 0 {
			out[args[len(args)-1]] = op
		}
	}
	return out
}

// An op that marshals differently each time is never found in the cache. Maps
// in Go are walked in random order, so several rounds are needed to see it.
func TestDeterministic(t *testing.T) {
	marshal := func() [][]byte {
		_, _, _, report := pipeline(t, steps())
		def, err := report.Marshal(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return def.Def
	}
	first := marshal()
	for range 20 {
		if !slices.EqualFunc(first, marshal(), slices.Equal[[]byte]) {
			t.Fatal("the same arguments gave other ops")
		}
	}
}

// TestWithVolumes: one op makes what is missing, and none where there are no volumes.
func TestWithVolumes(t *testing.T) {
	fat := llb.Image("docker.io/library/app:1")
	if got, want := len(ops(t, WithVolumes(fat, nil))), len(ops(t, fat)); got != want {
		t.Errorf("%d ops without volumes, want %d", got, want)
	}
	var made []string
	for _, op := range ops(t, WithVolumes(fat, []string{"/data", "log/../cache", "../../up"})) {
		for _, action := range op.GetFile().GetActions() {
			dir := action.GetMkdir()
			if !dir.GetMakeParents() || dir.GetMode() != 0o755 || dir.GetOwner() != nil {
				t.Errorf("got %v, want a folder of root's with those above", action)
			}
			made = append(made, dir.GetPath())
		}
	}
	if want := []string{"/data", "/cache", "/up"}; !slices.Equal(made, want) {
		t.Errorf("made %q, want %q", made, want)
	}
}

// TestInspect: the image is read, not run.
func TestInspect(t *testing.T) {
	st, err := steps().Inspect(llb.Image("docker.io/library/app:1").User("nobody"), manifest.Pack{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	ex := execs(t, st)["inspect"].GetExec()
	if ex == nil || ex.Security != pb.SecurityMode_SANDBOX || ex.Network != pb.NetMode_NONE || ex.Meta.User != "" {
		t.Fatalf("got %v", ex)
	}
	for _, m := range ex.Mounts {
		if m.Dest == manifest.SourceDir && m.Readonly {
			return
		}
	}
	t.Errorf("no read-only image among %v", ex.Mounts)
}

func TestSteps(t *testing.T) {
	_, _, _, report := pipeline(t, steps())
	found := execs(t, report)
	trace, pack, verify := found["trace"], found[manifest.BinDir+"/slimfile-pack"], found["verify"]
	if trace == nil || pack == nil || verify == nil {
		t.Fatalf("steps found: %v", found)
	}
	t.Run("run on the worker's platform", func(t *testing.T) {
		for name, op := range found {
			if op.Platform.Architecture != "amd64" {
				t.Errorf("%s runs on %s", name, op.Platform.Architecture)
			}
		}
	})
	t.Run("only trace is privileged", func(t *testing.T) {
		for name, want := range map[string]pb.SecurityMode{
			"trace": pb.SecurityMode_INSECURE, "verify": pb.SecurityMode_SANDBOX, manifest.BinDir + "/slimfile-pack": pb.SecurityMode_SANDBOX,
		} {
			if got := found[name].GetExec().Security; got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	})
	t.Run("no network", func(t *testing.T) {
		for name, op := range found {
			if op.GetExec().Network != pb.NetMode_NONE {
				t.Errorf("%s has network %s", name, op.GetExec().Network)
			}
		}
	})
	t.Run("nothing of the image's surroundings", func(t *testing.T) {
		for name, op := range found {
			meta := op.GetExec().Meta
			if meta.User != "" || meta.Cwd != "/" || strings.Contains(strings.Join(meta.Env, " "), "SECRET") {
				t.Errorf("%s: user %q, cwd %q, env %q", name, meta.User, meta.Cwd, meta.Env)
			}
		}
	})
	t.Run("the source is read-only and not hashed", func(t *testing.T) {
		i := slices.IndexFunc(pack.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == manifest.SourceDir })
		if i < 0 {
			t.Fatal("no source mount")
		}
		if m := pack.GetExec().Mounts[i]; !m.Readonly || m.ContentCache != pb.MountContentCache_OFF {
			t.Errorf("source mount %v", m)
		}
	})
	t.Run("only the manifest feeds pack", func(t *testing.T) {
		i := slices.IndexFunc(pack.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == manifest.TraceDir })
		if i < 0 || pack.GetExec().Mounts[i].Selector != manifest.TraceSubdir {
			t.Errorf("trace mount %v", pack.GetExec().Mounts)
		}
	})
}

func TestVerifyIsNeverPrivileged(t *testing.T) {
	_, _, verified, _ := pipeline(t, steps())
	for _, op := range ops(t, verified.Output) {
		for _, action := range op.GetFile().GetActions() {
			mkfile := action.GetMkfile()
			if mkfile == nil || mkfile.Path != "/"+manifest.RunFile {
				continue
			}
			var run manifest.Run
			if err := manifest.Decode(mkfile.Data, &run); err != nil {
				t.Fatal(err)
			}
			if mkfile.Mode != 0o400 {
				t.Errorf("%s has mode %o", mkfile.Path, mkfile.Mode)
			}
			if run.Privileged != (run.Fanotify == manifest.FanotifyAuto) {
				t.Errorf("run is privileged=%t with fanotify=%s", run.Privileged, run.Fanotify)
			}
		}
	}
}

// TestReadOnlyRoot: with a read-only root, the folders that are not get what the
// slim image has there, and what is written to them is gone.
func TestReadOnlyRoot(t *testing.T) {
	s := steps()
	fat := llb.Image("docker.io/library/app:1")
	run := manifest.Run{Version: 1, App: manifest.Command{Args: []string{"app"}}}
	traced, err := s.Trace(fat, run)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := s.Pack(fat, &traced, nil, manifest.Pack{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		run.ReadOnly = readOnly
		verified, err := s.Verify(fat, packed, run, []string{"/tmp"})
		if err != nil {
			t.Fatal(err)
		}
		exec := execs(t, verified.Output)["verify"].GetExec()
		mounts := map[string]*pb.Mount{}
		for _, m := range exec.Mounts {
			mounts[m.Dest] = m
		}
		root, tmp := mounts["/"], mounts["/tmp"]
		if root.Readonly != readOnly || (tmp != nil) != readOnly {
			t.Fatalf("read-only %t: root %v, /tmp %v", readOnly, root, tmp)
		}
		if tmp != nil && (tmp.Readonly || tmp.Output != int64(pb.SkipOutput) || tmp.Input != root.Input || tmp.Selector != "/tmp") {
			t.Errorf("/tmp %v, root %v", tmp, root)
		}
	}
}

// TestLock: what stands in for a trace is mounted where the trace is not, and
// merging takes what there is.
func TestLock(t *testing.T) {
	s := steps()
	fat, locked := llb.Image("docker.io/library/app:1"), llb.Local("context")
	packed, err := s.Pack(fat, nil, &locked, manifest.Pack{Version: 1, Lock: manifest.LockFrozen})
	if err != nil {
		t.Fatal(err)
	}
	check := func(st llb.State, name string, want ...string) {
		t.Helper()
		var got []string
		for _, m := range execs(t, st)[name].GetExec().GetMounts() {
			if m.Dest != "/" && m.Dest != Packer && m.Dest != manifest.InputDir && m.Dest != manifest.OutputDir && m.Dest != manifest.RootDir {
				got = append(got, m.Dest)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	check(packed.Root, Packer, manifest.LockDir, manifest.SourceDir)
	made, err := s.Lock(fat, &packed, &locked, manifest.Section{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	check(made, "lock", manifest.PackedDir, manifest.SourceDir)
	held, err := s.Lock(fat, nil, &locked, manifest.Section{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	check(held, "lock", manifest.LockDir, manifest.SourceDir)
	check(s.MergeLocks([]llb.State{made, held}, nil, "slim.lock"), "merge", manifest.SectionsDir+"/0", manifest.SectionsDir+"/1")
	merged := s.MergeLocks([]llb.State{made}, &locked, "prod/slim.lock")
	check(merged, "merge", manifest.LockDir, manifest.SectionsDir+"/0")
	var dest string
	for _, op := range ops(t, merged) {
		for _, action := range op.GetFile().GetActions() {
			if c := action.GetCopy(); c != nil {
				dest = c.Dest
			}
		}
	}
	if dest != "/prod/slim.lock" {
		t.Errorf("written to %s", dest)
	}
}

func TestTitles(t *testing.T) {
	for _, tc := range []struct{ name, number, want string }{
		{"", "1/3", "[slim 1/3] trace"},
		{"linux/arm64", "1/3", "[linux/arm64 slim 1/3] trace"},
		{"", "", "[slim] trace"},
	} {
		if got := (Steps{Name: tc.name}).title(tc.number, "trace"); got != tc.want {
			t.Errorf("title %q, want %q", got, tc.want)
		}
	}
}

func TestIgnoreCache(t *testing.T) {
	s := steps()
	s.IgnoreCache = true
	_, _, verified, _ := pipeline(t, s)
	def, err := verified.Output.Marshal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ignored := 0
	for _, meta := range def.Metadata {
		if meta.IgnoreCache {
			ignored++
		}
	}
	if ignored != 3 {
		t.Fatalf("%d ops ignore the cache, want trace, pack and verify", ignored)
	}
}
