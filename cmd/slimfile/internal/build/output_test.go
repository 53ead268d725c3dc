package build

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseExports(t *testing.T) {
	type want struct {
		kind, dest string
		attrs      map[string]string
	}
	for _, tc := range []struct {
		name string
		o    Options
		want []want
		err  string
	}{
		{name: "none", o: Options{Tags: []string{"a"}}},
		{name: "folder", o: Options{Outputs: []string{"out"}}, want: []want{{"local", "out", nil}}},
		{name: "folder with =", o: Options{Outputs: []string{"a=b"}}, want: []want{{"local", "a=b", nil}}},
		{name: "stdout", o: Options{Outputs: []string{"-"}}, want: []want{{"tar", "-", nil}}},
		{name: "docker with tags", o: Options{Outputs: []string{"type=docker,dest=a.tar"}, Tags: []string{"a", "b:1"}},
			want: []want{{"docker", "a.tar", map[string]string{"name": "a,b:1"}}}},
		{name: "own name wins", o: Options{Outputs: []string{"type=oci,dest=a.tar,name=x"}, Tags: []string{"a"}},
			want: []want{{"oci", "a.tar", map[string]string{"name": "x"}}}},
		{name: "quoted", o: Options{Outputs: []string{`type=image,"name=a,b",push=true`}},
			want: []want{{"image", "", map[string]string{"name": "a,b", "push": "true"}}}},
		{name: "registry", o: Options{Outputs: []string{"type=registry"}, Tags: []string{"r/a"}},
			want: []want{{"image", "", map[string]string{"name": "r/a", "push": "true"}}}},
		{name: "push", o: Options{Push: true, Tags: []string{"r/a"}},
			want: []want{{"image", "", map[string]string{"name": "r/a", "push": "true"}}}},
		{name: "push the image too", o: Options{Push: true, Tags: []string{"r/a"}, Outputs: []string{"out"}},
			want: []want{{"local", "out", nil}, {"image", "", map[string]string{"name": "r/a", "push": "true"}}}},
		{name: "push the one image", o: Options{Push: true, Tags: []string{"r/a"}, Outputs: []string{"type=image"}},
			want: []want{{"image", "", map[string]string{"name": "r/a", "push": "true"}}}},
		{name: "untarred", o: Options{Outputs: []string{"type=oci,tar=false,dest=d"}},
			want: []want{{"oci", "d", map[string]string{"tar": "false"}}}},
		{name: "push without a name", o: Options{Push: true}, err: "-t REGISTRY/NAME:TAG"},
		{name: "registry without a name", o: Options{Outputs: []string{"type=registry"}}, err: "-t REGISTRY/NAME:TAG"},
		{name: "unknown type", o: Options{Outputs: []string{"type=zip,dest=x"}}, err: `no type "zip"`},
		{name: "no type", o: Options{Outputs: []string{"dest=x,name=y"}}, err: "type= is missing"},
		{name: "no value", o: Options{Outputs: []string{"type=oci,dest"}}, err: "not KEY=VALUE"},
		{name: "local without dest", o: Options{Outputs: []string{"type=local"}}, err: "dest=FOLDER"},
		{name: "untarred without dest", o: Options{Outputs: []string{"type=oci,tar=false"}}, err: "dest=FOLDER"},
		{name: "image to a file", o: Options{Outputs: []string{"type=image,dest=x"}}, err: "type=oci"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseExports(tc.o)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil || len(got) != len(tc.want) {
				t.Fatalf("got %d exports, %v", len(got), err)
			}
			for i, w := range tc.want {
				if got[i].Type != w.kind || got[i].dest != w.dest || !maps.Equal(got[i].Attrs, w.attrs) {
					t.Errorf("export %d is %s to %q with %v, want %+v", i, got[i].Type, got[i].dest, got[i].Attrs, w)
				}
			}
		})
	}
}

func FuzzParseExport(f *testing.F) {
	for _, seed := range []string{"out", "-", "type=docker,dest=a.tar", `type=image,"name=a,b"`, "type=oci,tar=false,dest=x", "=,", "type="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		e, err := parseExport(value)
		if err == nil && e.Type == "" {
			t.Errorf("%q gives an export without a type", value)
		}
		if err == nil && e.isFolder() && e.dest == "" {
			t.Errorf("%q gives a folder without a name", value)
		}
	})
}

func TestForDocker(t *testing.T) {
	parse := func(o Options) []export {
		t.Helper()
		list, err := parseExports(o)
		if err != nil {
			t.Fatal(err)
		}
		return forDocker(list, o.Tags)
	}
	list := parse(Options{Tags: []string{"app"}})
	if len(list) != 1 || list[0].Type != exporterMoby || list[0].Attrs["name"] != "app" {
		t.Errorf("a build without output gives %+v", list)
	}
	list = parse(Options{Outputs: []string{"type=docker", "type=docker,dest=x.tar", "type=image", "out"}})
	for i, want := range []string{exporterMoby, "docker", exporterMoby, "local"} {
		if list[i].Type != want {
			t.Errorf("export %d is %s, want %s", i, list[i].Type, want)
		}
	}
}

// store writes one result the way BuildKit's client does.
func store(t *testing.T, r *results, outputs []string, text string) error {
	t.Helper()
	list, err := parseExports(Options{Outputs: outputs})
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.CreateTemp(t.TempDir(), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	entries, err := r.entries(list, out)
	if err != nil {
		return err
	}
	for _, e := range entries {
		w, err := e.Output(nil)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestResultAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.tar")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	var r results
	if err := store(t, &r, []string{"type=oci,dest=" + path}, "after"); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "before" {
		t.Errorf("the file holds %q before the build is done", got)
	}
	if err := r.commit(); err != nil {
		t.Fatal(err)
	}
	if err := r.discard(); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "after" {
		t.Errorf("the file holds %q after the build", got)
	}

	r = results{}
	if err := store(t, &r, []string{"type=oci,dest=" + path}, "broken"); err != nil {
		t.Fatal(err)
	}
	if err := r.discard(); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "after" {
		t.Errorf("the file holds %q after a failed build", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestResultDestinations(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "real")
	link := filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, dest, err string
	}{
		{name: "link", dest: link},
		{name: "device", dest: os.DevNull},
		{name: "folder", dest: dir, err: "is a folder"},
		{name: "no parent", dest: filepath.Join(dir, "no", "x"), err: "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r results
			err := store(t, &r, []string{"type=tar,dest=" + tc.dest}, "text")
			if err == nil {
				err = r.commit()
			}
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
	if got := readFile(t, file); got != "text" {
		t.Errorf("what the link leads to holds %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device became %v, %v", info.Mode(), err)
	}
	var r results
	if err := store(t, &r, []string{"-", "type=oci"}, "x"); err == nil || !strings.Contains(err.Error(), "already goes to stdout") {
		t.Errorf("two results to stdout: %v", err)
	}
}
