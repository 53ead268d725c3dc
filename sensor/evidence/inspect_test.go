package evidence_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/internal/elftest"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

func readFacts(t *testing.T, dir string) manifest.Facts {
	t.Helper()
	data, err := os.ReadFile(dir + "/" + manifest.FactsFile)
	must(t, err)
	var facts manifest.Facts
	must(t, manifest.Decode(data, &facts))
	return facts
}

// TestInspect: what is known of an image that was not run.
func TestInspect(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/etc/os-release": "ID=alpine\nVERSION_ID=3.20.1\n", "/usr/lib/ld-musl-x86_64.so.1": "1", "/lib": rootfstest.Link("usr/lib"),
		"/site/a.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n",
		"/site/b.dist-info/WHEEL": "Tag: cp311-cp311-musllinux_1_2_x86_64\nTag: cp311-cp311-manylinux_2_17_x86_64\n",
		"/site/c.dist-info/WHEEL": "Tag: py3-none-any\n",
		"/usr/bin/gcc":            "1", "/node/x.node": "1", "/node/y.node": string(elftest.Spec{Needed: []string{"libc.so.6"}}.Bytes()), "/data/file": "1",
	})
	dir := t.TempDir()
	must(t, evidence.Inspect(t.Context(), root, manifest.Pack{
		Version: manifest.Version, Platform: "linux/amd64", Image: manifest.Image{
			Entrypoint: []string{"/app/run"}, Cmd: []string{"x"}, Healthcheck: []string{"/bin/sh", "-c", "curl -f http://localhost"}, Volumes: []string{"/data"},
		},
	}, dir))
	uid := uint32(0)
	want := manifest.Facts{
		Version: manifest.Version, OS: manifest.OS{ID: "alpine", VersionID: "3.20.1"}, UID: &uid, Hidden: []manifest.Path{"/data"},
		CompiledHere: []manifest.Path{"/site/a.dist-info", "/usr/bin/gcc"}, GlibcOnly: []manifest.Path{"/node/y.node"},
		Obstacles: []manifest.Obstacle{
			{Command: manifest.CommandMain, Kind: manifest.ObstacleMissing, Program: "/app/run"},
			{Command: manifest.CommandHealthcheck, Kind: manifest.ObstacleMissing, Program: "/bin/sh"},
		},
	}
	if got := readFacts(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestCopied: what each COPY brought, and how much of it is kept.
func TestCopied(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/app/main.py": "123", "/app/lib/a": "12", "/app/lib/b": "1", "/opt/x": "1", "/bin": rootfstest.Link("usr/bin"), "/usr/bin/tool": "1", "/usr/bin/other": "1",
		"/app2/x": "1",
	})
	tests := []struct {
		manifest.Copy
		files, bytes, kept int64
	}{
		{manifest.Copy{Dest: "/app2", Name: "x"}, 1, 1, 0},
		{manifest.Copy{Dest: "/app/main", Name: "a"}, 0, 0, 0},
		{manifest.Copy{Dest: "/app/lib", Name: "src"}, 2, 3, 2}, // a folder's content
		{manifest.Copy{Dest: "/opt/x", Name: "y"}, 1, 1, 0},     // by another name
		{manifest.Copy{Dest: "/bin", Name: "tool"}, 1, 1, 0},    // through a link
		{manifest.Copy{Dest: "/"}, 8, 10, 3},                    // all, the link too
		{manifest.Copy{Dest: "/nowhere", Name: "gone"}, 0, 0, 0},
	}
	pack := manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}
	var want []manifest.Copied
	for _, tt := range tests {
		pack.Copied = append(pack.Copied, tt.Copy)
		want = append(want, manifest.Copied{Copy: tt.Copy, Files: tt.files, Bytes: tt.bytes, Kept: tt.kept})
	}
	dir := t.TempDir()
	_, err := evidence.Write(t.Context(), root, resolvePack(t, root, pack, map[string]manifest.Ops{"/app/lib/a": manifest.Opened, "/usr/bin/other": manifest.Opened}), dir)
	must(t, err)
	if got := readFacts(t, dir).Copied; !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestKeptPrograms: one that is kept on the user's word is looked at, one that
// ran is not.
func TestKeptPrograms(t *testing.T) {
	program := rootfstest.Exe(elftest.Spec{Interp: "/lib/ld-musl-x86_64.so.1"}.Bytes())
	root := rootfstest.Make(t, rootfstest.Image{"/bin/ran": program, "/bin/kept": program, "/bin/data": "1", "/bin/gone": program})
	pack := manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Rules: []manifest.Rule{{Kind: manifest.RuleKeep, Args: []string{"/bin/{kept,data,ran}"}}}}
	dir := t.TempDir()
	_, err := evidence.Write(t.Context(), root, resolvePack(t, root, pack, map[string]manifest.Ops{"/bin/ran": manifest.Executed}), dir)
	must(t, err)
	want := []manifest.Obstacle{{Command: manifest.CommandKept, Kind: manifest.ObstacleLoader, Program: "/bin/kept", Needs: "/lib/ld-musl-x86_64.so.1"}}
	if got := readFacts(t, dir).Obstacles; !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestInspectStops: a build that is cancelled does not walk on.
func TestInspectStops(t *testing.T) {
	root := rootfstest.Make(t, image())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := evidence.Inspect(ctx, root, manifest.Pack{}, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}
