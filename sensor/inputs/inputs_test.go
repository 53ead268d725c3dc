package inputs

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

func image() rootfstest.Image {
	return rootfstest.Image{
		"/app/app.py": "app", "/app/unused": "unused", "/app/__pycache__/app.pyc": "at noon", "/app/slim.lock": lock.Magic + "1\n",
		"/lib": rootfstest.Link("usr/lib"), "/usr/lib/libx.so": "x", "/usr/lib/libx.so.1": rootfstest.Link("libx.so"),
		"/opt/other": "other", "/var/log/apt.log": "log", "/tmp/x": "x", "/var/cache/kept": "cache",
	}
}

// keeps are the entries of the lock.
func keeps() (list []lock.Entry) {
	for _, p := range []string{"/app/__pycache__/app.pyc", "/app/app.py", "/lib", "/usr/lib/libx.so", "/usr/lib/libx.so.1", "/var/cache/kept"} {
		list = append(list, lock.Entry{Path: p})
	}
	return list
}

func digests(t *testing.T, image rootfstest.Image) lock.Section {
	t.Helper()
	list, err := Digests(t.Context(), rootfstest.Make(t, image), keeps(), "slim.lock")
	if err != nil {
		t.Fatal(err)
	}
	return lock.Section{Inputs: list}
}

func TestNames(t *testing.T) {
	var names []string
	for _, in := range digests(t, image()).Inputs {
		names = append(names, in.Name)
	}
	if want := []string{"/", "/app", "/lib", "/usr", "/var"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestChanges(t *testing.T) {
	was := digests(t, image())
	for _, tc := range []struct {
		name   string
		change rootfstest.Image // nil values are removed
		want   []string
	}{
		{"nothing", nil, nil},
		{"the content of what is kept", rootfstest.Image{"/app/app.py": "App"}, []string{"/app"}},
		{"the content of what is not", rootfstest.Image{"/app/unused": "used", "/opt/other": ""}, nil},
		{"a new name", rootfstest.Image{"/app/new": ""}, []string{"/app"}},
		{"a new name where nothing is kept", rootfstest.Image{"/opt/new": ""}, []string{"/"}},
		{"a new top folder", rootfstest.Image{"/new": rootfstest.Dir{}}, []string{"/"}},
		{"a name less", rootfstest.Image{"/app/unused": nil}, []string{"/app"}},
		{"what is kept is gone", rootfstest.Image{"/lib": nil}, []string{"/lib"}},
		{"another type", rootfstest.Image{"/opt/other": rootfstest.Link("x")}, []string{"/"}},
		{"rights of what is kept", rootfstest.Image{"/app/app.py": rootfstest.Exe("app")}, []string{"/app"}},
		{"where a link leads", rootfstest.Image{"/usr/lib/libx.so.1": rootfstest.Link("libx.s")}, []string{"/usr"}},
		{"logs and temporary files", rootfstest.Image{"/var/log/apt.log": nil, "/var/log/new/a": "", "/tmp/x": nil, "/tmp/y": ""}, nil},
		{"byte code", rootfstest.Image{"/app/__pycache__/app.pyc": "at midnight"}, nil},
		{"a cache", rootfstest.Image{"/var/cache/kept": "later"}, nil},
		{"a kept cache is gone", rootfstest.Image{"/var/cache/kept": nil}, []string{"/", "/var"}},
		{"the lock", rootfstest.Image{"/app/slim.lock": lock.Magic + "2\n"}, nil},
		{"the lock is gone", rootfstest.Image{"/app/slim.lock": nil}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := image()
			maps.Copy(changed, tc.change)
			maps.DeleteFunc(changed, func(_ string, v any) bool { return v == nil })
			if got := lock.Changed(was, digests(t, changed)); !slices.Equal(got, tc.want) {
				t.Errorf("changed %q, want %q", got, tc.want)
			}
		})
	}
}

// TestTimes: when something was made does not count, nor how the lock names it.
func TestTimes(t *testing.T) {
	dir := rootfstest.MakeDir(t, image())
	if err := os.Chtimes(dir+"/app/app.py", time.Unix(1, 0), time.Unix(2, 0)); err != nil {
		t.Fatal(err)
	}
	root, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	list, err := Digests(t.Context(), root, keeps(), "conf/slim.lock")
	if err != nil || !slices.Equal(list, digests(t, image()).Inputs) {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := Digests(ctx, rootfstest.Make(t, image()), keeps(), "slim.lock"); err == nil {
		t.Error("no error")
	}
}

// BenchmarkDigests reads 1 GB of kept files in 1000 files.
func BenchmarkDigests(b *testing.B) {
	big := rootfstest.Image{}
	var entries []lock.Entry
	data := make([]byte, 1<<20)
	for i := range 1000 {
		name := "/data/" + string(rune('a'+i/100)) + "/" + string(rune('a'+i/10%10)) + string(rune('a'+i%10))
		big[name] = rootfstest.Data{B: data}
		entries = append(entries, lock.Entry{Path: name})
	}
	root := rootfstest.Make(b, big)
	b.SetBytes(int64(len(entries) * len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Digests(b.Context(), root, entries, "slim.lock"); err != nil {
			b.Fatal(err)
		}
	}
}
