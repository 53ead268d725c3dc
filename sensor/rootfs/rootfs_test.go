package rootfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// tree makes a root: "name/" is a directory, "name -> target" a link, "name |"
// a FIFO, anything else a file that holds its own name.
func tree(t *testing.T, entries ...string) *rootfs.Root {
	t.Helper()
	dir := t.TempDir()
	for _, e := range entries {
		name, target, link := strings.Cut(e, " -> ")
		name, fifo := strings.CutSuffix(name, " |")
		path := dir + "/" + name
		must(t, os.MkdirAll(filepath.Dir(strings.TrimSuffix(path, "/")), 0o755))
		switch {
		case link:
			must(t, os.Symlink(target, path))
		case fifo:
			must(t, unix.Mkfifo(path, 0o644))
		case strings.HasSuffix(path, "/"):
			must(t, os.MkdirAll(path, 0o755))
		default:
			must(t, os.WriteFile(path, []byte(name), 0o644))
		}
	}
	root, err := rootfs.Open(dir)
	must(t, err)
	t.Cleanup(root.Close)
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestResolve(t *testing.T) {
	root := tree(t,
		"usr/lib/x.so", "lib -> usr/lib", "usr/lib64 -> ../lib", "abs -> /usr/lib/x.so",
		"out -> ../../../../../../usr/lib", "etc -> ../../../../etc", "loop -> loop2", "loop2 -> loop",
		"dangling -> usr/nothing", "usr/lib/up -> ..", "a\nb \xff[/f", "empty/",
		"dirlink -> usr/lib/", "filelink -> usr/lib/x.so/")
	tests := []struct {
		name, path string
		nofollow   bool
		want       string
		links      []string
		absent     string
		err        error
	}{
		{name: "physical", path: "/usr/lib/x.so", want: "/usr/lib/x.so"},
		{name: "the root", path: "/", want: "/"},
		{name: "linked directory", path: "/lib/x.so", want: "/usr/lib/x.so", links: []string{"/lib"}},
		{name: "two links", path: "/usr/lib64/x.so", want: "/usr/lib/x.so", links: []string{"/usr/lib64", "/lib"}},
		{name: "absolute link", path: "/abs", want: "/usr/lib/x.so", links: []string{"/abs"}},
		{name: "last link kept", path: "/abs", nofollow: true, want: "/abs"},
		{name: "last link kept, slash follows it", path: "/lib/", nofollow: true, want: "/usr/lib", links: []string{"/lib"}},
		{name: "link out of the root stays inside", path: "/out/x.so", want: "/usr/lib/x.so", links: []string{"/out"}},
		{name: "hostile etc has no passwd", path: "/etc/passwd", links: slices.Repeat([]string{"/etc"}, 41)[:40], err: unix.ELOOP},
		{name: "loop", path: "/loop", links: nil, err: unix.ELOOP},
		{name: "dangling", path: "/dangling", links: []string{"/dangling"}, absent: "/usr/nothing"},
		{name: "dangling itself", path: "/dangling", nofollow: true, want: "/dangling"},
		{name: "dotdot above the root", path: "/../../usr/../usr/lib/./x.so", want: "/usr/lib/x.so"},
		{name: "dotdot after a link is physical", path: "/lib/../lib/x.so", want: "/usr/lib/x.so", links: []string{"/lib"}},
		{name: "up link", path: "/lib/up/lib/x.so", want: "/usr/lib/x.so", links: []string{"/lib", "/usr/lib/up"}},
		{name: "file as directory", path: "/usr/lib/x.so/y", absent: "/usr/lib/x.so"},
		{name: "file with a slash", path: "/usr/lib/x.so/", absent: "/usr/lib/x.so"},
		{name: "link to file with a slash", path: "/abs/", links: []string{"/abs"}, absent: "/usr/lib/x.so"},
		{name: "link whose target has a slash", path: "/dirlink/x.so", want: "/usr/lib/x.so", links: []string{"/dirlink"}},
		{name: "link that calls a file a directory", path: "/filelink", links: []string{"/filelink"}, absent: "/usr/lib/x.so"},
		{name: "first absent component", path: "/usr/no/where", absent: "/usr/no"},
		{name: "bytes", path: "/a\nb \xff[/f", want: "/a\nb \xff[/f"},
		{name: "long name", path: "/" + strings.Repeat("x", 5000), absent: "/" + strings.Repeat("x", 5000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resolve := root.Resolve
			if tt.nofollow {
				resolve = root.ResolveLink
			}
			var links []string
			got, _, err := resolve(tt.path, func(link string) { links = append(links, link) })
			var absent *rootfs.AbsentError
			switch {
			case tt.err != nil:
				if !errors.Is(err, tt.err) || len(links) != rootfs.MaxLinks {
					t.Fatalf("error %v after %d links, want %v after %d", err, len(links), tt.err, rootfs.MaxLinks)
				}
				return
			case tt.absent != "":
				if !errors.As(err, &absent) || absent.Path != tt.absent || !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("error %v, want %q absent", err, tt.absent)
				}
			case err != nil || got != tt.want:
				t.Fatalf("got %q, %v, want %q", got, err, tt.want)
			}
			if !slices.Equal(links, tt.links) {
				t.Errorf("links %q, want %q", links, tt.links)
			}
		})
	}
}

func TestMethodsRefuseLinksOnTheWay(t *testing.T) {
	root := tree(t, "usr/lib/x.so", "lib -> usr/lib", "out -> /etc", "x -> usr/lib/x.so")
	calls := map[string]func(string) error{
		"Lstat":        func(p string) error { _, err := root.Lstat(p); return err },
		"Readlink":     func(p string) error { _, err := root.Readlink(p); return err },
		"OpenFile":     func(p string) error { _, err := root.OpenFile(p); return err },
		"ReadFile":     func(p string) error { _, err := root.ReadFile(p, 100); return err },
		"OpenDir":      func(p string) error { _, err := root.OpenDir(p); return err },
		"OpenPath":     func(p string) error { _, err := root.OpenPath(p); return err },
		"ReadDirNames": func(p string) error { _, err := root.ReadDirNames(p); return err },
	}
	for name, call := range calls {
		for _, path := range []string{"/lib/x.so", "/out/passwd", "/x/..", "usr/lib", "/nul\x00"} {
			if err := call(path); err == nil {
				t.Errorf("%s(%q) succeeded", name, path)
			}
		}
	}
}

func TestOpenFile(t *testing.T) {
	root := tree(t, "file", "fifo |", "dir/", "link -> file")
	if data, err := root.ReadFile("/file", 4); err != nil || string(data) != "file" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := root.ReadFile("/file", 3); !errors.Is(err, rootfs.ErrTooLarge) {
		t.Errorf("got %v, want too large", err)
	}
	for _, path := range []string{"/fifo", "/dir", "/link"} {
		if _, err := root.OpenFile(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("OpenFile(%q): got %v", path, err)
		}
	}
	if _, err := root.OpenFile("/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want not exist", err)
	}
}

func TestInfo(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/f", []byte("12345"), 0o644))
	must(t, os.Chmod(dir+"/f", 0o750|os.ModeSetuid))
	must(t, os.Link(dir+"/f", dir+"/g"))
	times := []unix.Timespec{{Sec: 1, Nsec: 2}, {Sec: 3, Nsec: 4}}
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, dir+"/f", times, 0))
	root, err := rootfs.Open(dir)
	must(t, err)
	defer root.Close()
	info, err := root.Lstat("/f")
	must(t, err)
	if info.Perm() != 0o4750 || info.Size != 5 || info.Nlink != 2 || info.Mtime != times[1] || info.Type() != "file" {
		t.Errorf("got %+v", info)
	}
	if other, _ := root.Lstat("/g"); other.Ino != info.Ino || other.Dev != info.Dev {
		t.Errorf("hard links differ: %+v, %+v", info, other)
	}
}

func TestWalk(t *testing.T) {
	root := tree(t, "a/b/c", "a.b", "a/\xff", "a/B", "etc -> ../../../etc", "skip/x", "fifo |")
	var got []string
	err := root.Walk("/", func(path string, info rootfs.Info) error {
		got = append(got, path+" "+info.Type())
		if path == "/skip" {
			return fs.SkipDir
		}
		return nil
	})
	want := []string{"/ dir", "/a dir", "/a/B file", "/a/b dir", "/a/b/c file", "/a/\xff file",
		"/a.b file", "/etc link", "/fifo fifo", "/skip dir"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	stop := errors.New("stop")
	if err := root.Walk("/a", func(string, rootfs.Info) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the function's error", err)
	}
}

func TestWalkHoldsNoDescriptorPerLevel(t *testing.T) {
	root := tree(t, strings.Repeat("d/", 500)+"f")
	var peak int
	err := root.Walk("/", func(string, rootfs.Info) error {
		open, err := os.ReadDir("/proc/self/fd")
		peak = max(peak, len(open))
		return err
	})
	if err != nil || peak > 50 {
		t.Errorf("%d descriptors open at once, %v", peak, err)
	}
}

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"/", "/etc/passwd", "/l/../..", "//a/./b/", "/loop/x", "relative", ""} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, path, target string) {
		dir := t.TempDir()
		must(t, os.Mkdir(dir+"/root", 0o755))
		must(t, os.WriteFile(dir+"/secret", nil, 0o600))
		if os.Symlink(target, dir+"/root/l") != nil {
			return // not a link target
		}
		root, err := rootfs.Open(dir + "/root")
		must(t, err)
		defer root.Close()
		for _, p := range []string{path, "/l", "/l/" + path, "/l/../secret"} {
			got, _, err := root.Resolve(p, func(string) {})
			if err == nil && got != "/" {
				t.Errorf("%q with link to %q: resolved to %q in an empty root", p, target, got)
			}
		}
	})
}
