// Package rootfstest makes small image roots for tests.
package rootfstest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// Image is the content of a root by absolute path. Folders on the way need not
// be named. Values are of the types below, or string: a file of mode 0644.
type Image map[string]any

// Types of entries, beside string.
//
//nolint:revive // one comment explains them all
type (
	Exe    string             // a file of mode 0755
	Link   string             // a symbolic link to this target
	Hard   string             // a further name of the file at this absolute path
	Dir    struct{}           // a folder
	FIFO   struct{}           // a named pipe
	Socket struct{}           // a socket
	Data   struct{ B []byte } // a file of mode 0755 with any bytes
)

// Make makes the image in a temporary folder.
func Make(t testing.TB, image Image) *rootfs.Root {
	t.Helper()
	root, err := rootfs.Open(MakeDir(t, image))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(root.Close)
	return root
}

// MakeDir is Make, and returns the folder.
func MakeDir(t testing.TB, image Image) string {
	t.Helper()
	dir := t.TempDir()
	var last []string // links and further names come when all else is there
	for _, path := range slices.Sorted(maps.Keys(image)) {
		switch image[path].(type) {
		case Link, Hard:
			last = append(last, path)
			continue
		}
		if err := create(dir, path, image[path]); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range last {
		if err := create(dir, path, image[path]); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func create(dir, path string, entry any) error {
	full := dir + path
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	switch e := entry.(type) {
	case string:
		return os.WriteFile(full, []byte(e), 0o644)
	case Exe:
		return os.WriteFile(full, []byte(e), 0o755)
	case Data:
		return os.WriteFile(full, e.B, 0o755)
	case Link:
		return os.Symlink(string(e), full)
	case Hard:
		return os.Link(dir+string(e), full)
	case Dir:
		return os.MkdirAll(full, 0o755)
	case FIFO:
		return unix.Mkfifo(full, 0o644)
	case Socket:
		return unix.Mknod(full, unix.S_IFSOCK|0o644, 0)
	}
	return os.ErrInvalid
}
