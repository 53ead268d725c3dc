package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestReadIn(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(outside, "slim.lock"), []byte("outside"), 0o600),
		os.WriteFile(filepath.Join(dir, "slim.lock"), []byte("inside"), 0o600),
		os.Symlink("slim.lock", filepath.Join(dir, "link")),
		os.Symlink(outside, filepath.Join(dir, "out")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, text string
		absent     bool
	}{
		{name: "slim.lock", text: "inside"},
		{name: "link", text: "inside"},
		{name: "none", absent: true},
		{name: "out/slim.lock"},
		{name: "out/none"}, // would be written there
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readIn(dir, tt.name)
			if string(got) != tt.text || (err == nil) != (tt.text != "") || errors.Is(err, fs.ErrNotExist) != tt.absent {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
