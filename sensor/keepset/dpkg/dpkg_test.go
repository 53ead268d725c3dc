package dpkg

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

func TestOwner(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/lib": rootfstest.Link("usr/lib"), "/usr/lib/a.so": "", "/usr/bin/sh.distrib": "", "/usr/bin/sh": "",
		"/var/lib/dpkg/status":      "Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: hold ok triggers-pending\n\n\n",
		"/var/lib/dpkg/info/a.list": "/.\n/lib\n/lib/a.so\n/usr\n/usr/bin\n/usr/bin/sh\n/absent/dir/x\n/odd name\n/odd\xff\n",
		"/var/lib/dpkg/info/b.list": "/usr/bin/sh\n/etc/alternatives\n/usr/lib/a.so.1\n",
		"/var/lib/dpkg/diversions":  "/usr/bin/sh\n/usr/bin/sh.distrib\nb\ncut\n",
		"/odd name":                 "", "/odd\xff": "", "/etc/alternatives": rootfstest.Dir{}, "/usr/lib/a.so.1": "",
	})
	db, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/usr/lib/a.so": "a", "/usr/bin/sh": "b", "/usr/bin/sh.distrib": "a", "/odd name": "a", "/odd\xff": "a", "/usr/lib/a.so.1": "b",
		"/lib/a.so": "", "/usr/bin": "", "/": "", "/none": "",
	} {
		got := ""
		if i, ok := db.Owner(path); ok {
			got = db.Packages[i].Name
		}
		if got != want {
			t.Errorf("%q is owned by %q, want %q", path, got, want)
		}
	}
}

func TestSource(t *testing.T) {
	db, err := Read(rootfstest.Make(t, rootfstest.Image{"/var/lib/dpkg/status": "Package: a\nVersion: 1\n\nPackage: b\nSource: src\n\nPackage: c\nSource: src (1:2-3)\nVersion: 4\n"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range db.Packages {
		got = append(got, p.Source+" "+p.SourceVersion)
	}
	if want := []string{" ", "src ", "src 1:2-3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoDatabase(t *testing.T) {
	for name, image := range map[string]rootfstest.Image{
		"scratch":          {},
		"alpine":           {"/lib/apk/db/installed": "P:musl\nV:1\n\n"},
		"rpm":              {"/var/lib/rpm/rpmdb.sqlite": "SQLite format 3"},
		"status is a fifo": {"/var/lib/dpkg/status": rootfstest.FIFO{}},
		"dpkg is a file":   {"/var/lib/dpkg": "x"},
		"out of the root":  {"/var/lib/dpkg": rootfstest.Link("../../../../../../../../var/lib/dpkg")},
		"status is a link": {"/var/lib/dpkg/status": rootfstest.Link("../../../../../../../../var/lib/dpkg/status")},
		"a loop":           {"/var": rootfstest.Link("var")},
	} {
		db, err := Read(rootfstest.Make(t, image))
		if err != nil || len(db.Packages) != 0 {
			t.Errorf("%s: got %v, %v, want no packages", name, db, err)
		}
	}
}

func TestHostileDatabase(t *testing.T) {
	long := strings.Repeat("x", 1<<17)
	tests := []struct {
		name  string
		image rootfstest.Image
		want  string
	}{
		{"stanza without end", rootfstest.Image{"/var/lib/dpkg/status": "Package: a\nDescription: " + strings.Repeat(long, 20)}, "larger than"},
		{"name with a slash", rootfstest.Image{"/var/lib/dpkg/status": "Package: ../../../etc/passwd\nVersion: 1\n"}, "bad package name"},
		{"architecture with a slash", rootfstest.Image{"/var/lib/dpkg/status": "Package: a\nArchitecture: /../x\n"}, "bad package name"},
		{"hidden name", rootfstest.Image{"/var/lib/dpkg/status.d/x": "Package: ..\n"}, "bad package name"},
		{"endless line in a list", rootfstest.Image{"/var/lib/dpkg/status": "Package: a\n", "/var/lib/dpkg/info/a.list": "/" + long}, "too long"},
		{"too many packages", rootfstest.Image{"/var/lib/dpkg/status": strings.Repeat("Package: a\n\n", maxPackages+1)}, "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(rootfstest.Make(t, tt.image))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestHugeStanza reads 100 MB that hold no newline; memory must not follow.
func TestHugeStanza(t *testing.T) {
	dir := rootfstest.MakeDir(t, rootfstest.Image{"/var/lib/dpkg/status": ""})
	if err := os.Truncate(dir+"/var/lib/dpkg/status", 100<<20); err != nil {
		t.Fatal(err)
	}
	root, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := Read(root); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v, want an error", err)
	}
}

func TestStanzas(t *testing.T) {
	var got []string
	text := "\n\nPackage: a\nVersion: 1\n Version: no\n\n \nPackage: b\n\nnonsense\n\nPackage:c"
	err := eachStanza(strings.NewReader(text), func(s stanza) error {
		got = append(got, fmt.Sprintf("%s %s %q", s.name, s.version, text[s.offset:s.offset+s.size]))
		return nil
	})
	want := []string{`a 1 "Package: a\nVersion: 1\n Version: no\n"`, `b  "Package: b\n"`, `  "nonsense\n"`, `c  "Package:c"`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestAgainstDpkgQuery compares with dpkg-query on this machine.
func TestAgainstDpkgQuery(t *testing.T) {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture} ${db:Status-Status}\n").Output()
	if err != nil {
		if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
			t.Fatal("dpkg-query is missing", err)
		}
		t.Skip("dpkg-query is missing", err)
	}
	root, err := rootfs.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	db, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, p := range db.Packages {
		got = append(got, fmt.Sprintf("%s %s %s", p.Name, p.Version, p.Arch))
	}
	for line := range strings.Lines(string(out)) {
		if line, ok := strings.CutSuffix(strings.TrimSpace(line), " installed"); ok {
			want = append(want, line)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d packages, dpkg-query has %d", len(got), len(want))
	}
	for _, file := range []string{"/usr/bin/dpkg", "/bin/ls", "/lib/x86_64-linux-gnu/libc.so.6"} {
		out, err := exec.Command("dpkg-query", "-S", file).Output()
		if err != nil {
			continue // listed by its other name
		}
		physical, err := filepath.EvalSymlinks(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(string(out), ":")
		if i, ok := db.Owner(physical); !ok || db.Packages[i].Name != name {
			t.Errorf("%s: package %d, %v, want %s", file, i, ok, name)
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte("Package: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n .\n y\n\nPackage: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		end := int64(0)
		err := eachStanza(bytes.NewReader(data), func(s stanza) error {
			if s.offset < end || s.size <= 0 || s.offset+s.size > int64(len(data)) {
				t.Errorf("stanza at %d of %d bytes, after %d, in %d", s.offset, s.size, end, len(data))
			}
			end = s.offset + s.size
			return nil
		})
		if err != nil && len(data) < maxStanza {
			t.Error(err)
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte("/."), "x.list")
	f.Add([]byte("/usr/bin/x"), "x.list")
	f.Add([]byte("d41d8cd98f00b204e9800998ecf8427e  usr/bin/x"), "x.md5sums")
	f.Fuzz(func(t *testing.T, line []byte, file string) {
		if path, ok := parseListed(line, file); ok && !strings.HasPrefix(path, "/") {
			t.Errorf("path %q", path)
		}
		for from, d := range parseDiversions(line) {
			if strings.Contains(from+d.to+d.by, "\n") {
				t.Errorf("diversion %q %q", from, d)
			}
		}
	})
}
