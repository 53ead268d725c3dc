package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// image has 9 files of 43 bytes besides the database: hard links across what is
// kept, odd names, and a file straight in the root.
func image() rootfstest.Image {
	return rootfstest.Image{
		"/usr/bin/app": "12345", "/usr/bin/gone": "1234567", "/usr/lib": rootfstest.Dir{}, "/usr/lib/liba.so": rootfstest.Link("liba.so.1"), "/usr/lib/liba.so.1": "123",
		"/hard/a": "1234567890", "/hard/b": rootfstest.Hard("/hard/a"), "/hard/c": rootfstest.Hard("/hard/a"),
		"/hard/x": "123456", "/hard/y": rootfstest.Hard("/hard/x"), "/.dockerenv": "1", "/usr.d/\xff<&>\n": "12345678901",
		"/var/lib/dpkg/status":         "Package: app\nVersion: 1\nArchitecture: amd64\n\nPackage: gone\nVersion: 2\n",
		"/var/lib/dpkg/info/app.list":  "/usr/bin/app\n/usr/lib/liba.so\n/usr/lib/liba.so.1\n/hard/x\n",
		"/var/lib/dpkg/info/gone.list": "/usr/bin/gone\n",
	}
}

func resolve(t testing.TB, root *rootfs.Root, paths ...string) *keepset.Set {
	t.Helper()
	ops := map[string]manifest.Ops{}
	for _, p := range paths {
		ops[p] = manifest.Opened
	}
	return resolvePack(t, root, manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}, ops)
}

// resolvePack makes the set of a run that did ops.
func resolvePack(t testing.TB, root *rootfs.Root, pack manifest.Pack, ops map[string]manifest.Ops) *keepset.Set {
	t.Helper()
	var trace bytes.Buffer
	must(t, manifest.WriteTrace(&trace, 3, len(ops), func(yield func(manifest.Entry) bool) {
		for _, p := range slices.Sorted(maps.Keys(ops)) {
			if !yield(manifest.Entry{Path: manifest.Path(p), Ops: ops[p]}) {
				return
			}
		}
	}))
	set, err := keepset.Resolve(context.Background(), root, &trace, nil, pack)
	must(t, err)
	return set
}

func write(t testing.TB, root *rootfs.Root, set *keepset.Set) (manifest.Summary, manifest.Report, []byte) {
	t.Helper()
	dir := t.TempDir()
	sum, err := evidence.Write(context.Background(), root, set, dir)
	must(t, err)
	data, err := os.ReadFile(dir + "/" + manifest.ReportFile)
	must(t, err)
	var report manifest.Report
	must(t, manifest.Decode(data, &report))
	summary, err := os.ReadFile(dir + "/" + manifest.SummaryFile)
	must(t, err)
	var read manifest.Summary
	must(t, manifest.Decode(summary, &read))
	if read.KeptBytes != sum.KeptBytes || read.KeptFiles != report.KeptFiles || read.TotalFiles != report.TotalFiles || read.Version != manifest.Version {
		t.Errorf("summary %+v and report %+v differ from %+v", read, report.Summary, sum)
	}
	return sum, report, data
}

func TestReport(t *testing.T) {
	root := rootfstest.Make(t, image())
	set := resolve(t, root, "/usr/bin/app", "/usr/lib/liba.so", "/hard/b", "/hard/c", "/usr.d/\xff<&>\n")
	sum, report, data := write(t, root, set)

	var kept []string
	for _, k := range report.Kept {
		if k.Type != "dir" {
			kept = append(kept, strings.Join([]string{string(k.Path), k.Type, strings.Join(k.Reasons, "+"), k.Package}, " "))
		}
	}
	want := []string{
		"/hard/b file opened ", "/hard/c file opened ", "/usr/bin/app file opened app", "/usr/lib/liba.so link opened app",
		"/usr.d/\xff<&>\n file opened ", "/var/lib/dpkg/status.d/app file package-metadata ",
	}
	if !slices.Equal(kept, want) {
		t.Errorf("kept\n%q, want\n%q", kept, want)
	}
	stanza := int64(len("Package: app\nVersion: 1\nArchitecture: amd64\n"))
	databases := int64(len(image()["/var/lib/dpkg/status"].(string)) + len(image()["/var/lib/dpkg/info/app.list"].(string)) + len(image()["/var/lib/dpkg/info/gone.list"].(string)))
	if sum.KeptFiles != 6 || sum.KeptBytes != 5+10+11+stanza || sum.TotalFiles != 14 || sum.TotalBytes != 5+7+3+10+6+1+11+databases {
		t.Errorf("got %+v", sum)
	}
	if sum.KeptPackages != 1 || sum.TotalPackages != 2 || sum.Probes != 3 {
		t.Errorf("got %+v", sum)
	}
	folders := []manifest.Total{
		{Name: "/var", Files: 3, Bytes: databases}, {Name: "/usr", Files: 2, Bytes: 10}, {Name: "/hard", Files: 3, Bytes: 6}, {Name: "/", Files: 1, Bytes: 1},
	}
	if !slices.Equal(report.Removed.Folders, folders) {
		t.Errorf("folders %+v, want %+v", report.Removed.Folders, folders)
	}
	packages := []manifest.Total{{Name: "app", Files: 2, Bytes: 9}, {Name: "gone", Files: 1, Bytes: 7}}
	if !slices.Equal(report.Removed.Packages, packages) {
		t.Errorf("packages %+v, want %+v", report.Removed.Packages, packages)
	}
	if p := report.Packages[0]; !reflect.DeepEqual(p, manifest.Package{Name: "app", Version: "1", Arch: "amd64", Source: "app", SourceVersion: "1", Files: 4, Kept: 2}) {
		t.Errorf("package %+v", p)
	}
	var removed int64
	for _, f := range report.Removed.Folders {
		removed += f.Bytes
	}
	if removed+sum.KeptBytes-stanza != sum.TotalBytes {
		t.Errorf("%d removed and %d kept of %d", removed, sum.KeptBytes-stanza, sum.TotalBytes)
	}
	if _, _, again := write(t, root, resolve(t, root, "/usr/bin/app", "/usr/lib/liba.so", "/hard/b", "/hard/c", "/usr.d/\xff<&>\n")); !bytes.Equal(data, again) {
		t.Error("a second run gives other bytes")
	}
}

func TestReportOfDistroless(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/var/lib/dpkg/status.d/a": "Package: a\n", "/var/lib/dpkg/status.d/a.md5sums": "00  bin/a\n11  bin/b\n", "/bin/a": "1", "/bin/b": "1",
	})
	sum, report, _ := write(t, root, resolve(t, root, "/bin/a"))
	if sum.KeptFiles != 3 || sum.TotalFiles != 4 || sum.KeptBytes != int64(1+len("Package: a\n")+len("00  bin/a\n")) {
		t.Errorf("got %+v", sum)
	}
	if f := report.Removed.Folders; len(f) != 1 || f[0].Files != 1 {
		t.Errorf("removed %+v", f)
	}
}

func TestEmptyImage(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{})
	sum, report, _ := write(t, root, resolve(t, root))
	if sum.KeptFiles != 0 || sum.TotalFiles != 0 || len(report.Kept) != 1 || report.Kept[0].Path != "/" {
		t.Errorf("got %+v, %+v", sum, report)
	}
}

// TestAlpine: apk's packages are accounted for as dpkg's are.
func TestAlpine(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/lib/apk/db/installed": "P:libssl3\nV:3.3.1-r0\no:openssl\nF:lib\nR:libssl.so.3\n\nP:zlib\nV:1.3-r0\nF:lib\nR:libz.so.1\n",
		"/lib/libssl.so.3":      "123", "/lib/libz.so.1": "1",
	})
	dir := t.TempDir()
	sum, err := evidence.Write(t.Context(), root, resolve(t, root, "/lib/libssl.so.3"), dir)
	must(t, err)
	data, err := os.ReadFile(dir + "/" + manifest.PackagesFile)
	must(t, err)
	var got manifest.Packages
	must(t, manifest.Decode(data, &got))
	want := manifest.Packages{Version: manifest.Version, Total: 2, Kept: []manifest.Package{
		{Name: "libssl3", Version: "3.3.1-r0", Source: "openssl", SourceVersion: "3.3.1-r0", Files: 1, Kept: 1},
	}}
	if !reflect.DeepEqual(got, want) || sum.TotalPackages != 2 || sum.KeptPackages != 1 {
		t.Errorf("got %+v, summary %+v", got, sum)
	}
}

func TestImageChangesMeanwhile(t *testing.T) {
	dir := rootfstest.MakeDir(t, rootfstest.Image{"/a": "1", "/b": "1"})
	root, err := rootfs.Open(dir)
	must(t, err)
	defer root.Close()
	set := resolve(t, root, "/a", "/b")
	must(t, os.Remove(dir+"/a"))
	if _, err := evidence.Write(context.Background(), root, set, t.TempDir()); err == nil || !strings.Contains(err.Error(), `"/a"`) {
		t.Errorf("got %v, want an error about /a", err)
	}
}

func TestCancelled(t *testing.T) {
	root := rootfstest.Make(t, image())
	set := resolve(t, root)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := evidence.Write(ctx, root, set, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

// TestOrder checks the merge of copied and generated entries on names around
// the slash.
func TestOrder(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{
		"/var/lib/dpkg/status": "Package: aa\n\nPackage: a\n", "/var/lib/dpkg.x": "", "/var/lib/dpkg/zz": "", "/var/lib/dpkg-y": "", "/var/lib/dpkg/a": "",
	})
	_, report, _ := write(t, root, resolve(t, root, "/var/lib/dpkg.x", "/var/lib/dpkg/zz", "/var/lib/dpkg-y", "/var/lib/dpkg/a"))
	var got []string
	for _, k := range report.Kept {
		got = append(got, string(k.Path))
	}
	want := []string{"/", "/var", "/var/lib", "/var/lib/dpkg", "/var/lib/dpkg/a", "/var/lib/dpkg/status.d", "/var/lib/dpkg/status.d/a",
		"/var/lib/dpkg/status.d/aa", "/var/lib/dpkg/zz", "/var/lib/dpkg-y", "/var/lib/dpkg.x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
