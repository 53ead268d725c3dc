package keepset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// Short names for what nearly every test case is made of.
type (
	Image  = rootfstest.Image
	Exe    = rootfstest.Exe
	Link   = rootfstest.Link
	Dir    = rootfstest.Dir
	FIFO   = rootfstest.FIFO
	Socket = rootfstest.Socket
)

// resolve resolves the set of an image. A touch is "ops path".
func resolve(t testing.TB, root *rootfs.Root, pack manifest.Pack, touches ...string) (*keepset.Set, error) {
	t.Helper()
	return keepset.Resolve(context.Background(), root, traceOf(t, 1, touches...), nil, pack)
}

func traceOf(t testing.TB, probes int, touches ...string) *bytes.Buffer {
	t.Helper()
	entries := map[manifest.Path]manifest.Ops{}
	for _, touch := range touches {
		name, path, _ := strings.Cut(touch, " ")
		var ops manifest.Ops
		must(t, ops.UnmarshalText([]byte(name)))
		entries[manifest.Path(path)] |= ops
	}
	var buf bytes.Buffer
	must(t, manifest.WriteTrace(&buf, probes, len(entries), func(yield func(manifest.Entry) bool) {
		for _, path := range slices.Sorted(maps.Keys(entries)) {
			if !yield(manifest.Entry{Path: path, Ops: entries[path]}) {
				return
			}
		}
	}))
	return &buf
}

func amd64() manifest.Pack {
	return manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}
}

// kept returns the entries as "path reasons" without those that are traversed
// only.
func kept(set *keepset.Set) []string {
	var out []string
	for e := range set.All() {
		if e.Reasons != keepset.Traversed {
			out = append(out, e.Path+" "+strings.Join((e.Reasons&^keepset.Traversed).Names(), ","))
		}
	}
	return out
}

// paths returns the paths of the set without those that are traversed only.
func paths(set *keepset.Set) []string {
	var out []string
	for e := range set.All() {
		if e.Reasons != keepset.Traversed {
			out = append(out, e.Path)
		}
	}
	return out
}

func diff(t *testing.T, got, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("unwanted: %q", g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("missing: %q", w)
		}
	}
}

func TestTrace(t *testing.T) {
	tests := []struct {
		name    string
		image   Image
		touches []string
		want    []string
	}{
		{
			name:    "reasons",
			image:   Image{"/a/r": "", "/a/x": "", "/a/s": "", "/a/d": Dir{}, "/a/l": Link("r"), "/a/m": "", "/a/c": Dir{}, "/a/unused": ""},
			touches: []string{"opened /a/r", "executed /a/x", "checked /a/s", "listed /a/d", "linked /a/l", "changed /a/m", "entered /a/c"},
			want:    []string{"/a/r opened", "/a/x executed", "/a/s checked", "/a/d listed", "/a/l link", "/a/m checked"},
		},
		{
			name:    "what the run wrote, replaced or deleted ships as it was",
			image:   Image{"/w": "", "/c": "", "/d": ""},
			touches: []string{"written /w", "created /c", "deleted /d"},
			want:    []string{"/w opened", "/c opened", "/d opened"},
		},
		{
			name:    "what the run made does not ship, but its folder does",
			image:   Image{"/var/log": Dir{}, "/var/cache/app": Dir{}, "/var/spool": Dir{}},
			touches: []string{"created /var/log/x", "written /var/log/x", "created /var/cache/app/a/b/c", "absent /var/spool/nothing", "opened /made"},
			want:    []string{"/var/cache/app system", "/var/log system"},
		},
		{
			name:    "another type in the image counts as itself",
			image:   Image{"/f": Dir{}, "/d": "", "/l": Link("f")},
			touches: []string{"opened /f", "listed /d", "opened /d/x", "opened /l"},
			want:    []string{"/d listed", "/f opened", "/l opened"},
		},
		{
			name:    "links on the way in the image as built",
			image:   Image{"/lib": Link("usr/lib"), "/usr/lib/x": "", "/usr/lib/y": "", "/other": Link("usr/lib/x")},
			touches: []string{"opened /lib/x"},
			want:    []string{"/lib link", "/usr/lib/x opened"},
		},
		{
			name:    "links out of the root, loops",
			image:   Image{"/etc": Link("../../../../etc"), "/loop": Link("loop"), "/out": Link("/../../usr/x"), "/usr/x": ""},
			touches: []string{"opened /etc/passwd", "opened /loop/x", "checked /loop", "opened /out", "written /etc/new"},
			want:    []string{"/loop checked", "/out opened"},
		},
		{
			name:    "names are bytes",
			image:   Image{"/a b\nc": "", "/[x]*": "", "/\xff\xfe": "", "/{}?": ""},
			touches: []string{"opened /a b\nc", "opened /[x]*", "opened /\xff\xfe"},
			want:    []string{"/a b\nc opened", "/[x]* opened", "/\xff\xfe opened"},
		},
		{
			name:    "stat of a file beside one with a longer name",
			image:   Image{"/app/prefix": "", "/app/prefix.json": ""},
			touches: []string{"checked /app/prefix", "checked /app/prefix.json"},
			want:    []string{"/app/prefix checked", "/app/prefix.json checked"},
		},
		{
			name:    "fifos ship, sockets do not",
			image:   Image{"/f": FIFO{}, "/s": Socket{}},
			touches: []string{"opened /f", "opened /s"},
			want:    []string{"/f opened"},
		},
		{
			name:    "the runtime's files",
			image:   Image{"/etc/hosts": "", "/etc/hostname": "h", "/etc/mtab": Link("/proc/mounts"), "/etc/resolv.conf": "x"},
			touches: []string{"opened /etc/hosts", "linked /etc/mtab", "opened /etc/resolv.conf"},
			want:    []string{"/etc/resolv.conf opened"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := resolve(t, rootfstest.Make(t, tt.image), amd64(), tt.touches...)
			must(t, err)
			diff(t, kept(set), append(tt.want, "/ config"))
		})
	}
}

func TestOrder(t *testing.T) {
	root := rootfstest.Make(t, Image{"/b/c": "", "/b.c": "", "/b/\xff": "", "/b/a/z": "", "/a": ""})
	set, err := resolve(t, root, amd64(), "opened /b/c", "opened /b.c", "opened /b/\xff", "opened /b/a/z", "opened /a")
	must(t, err)
	var got, want []string
	for e := range set.All() {
		got = append(got, e.Path)
	}
	must(t, root.Walk("/", func(path string, _ rootfs.Info) error {
		want = append(want, path)
		return nil
	}))
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want the order of Walk %q", got, want)
	}
	for range set.All() {
		break // an iterator that is left early must not go on
	}
}

func TestBadTrace(t *testing.T) {
	root := rootfstest.Make(t, Image{})
	for name, trace := range map[string]string{
		"empty":         "",
		"wrong version": `{"version":99,"probes":0,"entries":0}`,
		"cut short":     `{"version":1,"probes":0,"entries":2}` + "\n" + `{"path":"/a","ops":"opened"}`,
	} {
		if _, err := keepset.Resolve(context.Background(), root, strings.NewReader(trace), nil, amd64()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCancelled(t *testing.T) {
	image := Image{}
	for i := range 2000 {
		image[fmt.Sprintf("/d/%04d", i)] = "x"
	}
	var touches []string
	for path := range image {
		touches = append(touches, "opened "+path)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := keepset.Resolve(ctx, rootfstest.Make(t, image), traceOf(t, 0, touches...), nil, amd64())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestSystem(t *testing.T) {
	image := Image{
		"/etc/passwd": "root:x:0:0:r:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n", "/etc/group": "", "/etc/shadow": "",
		"/etc/nsswitch.conf": "", "/etc/host.conf": "", "/etc/os-release": Link("../usr/lib/os-release"), "/usr/lib/os-release": "",
		"/etc/localtime": Link("/usr/share/zoneinfo/Etc/UTC"), "/usr/share/zoneinfo/Etc/UTC": "", "/usr/share/zoneinfo/Europe/Berlin": "",
		"/usr/share/zoneinfo/Asia/Tokyo": "",
		"/etc/ld.so.cache":               "", "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n", "/etc/ld.so.conf.d/a.conf": "/opt/lib\n",
		"/etc/ld.so.conf.d/b.txt": "", "/tmp/x": "", "/run": Dir{}, "/var/tmp": Dir{}, "/var/run": Link("/run"),
		"/home/app/file": "", "/srv/app/main.py": "", "/data/db/file": "", "/data/link": Link("../etc/group"), "/data/fifo": FIFO{},
	}
	pack := amd64()
	pack.Image = manifest.Image{
		Env: []string{"TZ=:Europe/Berlin", "TZ=Asia/Tokyo"}, WorkingDir: "/srv/app", User: "1000:5", Volumes: []string{"/data", "/nowhere", "/"},
	}
	set, err := resolve(t, rootfstest.Make(t, image), pack)
	must(t, err)
	diff(t, kept(set), []string{
		"/etc/passwd system", "/etc/group config,system", "/etc/nsswitch.conf system", "/etc/host.conf system", "/etc/os-release link",
		"/usr/lib/os-release system", "/etc/localtime link", "/usr/share/zoneinfo/Etc/UTC system", "/usr/share/zoneinfo/Europe/Berlin system",
		"/etc/ld.so.cache system", "/etc/ld.so.conf system", "/etc/ld.so.conf.d/a.conf system", "/tmp system", "/run system",
		"/var/tmp system", "/var/run link", "/home/app config", "/srv/app config",
		"/data config", "/data/db config", "/data/db/file config", "/data/link link,config", "/data/fifo config", "/ config",
	})
}

func TestScripts(t *testing.T) {
	const entrypoint = `#!/bin/sh
set -e
setup() { install -d /data; }
. /opt/lib.sh
if [ -n "$DEBUG" ]; then
  strace -f app &
elif ! command -v missing; then
  echo $(date +%s) | "$LOGGER"
fi
setup
case $1 in server) exec gosu nobody server --port "${PORT:-80}";; *) helper.sh;; esac
exec "$@"
`
	image := Image{
		"/usr/bin/entrypoint.sh": Exe(entrypoint), "/opt/lib.sh": "uname -a\n", "/opt/unused.sh": "",
		"/usr/bin/helper.sh": Exe("#!/usr/bin/env bash\nnested\n"), "/bin": Link("usr/bin"),
		"/usr/bin/not-executable": "", "/usr/bin/cat": Exe(""), "/usr/local/bin/uname": Exe(""),
		"/usr/bin/main": Exe(""),
	}
	for _, name := range []string{"sh", "bash", "env", "install", "strace", "date", "gosu", "server", "nested", "echo", "set", "uname", "nobody", "app"} {
		image["/usr/bin/"+name] = Exe("")
	}
	pack := amd64()
	pack.Image = manifest.Image{Entrypoint: []string{"entrypoint.sh"}, Cmd: []string{"main", "-x"}}
	set, err := resolve(t, rootfstest.Make(t, image), pack, "executed /usr/bin/date")
	must(t, err)
	diff(t, kept(set), []string{
		"/ config", "/bin link", "/usr/bin/entrypoint.sh config", "/usr/bin/main config", "/usr/bin/sh interpreter", "/opt/lib.sh script",
		"/usr/bin/install script", "/usr/bin/strace script", "/usr/bin/date executed,script", "/usr/bin/gosu script",
		"/usr/bin/server script", "/usr/bin/helper.sh script", "/usr/bin/env interpreter", "/usr/bin/bash interpreter",
		"/usr/bin/nested script", "/usr/local/bin/uname script",
	})
	diff(t, set.Named(), []string{
		"/usr/bin/gosu", "/usr/bin/helper.sh", "/usr/bin/install", "/usr/bin/nested", "/usr/bin/server", "/usr/bin/strace",
		"/usr/local/bin/uname",
	})
}

func TestShellCommands(t *testing.T) {
	image := Image{
		"/bin/sh": Exe(""), "/bin/tool": Exe(""), "/srv/run": "tool\n", "/srv/bad": Exe("#!/bin/sh\nif\ntool\n"),
		"/bin/python": Exe(""), "/srv/py": Exe("#!/usr/bin/env -S python -u\ntool\n"), "/usr/bin/env": Exe(""),
		"/bin/loop": Exe("#!/bin/sh\nloop\n"), "/bin/loop2": Exe("#!/bin/sh\ntool\n"), "/bin/tini": Exe(""),
	}
	tests := []struct {
		name    string
		command []string
		want    []string
		warning string
	}{
		{"command string", []string{"/bin/sh", "-c", "exec tool --flag"}, []string{"/bin/sh", "/bin/tool"}, ""},
		{"grouped options", []string{"sh", "-ec", "tool"}, []string{"/bin/sh", "/bin/tool"}, ""},
		{"file", []string{"sh", "run"}, []string{"/bin/sh", "/bin/tool", "/srv/run"}, ""},
		{"unparsable", []string{"./bad"}, []string{"/srv/bad", "/bin/sh"}, "unknown"},
		{"wrapped", []string{"tini", "--", "loop2", "x"}, []string{"/bin/tini", "/bin/loop2", "/bin/sh", "/bin/tool"}, ""},
		{"not a shell", []string{"/srv/py"}, []string{"/srv/py", "/usr/bin/env", "/bin/python"}, ""},
		{"calls itself", []string{"loop"}, []string{"/bin/loop", "/bin/sh"}, ""},
		{"not there", []string{"nothing"}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			pack.Image = manifest.Image{Healthcheck: tt.command, WorkingDir: "/srv"}
			set, err := resolve(t, rootfstest.Make(t, image), pack)
			must(t, err)
			diff(t, paths(set), append(tt.want, "/", "/srv"))
			if got := strings.Join(set.Warnings(), "\n"); (tt.warning == "") != (got == "") || !strings.Contains(got, tt.warning) {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}

// TestScriptsOfTheRun: a script that the run started may do something else the
// next time.
func TestScriptsOfTheRun(t *testing.T) {
	image := Image{
		"/bin/sh": Exe(""), "/bin/tool": Exe(""), "/bin/sorted": Exe(""), "/hooks/1.sh": Exe("#!/bin/sh\n[ -z \"$X\" ] || tool\n"), "/hooks/2.sh": Exe("#!/bin/sh\nnever\n"),
		"/bin/never": Exe(""), "/bin/start": Exe("#!/bin/sh\ncp /etc/app/default /data/; exec \"/jobs/$1\"; cat /etc/shadow /etc/key/private/a /huge; ls /lists\n"),
		"/etc/app/default": "", "/etc/app/other": "", "/etc/shadow": "", "/etc/key/private/a": "", "/huge": strings.Repeat("x", 1<<20+1),
		"/jobs/sort": Exe("#!/bin/sh\nsorted\n"), "/jobs/words": "", "/lists/a": "",
	}
	pack := amd64()
	pack.Copied = []manifest.Copy{{Dest: "/jobs"}, {Dest: "/hooks"}}
	set, err := resolve(t, rootfstest.Make(t, image), pack, "executed /hooks/1.sh", "executed /bin/start")
	must(t, err)
	diff(t, kept(set), []string{
		"/ config", "/hooks copied", "/hooks/1.sh executed,copied", "/hooks/2.sh copied", "/bin/sh interpreter", "/bin/tool script", "/bin/start executed",
		"/etc/app/default script", "/jobs script", "/jobs/sort script", "/jobs/words script", "/bin/sorted script", "/lists script",
	})
}

// TestGo: a Go program that was started, with the marks of two of its packages.
func TestGo(t *testing.T) {
	image := Image{
		"/bin/server": Exe("\x7fELF \xff Go buildinf: /etc/mime.types /etc/services"), "/bin/other": Exe("\x7fELF /etc/protocols"),
		"/bin/idle": Exe("\x7fELF \xff Go buildinf: /etc/protocols"), "/bin/text": Exe("\xff Go buildinf: /etc/protocols"),
		"/etc/mime.types": "", "/usr/share/mime/globs2": "", "/etc/services": "", "/etc/protocols": "", "/etc/ssl/certs/ca-certificates.crt": "",
	}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "executed /bin/server", "executed /bin/other", "executed /bin/text", "opened /bin/idle")
	must(t, err)
	diff(t, paths(set), []string{"/", "/bin/server", "/bin/other", "/bin/text", "/bin/idle", "/etc/mime.types", "/usr/share/mime/globs2", "/etc/services"})
}

func TestShebang(t *testing.T) {
	image := Image{
		"/bin/run": Exe("#! /bin/interp -x\n"), "/bin/read": "#!/bin/interp\n", "/bin/interp": Exe("#!/bin/second"),
		"/bin/second": Exe(""), "/bin/blank": Exe("#!\n"), "/bin/absent": Exe("#!/bin/nothing\n"),
	}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "executed /bin/run", "executed /bin/blank", "executed /bin/absent")
	must(t, err)
	diff(t, paths(set), []string{"/", "/bin/run", "/bin/interp", "/bin/second", "/bin/blank", "/bin/absent"})
	set, err = resolve(t, rootfstest.Make(t, image), amd64(), "opened /bin/read")
	must(t, err)
	diff(t, paths(set), []string{"/", "/bin/read"})
}

// A script that is inspected before something turns out to run it.
func TestShebangOfLateInterpreter(t *testing.T) {
	image := Image{"/a/interp": Exe("#!/a/real\n"), "/a/real": Exe(""), "/b/script": Exe("#!/a/interp\n")}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "checked /a/interp", "executed /b/script")
	must(t, err)
	diff(t, paths(set), []string{"/", "/a/interp", "/a/real", "/b/script"})
}

func TestRules(t *testing.T) {
	image := Image{
		"/app/a.txt": "", "/app/b.txt": "", "/app/sub/c.txt": "", "/app/sub/d/e": "", "/app/link": Link("../data/x"), "/data/x": "", "/data/y": "",
		"/lib": Link("usr/lib"), "/usr/lib/p.so": "", "/[x]/f": "", "/\xffdir/\xfe": "", "/bin/tool": Exe("#!/bin/interp"), "/bin/interp": Exe(""),
		"/bin/sh": Link("dash"), "/bin/dash": Exe(""),
	}
	keep := func(globs ...string) manifest.Rule { return manifest.Rule{Kind: manifest.RuleKeep, Args: globs} }
	drop := func(globs ...string) manifest.Rule { return manifest.Rule{Kind: manifest.RuleDrop, Args: globs} }
	tests := []struct {
		name    string
		rules   []manifest.Rule
		touches []string
		want    []string
	}{
		{"file", []manifest.Rule{keep("/app/a.txt")}, nil, []string{"/app/a.txt user"}},
		{"folder with its content", []manifest.Rule{keep("/app/")}, nil, []string{
			"/app user", "/app/a.txt user", "/app/b.txt user", "/app/sub user", "/app/sub/c.txt user", "/app/sub/d user",
			"/app/sub/d/e user", "/app/link link,user", "/data/x user"}},
		{"star", []manifest.Rule{keep("/app/*.txt")}, nil, []string{"/app/a.txt user", "/app/b.txt user"}},
		{"star matches a folder", []manifest.Rule{keep("/app/s*")}, nil, []string{"/app/sub user", "/app/sub/c.txt user", "/app/sub/d user", "/app/sub/d/e user"}},
		{"double star", []manifest.Rule{keep("/app/**/*.txt")}, nil, []string{"/app/a.txt user", "/app/b.txt user", "/app/sub/c.txt user"}},
		{"all of a folder", []manifest.Rule{keep("/data/**")}, nil, []string{"/data user", "/data/x user", "/data/y user"}},
		{"braces", []manifest.Rule{keep("/app/{a.txt,sub/d/*}")}, nil, []string{"/app/a.txt user", "/app/sub/d/e user"}},
		{"through a linked folder", []manifest.Rule{keep("/lib/*.so")}, nil, []string{"/lib link", "/usr/lib/p.so user"}},
		{"escaped", []manifest.Rule{keep(`/\[x]/f`)}, nil, []string{"/[x]/f user"}},
		{"not UTF-8", []manifest.Rule{keep("/\xff*/?")}, nil, []string{"/\xffdir/\xfe user"}},
		{"not UTF-8, exact byte", []manifest.Rule{keep("/\xffdi[r]/\xfe")}, nil, []string{"/\xffdir/\xfe user"}},
		{"program", []manifest.Rule{{Kind: manifest.RuleKeepExe, Args: []string{"tool"}}}, nil, []string{"/bin/tool user", "/bin/interp interpreter"}},
		{"shell", []manifest.Rule{{Kind: manifest.RuleKeepShell}}, nil, []string{"/bin/sh link", "/bin/dash user"}},
		{"drop wins over the trace", []manifest.Rule{drop("/app/**")}, []string{"opened /app/a.txt", "opened /data/x"}, []string{"/data/x opened"}},
		{"drop of a folder", []manifest.Rule{drop("/app/sub")}, []string{"opened /app/a.txt", "opened /app/sub/d/e"}, []string{"/app/a.txt opened"}},
		{"what a dropped file needs goes with it", []manifest.Rule{drop("/bin/tool")}, []string{"executed /bin/tool"}, nil},
		{"keep wins over drop", []manifest.Rule{drop("/app"), keep("/app/sub/c.txt")}, []string{"opened /app/a.txt", "opened /app/sub/d/e"}, []string{"/app/sub/c.txt user"}},
		{"keep-exe does not", []manifest.Rule{drop("/bin/**"), {Kind: manifest.RuleKeepExe, Args: []string{"tool"}}}, nil, nil},
		{"drop without a match", []manifest.Rule{drop("/nothing/**")}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			pack.Rules = tt.rules
			set, err := resolve(t, rootfstest.Make(t, image), pack, tt.touches...)
			must(t, err)
			diff(t, kept(set), append(tt.want, "/ config"))
		})
	}
}

func TestRuleFailures(t *testing.T) {
	image := Image{
		"/app/a": "", "/var/lib/dpkg/status": "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\n",
		"/etc/out": Link("../../../../etc/passwd"),
	}
	tests := []struct {
		name   string
		rule   manifest.Rule
		want   string
		remedy string
	}{
		{"no match", manifest.Rule{Kind: manifest.RuleKeep, Args: []string{"/app/a", "/app/*.so"}}, `keep "/app/*.so" matches nothing`, "correct"},
		{"no such file", manifest.Rule{Kind: manifest.RuleKeep, Args: []string{"/nope"}}, `keep "/nope" matches nothing`, ""},
		{"out of the root", manifest.Rule{Kind: manifest.RuleKeep, Args: []string{"/etc/out"}}, "matches nothing", ""},
		{"relative", manifest.Rule{Kind: manifest.RuleKeep, Args: []string{"app/a"}}, "not an absolute path", "from / on"},
		{"bad pattern", manifest.Rule{Kind: manifest.RuleDrop, Args: []string{"/app/[a"}}, "not a valid pattern", "["},
		{"no such program", manifest.Rule{Kind: manifest.RuleKeepExe, Args: []string{"tool"}}, `no program "tool"`, "install"},
		{"no shell", manifest.Rule{Kind: manifest.RuleKeepShell}, `"/bin/sh"`, ""},
		{"misspelt package", manifest.Rule{Kind: manifest.RuleKeepPackage, Args: []string{"libsl3"}}, `"libsl3"`, `"libssl3"`},
		{"unlike any package", manifest.Rule{Kind: manifest.RuleKeepPackage, Args: []string{"zzzzzz"}}, `"zzzzzz"`, "correct the name"},
		{"package without a list", manifest.Rule{Kind: manifest.RuleKeepPackage, Args: []string{"libssl3"}}, "does not tell", "by path"},
		{"unknown kind", manifest.Rule{Kind: "hold"}, `"hold"`, "one version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			tt.rule.Source = &manifest.Location{Line: 7}
			pack.Rules = []manifest.Rule{tt.rule}
			_, err := resolve(t, rootfstest.Make(t, image), pack)
			var f *manifest.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a failure", err)
			}
			if f.Phase != "keepset" || f.Source == nil || f.Source.Line != 7 || !strings.Contains(f.Message, tt.want) || !strings.Contains(f.Remedy, tt.remedy) {
				t.Errorf("got %+v, want %q, remedy %q", f, tt.want, tt.remedy)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	tests := []struct {
		name    string
		command []string
		probes  int
		sum     manifest.Summary
		want    string
	}{
		{"good", []string{"/app"}, 1, manifest.Summary{KeptBytes: 1, TotalBytes: 1000}, ""},
		{"larger", []string{"/app"}, 1, manifest.Summary{KeptBytes: 11, TotalBytes: 10}, "larger"},
		{"bare shell", []string{"/bin/bash"}, 0, manifest.Summary{KeptBytes: 9, TotalBytes: 10}, "bare shell"},
		{"login shell", []string{"sh", "-l"}, 0, manifest.Summary{KeptBytes: 9, TotalBytes: 10}, "bare shell"},
		{"bare shell with a probe", []string{"sh"}, 1, manifest.Summary{KeptBytes: 9, TotalBytes: 10}, ""},
		{"shell with a script", []string{"sh", "-c", "x"}, 0, manifest.Summary{KeptBytes: 9, TotalBytes: 10}, ""},
		{"nearly all removed", []string{"/app"}, 0, manifest.Summary{KeptBytes: 49, TotalBytes: 1000}, "95.1 %"},
		{"just enough", []string{"/app"}, 0, manifest.Summary{KeptBytes: 50, TotalBytes: 1000}, ""},
		{"empty image", nil, 0, manifest.Summary{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			pack.Image.Cmd = tt.command
			set, err := keepset.Resolve(context.Background(), rootfstest.Make(t, Image{}), traceOf(t, tt.probes), nil, pack)
			must(t, err)
			err = set.Refuse(tt.sum)
			var f *manifest.Failure
			switch {
			case tt.want == "" && err != nil, tt.want != "" && !errors.As(err, &f):
				t.Fatalf("got %v, want %q", err, tt.want)
			case f != nil && (!strings.Contains(f.Message, tt.want) || f.Remedy == ""):
				t.Errorf("got %+v, want %q", f, tt.want)
			}
		})
	}
}

func TestListed(t *testing.T) {
	root := rootfstest.Make(t, Image{"/all/a": "", "/some/a": "", "/some/b": "", "/empty": Dir{}})
	set, err := resolve(t, root, amd64(), "listed /all", "listed /some", "listed /empty", "opened /all/a", "opened /some/a")
	must(t, err)
	if want := []manifest.Total{{Name: "/some", Files: 1}}; set.Listed() != 1 || !slices.Equal(set.Worst(), want) {
		t.Errorf("%d listed folders have lost entries: %v, want %v", set.Listed(), set.Worst(), want)
	}
}
