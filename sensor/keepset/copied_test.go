package keepset_test

import (
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestCopied: what was COPYed together stays together.
func TestCopied(t *testing.T) {
	image := Image{
		"/app/main.py": "", "/app/views/a.html": "", "/app/views/b.html": "", "/app/.git/config": "",
		"/app/node_modules/m/index.js": "", "/app/.venv/pyvenv.cfg": "", "/app/.venv/bin/x": "",
		"/app/vendor/autoload.php": "", "/app/lib/vendor/own.php": "", "/app/vendor2/bundle/x.rb": "", "/app/gems/vendor/bundle/y.rb": "",
		"/app/link": Link("/data/far"), "/data/far": "", "/data/other": "",
		"/usr/local/bin/tool": "", "/usr/local/bin/other": "", "/current": Link("/app"),
		"/srv/app/mail/a.txt": "", "/srv/app/x": "", "/srv/other/y": "",
	}
	tree := []string{
		"/app/gems/vendor", "/app/lib", "/app/lib/vendor", "/app/lib/vendor/own.php", "/app/link", "/app/main.py", "/app/vendor2",
		"/app/vendor2/bundle", "/app/vendor2/bundle/x.rb", "/app/views", "/app/views/a.html", "/app/views/b.html", "/data/far",
	}
	whole := slices.Sorted(slices.Values(append([]string{"/app", "/app/gems"}, tree...)))
	tests := []struct {
		name    string
		copied  []manifest.Copy
		touches []string
		want    []string
	}{
		{"a tree", []manifest.Copy{{Dest: "/app"}}, []string{"opened /app/main.py"}, whole},
		{"a tree by a link", []manifest.Copy{{Dest: "/current/"}}, []string{"opened /app/views/b.html"}, whole},
		{"a tree that was listed", []manifest.Copy{{Dest: "/app", Name: "src"}}, []string{"listed /app/views"}, whole},
		{"a folder that was only looked at", []manifest.Copy{{Dest: "/app"}}, []string{"checked /app/views"}, []string{"/app/views"}},
		{"a tree that nothing touched", []manifest.Copy{{Dest: "/app"}}, []string{"opened /data/other"}, []string{"/data/other"}},
		{"files of one folder", []manifest.Copy{{Dest: "/data", Name: "far"}, {Dest: "/data", Name: "other"}}, []string{"opened /data/far"}, []string{"/data/far", "/data/other"}},
		{"a file beside others", []manifest.Copy{{Dest: "/data", Name: "far"}}, []string{"opened /data/far"}, []string{"/data/far"}},
		{"a file by its own name", []manifest.Copy{{Dest: "/data/far", Name: "x"}}, []string{"opened /data/far"}, []string{"/data/far"}},
		{"a folder of the system", []manifest.Copy{{Dest: "/usr/local/bin", Name: "tool"}, {Dest: "/usr/local/bin", Name: "other"}}, []string{"opened /usr/local/bin/tool"}, []string{"/usr/local/bin/tool"}},
		{"the whole of a folder of the system", []manifest.Copy{{Dest: "/"}, {Dest: "/usr"}}, []string{"opened /data/far"}, []string{"/data/far"}},
		{"the app's folder", []manifest.Copy{{Dest: "/srv/app/mail"}, {Dest: "/srv/app", Name: "x"}, {Dest: "/srv/other"}}, []string{"opened /data/far"}, []string{"/data/far", "/srv/app/mail", "/srv/app/mail/a.txt"}},
		{"a folder that is no more", []manifest.Copy{{Dest: "/gone"}, {Dest: "/data/far/x"}}, []string{"opened /data/far"}, []string{"/data/far"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			pack.Copied, pack.Image.WorkingDir = tt.copied, "/srv/app"
			set, err := resolve(t, rootfstest.Make(t, image), pack, tt.touches...)
			must(t, err)
			var got []string
			for e := range set.All() {
				if e.Reasons&^(keepset.Traversed|keepset.Config) != 0 {
					got = append(got, e.Path)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
