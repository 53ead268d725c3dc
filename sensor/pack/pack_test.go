package pack_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/pack"
	"github.com/org/slimfile/sensor/rootfs"
)

// entry makes one entry of a source tree. Directories on the way are made with
// mode 0755. Its type is told by the fields.
type entry struct {
	path   string
	mode   uint32 // with the type; 0 is a regular file of mode 0644
	data   string
	target string // of a link
	same   string // path of another name of the same inode
	rdev   uint64
	uid    int
	gid    int
	mtime  time.Time
	xattrs map[string]string
}

const (
	isDir  = unix.S_IFDIR
	isFile = unix.S_IFREG
	isLink = unix.S_IFLNK
	isFifo = unix.S_IFIFO
	isChar = unix.S_IFCHR
	isBlk  = unix.S_IFBLK
	isSock = unix.S_IFSOCK
)

// someTime has nanoseconds; entries without a time of their own get it.
var someTime = time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.UTC)

// build makes a tree. Attributes are set last, deepest first, so that times
// and modes of directories stay.
func build(t testing.TB, entries ...entry) string {
	t.Helper()
	dir := t.TempDir()
	for _, e := range entries {
		e.make(t, dir)
	}
	for _, e := range slices.Backward(entries) {
		e.attributes(t, dir)
	}
	return dir
}

func (e entry) make(t testing.TB, dir string) {
	t.Helper()
	path := dir + e.path
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	switch {
	case e.same != "":
		must(t, os.Link(dir+e.same, path))
	case e.mode&unix.S_IFMT == isDir:
		must(t, os.MkdirAll(path, 0o755))
	case e.mode&unix.S_IFMT == isLink:
		must(t, os.Symlink(e.target, path))
	case e.mode&unix.S_IFMT == 0:
		must(t, os.WriteFile(path, []byte(e.data), 0o644))
	default:
		must(t, unix.Mknod(path, e.mode, int(e.rdev)))
	}
}

func (e entry) attributes(t testing.TB, dir string) {
	t.Helper()
	if e.same != "" {
		return
	}
	path := dir + e.path
	must(t, os.Lchown(path, e.uid, e.gid))
	for name, value := range e.xattrs {
		must(t, unix.Lsetxattr(path, name, []byte(value), 0))
	}
	if perm := e.mode & 0o7777; perm != 0 && e.mode&unix.S_IFMT != isLink {
		must(t, unix.Chmod(path, perm))
	}
	mtime := e.mtime
	if mtime.IsZero() {
		mtime = someTime
	}
	ts := unix.NsecToTimespec(mtime.UnixNano())
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
}

// below lists all that is in a snapshot but its root, as keepset would.
func below(all map[string]string) []string {
	paths := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	})
	return paths[1:]
}

// copyTo packs paths of the root at src into dst.
func copyTo(t testing.TB, src, dst string, opt pack.Options, files []keepset.File, paths ...string) (pack.Stats, error) {
	t.Helper()
	root, err := rootfs.Open(src)
	must(t, err)
	defer root.Close()
	return pack.Copy(t.Context(), root, dst, entries(paths), files, opt)
}

func entries(paths []string) iter.Seq[keepset.Entry] {
	return func(yield func(keepset.Entry) bool) {
		for _, path := range paths {
			if !yield(keepset.Entry{Path: path, Reasons: keepset.Opened}) {
				return
			}
		}
	}
}

func requireRoot(t testing.TB) {
	t.Helper()
	need(t, os.Geteuid() == 0, "root")
}

// capNetBind is security.capability with CAP_NET_BIND_SERVICE, permitted and
// effective (struct vfs_cap_data, revision 2).
var capNetBind = string(binary.LittleEndian.AppendUint32(
	binary.LittleEndian.AppendUint32(nil, 0x02000001), 1<<10)) + strings.Repeat("\x00", 12)

// acl is a POSIX ACL in the kernel's form (linux/posix_acl_xattr.h): a version
// and tag, permission, id of each entry.
func acl(perm ...uint16) string {
	data := binary.LittleEndian.AppendUint32(nil, 2)
	for i, tag := range []uint16{1, 2, 4, 0x10, 0x20} { // owner, user 1000, group, mask, other
		data = binary.LittleEndian.AppendUint16(data, tag)
		data = binary.LittleEndian.AppendUint16(data, perm[i])
		id := ^uint32(0)
		if tag == 2 {
			id = 1000
		}
		data = binary.LittleEndian.AppendUint32(data, id)
	}
	return string(data)
}

func TestCopyIsExact(t *testing.T) {
	requireRoot(t)
	tests := []struct {
		name string
		tree []entry
		keep []string          // nil: everything
		has  map[string]string // part of what must stand at a path of the copy
		not  []string          // paths that must not be in the copy
	}{
		{name: "setuid and setgid files keep their bits", tree: []entry{
			{path: "/bin/su", mode: 0o4755}, {path: "/bin/wall", mode: 0o2755, gid: 5}, {path: "/bin/both", mode: 0o6711, uid: 7, gid: 8},
		}, has: map[string]string{"/bin/su": "mode=104755", "/bin/wall": "mode=102755", "/bin/both": "mode=106711 owner=7:8"}},
		{name: "file capabilities", tree: []entry{
			{path: "/bin/ping", mode: 0o755, uid: 3, xattrs: map[string]string{"security.capability": capNetBind}},
		}, has: map[string]string{"/bin/ping": "security.capability=01000002"}},
		{name: "user attributes", tree: []entry{
			{path: "/f", data: "x", xattrs: map[string]string{"user.one": "1", "user.empty": "", "user.long": strings.Repeat("v", 3000)}},
			{path: "/d", mode: isDir | 0o700, xattrs: map[string]string{"user.dir": "\x00\xff"}},
		}, has: map[string]string{"/f": "user.one=31", "/d": "user.dir=00ff"}},
		{name: "attributes of links, FIFOs and devices", tree: []entry{
			{path: "/l", mode: isLink, target: "f", xattrs: map[string]string{"trusted.l": "1"}},
			{path: "/p", mode: isFifo | 0o600, xattrs: map[string]string{"trusted.p": "2"}},
			{path: "/n", mode: isChar | 0o600, rdev: unix.Mkdev(1, 3), xattrs: map[string]string{"trusted.n": "3"}},
		}, has: map[string]string{"/l": "trusted.l=31", "/p": "trusted.p=32", "/n": "trusted.n=33"}},
		{name: "ACLs", tree: []entry{
			{path: "/f", xattrs: map[string]string{"system.posix_acl_access": acl(6, 4, 0, 4, 0)}},
			{path: "/d", mode: isDir, xattrs: map[string]string{"system.posix_acl_access": acl(7, 5, 5, 5, 5), "system.posix_acl_default": acl(7, 7, 5, 7, 0)}},
			{path: "/d/inherits nothing", mode: 0o600},
		}, has: map[string]string{"/f": "mode=100640 owner=0:0", "/d": "system.posix_acl_default", "/d/inherits nothing": "mode=100600"}},
		{name: "directories keep mode, owner and time", tree: []entry{
			{path: "/a", mode: isDir | 0o755, mtime: time.Unix(1, 1)},
			{path: "/a/b", mode: isDir | 0o555, uid: 9, mtime: time.Unix(2, 999999999)},
			{path: "/a/b/tmp", mode: isDir | 0o1777}, {path: "/a/b/mail", mode: isDir | 0o2775, gid: 8},
			{path: "/a/b/none", mode: isDir | 0o1000}, {path: "/a/b/none/f"}, {path: "/a/b/mail/f"}, {path: "/a/b/f"},
		}, has: map[string]string{"/a": "mode=40755", "/a/b": "mtime=2.999999999", "/a/b/tmp": "mode=41777", "/a/b/mail": "mode=42775"}},
		{name: "directories on the way are exact, too", tree: []entry{
			{path: "/a", mode: isDir | 0o711, uid: 4, mtime: time.Unix(5, 5), xattrs: map[string]string{"user.a": "a"}},
			{path: "/a/b", mode: isDir | 0o700, mtime: time.Unix(6, 6)}, {path: "/a/b/f"}, {path: "/a/b/g"},
		}, keep: []string{"/a/b/f"}, has: map[string]string{"/a": "mode=40711 owner=4:0 mtime=5.000000005"}, not: []string{"/a/b/g"}},
		{name: "unreadable files", tree: []entry{
			{path: "/etc/shadow", mode: 0o1000, data: "secret", uid: 1, gid: 42},
		}, has: map[string]string{"/etc/shadow": "size=6"}},
		{name: "one of three hard links stays one file", tree: []entry{
			{path: "/a", data: "x"}, {path: "/b", same: "/a"}, {path: "/c", same: "/a"},
		}, keep: []string{"/a"}, not: []string{"/b", "/c"}},
		{name: "two of three hard links stay linked", tree: []entry{
			{path: "/d/a", data: "x", mode: 0o4755, uid: 5, xattrs: map[string]string{"user.x": "y"}}, {path: "/b", same: "/d/a"}, {path: "/e/c", same: "/d/a"},
		}, keep: []string{"/d/a", "/e/c"}, has: map[string]string{"/e/c": `same="/d/a"`}, not: []string{"/b"}},
		{name: "hard links of links and devices", tree: []entry{
			{path: "/a/l", mode: isLink, target: "nowhere"}, {path: "/b/l", same: "/a/l"},
			{path: "/a/n", mode: isChar | 0o666, rdev: unix.Mkdev(1, 5)}, {path: "/b/n", same: "/a/n"},
		}, has: map[string]string{"/b/l": `same="/a/l"`, "/b/n": `same="/a/n"`}},
		{name: "links as they are written", tree: []entry{
			{path: "/abs", mode: isLink, target: "/etc/passwd", uid: 12}, {path: "/up", mode: isLink, target: "../../../etc"},
			{path: "/odd", mode: isLink, target: "a\nb \xff//./"}, {path: "/long", mode: isLink, target: strings.Repeat("x", 4095)},
			{path: "/loop", mode: isLink, target: "loop", mtime: time.Unix(3, 3)},
		}, has: map[string]string{"/up": `target="../../../etc"`, "/loop": "mtime=3.000000003", "/abs": "owner=12:0"}},
		{name: "an unused link to a kept file stays away", tree: []entry{
			{path: "/f"}, {path: "/l", mode: isLink, target: "f"},
		}, keep: []string{"/f"}, not: []string{"/l"}},
		{name: "names are bytes", tree: []entry{
			{path: "/a b/c\nd/["}, {path: "/a b/trailing "}, {path: "/a b/\xff\xfe"}, {path: "/a b/*"}, {path: "/a b/\\"},
			{path: "/a b/..."}, {path: "/a b/-rf"}, {path: "/a b!/x"}, {path: "/a b.d/x"}, {path: "/a b/" + strings.Repeat("n", 255)},
		}, has: map[string]string{"/a b/c\nd/[": "mode", "/a b/\xff\xfe": "mode", "/a b/trailing ": "mode"}},
		{name: "a name that another one begins with", tree: []entry{
			{path: "/app/prefix"}, {path: "/app/prefix.json"},
		}, keep: []string{"/app/prefix"}, not: []string{"/app/prefix.json"}},
		{name: "FIFOs and devices", tree: []entry{
			{path: "/fifo", mode: isFifo | 0o622, uid: 1}, {path: "/null", mode: isChar | 0o666, rdev: unix.Mkdev(1, 3), gid: 6},
			{path: "/disk", mode: isBlk | 0o660, rdev: unix.Mkdev(259, 1048575)},
		}, has: map[string]string{"/fifo": "mode=10622", "/null": "mode=20666", "/disk": "mode=60660"}},
		{name: "content of all lengths", tree: lengths(0, 1, 4095, 4096, 4097, 256<<10, 256<<10+1, 3<<20+7)},
		{name: "times before 1970 and after 2038", tree: []entry{
			{path: "/old", mtime: time.Unix(-1000, 5)}, {path: "/new", mtime: time.Date(2100, 1, 1, 0, 0, 0, 1, time.UTC)},
		}},
		{name: "an empty root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src, dst := build(t, tt.tree...), t.TempDir()
			want := snapshot(t, src, tt.keep...)
			if tt.keep == nil {
				tt.keep = below(want)
			}
			_, err := copyTo(t, src, dst, pack.Options{}, nil, tt.keep...)
			must(t, err)
			got := snapshot(t, dst)
			sameTrees(t, want, got)
			for path, part := range tt.has {
				if !strings.Contains(got[path], part) {
					t.Errorf("%q: want %q in %q", path, part, got[path])
				}
			}
			for _, path := range tt.not {
				if line, ok := got[path]; ok {
					t.Errorf("%q is in the copy: %s", path, line)
				}
			}
		})
	}
}

// lengths makes files of so many bytes, no two of them alike.
func lengths(sizes ...int) []entry {
	var tree []entry
	for _, size := range sizes {
		seed := sha256.Sum256(fmt.Append(nil, size))
		data := strings.Repeat(string(seed[:]), size/len(seed)+1)[:size]
		tree = append(tree, entry{path: fmt.Sprintf("/%d", size), data: data})
	}
	return tree
}

func TestRootItself(t *testing.T) {
	requireRoot(t)
	src := build(t, entry{path: "/f"}, entry{path: "/.", mode: isDir | 0o2750, uid: 3, gid: 4, mtime: time.Unix(77, 7),
		xattrs: map[string]string{"user.root": "r"}})
	dst := t.TempDir()
	// A default ACL of the destination must not spread into the image.
	must(t, unix.Setxattr(dst, "system.posix_acl_default", []byte(acl(7, 7, 7, 7, 7)), 0))
	_, err := copyTo(t, src, dst, pack.Options{}, nil, "/", "/f")
	must(t, err)
	got := snapshot(t, dst)
	sameTrees(t, snapshot(t, src), got)
	if want := "mode=42750 owner=3:4 mtime=77.000000007 user.root=72"; got["/"] != want {
		t.Errorf("root: got %q, want %q", got["/"], want)
	}
}

func TestStats(t *testing.T) {
	requireRoot(t)
	src := build(t, entry{path: "/d", mode: isDir | 0o755}, entry{path: "/d/f", data: "12345"}, entry{path: "/d/g", same: "/d/f"},
		entry{path: "/empty", mode: isDir | 0o755}, entry{path: "/l", mode: isLink, target: "x"}, entry{path: "/p", mode: isFifo | 0o600},
		entry{path: "/run/b.sock", mode: isSock | 0o777}, entry{path: "/run/a.sock", mode: isSock | 0o777})
	dst := t.TempDir()
	files := []keepset.File{{Path: "/d/new", Mode: isFile | 0o644, Data: []byte("abc")}}
	got, err := copyTo(t, src, dst, pack.Options{}, files, below(snapshot(t, src))...)
	must(t, err)
	want := pack.Stats{Files: 2, HardLinks: 1, Dirs: 4, Symlinks: 1, Special: 1, Bytes: 8, Sockets: []string{"/run/a.sock", "/run/b.sock"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := os.Lstat(dst + "/run/a.sock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket copied: %v", err)
	}
}

func TestSparseFile(t *testing.T) {
	src, dst := build(t, entry{path: "/big"}, entry{path: "/hole"}, entry{path: "/tail"}, entry{path: "/reserved"}), t.TempDir()
	for name, at := range map[string][]int64{"/big": {0, 1 << 30, 5<<30 - 4096}, "/hole": nil, "/tail": {1 << 20}} {
		f, err := os.OpenFile(src+name, os.O_WRONLY, 0)
		must(t, err)
		for _, off := range at {
			_, err = f.WriteAt([]byte(strings.Repeat(name, 100)), off)
			must(t, err)
		}
		must(t, f.Truncate(5<<30))
		must(t, f.Close())
	}
	// Blocks are allocated where nothing was written: a hole all the same.
	f, err := os.OpenFile(src+"/reserved", os.O_WRONLY, 0)
	must(t, err)
	need(t, unix.Fallocate(int(f.Fd()), 0, 0, 1<<20) == nil, "a file system with fallocate")
	_, err = f.WriteAt([]byte("x"), 512<<10)
	must(t, err)
	must(t, f.Close())
	want := snapshot(t, src)
	_, err = copyTo(t, src, dst, pack.Options{}, nil, below(want)...)
	must(t, err)
	sameTrees(t, want, snapshot(t, dst))
	var st unix.Stat_t
	must(t, unix.Lstat(dst+"/big", &st))
	if st.Size != 5<<30 || st.Blocks*512 > 1<<20 {
		t.Errorf("size %d, allocated %d: want 5 GiB with nearly nothing allocated", st.Size, st.Blocks*512)
	}
}

func TestImmutableSource(t *testing.T) {
	requireRoot(t)
	const immutable = 0x10 // FS_IMMUTABLE_FL
	src, dst := build(t, entry{path: "/d/f", data: "x"}, entry{path: "/d/g", same: "/d/f"}), t.TempDir()
	for _, path := range []string{"/d/f", "/d"} {
		f, err := os.Open(src + path)
		must(t, err)
		defer f.Close()
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, immutable)
		need(t, err == nil, "a file system with immutable files and CAP_LINUX_IMMUTABLE")
		defer func() { must(t, unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, 0)) }()
	}
	want := snapshot(t, src)
	_, err := copyTo(t, src, dst, pack.Options{}, nil, below(want)...)
	must(t, err)
	sameTrees(t, want, snapshot(t, dst))
}

// TestDeepTree goes far beyond PATH_MAX: only calls on single names get there.
func TestDeepTree(t *testing.T) {
	const depth = 300
	name := strings.Repeat("d", 200)
	src, dst := t.TempDir(), t.TempDir()
	at, err := os.OpenRoot(src)
	must(t, err)
	for range depth {
		must(t, at.Mkdir(name, 0o755))
		next, err := at.OpenRoot(name)
		must(t, err)
		must(t, at.Close())
		at = next
	}
	must(t, at.WriteFile("leaf", []byte("here"), 0o640))
	must(t, at.Close())
	want := snapshot(t, src)
	if len(want) != depth+2 {
		t.Fatalf("tree of %d entries, want %d", len(want), depth+2)
	}
	_, err = copyTo(t, src, dst, pack.Options{}, nil, below(want)...)
	must(t, err)
	sameTrees(t, want, snapshot(t, dst))
}

func TestManyFilesInOneDirectory(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	src, dst := t.TempDir(), t.TempDir()
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf("/%d", i))
		f, err := os.Create(src + paths[i])
		must(t, err)
		must(t, f.Close())
	}
	must(t, os.Chtimes(src, someTime, someTime))
	stats, err := copyTo(t, src, dst, pack.Options{}, nil, paths...)
	must(t, err)
	names, err := os.ReadDir(dst)
	must(t, err)
	info, err := os.Stat(dst)
	must(t, err)
	if stats.Files != int64(n) || len(names) != n || !info.ModTime().Equal(someTime) {
		t.Errorf("%+v, %d files of %d, time %v", stats, len(names), n, info.ModTime())
	}
}

func TestManyHardLinks(t *testing.T) {
	var tree []entry
	for i := range 50 {
		first := fmt.Sprintf("/a/%d", i)
		tree = append(tree, entry{path: first, data: fmt.Sprint(i)})
		for j := range 20 {
			tree = append(tree, entry{path: fmt.Sprintf("/b/%d/%d", j, i), same: first})
		}
	}
	src, dst := build(t, tree...), t.TempDir()
	want := snapshot(t, src)
	stats, err := copyTo(t, src, dst, pack.Options{}, nil, below(want)...)
	must(t, err)
	sameTrees(t, want, snapshot(t, dst))
	if stats.Files != 50 || stats.HardLinks != 1000 {
		t.Errorf("%+v", stats)
	}
}

func TestEpoch(t *testing.T) {
	src := build(t, entry{path: "/d", mode: isDir | 0o755, mtime: time.Unix(3000, 0)}, entry{path: "/d/early", mtime: time.Unix(1999, 999999999)},
		entry{path: "/d/same", mtime: time.Unix(2000, 0)}, entry{path: "/d/just", mtime: time.Unix(2000, 1)},
		entry{path: "/d/late", mode: isLink, target: "x", mtime: time.Unix(2001, 0)}, entry{path: "/d/fifo", mode: isFifo | 0o600, mtime: time.Unix(9999, 0)})
	dst := t.TempDir()
	epoch := int64(2000)
	files := []keepset.File{{Path: "/new", Mode: isDir | 0o755, Mtime: 5000}, {Path: "/new/f", Mode: isFile | 0o644, Mtime: 5}}
	_, err := copyTo(t, src, dst, pack.Options{Epoch: &epoch}, files, below(snapshot(t, src))...)
	must(t, err)
	got := snapshot(t, dst)
	for path, want := range map[string]string{"/": "2000.0", "/d": "2000.0", "/d/early": "1999.999999999", "/d/same": "2000.0", "/d/just": "2000.0",
		"/d/late": "2000.0", "/d/fifo": "2000.0", "/new": "2000.0", "/new/f": "5.0"} {
		if !strings.Contains(got[path], "mtime="+want) {
			t.Errorf("%s: got %q, want %s", path, got[path], want)
		}
	}
}

func TestGenerated(t *testing.T) {
	requireRoot(t)
	src := build(t, entry{path: "/var", mode: isDir | 0o711, uid: 6}, entry{path: "/var/lib", mode: isDir | 0o755},
		entry{path: "/var/lib/dpkg", mode: isDir | 0o750, gid: 7}, entry{path: "/var/lib/dpkg/status", data: "all"},
		entry{path: "/lib/apk/db/installed", data: "old", uid: 1}, entry{path: "/z"})
	dst := t.TempDir()
	files := []keepset.File{
		{Path: "/lib/apk/db/installed", Mode: isFile | 0o600, UID: 2, GID: 3, Data: []byte("new")},
		{Path: "/tmp", Mode: isDir | 0o1777, Mtime: 7},
		{Path: "/var/lib/dpkg/status.d", Mode: isDir | 0o755, Mtime: 9},
		{Path: "/var/lib/dpkg/status.d/bash", Mode: isFile | 0o644, Data: []byte("Package: bash\n"), Mtime: 1 << 33},
		{Path: "/var/lib/dpkg/status.d/zlib", Mode: isFile | 0o644, Data: []byte("Package: zlib\n")},
	}
	_, err := copyTo(t, src, dst, pack.Options{}, files, "/lib", "/lib/apk", "/lib/apk/db", "/z")
	must(t, err)
	from, got := snapshot(t, src), snapshot(t, dst)
	for _, path := range []string{"/", "/var", "/var/lib", "/var/lib/dpkg", "/lib/apk/db", "/z"} {
		if got[path] != from[path] {
			t.Errorf("%s: got %s, want %s", path, got[path], from[path])
		}
	}
	for path, want := range map[string]string{
		"/tmp":                        "mode=41777 owner=0:0 mtime=7.000000000",
		"/var/lib/dpkg/status.d":      "mode=40755 owner=0:0 mtime=9.000000000",
		"/lib/apk/db/installed":       "mode=100600 owner=2:3 mtime=0.000000000 size=3",
		"/var/lib/dpkg/status.d/bash": "mode=100644 owner=0:0 mtime=8589934592.000000000 size=14",
		"/var/lib/dpkg/status.d/zlib": "mode=100644 owner=0:0 mtime=0.000000000 size=14",
	} {
		if !strings.HasPrefix(got[path], want) {
			t.Errorf("%s: got %q, want %q", path, got[path], want)
		}
	}
	if len(got) != 13 {
		t.Errorf("%d entries: %q", len(got), slices.Sorted(maps.Keys(got)))
	}
}

func TestBadInput(t *testing.T) {
	outside := build(t, entry{path: "/passwd", data: "host"})
	tree := func(t *testing.T) string {
		return build(t, entry{path: "/a/x"}, entry{path: "/a/y"}, entry{path: "/b"}, entry{path: "/out", mode: isLink, target: outside},
			entry{path: "/rel", mode: isLink, target: "a"}, entry{path: "/p", mode: isFifo | 0o600})
	}
	tests := []struct {
		name  string
		paths []string
		files []keepset.File
		want  string
	}{
		{name: "a link out of the root on the way", paths: []string{"/out/passwd"}, want: "/out"},
		{name: "a link inside the root on the way", paths: []string{"/rel/x"}, want: "/rel"},
		{name: "a FIFO on the way", paths: []string{"/p/x"}, want: "/p"},
		{name: "a file on the way", paths: []string{"/b/x"}, want: "/b"},
		{name: "dot-dot in the middle", paths: []string{"/a/../b"}, want: "not a clean absolute path"},
		{name: "dot-dot at the end", paths: []string{"/a/.."}, want: "not a clean absolute path"},
		{name: "dot", paths: []string{"/a/."}, want: "not a clean absolute path"},
		{name: "two slashes", paths: []string{"/a//x"}, want: "not a clean absolute path"},
		{name: "trailing slash", paths: []string{"/a/"}, want: "not a clean absolute path"},
		{name: "relative", paths: []string{"a"}, want: "clean absolute path"},
		{name: "empty", paths: []string{""}, want: "clean absolute path"},
		{name: "not there", paths: []string{"/nothing"}, want: "/nothing"},
		{name: "directory not there", paths: []string{"/nothing/x"}, want: "/nothing"},
		{name: "twice", paths: []string{"/b", "/b"}, want: "exists"},
		{name: "a directory in two runs", paths: []string{"/a/x", "/b", "/a/y"}, want: "exists"},
		{name: "an entry in a generated file", paths: []string{"/a/x"}, files: []keepset.File{{Path: "/a", Mode: isFile}}, want: "/a/x"},
		{name: "a generated file behind a link", files: []keepset.File{{Path: "/out/x", Mode: isFile}}, want: "/out"},
		{name: "a generated file twice", files: []keepset.File{{Path: "/x", Mode: isFile}, {Path: "/x", Mode: isFile}}, want: "exists"},
		{name: "generated and copied", paths: []string{"/b"}, files: []keepset.File{{Path: "/b", Mode: isFile}}, want: "exists"},
		{name: "a generated file in no directory", files: []keepset.File{{Path: "/none/x", Mode: isFile}}, want: "/none"},
		{name: "an entry in a generated directory", paths: []string{"/a/x"}, files: []keepset.File{{Path: "/a", Mode: isDir}}, want: "/a/x"},
		{name: "a generated link", files: []keepset.File{{Path: "/x", Mode: isLink}}, want: "neither a file's nor a directory's"},
		{name: "a generated root", paths: []string{"/b"}, files: []keepset.File{{Path: "/", Mode: isDir}}, want: "clean absolute path"},
		{name: "a generated relative path", files: []keepset.File{{Path: "x", Mode: isFile}}, want: "clean absolute path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dst := t.TempDir()
			_, err := copyTo(t, tree(t), dst, pack.Options{}, tt.files, tt.paths...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
			if _, err := os.Lstat(dst + "/out/passwd"); err == nil {
				t.Error("a file from outside the root was copied")
			}
		})
	}
}

func TestDestination(t *testing.T) {
	src := build(t, entry{path: "/f"})
	full := build(t, entry{path: "/there already"})
	for _, tt := range []struct{ name, dst, want string }{
		{"not empty", full, `it holds "there already"`},
		{"missing", full + "/none", "no such file"},
		{"a file", full + "/there already", "not a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := copyTo(t, src, tt.dst, pack.Options{}, nil, "/f")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestDiskFull(t *testing.T) {
	requireRoot(t)
	for _, tt := range []struct {
		name, options string
		tree          []entry
		path          string
	}{
		{"bytes", "size=256k", []entry{{path: "/big", data: strings.Repeat("x", 1<<20)}}, "/big"},
		{"inodes", "size=1m,nr_inodes=2", []entry{{path: "/a"}, {path: "/b"}}, "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, dst := build(t, tt.tree...), t.TempDir()
			err := unix.Mount("tmpfs", dst, "tmpfs", 0, tt.options)
			need(t, err == nil, "the right to mount a tmpfs")
			defer func() { must(t, unix.Unmount(dst, 0)) }()
			_, err = copyTo(t, src, dst, pack.Options{}, nil, below(snapshot(t, src))...)
			var full *pack.DiskFullError
			if !errors.As(err, &full) || !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("got %v, want a DiskFullError", err)
			}
			if !strings.HasPrefix(full.Path, tt.path) || tt.path == full.Path && full.Size != int64(len(tt.tree[0].data)) {
				t.Errorf("got %+v", full)
			}
		})
	}
}

// TestOtherFileSystem copies to where extents can be neither shared nor moved.
func TestOtherFileSystem(t *testing.T) {
	requireRoot(t)
	src, dst := build(t, lengths(0, 1, 100, 1<<20+3, 4<<20)...), t.TempDir()
	err := unix.Mount("tmpfs", dst, "tmpfs", 0, "size=32m")
	need(t, err == nil, "the right to mount a tmpfs")
	defer func() { must(t, unix.Unmount(dst, 0)) }()
	want := snapshot(t, src)
	_, err = copyTo(t, src, dst, pack.Options{}, nil, below(want)...)
	must(t, err)
	sameTrees(t, want, snapshot(t, dst))
}

func TestAttributeThatCannotBeSet(t *testing.T) {
	requireRoot(t)
	src, dst := build(t, entry{path: "/d/f", xattrs: map[string]string{"user.big": strings.Repeat("v", 2000)}}), t.TempDir()
	err := unix.Mount("ramfs", dst, "ramfs", 0, "") // has no user attributes
	need(t, err == nil, "the right to mount a ramfs")
	defer func() { must(t, unix.Unmount(dst, 0)) }()
	_, err = copyTo(t, src, dst, pack.Options{}, nil, "/d/f")
	if err == nil || !strings.Contains(err.Error(), "user.big") || !strings.Contains(err.Error(), "/d/f") {
		t.Errorf("got %v, want an error that names the attribute and the file", err)
	}
}

func TestForeignAttributes(t *testing.T) {
	requireRoot(t)
	src, dst := build(t, entry{path: "/d", mode: isDir | 0o755, xattrs: map[string]string{"trusted.overlay.opaque": "y", "trusted.own": "1"}}), t.TempDir()
	_, err := copyTo(t, src, dst, pack.Options{}, nil, "/d")
	must(t, err)
	got := snapshot(t, dst)["/d"]
	if strings.Contains(got, "overlay") || !strings.Contains(got, "trusted.own=31") {
		t.Errorf("got %s", got)
	}
}

func TestCancelled(t *testing.T) {
	src := build(t, lengths(1, 2, 3, 4)...)
	root, err := rootfs.Open(src)
	must(t, err)
	defer root.Close()
	reason := errors.New("the user pressed a key")
	for after := range 4 {
		t.Run(fmt.Sprintf("after %d entries", after), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			seen := 0
			paths := func(yield func(keepset.Entry) bool) {
				for _, path := range []string{"/1", "/2", "/3", "/4"} {
					if seen == after {
						cancel(reason)
					}
					if seen++; !yield(keepset.Entry{Path: path}) {
						return
					}
				}
			}
			_, err := pack.Copy(ctx, root, t.TempDir(), paths, nil, pack.Options{})
			if !errors.Is(err, reason) {
				t.Errorf("got %v, want %v", err, reason)
			}
		})
	}
}

// TestDescriptors copies more directories than may be open at once, and
// leaves none open, neither on success nor on failure.
func TestDescriptors(t *testing.T) {
	var tree []entry
	for i := range 1000 {
		tree = append(tree, entry{path: fmt.Sprintf("/%d/f", i)})
	}
	src := build(t, tree...)
	open := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(names)
	}
	paths := below(snapshot(t, src))
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	defer func() { must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)) }()
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 512, Max: limit.Max}))
	before := open()
	_, err := copyTo(t, src, t.TempDir(), pack.Options{}, nil, paths...)
	must(t, err)
	_, err = copyTo(t, src, t.TempDir(), pack.Options{}, nil, append(slices.Clone(paths[:1000]), "/zzz/missing")...)
	if err == nil {
		t.Error("no error for a missing entry")
	}
	if after := open(); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// asNobody names the two folders for TestAsNobody's other half, which runs as
// a user without privileges.
const asNobody = "PACK_TEST_AS_NOBODY"

func TestAsNobody(t *testing.T) {
	if dirs, ok := os.LookupEnv(asNobody); ok {
		src, dst, _ := strings.Cut(dirs, ":")
		_, err := copyTo(t, src, dst, pack.Options{}, nil, "/f")
		fmt.Printf("result: %v\n", err)
		return
	}
	requireRoot(t)
	const nobody = 65534
	for _, tt := range []struct {
		name string
		tree entry
		want string
	}{
		{"its own files", entry{path: "/f", data: "x", uid: nobody, gid: nobody}, "result: <nil>"},
		{"root's files", entry{path: "/f"}, "chown /f: operation not permitted: run as root, with CAP_CHOWN"},
		{"unreadable files", entry{path: "/f", mode: 0o1000, data: "x"}, "open /f: permission denied: run as root, with CAP_DAC_OVERRIDE"},
		{"a device", entry{path: "/f", mode: isChar | 0o644, rdev: unix.Mkdev(1, 3)}, "mknod /f: operation not permitted: run as root, with CAP_MKNOD"},
		{"setgid of another group", entry{path: "/f", mode: 0o2755, uid: nobody, gid: 5}, "operation not permitted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := build(t, tt.tree, entry{path: "/.", mode: isDir | 0o755, uid: nobody, gid: nobody})
			dst := t.TempDir()
			must(t, os.Chown(dst, nobody, nobody))
			for _, dir := range []string{filepath.Dir(src), filepath.Dir(dst)} {
				must(t, os.Chmod(dir, 0o755))
			}
			// The test binary's folder is closed to others; the link is not.
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestAsNobody$", "-test.count=1")
			cmd.Env = append(os.Environ(), asNobody+"="+src+":"+dst)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			out, err := cmd.CombinedOutput()
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("%v, output %q, want %q", err, out, tt.want)
			}
		})
	}
}

// TestDeterministic copies twice, with workers in whatever order, and compares
// what an image layer would be made of.
func TestDeterministic(t *testing.T) {
	requireRoot(t)
	tree := lengths(0, 1, 5000, 1<<20)
	tree = append(tree, entry{path: "/d", mode: isDir | 0o1777, uid: 3, xattrs: map[string]string{"user.d": "1"}},
		entry{path: "/cap", mode: 0o4755, xattrs: map[string]string{"security.capability": capNetBind}},
		entry{path: "/d/l", mode: isLink, target: "../0"}, entry{path: "/d/hard", same: "/1"}, entry{path: "/d/p", mode: isFifo | 0o600})
	for i := range 200 {
		tree = append(tree, entry{path: fmt.Sprintf("/many/%d/f", i), data: fmt.Sprint(i)}, entry{path: fmt.Sprintf("/linked/%d", i), same: "/5000"})
	}
	src := build(t, tree...)
	paths := below(snapshot(t, src))
	var digests []string
	for range 3 {
		dst := t.TempDir()
		_, err := copyTo(t, src, dst, pack.Options{}, nil, paths...)
		must(t, err)
		digests = append(digests, tarDigest(t, dst))
	}
	if original := tarDigest(t, src); slices.ContainsFunc(digests, func(d string) bool { return d != original }) {
		t.Errorf("source %s, copies %s", original, digests)
	}
}

func tarDigest(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	w := tar.NewWriter(sum)
	inodes := map[uint64]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		var st unix.Stat_t
		must(t, unix.Lstat(path, &st))
		info, err := d.Info()
		must(t, err)
		target, _ := os.Readlink(path)
		h, err := tar.FileInfoHeader(info, target)
		must(t, err)
		h.Name = "." + path[len(dir):]
		h.Format = tar.FormatPAX
		h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
		if first, ok := inodes[st.Ino]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else if st.Nlink > 1 && !d.IsDir() {
			inodes[st.Ino] = h.Name
		}
		h.PAXRecords = map[string]string{"SCHILY.xattr.all": xattrs(t, path) + " "}
		must(t, w.WriteHeader(h))
		if h.Typeflag == tar.TypeReg {
			f, err := os.Open(path)
			must(t, err)
			defer f.Close()
			_, err = io.Copy(w, f)
			must(t, err)
		}
		return nil
	}))
	must(t, w.Close())
	return hex.EncodeToString(sum.Sum(nil))
}
