package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("file"), []byte("content"), 0o600),
		os.Mkdir(at("sub"), 0o700),
		os.Symlink("file", at("link")),
		os.Symlink(".", at("here")),
		os.Symlink("/proc/self/cwd", at("magic")),
		os.Symlink("/dev/null", at("device")),
		unix.Mkfifo(at("fifo"), 0o600), // which nobody writes to
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name           string
		open, physical error
	}{
		{"file", nil, nil},
		{"link", nil, unix.ELOOP},
		{"here/file", nil, unix.ELOOP},
		{"magic/go.mod", unix.ELOOP, unix.ELOOP},
		{"sub", ErrNotRegular, ErrNotRegular},
		{"fifo", ErrNotRegular, ErrNotRegular},
		{"device", ErrNotRegular, unix.ELOOP},
		{"none", fs.ErrNotExist, fs.ErrNotExist},
	} {
		for _, how := range []struct {
			name string
			open func(string) (*os.File, error)
			want error
		}{{"Open", Open, tt.open}, {"OpenPhysical", OpenPhysical, tt.physical}} {
			t.Run(how.name+"/"+tt.name, func(t *testing.T) {
				f, err := how.open(at(tt.name))
				if !errors.Is(err, how.want) || err != nil && how.want == nil {
					t.Fatalf("%v, want %v", err, how.want)
				}
				if err != nil {
					return
				}
				defer f.Close()
				if data, err := io.ReadAll(f); err != nil || string(data) != "content" {
					t.Errorf("%q, %v", data, err)
				}
			})
		}
	}
}
