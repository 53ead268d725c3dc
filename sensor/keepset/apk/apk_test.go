package apk

import (
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

const installed = `C:Q1x
P:musl
V:1.2.5-r0
A:x86_64
o:musl
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
F:gone
R:x

P:libcrypto3
V:3.3.1-r3
o:openssl
p:so:libcrypto.so.3=3
F:usr/lib/
R:libcrypto.so.3
Z:Q1y
`

func TestRead(t *testing.T) {
	for _, path := range []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"} {
		image := rootfstest.Image{path: installed, "/usr/lib/libcrypto.so.3": "", "/lib": rootfstest.Dir{}}
		musl := "/lib/ld-musl-x86_64.so.1"
		if strings.HasPrefix(path, "/usr") { // folders in it may be links
			image["/lib"], musl = rootfstest.Link("usr/lib"), "/usr"+musl
		}
		db, err := Read(rootfstest.Make(t, image))
		if err != nil {
			t.Fatal(err)
		}
		want := []Package{{Name: "libcrypto3", Version: "3.3.1-r3", Origin: "openssl"}, {Name: "musl", Version: "1.2.5-r0", Arch: "x86_64", Origin: "musl"}}
		if !slices.Equal(db.Packages, want) {
			t.Errorf("%s: got %v, want %v", path, db.Packages, want)
		}
		for path, want := range map[string]string{
			musl: "musl", "/usr/lib/libcrypto.so.3": "libcrypto3", "/gone/x": "", "/usr/lib": "",
		} {
			got := ""
			if i, ok := db.Owner(path); ok {
				got = db.Packages[i].Name
			}
			if got != want {
				t.Errorf("%s is owned by %q, want %q", path, got, want)
			}
		}
	}
}

func TestNoDatabase(t *testing.T) {
	for name, image := range map[string]rootfstest.Image{
		"scratch":         {},
		"debian":          {"/var/lib/dpkg/status": "Package: a\n"},
		"a fifo":          {"/lib/apk/db/installed": rootfstest.FIFO{}},
		"below a file":    {"/lib/apk": ""},
		"out of the root": {"/lib/apk": rootfstest.Link("../../../../../../lib/apk")},
	} {
		if db, err := Read(rootfstest.Make(t, image)); err != nil || len(db.Packages) != 0 {
			t.Errorf("%s: got %v, %v", name, db, err)
		}
	}
}

func TestHostile(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no field":          {"P:a\nnonsense\n", "no field"},
		"endless line":      {"P:" + strings.Repeat("a", maxLine), "too long"},
		"too many packages": {strings.Repeat("P:a\n\n", maxPackages+1), "more than"},
	} {
		if _, err := parse(strings.NewReader(tt.text), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(installed)
	f.Add("R:x\n\n\nF:\nR:\nV:1")
	f.Fuzz(func(t *testing.T, text string) {
		db, err := parse(strings.NewReader(text), func(dir string) (string, error) { return dir, nil })
		if err != nil {
			return
		}
		for path, i := range db.owners {
			if int(i) >= len(db.Packages) || db.Packages[i].Name == "" {
				t.Errorf("%d owns %d, of %d", i, path, len(db.Packages))
			}
		}
	})
}
