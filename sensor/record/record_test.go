package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

const (
	opened   = manifest.Opened
	written  = manifest.Written
	executed = manifest.Executed
	checked  = manifest.Checked
	listed   = manifest.Listed
	forbade  = manifest.Denied
	looped   = manifest.Looped
	notDir   = manifest.NotDirectory
	tooLong  = manifest.TooLong
	confined = manifest.Confined
	linked   = manifest.Linked
	entered  = manifest.Entered
	created  = manifest.Created
	deleted  = manifest.Deleted
	changed  = manifest.Changed
	absent   = manifest.Absent
	mapped   = manifest.Mapped
	renamed  = manifest.Renamed
)

// nobody is the user of programs without privileges.
const nobody = 65534

// scenario is a program, the files it finds, and what has to be recorded.
type scenario struct {
	name  string
	files []string // made before, with folders; "name -> target" is a link, a trailing slash a folder
	perms map[string]os.FileMode
	args  []string // of the test binary's "fixture"; $DIR is the folder
	spec  func(*launch.Spec)
	modes []mode // all when nil
	// want has the exact operations by path below the folder.
	want map[string]manifest.Ops
	exit int
}

func scenarios() []scenario {
	return []scenario{{
		name: "relative", files: []string{"file", "a/b"},
		args: []string{"open", "file", "./a/../a//b", "$DIR/a/b"},
		want: map[string]manifest.Ops{"file": opened, "a/b": opened},
	}, {
		name: "dirfd and openat2", files: []string{"sub/file", "sub/deep/file", "sub/beneath", "sub/link -> /inroot", "sub/inroot"},
		args: []string{"dirfd"},
		want: map[string]manifest.Ops{"sub": checked, "sub/file": opened, "sub/deep/file": checked, "sub/beneath": opened, "sub/link": linked, "sub/inroot": opened},
	}, {
		name: "chdir", files: []string{"file", "sub/file", "sub/deep/"},
		args: []string{"chdir"},
		want: map[string]manifest.Ops{"": entered, "sub/deep": entered, "sub/file": opened, "file": opened},
	}, {
		name: "fchdir", files: []string{"file", "sub/file"},
		args: []string{"fchdir"},
		want: map[string]manifest.Ops{"sub": listed, "sub/file": opened, "file": opened},
	}, {
		name: "another thread's chdir", files: []string{"file", "sub1/file", "sub2/file"},
		args: []string{"thread-chdir"},
		want: map[string]manifest.Ops{"file": opened, "sub1": entered, "sub1/file": opened, "sub2": entered, "sub2/file": opened},
	}, {
		name: "execve by another thread", files: []string{"file", "sub/file"},
		args:  []string{"thread-exec"},
		modes: []mode{direct, sandbox}, // Docker's profile forbids unshare
		want:  map[string]manifest.Ops{"file": opened, "sub": entered, "sub/file": opened},
	}, {
		name: "rename above the working directory", files: []string{"top/sub/file"},
		args: []string{"rename-above"},
		want: map[string]manifest.Ops{"top/sub": entered, "top/sub/file": opened, "top": deleted | renamed, "top2": created | renamed, "top2/sub/file": opened},
	}, {
		name: "reused process number", files: []string{"file", "sub/file"},
		args:  []string{"same-pid"},
		modes: []mode{direct}, // clone3 with set_tid takes CAP_SYS_ADMIN
		want:  map[string]manifest.Ops{"sub": entered, "sub/file": opened, "file": opened},
	}, {
		name: "links",
		files: []string{
			"dir/file", "file", "hop1 -> sub/hop2", "sub/hop2 -> ../dir/file", "sub/up -> ..",
			"absolute -> $DIR/dir/file", "read -> nowhere", "lstat -> file", "dangling -> sub/none",
			"nofollow -> file", "loop1 -> loop2", "loop2 -> loop1",
		},
		args: []string{"links"},
		want: map[string]manifest.Ops{
			"hop1": linked, "sub/hop2": linked, "dir/file": opened, "sub/up": linked, "file": opened,
			"absolute": linked, "read": checked | linked, "lstat": checked | linked,
			"dangling": linked, "sub/none": absent, "nofollow": linked | looped, "loop1": linked | looped, "loop2": linked,
		},
	}, {
		name: "link that is replaced", files: []string{"v1/file", "v2/file", "current -> v1"},
		args: []string{"relink"},
		want: map[string]manifest.Ops{
			"current": linked | written | renamed, "v1/file": opened, "v2/file": opened, "next": created | deleted | linked | renamed,
		},
	}, {
		name:  "changes",
		files: []string{"old", "doomed", "present", "mode", "times", "cut", "linked", "attr", "empty/"},
		args:  []string{"change"},
		want: map[string]manifest.Ops{
			"old": opened | deleted | renamed, "new": created | opened | renamed, "doomed": opened | deleted, "made": created, "present": written,
			"newdir": created, "newdir/f": created, "mode": changed, "times": changed, "cut": written,
			"linked": opened, "hard": created, "soft": created, "attr": changed, "fifo": created, "empty": deleted,
		},
	}, {
		name: "failed look-ups", files: []string{"file"},
		args: []string{"look", "none", "no/such/folder", "file/below", "no/../file2"},
		want: map[string]manifest.Ops{"none": absent, "no/such/folder": absent, "file": checked | notDir, "no": absent},
	}, {
		name:  "openat2 with limits",
		files: []string{"in/up -> ../out", "in/absolute -> $DIR/out", "in/deep/", "in/file", "in/link -> file", "in/unread -> file", "in/cached", "out", "magic", "mounts"},
		args:  []string{"openat2"},
		want: map[string]manifest.Ops{
			"in": checked | confined, "in/up": linked, "in/absolute": linked | confined, "in/file": opened, "in/link": linked | looped,
			"in/unread": checked | linked, "in/clamped": absent, "in/cached": opened,
		},
	}, {
		name: "failures of all kinds",
		files: []string{
			"private", "private-too", "file", "group", "closed/file", "link -> closed/linked", "unlisted/file", "unexecutable",
			"slash", "nodir", "below", "noentry", "loop1 -> loop2", "loop2 -> loop1", "nofollow -> file", "long/",
		},
		perms: map[string]os.FileMode{"private": 0o600, "private-too": 0o600, "group": 0o640, "closed": 0o700, "unlisted": 0o711},
		args:  []string{"failures"},
		spec:  func(s *launch.Spec) { s.UID, s.GID, s.Groups = nobody, nobody, []uint32{7} },
		want: map[string]manifest.Ops{
			"private": opened | forbade, "file": written | forbade, "private-too": checked, "group": opened,
			"closed/file": checked | forbade, "closed/none": absent | forbade, "link": linked, "closed/linked": absent | forbade,
			"closed": entered | forbade, "unlisted": listed | forbade, "unlisted/file": opened, "unexecutable": executed | forbade,
			"slash": checked | notDir, "nodir": checked | notDir, "below": checked | notDir, "noentry": checked | notDir,
			"loop1": linked | looped, "loop2": linked, "nofollow": linked | looped, "long": tooLong,
		},
	}, {
		name: "refused to one of two users", files: []string{"private"}, perms: map[string]os.FileMode{"private": 0o600},
		args: []string{"refused", "private"},
		want: map[string]manifest.Ops{"private": opened | forbade},
	}, {
		name: "names in a folder of another user", args: []string{"names"},
		files: []string{"theirs/present", "theirs/doomed", "theirs/old", "ours/present", "ours/doomed", "ours/old"},
		perms: map[string]os.FileMode{"ours": 0o777},
		spec:  func(s *launch.Spec) { s.UID, s.GID = nobody, nobody },
		want: map[string]manifest.Ops{
			"": entered, "theirs": entered, "theirs/made": created | forbade, "theirs/present": opened | checked, "theirs/folder": created | forbade,
			"theirs/link": created | forbade, "theirs/doomed": deleted | forbade, "theirs/old": deleted | renamed | forbade, "theirs/new": created | renamed | forbade,
			"theirs/none": absent,
			"ours":        entered, "ours/made": created, "ours/present": opened | checked, "ours/folder": created,
			"ours/link": created, "ours/doomed": deleted, "ours/old": deleted | renamed, "ours/new": created | renamed, "ours/none": absent,
		},
	}, {
		name: "refused to nobody", files: []string{"closed/private"}, perms: map[string]os.FileMode{"closed/private": 0o600, "closed": 0o700},
		args: []string{"open", "closed/private"},
		want: map[string]manifest.Ops{"closed/private": opened},
	}, {
		name: "list", files: []string{"sub/file"},
		args: []string{"list"},
		want: map[string]manifest.Ops{"sub": listed},
	}, {
		name: "links of /proc", files: []string{"cwd", "root", "pid", "thread", "fd"},
		args: []string{"magic"},
		want: map[string]manifest.Ops{"cwd": opened, "root": opened, "pid": opened, "thread": opened, "fd": opened},
	}, {
		name: "AT_EMPTY_PATH with and without a path", files: []string{"sub/owner", "sub/self", "sub/handle", "sub/link -> handle", "sub/named"},
		args: []string{"empty-path"},
		want: map[string]manifest.Ops{
			"sub": checked, "sub/owner": changed, "sub/self": opened | changed,
			"sub/link": linked, "sub/handle": checked, "sub/named": checked,
		},
	}, {
		name: "execution of a descriptor", files: []string{"script #!/bin/cat"},
		args: []string{"fexecve", "script"},
		want: map[string]manifest.Ops{"script": opened | executed},
	}, {
		name: "execution of a script in memory", files: []string{"script #!$DIR/link -x", "second #!/bin/sh", "link -> second"},
		args: []string{"memory", "descriptor", "script"},
		want: map[string]manifest.Ops{"script": opened, "link": linked, "second": executed | opened},
	}, {
		name: "execution of a script in memory by its path", files: []string{"script #!$DIR/link -x", "second #!/bin/sh", "link -> second"},
		args: []string{"memory", "path", "script"},
		want: map[string]manifest.Ops{"script": opened, "link": linked, "second": executed | opened},
	}, {
		name: "file without a name", files: []string{"file"},
		args: []string{"unlinked", "file"},
		want: map[string]manifest.Ops{"file": opened | deleted},
	}, {
		name: "watches", files: []string{"followed -> file", "itself -> file", "file"},
		args: []string{"watch"},
		want: map[string]manifest.Ops{"followed": linked, "file": checked, "itself": checked | linked},
	}, {
		name: "mounts", files: []string{"link -> source", "source/file", "point/"},
		args:  []string{"mount"},
		modes: []mode{direct}, // a sandbox forbids it
		want:  map[string]manifest.Ops{"link": linked, "source": checked, "point": checked},
	}, {
		name: "relative to a closed and reused descriptor", files: []string{"one/file", "two/file"},
		args: []string{"reused-dirfd"},
		want: map[string]manifest.Ops{"one": checked, "one/file": opened, "two": checked, "two/file": opened},
	}, {
		name: "unix sockets", files: []string{"sub/"},
		args: []string{"socket"},
		want: map[string]manifest.Ops{
			"sub/sock": created, "sub/none": absent,
			"sub/sendto": absent, "sub/sendmsg": absent, "sub/sendmmsg1": absent, "sub/sendmmsg2": absent,
		},
	}, {
		name:  "script with interpreters",
		files: []string{"script #!$DIR/link -x", "second #!/bin/sh", "link -> second", "sub/"},
		args:  []string{"spawn", "$DIR/script"},
		want:  map[string]manifest.Ops{"script": executed, "link": linked, "second": executed | opened, "sub": checked | entered},
	}, {
		name: "spawn in a folder", files: []string{"sub/file"},
		args: []string{"spawn", "/bin/cat", "file"},
		want: map[string]manifest.Ops{"sub": checked | entered, "sub/file": opened},
	}, {
		name: "threads with folders of their own", files: []string{"dir0/file", "dir1/file", "dir2/file", "dir3/file"},
		args:  []string{"threads", "4"},
		modes: []mode{direct, sandbox}, // Docker's profile forbids unshare
		want: map[string]manifest.Ops{
			"dir0": entered, "dir1": entered, "dir2": entered, "dir3": entered,
			"dir0/file": opened, "dir1/file": opened, "dir2/file": opened, "dir3/file": opened,
		},
	}, {
		name: "processes at once",
		args: []string{"storm", "40"},
		want: numbered("storm-%d", 40, absent),
	}, {
		name: "names of all bytes", files: []string{"new\nline", "not\xffutf8", "[glob]*", " space "},
		args: []string{"open", "new\nline", "not\xffutf8", "[glob]*", " space "},
		want: map[string]manifest.Ops{"new\nline": opened, "not\xffutf8": opened, "[glob]*": opened, " space ": opened},
	}, {
		name: "chroot", files: []string{"jail/inside", "jail/above", "jail/target", "jail/rel", "jail/abs -> /target", "above"},
		args: []string{"chroot"},
		want: map[string]manifest.Ops{
			"jail": entered, "jail/inside": opened, "jail/above": opened, "jail/abs": linked,
			"jail/target": opened, "jail/rel": opened,
		},
	}, {
		name: "signals", files: []string{"file", "other"},
		args: []string{"alarm", "file", "other"},
		want: map[string]manifest.Ops{"file": opened, "other": opened},
	}, {
		name: "program of another user", files: []string{"file"},
		args: []string{"open", "file"},
		spec: func(s *launch.Spec) { s.UID, s.GID = nobody, nobody },
		want: map[string]manifest.Ops{"file": opened},
	}, {
		name: "change of user", files: []string{"file"},
		args: []string{"setuid", "33"},
		want: map[string]manifest.Ops{"file": opened},
	}, {
		name: "orphans", files: []string{"file"},
		args: []string{"orphans"},
		want: map[string]manifest.Ops{"file": opened},
	}, {
		name: "maps", files: []string{"code", "data", "link -> code"},
		args: []string{"map"},
		want: map[string]manifest.Ops{"link": linked, "code": opened | mapped, "data": opened},
	}, {
		name: "exit status", args: []string{"exit", "7"}, exit: 7,
	}}
}

func numbered(format string, n int, ops manifest.Ops) map[string]manifest.Ops {
	m := map[string]manifest.Ops{}
	for i := range n {
		m[fmt.Sprintf(format, i)] = ops
	}
	return m
}

// workplace makes a folder that any user may use, with the test binary in it.
func workplace(t testing.TB, files []string) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		f = strings.ReplaceAll(f, "$DIR", dir)
		name, target, isLink := strings.Cut(f, " -> ")
		name, script, isScript := cutScript(name)
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case isLink:
			err = os.Symlink(target, path)
		case isScript:
			err = os.WriteFile(path, []byte(script+"\n"), 0o755)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			err = os.WriteFile(path, []byte("content"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func cutScript(f string) (name, script string, ok bool) {
	name, script, ok = strings.Cut(f, " #!")
	return name, "#!" + script, ok
}

// program copies the test binary to where every user can run it.
func program(t testing.TB) string {
	t.Helper()
	path := filepath.Join(workplace(t, nil), "program")
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScenarios(t *testing.T) {
	exe := program(t)
	for _, sc := range scenarios() {
		for _, m := range modes {
			if sc.modes != nil && !slices.Contains(sc.modes, m) {
				continue
			}
			t.Run(sc.name+"/"+string(m), func(t *testing.T) {
				testScenario(t, exe, sc, m, "")
			})
		}
	}
}

func testScenario(t *testing.T, exe string, sc scenario, m mode, o obstacle) {
	t.Helper()
	dir := workplace(t, sc.files)
	for name, perm := range sc.perms {
		if err := errors.Join(os.Chown(filepath.Join(dir, name), 0, 7), os.Chmod(filepath.Join(dir, name), perm)); err != nil {
			t.Fatal(err)
		}
	}
	spec := launch.Spec{Path: exe, Args: []string{"program", "fixture"}, Dir: dir}
	for _, a := range sc.args {
		spec.Args = append(spec.Args, strings.ReplaceAll(a, "$DIR", dir))
	}
	if sc.spec != nil {
		sc.spec(&spec)
	}
	checkScenario(t, sc, dir, run(t, job{Mode: m, Spec: spec, Obstacle: o}))
}

func checkScenario(t *testing.T, sc scenario, dir string, out outcome) {
	t.Helper()
	if out.StartErr != "" || out.CloseErr != "" || out.Exit != sc.exit || out.Signal != 0 {
		t.Fatalf("start: %q, close: %q, exit %d, signal %d", out.StartErr, out.CloseErr, out.Exit, out.Signal)
	}
	if len(out.Witness) > 0 {
		t.Errorf("only fanotify saw %q", out.Witness)
	}
	got := map[string]manifest.Ops{}
	for _, e := range out.Entries {
		if rest, ok := strings.CutPrefix(string(e.Path), dir); ok {
			got[strings.TrimPrefix(rest, "/")] = e.Ops
		}
		for _, folder := range []string{"/proc", "/sys", "/dev"} {
			if string(e.Path) == folder || strings.HasPrefix(string(e.Path), folder+"/") {
				t.Errorf("%q was recorded", e.Path)
			}
		}
	}
	for path, ops := range sc.want {
		if got[path] != ops {
			t.Errorf("%q: %v, want %v", path, got[path], ops)
		}
		delete(got, path)
	}
	for path, ops := range got {
		t.Errorf("%q: %v, want nothing", path, ops)
	}
	if !slices.IsSortedFunc(out.Entries, func(a, b manifest.Entry) int { return strings.Compare(string(a.Path), string(b.Path)) }) {
		t.Error("entries are not sorted")
	}
}

func TestEnvironment(t *testing.T) {
	exe := program(t)
	for _, m := range modes {
		for _, uid := range []uint32{0, nobody} {
			t.Run(fmt.Sprintf("%s/%d", m, uid), func(t *testing.T) {
				dir := workplace(t, nil)
				out := run(t, job{Mode: m, Spec: launch.Spec{
					Path: exe, Args: []string{"program", "fixture", "environment"}, Env: []string{"A=1", "B=\xff"},
					Dir: dir, UID: uid, GID: uid, Groups: []uint32{7, 1234},
				}})
				if out.Exit != 0 || out.CloseErr != "" || out.StartErr != "" {
					t.Fatalf("%+v", out)
				}
				data, err := os.ReadFile(filepath.Join(dir, "environment"))
				if err != nil {
					t.Fatal(err)
				}
				text := strings.ReplaceAll(string(data), "\t", " ")
				want := []string{
					fmt.Sprintf("ids %d %d %d %d\n", uid, uid, uid, uid), "Groups: 7 1234 \n",
					"env A=1 B=\xff\n", "wd " + dir + "\n", "leader true\n", "SigBlk: 0000000000000000\n",
				}
				if m != direct {
					caps := "00000000a80425fb"
					want = append(want, "CapBnd: "+caps, "CapInh: 0000000000000000", "CapAmb: 0000000000000000")
					if uid != 0 {
						caps = "0000000000000000"
					}
					want = append(want, "CapEff: "+caps, "CapPrm: "+caps)
				}
				if m == sandbox {
					want = append(want, "NoNewPrivs: 1")
				} else {
					want = append(want, "NoNewPrivs: 0")
				}
				for _, w := range want {
					if !strings.Contains(text, w) {
						t.Errorf("no %q in\n%s", w, text)
					}
				}
				for _, fd := range strings.Fields(line(text, "fds ")) {
					if n, _, _ := strings.Cut(fd, "="); n != "0" && n != "1" && n != "2" && !strings.Contains(fd, "/fd") && !strings.Contains(fd, "/sys/") {
						t.Errorf("descriptor %s", fd)
					}
				}
			})
		}
	}
}

func line(text, prefix string) string {
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(l, prefix); ok {
			return rest
		}
	}
	return ""
}

func TestConfinement(t *testing.T) {
	exe := program(t)
	for fixture, in := range map[string][]mode{"forbidden": {sandbox, insecure}, "confined": {insecure}} {
		for _, m := range in {
			t.Run(fixture+"/"+string(m), func(t *testing.T) {
				out := run(t, job{Mode: m, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", fixture}, Dir: t.TempDir()}})
				if out.Exit != 0 || out.CloseErr != "" || out.StartErr != "" {
					t.Fatalf("%+v", out)
				}
			})
		}
	}
}

func TestStartErrors(t *testing.T) {
	exe := program(t)
	dir := workplace(t, []string{"plain", "script #!/no/interpreter"})
	tests := []struct {
		name, path, dir string
		want            string
		notExist        bool
	}{
		{"no program", dir + "/none", "/", `start "app": no such file or directory`, true},
		{"not executable", dir + "/plain", "/", `start "app": permission denied`, false},
		{"no interpreter", dir + "/script", "/", `start "app": no such file or directory`, true},
		{"a folder", dir, "/", `start "app": permission denied`, false},
		{"no working directory", exe, dir + "/none", fmt.Sprintf(`start "app": chdir %q: no such file or directory`, dir+"/none"), true},
	}
	for _, tt := range tests {
		for _, m := range modes {
			t.Run(tt.name+"/"+string(m), func(t *testing.T) {
				out := run(t, job{Mode: m, Spec: launch.Spec{Path: tt.path, Args: []string{"app"}, Dir: tt.dir}})
				if out.StartErr != tt.want || out.NotExist != tt.notExist || out.CloseErr != "" {
					t.Errorf("%q, not exist %v, close %q; want %q, %v", out.StartErr, out.NotExist, out.CloseErr, tt.want, tt.notExist)
				}
			})
		}
	}
}

func TestKilled(t *testing.T) {
	out := run(t, job{Mode: sandbox, Spec: launch.Spec{Path: program(t), Args: []string{"program", "fixture", "die"}}})
	if out.Signal != int(unix.SIGKILL) {
		t.Errorf("%+v", out)
	}
}

// TestBurst is 100,000 opens of as many names by four processes.
func TestBurst(t *testing.T) {
	const processes, opens = 4, 25_000
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			dir := workplace(t, nil)
			out := run(t, job{Mode: m, Repeat: processes, Spec: launch.Spec{
				Path: program(t), Args: []string{"program", "fixture", "many", fmt.Sprint(opens), "n"}, Dir: dir,
			}})
			if out.CloseErr != "" || out.Lost != 0 || out.Exit != 0 {
				t.Fatalf("close %q, lost %d, exit %d", out.CloseErr, out.Lost, out.Exit)
			}
			n := 0
			for _, e := range out.Entries {
				if strings.HasPrefix(string(e.Path), dir+"/n") && e.Ops == absent {
					n++
				}
			}
			if n != processes*opens {
				t.Errorf("%d paths of %d", n, processes*opens)
			}
			t.Logf("%d events in %v, %d KiB", out.Events, out.Elapsed, out.MaxRSS)
		})
	}
}

// TestThreeUsers is what the recorder cannot read without privileges, a process
// with different ids and none of them root's: it says so instead of leaving it
// out.
func TestThreeUsers(t *testing.T) {
	exe := program(t)
	dir := workplace(t, []string{"file"})
	spec := launch.Spec{Path: exe, Args: []string{"program", "fixture", "setresuid", "33", "34", "35"}, Dir: dir}
	out := run(t, job{Mode: sandbox, Spec: spec})
	if out.Lost == 0 || !strings.Contains(out.CloseErr, "program") || !strings.Contains(out.CloseErr, "--allow security.insecure") {
		t.Errorf("lost %d, %q", out.Lost, out.CloseErr)
	}
	out = run(t, job{Mode: insecure, Spec: spec})
	if out.CloseErr != "" || out.ops(dir+"/file") != opened {
		t.Errorf("%q, %v", out.CloseErr, out.ops(dir+"/file"))
	}
}

// TestSetuidWarning: without CAP_SYS_ADMIN a filter needs no_new_privs.
func TestSetuidWarning(t *testing.T) {
	exe := program(t)
	if err := os.Chmod(exe, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	for _, m := range modes {
		out := run(t, job{Mode: m, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", "nothing"}}})
		if warned := len(out.Warnings) == 1 && strings.Contains(out.Warnings[0], "setuid"); warned != (m == sandbox) {
			t.Errorf("%s: %q", m, out.Warnings)
		}
	}
}

// TestOtherABI: a program may use the 32 bit system calls of the same kernel.
func TestOtherABI(t *testing.T) {
	dir := workplace(t, []string{"file"})
	exe := program32(t, dir)
	for _, m := range modes {
		out := run(t, job{Mode: m, Calls: true, Spec: launch.Spec{Path: exe, Args: []string{"program32"}, Dir: dir}})
		if !slices.Contains(out.Calls[0], "i386:open") || !slices.Contains(out.Calls[0], "execve") {
			t.Errorf("%s: calls %v", m, out.Calls)
		}
		if out.Exit != 0 || out.CloseErr != "" || out.StartErr != "" || out.ops(dir+"/file") != opened {
			t.Errorf("%s: %+v", m, out)
		}
	}
}

// program32 makes a program in dir that opens "file" by int $0x80.
func program32(t *testing.T, dir string) string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the second ABI is that of i386")
	}
	const base, header = 0x08048000, 52 + 32
	code := []byte{
		0xb8, 5, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0x31, 0xc9, 0xcd, 0x80, // open(name, O_RDONLY)
		0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80, // exit(0)
	}
	le := binary.LittleEndian
	le.PutUint32(code[6:], base+header+uint32(len(code)))
	b := make([]byte, header, 4096)
	copy(b, "\x7fELF\x01\x01\x01")
	le.PutUint16(b[16:], 2) // ET_EXEC
	le.PutUint16(b[18:], 3) // EM_386
	le.PutUint32(b[20:], 1)
	le.PutUint32(b[24:], base+header)
	le.PutUint32(b[28:], 52)
	for at, v := range map[int]uint16{40: 52, 42: 32, 44: 1} {
		le.PutUint16(b[at:], v)
	}
	b = append(append(b, code...), "file\x00"...)
	for at, v := range map[int]uint32{52: 1, 60: base, 64: base, 68: uint32(len(b)), 72: uint32(len(b)), 76: 5, 80: 0x1000} {
		le.PutUint32(b[at:], v)
	}
	exe := filepath.Join(dir, "program32")
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(exe).Run(); errors.Is(err, unix.ENOEXEC) {
		skip(t, "a kernel with 32 bit emulation")
	}
	return exe
}

// TestWorkers does what nginx does: a master as root, workers that drop to
// another user without an execve and go on with relative names and forks.
func TestWorkers(t *testing.T) {
	perl := need(t, "perl")
	const script = `use POSIX;
for my $w (1, 2) {
  next if fork;
  POSIX::setgid(33); POSIX::setuid(33); die "still root" if POSIX::geteuid() == 0;
  open(my $f, "<", "worker$w") or die "worker$w: $!";
  if (!fork) { chdir "sub" or die; open(my $g, "<", "child$w") or die; exit 0 }
  wait; exit $?;
}
open(my $f, "<", "master") or die;
my $bad = 0;
while (wait > 0) { $bad |= $? }
exit($bad ? 1 : 0);`
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			dir := workplace(t, []string{"master", "worker1", "worker2", "sub/child1", "sub/child2"})
			out := run(t, job{Mode: m, Spec: launch.Spec{Path: perl, Args: []string{"perl", "-e", script}, Dir: dir}})
			if out.CloseErr != "" || out.Exit != 0 || len(out.Witness) > 0 {
				t.Fatalf("close %q, exit %d, only fanotify: %q", out.CloseErr, out.Exit, out.Witness)
			}
			for _, f := range []string{"master", "worker1", "worker2", "sub/child1", "sub/child2"} {
				if got := out.ops(filepath.Join(dir, f)); got&opened == 0 {
					t.Errorf("%s: %v", f, got)
				}
			}
		})
	}
}

// TestWitness: on ordinary programs fanotify sees nothing that seccomp did not.
func TestWitness(t *testing.T) {
	programs := []struct {
		args []string
		path string // one that must have been seen
	}{
		{[]string{"perl", "-MPOSIX", "-MStorable", "-MFile::Find", "-e", "1"}, "/usr/bin/perl"},
		{[]string{"find", "/etc", "-size", "+1k", "-name", "none"}, "/etc"},
		{[]string{"sh", "-c", "ls /usr/lib | wc -l; cat /etc/passwd >/dev/null"}, "/etc/passwd"},
		{[]string{"/usr/bin/python3", "-c", "import json, ssl, email"}, "/usr/bin/env"},
	}
	for _, p := range programs {
		t.Run(p.args[0], func(t *testing.T) {
			path := need(t, p.args[0])
			out := run(t, job{Mode: insecure, Spec: launch.Spec{Path: path, Args: p.args, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}})
			if out.StartErr != "" || out.CloseErr != "" || out.Exit != 0 || !slices.Contains(out.Recorders, "fanotify") {
				t.Fatalf("start %q, close %q, exit %d, recorders %v", out.StartErr, out.CloseErr, out.Exit, out.Recorders)
			}
			if len(out.Witness) > 0 {
				t.Errorf("only fanotify saw %q", out.Witness)
			}
			if out.ops(p.path) == 0 && p.path != "/usr/bin/env" {
				t.Errorf("%s was not recorded", p.path)
			}
		})
	}
}

// TestRewrittenPath: what is opened by a path that another thread rewrites while
// it is looked at may be missed by seccomp, but not by the witness.
func TestRewrittenPath(t *testing.T) {
	exe := program(t)
	var files []string
	for i := range 500 {
		files = append(files, fmt.Sprintf("a%03d", i), fmt.Sprintf("b%03d", i))
	}
	for _, m := range []mode{sandbox, insecure} {
		dir := workplace(t, files)
		out := run(t, job{Mode: m, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", "rewrite"}, Dir: dir}})
		if out.CloseErr != "" || out.Exit != 0 {
			t.Fatalf("close %q, exit %d", out.CloseErr, out.Exit)
		}
		list, err := os.ReadFile(filepath.Join(dir, "opened"))
		if err != nil {
			t.Fatal(err)
		}
		recorded := map[string]manifest.Ops{}
		for _, e := range out.Entries {
			recorded[string(e.Path)] = e.Ops
		}
		missed := 0
		for name := range strings.FieldsSeq(string(list)) {
			if recorded[name]&opened == 0 {
				missed++
			}
		}
		t.Logf("%s: %d of 500 opens missed, %d seen by fanotify alone", m, missed, len(out.Witness))
		if m == insecure && missed > 0 {
			t.Errorf("%d opened files are not recorded", missed)
		}
	}
}
