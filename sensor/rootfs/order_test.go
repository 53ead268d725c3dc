package rootfs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/rootfs"
)

// FuzzCompare holds Compare against what it stands for: paths compared name by
// name.
func FuzzCompare(f *testing.F) {
	for _, pair := range [][2]string{
		{"/", "/a"}, {"/a", "/a/b"}, {"/a/b", "/a-b"}, {"/a\n/b", "/a/b"}, {"/a/\xff", "/a/b/c"}, {"/a", "/a"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		want := slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
		if got := rootfs.Compare(a, b); got != want {
			t.Errorf("Compare(%q, %q) = %d, want %d", a, b, got, want)
		}
		if back := rootfs.Compare(b, a); back != -want {
			t.Errorf("Compare(%q, %q) = %d, want %d", b, a, back, -want)
		}
	})
}
