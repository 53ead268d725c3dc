package record

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// behaviour is one of testdata/behaviour.c.
type behaviour struct {
	args  []string
	files []string // made before, readable by all but "private"
	user  uint32
	// mode is that of the program, 0755 when 0.
	mode  os.FileMode
	modes []mode // all when nil
	want  map[string]manifest.Ops
	exit  int // -1: by a signal
}

// opens is the record of a program that opens files, and nothing else.
func opens(names ...string) map[string]manifest.Ops {
	m := map[string]manifest.Ops{}
	for _, name := range names {
		m[name] = opened
	}
	return m
}

func behaviours() []behaviour {
	family := []string{"file", "sub/child", "grandchild", "executed"}
	related := func(names ...string) map[string]manifest.Ops {
		m := opens(append(names, family...)...)
		m["sub"] = entered
		return m
	}
	refusedFirst := func() map[string]manifest.Ops {
		m := related("private")
		m["private"] |= forbade
		return m
	}
	withPrivate := append([]string{"private"}, family...)
	threads := []string{"busy"}
	for _, n := range []string{"0", "1", "2", "3"} {
		threads = append(threads, "before"+n, "after"+n)
	}
	unprivileged := []mode{sandbox}
	return []behaviour{
		{args: []string{"euid"}, files: withPrivate, want: refusedFirst()},
		{args: []string{"egid"}, files: withPrivate, want: related("private")},
		{args: []string{"ruid"}, files: withPrivate, want: related("private")},
		{args: []string{"fsuid"}, files: withPrivate, want: refusedFirst()},
		{args: []string{"euid-signals"}, files: []string{"file", "many"}, want: opens("file", "many")},
		{args: []string{"keepcaps"}, files: append(family, "less"), want: related("less")},
		{args: []string{"capset"}, files: family, want: related()},
		{args: []string{"dumpable"}, files: []string{"file", "executed", "after"}, want: opens("file", "executed", "after")},
		{args: []string{"threads"}, files: threads, want: opens(threads...)},
		{args: []string{"clones"}, files: []string{"plain", "shared", "vforked"}, want: opens("plain", "shared", "vforked")},
		{args: []string{"deeper", "file"}, mode: 0o711, user: nobody, files: []string{"file", "forked"}, want: opens("file", "forked")},
		{args: []string{"deeper", "file"}, mode: 0o111, user: nobody, files: []string{"file", "forked"}, want: opens("file", "forked")},
		{args: []string{"execs", "$PROGRAM", "file"}, mode: 0o711, user: nobody, files: []string{"file", "forked"}, want: opens("file", "forked")},
		{args: []string{"dumpable", "0"}, mode: 0o711, user: nobody, modes: unprivileged, files: []string{"executed"}, want: opens("executed")},
		{args: []string{"identity", "65534"}, mode: 0o755 | os.ModeSetuid, user: nobody, modes: unprivileged, files: []string{"file"}, want: opens("file")},
		{args: []string{"identity", "0"}, mode: 0o755 | os.ModeSetuid, user: nobody, modes: []mode{direct, insecure}, files: []string{"file"}, want: opens("file")},
		{args: []string{"identity", "0"}, mode: 0o711 | os.ModeSetuid, user: nobody, modes: []mode{direct, insecure}, files: []string{"file"}, want: opens("file")},
		{args: []string{"closes"}, files: []string{"file"}, want: opens("file")},
		{args: []string{"kills"}, files: []string{"file"}, want: opens("file"), exit: -1},
		{args: []string{"daemonises"}, files: []string{"file"}, want: opens("file")},
		{args: []string{"own-filter"}, files: family, want: related()},
		{args: []string{"own-listener"}, files: []string{"file"}, want: opens("file")},
		{args: []string{"traces"}, files: []string{"file"}, want: opens("file")},
		{args: []string{"traces-setuid"}, files: []string{"file"}, modes: []mode{direct, insecure}, want: opens("file")},
	}
}

// compiled compiles testdata/behaviour.c, once for each set of options.
func compiled(t *testing.T, options ...string) string {
	t.Helper()
	gcc := need(t, "gcc")
	program := filepath.Join(workplace(t, nil), "behaviour")
	args := append([]string{"-O1", "-Wall", "-Werror", "-pthread", "-o", program, "testdata/behaviour.c"}, options...)
	if text, err := exec.CommandContext(t.Context(), gcc, args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, text)
	}
	return program
}

// TestBehaviours: whatever a program does with its ids, its children, its
// descriptors or seccomp, it runs as without a recorder and nothing is lost.
func TestBehaviours(t *testing.T) {
	for _, linked := range []string{"dynamic", "static"} {
		options := map[string][]string{"static": {"-static"}}[linked]
		program := sync.OnceValue(func() string { return compiled(t, options...) })
		for _, b := range behaviours() {
			for _, m := range modes {
				if b.modes != nil && !slices.Contains(b.modes, m) || linked == "static" && m != sandbox {
					continue
				}
				t.Run(strings.Join(append(b.args, b.mode.String(), linked, string(m)), "/"), func(t *testing.T) {
					b.check(t, m, program())
				})
			}
		}
	}
}

func (b behaviour) check(t *testing.T, m mode, program string) {
	t.Helper()
	dir := workplace(t, b.files)
	if slices.Contains(b.files, "private") {
		if err := os.Chmod(filepath.Join(dir, "private"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b.mode != 0 {
		if err := os.Chmod(program, b.mode); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Chmod(program, 0o755) }()
	}
	spec := launch.Spec{Path: program, Args: []string{"behaviour"}, Dir: dir, UID: b.user, GID: b.user}
	for _, a := range b.args {
		spec.Args = append(spec.Args, strings.ReplaceAll(a, "$PROGRAM", program))
	}
	out := run(t, job{Mode: m, Spec: spec})
	sc := scenario{want: b.want, exit: b.exit}
	if b.exit < 0 && out.Signal != 0 {
		sc.exit, out.Exit, out.Signal = 0, 0, 0
	}
	checkScenario(t, sc, dir, out)
}

// TestNarrow: a 32 bit program that changes its user, in part and for good, stays
// readable however it makes its calls.
func TestNarrow(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the second ABI is that of i386")
	}
	gcc := need(t, "gcc")
	program := filepath.Join(workplace(t, nil), "narrow")
	args := []string{"-m32", "-nostdlib", "-static", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-O1", "-Wall", "-Werror", "-o", program, "testdata/i386.c"}
	if text, err := exec.CommandContext(t.Context(), gcc, args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, text)
	}
	if err := exec.CommandContext(t.Context(), program).Run(); errors.Is(err, unix.ENOEXEC) {
		skip(t, "a kernel with 32 bit emulation")
	}
	files := []string{"private", "partly", "partly-child", "dropped", "dropped-child"}
	want := opens(files...)
	want["private"] |= forbade
	for _, name := range []string{"one", "two", "three"} {
		want["sub/"+name] = absent
	}
	for _, entry := range []string{"int", "vdso"} {
		for _, m := range modes {
			t.Run(entry+"/"+string(m), func(t *testing.T) {
				dir := workplace(t, append(files, "sub/"))
				if err := os.Chmod(filepath.Join(dir, "private"), 0o600); err != nil {
					t.Fatal(err)
				}
				out := run(t, job{Mode: m, Spec: launch.Spec{Path: program, Args: []string{"narrow", entry}, Dir: dir}})
				out.Witness = nil // the libraries of this test, which is the stub as well
				checkScenario(t, scenario{want: want}, dir, out)
			})
		}
	}
}
