package evidence_test

import (
	"os"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestFacts: every fact, from files that have it and files that nearly do.
func TestFacts(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
			t.Fatal("needs root, to give files to a user")
		}
		t.Skip("needs root, to give files to a user")
	}
	image := rootfstest.Image{
		"/etc/os-release":      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n",
		"/etc/passwd":          "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n",
		"/etc/group":           "app:x:1000:\n",
		"/var/lib/dpkg/status": "Package: app\nVersion: 1\nArchitecture: amd64\n",
		"/usr/bin/su":          "1", "/usr/bin/open": "1", "/usr/bin/bash": "1", "/usr/bin/apt-get": "1", "/usr/bin/used": "1", "/usr/bin/gcc": "1",
		"/app/hidden": "1", "/app/run": "1", "/app/data": "1", "/data/code": "1", "/usr/lib/libssl.so.3": "1",
		"/app/tls.key":      "-----BEGIN PRIVATE KEY-----\nMC4\n",
		"/app/mentions.py":  "MARK = \"-----BEGIN PRIVATE KEY-----\"\n",
		"/app/.npmrc":       "//registry.example/:_authToken=abc\n",
		"/app/binary":       "\x00\n-----BEGIN PRIVATE KEY-----\n",
		"/shared/all":       rootfstest.Dir{},
		"/usr/lib/x/sh.txt": "1",
	}
	dir := rootfstest.MakeDir(t, image)
	for name, mode := range map[string]uint32{
		"/usr/bin/su": 0o4755, "/usr/bin/open": 0o666, "/usr/bin/bash": 0o755, "/usr/bin/apt-get": 0o755, "/usr/bin/used": 0o755,
		"/usr/bin/gcc": 0o755, "/app/hidden": 0o600, "/app/run": 0o755, "/data/code": 0o755, "/shared/all": 0o777,
	} {
		must(t, unix.Chmod(dir+name, mode))
	}
	for _, name := range []string{"/app/run", "/app/data", "/data/code"} {
		must(t, os.Chown(dir+name, 1000, 1000))
	}
	must(t, os.Chtimes(dir+"/var/lib/dpkg/status", time.Unix(1700000000, 0), time.Unix(1700000000, 0)))
	root, err := rootfs.Open(dir)
	must(t, err)
	defer root.Close()

	ops := map[string]manifest.Ops{"/usr/bin/used": manifest.Executed, "/app/run": manifest.Executed, "/data/code": manifest.Mapped}
	for name := range image {
		if name != "/usr/bin/gcc" {
			ops[name] = max(ops[name], manifest.Opened)
		}
	}
	set := resolvePack(t, root, manifest.Pack{
		Version: manifest.Version, Platform: "linux/amd64", Image: manifest.Image{User: "app", Volumes: []string{"/data"}},
	}, ops)
	out := t.TempDir()
	_, err = evidence.Write(t.Context(), root, set, out)
	must(t, err)
	uid := uint32(1000)
	want := manifest.Facts{
		Version: manifest.Version, OS: manifest.OS{ID: "debian", VersionID: "12", Name: "Debian GNU/Linux 12 (bookworm)"},
		PackagesAt: 1700000000, UID: &uid,
		Setuid: []manifest.Path{"/usr/bin/su"}, WorldWritable: []manifest.Path{"/shared/all", "/usr/bin/open"},
		WritableCode: []manifest.Path{"/app/run"}, Unreadable: []manifest.Path{"/app/hidden"}, Hidden: []manifest.Path{"/data"},
		Secrets: []manifest.Secret{{Path: "/app/.npmrc", Kind: "npm token"}, {Path: "/app/tls.key", Kind: "private key"}},
		Shells:  []manifest.Path{"/usr/bin/bash"}, PackageManagers: []manifest.Path{"/usr/bin/apt-get"},
		TLS: "/usr/lib/libssl.so.3", DevTools: []manifest.Path{"/usr/bin/gcc"},
	}
	if got := readFacts(t, out); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
