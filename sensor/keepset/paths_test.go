package keepset_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestNamedPaths: what the app's own sources and settings name by an absolute
// path is kept, of folders of packages no more than data.
func TestNamedPaths(t *testing.T) {
	files := Image{
		"/srv/static/a.css": "", "/srv/static/b/c.js": "", "/srv/static/node_modules/d.js": "", "/data/model.bin": "", "/data/other.bin": "",
		"/usr/bin/convert": Exe("tool"), "/usr/share/fonts/x/a.ttf": "", "/usr/share/fonts/x/a.py": "", "/etc/shadow": "secret", "/srv/link": Link("/data"),
	}
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"a folder", "/app/main.py", "ROOT = '/srv/static/'", []string{"/srv/static/a.css", "/srv/static/b/c.js"}},
		{"a file", "/app/main.js", "load(\"/data/model.bin\")", []string{"/data/model.bin"}},
		{"through a link", "/app/main.rb", "File.read('/srv/link/model.bin')", []string{"/data/model.bin", "/srv/link"}},
		{"a computed one", "/app/main.py", "f\"/data/{name}.bin\"", []string{"/data/model.bin", "/data/other.bin"}},
		{"a program", "/app/main.py", "TOOL='/usr/bin/convert'", []string{"/usr/bin/convert"}},
		{"data of a package", "/app/main.py", "'/usr/share/fonts/x'", []string{"/usr/share/fonts/x/a.ttf"}},
		{"settings", "/app/app.yaml", "static: /srv/static", []string{"/srv/static/a.css", "/srv/static/b/c.js"}},
		{"no path of an app", "/app/main.py", "'/' '/srv' '/usr' '/usr/lib' '/etc/shadow' '/proc/self' '/absent' '/data/../etc/shadow'", nil},
		{"a comment", "/app/main.py", "# see '/data'", nil},
		{"no source of the app", "/usr/share/app/main.py", "'/data'", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			image := maps.Clone(files)
			image[tt.file] = tt.text
			pack := amd64()
			pack.Copied = []manifest.Copy{{Dest: "/app"}}
			set, err := resolve(t, rootfstest.Make(t, image), pack, "opened "+tt.file)
			must(t, err)
			folders := []string{"/", "/app", "/data", "/srv/static", "/srv/static/b", "/usr/share/fonts/x"}
			got := slices.DeleteFunc(paths(set), func(p string) bool { return p == tt.file || slices.Contains(folders, p) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestNamedFolderBeyondMeasure: it is told of, not kept.
func TestNamedFolderBeyondMeasure(t *testing.T) {
	image := Image{"/app/main.py": "MODELS = '/models'", "/models/a": ""}
	dir := rootfstest.MakeDir(t, image)
	must(t, os.Truncate(dir+"/models/a", 65<<20))
	root, err := rootfs.Open(dir)
	must(t, err)
	defer root.Close()
	set, err := resolve(t, root, amd64(), "opened /app/main.py")
	must(t, err)
	if slices.Contains(paths(set), "/models/a") || !strings.Contains(strings.Join(set.Warnings(), "\n"), `"/models"`) {
		t.Errorf("paths %q, warnings %q", paths(set), set.Warnings())
	}
}
