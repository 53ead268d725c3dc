package record

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// TestPrograms: who executed what, how often, and as which user.
func TestPrograms(t *testing.T) {
	exe := program(t)
	physical := func(path string) manifest.Path {
		resolved, err := filepath.EvalSymlinks(path)
		if err != nil {
			t.Fatal(err)
		}
		return manifest.Path(resolved)
	}
	sh, cat := physical("/bin/sh"), physical("/bin/cat")
	app := manifest.Program{Exe: manifest.Path(exe), Argv0: "program", By: -1, Runs: 1, EUIDs: []uint32{0}}
	also := func(p manifest.Program, euids ...uint32) manifest.Program {
		p.EUIDs = euids
		return p
	}
	for _, tt := range []struct {
		name  string
		files []string
		args  []string
		then  [][]string
		user  uint32
		want  []manifest.Program // $DIR is the folder; sorted by phase and path
		main  manifest.Path
	}{
		{name: "one", args: []string{"nothing"}, want: []manifest.Program{app}, main: app.Exe},
		{name: "another user's", args: []string{"nothing"}, user: nobody, want: []manifest.Program{also(app, nobody)}, main: app.Exe},
		{name: "change of user", files: []string{"file"}, args: []string{"setuid", "33"}, want: []manifest.Program{also(app, 0, 33)}, main: app.Exe},
		{name: "many runs", args: []string{"storm", "20"}, main: app.Exe, want: []manifest.Program{
			{Exe: app.Exe, Argv0: "/proc/self/exe", By: 1, Runs: 20, EUIDs: []uint32{0}}, app,
		}},
		{
			name: "script", files: []string{"script #!$DIR/second -x", "second #!/bin/sh", "sub/"}, args: []string{"spawn", "$DIR/script"},
			want: []manifest.Program{app, {Exe: sh, Script: "$DIR/script", Argv0: "$DIR/script", Runs: 1, EUIDs: []uint32{0}}}, main: app.Exe,
		},
		{
			name: "one after the other in a process", args: []string{"chameleon"}, main: cat,
			want: []manifest.Program{
				app, {Exe: cat, Argv0: "/bin/cat", By: 2, Runs: 1, EUIDs: []uint32{0}}, {Exe: sh, Argv0: "first", By: 0, Runs: 1, EUIDs: []uint32{0}},
			},
		},
		{
			name: "a probe's", args: []string{"nothing"}, then: [][]string{{"program", "fixture", "nothing"}, {"other", "fixture", "nothing"}}, main: app.Exe,
			want: []manifest.Program{
				also(manifest.Program{Exe: app.Exe, Argv0: "program", By: -1, Runs: 2}, 0),
				{Exe: app.Exe, Argv0: "other", By: -1, Phase: 2, Runs: 1, EUIDs: []uint32{0}},
			},
		},
	} {
		for _, m := range modes {
			t.Run(tt.name+"/"+string(m), func(t *testing.T) {
				dir := workplace(t, tt.files)
				spec := launch.Spec{Path: exe, Args: []string{"program", "fixture"}, Dir: dir, UID: tt.user, GID: tt.user}
				for _, a := range tt.args {
					spec.Args = append(spec.Args, strings.ReplaceAll(a, "$DIR", dir))
				}
				out := run(t, job{Mode: m, Spec: spec, Then: tt.then})
				if out.CloseErr != "" || out.StartErr != "" || out.Exit != 0 {
					t.Fatalf("%+v", out)
				}
				var want []manifest.Program
				for _, p := range tt.want {
					p.Script = manifest.Path(strings.ReplaceAll(string(p.Script), "$DIR", dir))
					p.Argv0 = manifest.Path(strings.ReplaceAll(string(p.Argv0), "$DIR", dir))
					want = append(want, p)
				}
				if !reflect.DeepEqual(out.Programs, want) {
					t.Errorf("programs\n%+v, want\n%+v", out.Programs, want)
				}
				if out.Main < 0 || out.Programs[out.Main].Exe != tt.main {
					t.Errorf("main %d of %+v, want %s", out.Main, out.Programs, tt.main)
				}
			})
		}
	}
}

// TestTouchedBy: a path's first program is known, also of a fork's.
func TestTouchedBy(t *testing.T) {
	exe := program(t)
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			dir := workplace(t, []string{"sub/file", "sub/"})
			out := run(t, job{Mode: m, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", "spawn", "/bin/sh", "-c", "(read x <file; read y <$0)", dir + "/sub"}, Dir: dir}})
			for name, want := range map[string]string{"sub": "program", "sub/file": "/bin/sh"} {
				by := out.touch(filepath.Join(dir, name)).Program
				if by < 0 || string(out.Programs[by].Argv0) != want {
					t.Errorf("%s: program %d of %+v, want %s", name, by, out.Programs, want)
				}
			}
		})
	}
}

// TestCensusBound: a program that executes ever new ones is listed up to a
// bound, the rest is counted.
func TestCensusBound(t *testing.T) {
	c := newCensus()
	st := status{tgid: os.Getpid()}
	for i := range maxPrograms + 50 {
		c.executes(uint32(os.Getpid()), st, ran{exe: fmt.Sprintf("/%05d", i)}, "", 0)
	}
	list, place := c.list()
	if len(list) != maxPrograms || c.omitted != 50 {
		t.Fatalf("%d programs, %d omitted", len(list), c.omitted)
	}
	for i, p := range list {
		if string(p.Exe) != fmt.Sprintf("/%05d", i) || p.By != i-1 {
			t.Fatalf("%d: %+v", i, p)
		}
	}
	if place(0) != -1 || place(programID(maxPrograms)) != maxPrograms-1 {
		t.Errorf("places %d, %d", place(0), place(programID(maxPrograms)))
	}
}

// TestCensusUsers: so many users of a program are listed, and no more; the
// largest of all is known.
func TestCensusUsers(t *testing.T) {
	c := newCensus()
	for uid := range uint32(100) {
		c.user(0, 100-uid)
		c.user(0, 100)
	}
	if euids := c.programs[0].euids; len(euids) != maxUsers || euids[maxUsers-1] != 100 || c.largest != 100 || c.root {
		t.Errorf("%v, largest %d, root %t", euids, c.largest, c.root)
	}
}
