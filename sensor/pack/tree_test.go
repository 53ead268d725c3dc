package pack_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// snapshot describes all of a tree without any code of the package under
// test: one line for each path, holding everything that a copy must preserve.
// Hard links to one inode name the first of them. With paths, it is these and
// the directories on the way only.
func snapshot(t testing.TB, dir string, paths ...string) map[string]string {
	t.Helper()
	s := snapshotter{t: t, lines: map[string]string{}, inodes: map[uint64]string{}}
	if paths != nil {
		s.only = map[string]bool{"/": true}
	}
	for _, path := range paths {
		for p := path; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
			s.only[p] = true
		}
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	s.dir("/", fd)
	return s.lines
}

type snapshotter struct {
	t      testing.TB
	only   map[string]bool // nil: everything
	lines  map[string]string
	inodes map[uint64]string
}

// dir describes the directory open as fd, which it closes, and its content.
func (s snapshotter) dir(path string, fd int) {
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	s.entry(path, fmt.Sprintf("/proc/self/fd/%d/.", fd))
	names, err := f.Readdirnames(-1)
	must(s.t, err)
	slices.Sort(names)
	for _, name := range names {
		sub := strings.TrimSuffix(path, "/") + "/" + name
		if s.only != nil && !s.only[sub] {
			continue
		}
		child, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == nil {
			s.dir(sub, child)
			continue
		}
		s.entry(sub, fmt.Sprintf("/proc/self/fd/%d/%s", fd, name))
	}
}

// entry describes path, which is at hand as the file at.
func (s snapshotter) entry(path, at string) {
	var st unix.Stat_t
	must(s.t, unix.Lstat(at, &st))
	line := fmt.Sprintf("mode=%o owner=%d:%d mtime=%d.%09d", st.Mode, st.Uid, st.Gid, st.Mtim.Sec, st.Mtim.Nsec)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		line += fmt.Sprintf(" size=%d data=%s", st.Size, extents(s.t, at, st.Size))
	case unix.S_IFLNK:
		target, err := os.Readlink(at)
		must(s.t, err)
		line += fmt.Sprintf(" target=%q", target)
	case unix.S_IFCHR, unix.S_IFBLK:
		line += fmt.Sprintf(" rdev=%x", st.Rdev)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR && st.Nlink > 1 {
		if first, ok := s.inodes[st.Ino]; ok {
			line += fmt.Sprintf(" same=%q", first)
		} else {
			s.inodes[st.Ino] = path
		}
	}
	s.lines[path] = line + xattrs(s.t, at)
}

// extents hashes what a file holds, with where it holds it.
func extents(t testing.TB, at string, size int64) string {
	f, err := os.Open(at)
	must(t, err)
	defer f.Close()
	sum := sha256.New()
	for pos := int64(0); pos < size; {
		data, err := unix.Seek(int(f.Fd()), pos, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break
		}
		must(t, err)
		hole, err := unix.Seek(int(f.Fd()), data, unix.SEEK_HOLE)
		must(t, err)
		fmt.Fprintf(sum, "%d:%d:", data, hole)
		_, err = io.Copy(sum, io.NewSectionReader(f, data, hole-data))
		must(t, err)
		pos = hole
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func xattrs(t testing.TB, at string) string {
	if n, err := unix.Llistxattr(at, nil); n == 0 && err == nil {
		return ""
	}
	buf := make([]byte, 64<<10) // the most that the kernel gives
	n, err := unix.Llistxattr(at, buf)
	if err == unix.ENOTSUP {
		return ""
	}
	must(t, err)
	names := strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00")
	slices.Sort(names)
	line := ""
	for _, name := range names {
		if name == "" {
			continue
		}
		n, err := unix.Lgetxattr(at, name, buf)
		must(t, err)
		line += fmt.Sprintf(" %s=%x", name, buf[:n])
	}
	return line
}

// sameTrees fails the test for each path that differs.
func sameTrees(t *testing.T, want, got map[string]string) {
	t.Helper()
	all := maps.Clone(want)
	maps.Copy(all, got)
	shown := 0
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if want[path] == got[path] {
			continue
		}
		t.Errorf("%.200q:\nwant %s\ngot  %s", path, want[path], got[path])
		if shown++; shown == 10 {
			t.Fatal("and more")
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need skips the test when the machine lacks what; where everything has to be
// tested, it fails it.
func need(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("SLIMFILE_TEST_REQUIRE") == "1":
		t.Fatalf("needs %s", what)
	default:
		t.Skipf("needs %s", what)
	}
}
