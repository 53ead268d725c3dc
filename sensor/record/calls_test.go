package record

import (
	"go/build"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNumberings: every number has a description, every description a number in
// some ABI of some machine, and argument positions are within the six.
func TestNumberings(t *testing.T) {
	descr, used := calls(), map[string]bool{}
	for _, n := range slices.Concat(x86(), aarch64()) {
		seen := map[uint32]string{}
		for name, nr := range n.numbers {
			c, ok := descr[name]
			if !ok {
				t.Errorf("%s has no description", name)
			}
			if other := seen[nr]; other != "" {
				t.Errorf("%s and %s have the same number", name, other)
			}
			seen[nr], used[name] = name, true
			for _, pos := range []int8{c.a.dir, c.a.path, c.b.dir, c.b.path, c.flags} {
				if pos < none || pos > 5 {
					t.Errorf("%s: argument %d", name, pos)
				}
			}
		}
	}
	if len(used) < 50 {
		t.Errorf("%d calls", len(used))
	}
}

// unrecorded are calls that do take a path and are not recorded, and why.
var unrecorded = map[string]string{
	"bpf":               "pins objects on bpf's own file system",
	"fsconfig":          "configures a mount that only privileges allow",
	"open_by_handle_at": "has no path but a handle, and needs CAP_DAC_READ_SEARCH; fanotify sees it",
}

// numberSource is where the numbers of an ABI are listed, and what is called
// differently there.
type numberSource struct {
	file    string
	line    *regexp.Regexp
	n       numbering
	aliases map[string]string
}

func numberSources(t *testing.T) []numberSource {
	t.Helper()
	module, err := build.Import("golang.org/x/sys/unix", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	goLine := regexp.MustCompile(`(?m)^\tSYS_(\w+)\s+= (\d+)`)
	cLine := regexp.MustCompile(`(?m)^#define __NR(?:3264)?_(\w+)\s+(\d+)`)
	i386 := map[string]string{"fanotify_mark": "fanotify_mark32", "mmap": "old_mmap"}                                      // which takes a struct
	arm := map[string]string{"fstatat": "newfstatat", "arch_specific_syscall": "", "syscalls": "", "utimensat_time64": ""} // of 32 bit machines
	list := []numberSource{
		{filepath.Join(module.Dir, "zsysnum_linux_amd64.go"), goLine, x86()[0], nil},
		{filepath.Join(module.Dir, "zsysnum_linux_386.go"), goLine, x86()[1], i386},
		{filepath.Join(module.Dir, "zsysnum_linux_arm64.go"), goLine, aarch64()[0], arm},
	}
	const headers = "/usr/include/"
	for _, s := range []numberSource{
		{headers + "x86_64-linux-gnu/asm/unistd_64.h", cLine, x86()[0], nil},
		{headers + "x86_64-linux-gnu/asm/unistd_32.h", cLine, x86()[1], i386},
		{headers + "asm-generic/unistd.h", cLine, aarch64()[0], arm}, // arm64's, and of older machines
	} {
		if _, err := os.Stat(s.file); err == nil {
			list = append(list, s)
		} else {
			t.Logf("%v: only golang.org/x/sys is looked at", err)
		}
	}
	return list
}

// TestEveryCall: each call that the kernel's headers list is described with the
// right number, or known to take no path. It fails when a newer header has a
// call that nobody looked at.
func TestEveryCall(t *testing.T) {
	text, err := os.ReadFile("testdata/pathless")
	if err != nil {
		t.Fatal(err)
	}
	pathless := map[string]bool{}
	for name := range strings.FieldsSeq(string(text)) {
		pathless[name] = true
	}
	for name := range calls() {
		if pathless[name] {
			t.Errorf("%s is described and listed as pathless", name)
		}
	}
	for _, s := range numberSources(t) {
		text, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		missing := maps.Clone(s.n.numbers)
		found := s.line.FindAllStringSubmatch(string(text), -1)
		if len(found) < 300 {
			t.Errorf("%s: %d calls", s.file, len(found))
		}
		for _, m := range found {
			name := strings.ToLower(m[1])
			if alias, ok := s.aliases[name]; ok {
				name = alias
			}
			nr, err := strconv.ParseUint(m[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			switch ours, ok := s.n.numbers[name]; {
			case ok && uint64(ours) != nr:
				t.Errorf("%s: %s is %d, not %d", s.file, name, nr, ours)
			case !ok && name != "" && !pathless[name] && unrecorded[name] == "":
				t.Errorf("%s: %s (%d) is neither described nor known to take no path", s.file, name, nr)
			}
			delete(missing, name)
		}
		if strings.HasSuffix(s.file, ".go") && len(missing) > 0 { // headers may be older
			t.Errorf("%s does not have %v", s.file, missing)
		}
	}
}

func TestPrepareFits(t *testing.T) {
	for _, opt := range []Options{{}, {Privileged: true}, {Calls: true}, {Privileged: true, Calls: true}} {
		prog, tables, err := prepare(opt)
		if err != nil || len(prog) == 0 || len(tables) != len(numberings()) {
			t.Errorf("%d instructions, %d tables, %v", len(prog), len(tables), err)
		}
		t.Logf("%+v: %d instructions", opt, len(prog))
	}
}

func TestOpenWants(t *testing.T) {
	tests := []struct {
		name  string
		flags uint64
		ops   string
		look  look
	}{
		{"read", unix.O_RDONLY, "opened", 0},
		{"write", unix.O_WRONLY, "written", 0},
		{"both", unix.O_RDWR, "opened,written", 0},
		{"truncate", unix.O_RDONLY | unix.O_TRUNC, "opened,written", 0},
		{"create", unix.O_WRONLY | unix.O_CREAT, "written", creates},
		{"create new", unix.O_RDWR | unix.O_CREAT | unix.O_EXCL, "opened,written", creates | exclusive | noFollow},
		{"no access", unix.O_PATH, "checked", 0},
		{"link itself", unix.O_PATH | unix.O_NOFOLLOW, "checked", noFollow},
		{"no link", unix.O_RDONLY | unix.O_NOFOLLOW, "opened", noFollow | refusesLink},
		{"directory", unix.O_RDONLY | unix.O_DIRECTORY, "opened", onlyDir},
		{"no access, whatever else", unix.O_PATH | unix.O_CREAT | unix.O_EXCL | unix.O_TRUNC, "checked", 0},
		{"unnamed", unix.O_RDWR | unix.O_TMPFILE, "checked", onlyDir},
	}
	for _, tt := range tests {
		if ops, look := openWants(tt.flags); ops.String() != tt.ops || look != tt.look {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, ops, look, tt.ops, tt.look)
		}
	}
}
