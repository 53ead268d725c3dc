package keepset_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

const (
	npm  = "/app/node_modules/"
	site = "/usr/local/lib/python3.11/site-packages/"
	gems = "/var/lib/gems/3.1.0/gems/"
)

// packaged is an app with a package of every kind of which the run reads a file.
func packaged() Image {
	return Image{
		"/app/server.js": "() => require('two')", "/app/page.html": "1234567", "/extra/data.bin": "123", "/app/plugins/a.js": "", "/app/plugins/b.js": "", "/app/list/x": "", "/app/list/y": "", "/app/list/sub/z": "",
		npm + "one/package.json": "{}", npm + "one/index.js": "", npm + "one/more.js": "12345", npm + "one/node_modules/deep/index.js": "", npm + "@s/p/a.js": "", npm + "@s/p/b.js": "",
		npm + "two/package.json": "{}", npm + "two/index.js": "", npm + "two/more.js": "",
		site + "pkg/__init__.py": "", site + "pkg/more.py": "", site + "pkg/tests/t.py": "", site + "pkg-1.dist-info/RECORD": "pkg/__init__.py,,\n_pkg.so,,\n../../../bin/pkg,,\nabsent.py,,\n",
		site + "_pkg.so": lib("libx.so"), triplet + "libx.so": lib(), "/usr/local/bin/pkg": Exe(""), site + "other.py": "",
		gems + "rack-2.2/lib/rack.rb": "", gems + "rack-2.2/lib/more.rb": "",
		"/srv/vendor/autoload.php": "", "/srv/vendor/acme/lib/src/A.php": "", "/srv/vendor/acme/lib/src/B.php": "", "/srv/vendor/acme/other/C.php": "",
		"/opt/vendor/acme/lib/A.php": "", "/opt/vendor/acme/lib/B.php": "",
		"/usr/lib/erlang/lib/stdlib-4.2/ebin/lists.beam": "", "/usr/lib/erlang/lib/stdlib-4.2/ebin/more.beam": "",
		"/usr/bin/tool": Exe("#!/bin/sh\n! hash branch || branch\n"), "/bin/sh": Exe(""), "/usr/bin/branch": Exe(""), "/usr/bin/other": Exe(""),
	}
}

var packagedRun = []string{
	"opened /app/server.js", "listed /app/plugins", "opened /app/plugins/a.js", "listed /app/list", "opened " + npm + "one/index.js", "opened " + npm + "@s/p/a.js",
	"opened " + site + "pkg/__init__.py", "opened " + gems + "rack-2.2/lib/rack.rb", "opened /srv/vendor/acme/lib/src/A.php", "opened /opt/vendor/acme/lib/A.php",
	"opened /usr/lib/erlang/lib/stdlib-4.2/ebin/lists.beam", "listed /usr/bin", "executed /usr/bin/tool", "executed /bin/sh",
}

// files returns what the set has besides folders and what the run touched.
func files(set *keepset.Set, image Image) []string {
	return slices.DeleteFunc(paths(set), func(p string) bool {
		_, file := image[p]
		return !file || slices.ContainsFunc(packagedRun, func(touch string) bool { return strings.HasSuffix(touch, " "+p) })
	})
}

func TestGranularity(t *testing.T) {
	image := packaged()
	file := []string{"/app/page.html", "/app/plugins/b.js", npm + "one/package.json", npm + "two/index.js", npm + "two/package.json", "/usr/bin/branch",
		gems + "rack-2.2/lib/more.rb", "/usr/lib/erlang/lib/stdlib-4.2/ebin/more.beam"}
	pkg := slices.Concat(file, []string{
		"/app/list/x", "/app/list/y", npm + "one/more.js", npm + "@s/p/b.js", site + "pkg/more.py", site + "pkg/tests/t.py", site + "pkg-1.dist-info/RECORD", site + "_pkg.so",
		triplet + "libx.so", "/usr/local/bin/pkg", "/srv/vendor/acme/lib/src/B.php",
	})
	tests := []struct {
		granularity string
		want        []string
		levels      []string
	}{
		{"", file, []string{"app", "package", "strict"}},
		{manifest.GranularityFile, file, []string{"app", "package", "strict"}},
		{manifest.GranularityPackage, pkg, []string{"app", "strict"}},
		{manifest.GranularityApp, append([]string{"/extra/data.bin"}, pkg...), []string{"strict"}},
		{manifest.GranularityStrict, nil, nil},
	}
	copied := []manifest.Copy{{Dest: "/app", Name: "server.js"}, {Dest: "/app", Name: "page.html"}, {Dest: "/extra"}}
	for _, tt := range tests {
		t.Run(tt.granularity, func(t *testing.T) {
			pack := amd64()
			pack.Granularity, pack.Copied = tt.granularity, copied
			set, err := resolve(t, rootfstest.Make(t, image), pack, packagedRun...)
			must(t, err)
			want := slices.Clone(tt.want)
			slices.SortFunc(want, rootfs.Compare)
			if got := files(set, image); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if got := slices.Sorted(maps.Keys(set.Levels())); !slices.Equal(got, tt.levels) {
				t.Errorf("levels %q, want %q", got, tt.levels)
			}
		})
	}
}

// TestLevels: what other granularities are said to add is what they add.
func TestLevels(t *testing.T) {
	image := packaged()
	root := rootfstest.Make(t, image)
	bytes := map[string]int64{}
	var said map[string]int64
	for _, granularity := range []string{manifest.GranularityStrict, manifest.GranularityFile, manifest.GranularityPackage, manifest.GranularityApp} {
		pack := amd64()
		pack.Granularity, pack.Copied = granularity, []manifest.Copy{{Dest: "/app", Name: "server.js"}, {Dest: "/app", Name: "page.html"}, {Dest: "/extra"}}
		set, err := resolve(t, root, pack, packagedRun...)
		must(t, err)
		if granularity == manifest.GranularityFile {
			said = set.Levels()
		}
		for _, path := range paths(set) {
			if info, err := root.Lstat(path); err == nil && info.IsRegular() {
				bytes[granularity] += info.Size
			}
		}
	}
	want := map[string]int64{
		manifest.GranularityStrict:  bytes[manifest.GranularityStrict] - bytes[manifest.GranularityFile],
		manifest.GranularityPackage: bytes[manifest.GranularityPackage] - bytes[manifest.GranularityFile],
		manifest.GranularityApp:     bytes[manifest.GranularityApp] - bytes[manifest.GranularityFile],
	}
	if !maps.Equal(said, want) || want[manifest.GranularityApp] == 0 || want[manifest.GranularityStrict] == 0 {
		t.Errorf("got %v, want %v", said, want)
	}
}

func TestKeepLanguagePackages(t *testing.T) {
	image := packaged()
	image[site+"Flask_Login-0.6.dist-info/METADATA"] = ""
	image[site+"Flask_Login-0.6.dist-info/RECORD"] = "flask_login/__init__.py,,"
	image[site+"flask_login/__init__.py"] = ""
	for name, want := range map[string][]string{
		"@s/p":        {npm + "@s/p/a.js", npm + "@s/p/b.js"},
		"one":         {npm + "one/index.js", npm + "one/more.js", npm + "one/package.json"},
		"pkg":         {triplet + "libx.so", "/usr/local/bin/pkg", site + "_pkg.so", site + "pkg/__init__.py", site + "pkg/more.py", site + "pkg/tests/t.py", site + "pkg-1.dist-info/RECORD"},
		"flask-login": {site + "Flask_Login-0.6.dist-info/METADATA", site + "Flask_Login-0.6.dist-info/RECORD", site + "flask_login/__init__.py"},
		"none":        nil,
	} {
		pack := amd64()
		pack.Rules = []manifest.Rule{{Kind: manifest.RuleKeepPackage, Args: []string{name}}}
		set, err := resolve(t, rootfstest.Make(t, image), pack)
		if want == nil {
			var failure *manifest.Failure
			if !errors.As(err, &failure) {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		must(t, err)
		got := slices.DeleteFunc(paths(set), func(p string) bool { _, file := image[p]; return !file })
		slices.SortFunc(want, rootfs.Compare)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got  %q\nwant %q", name, got, want)
		}
	}
}

func TestKeepStageCopy(t *testing.T) {
	image := packaged()
	pack := amd64()
	pack.Rules = []manifest.Rule{{Kind: manifest.RuleKeepStageCopy}}
	pack.Copied = []manifest.Copy{{Dest: npm + "one"}, {Dest: "/usr/bin", Name: "tool"}, {Dest: "/gone"}, {Dest: "/extra/data.bin", Name: "x"}}
	set, err := resolve(t, rootfstest.Make(t, image), pack)
	must(t, err)
	want := []string{npm + "one/index.js", npm + "one/more.js", npm + "one/node_modules/deep/index.js", npm + "one/package.json", "/bin/sh", "/extra/data.bin", "/usr/bin/branch", "/usr/bin/tool"}
	if got := slices.DeleteFunc(paths(set), func(p string) bool { _, file := image[p]; return !file }); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	pack.Copied = append(pack.Copied, manifest.Copy{Dest: "/usr/bin", Name: "folder"})
	var failure *manifest.Failure
	if _, err := resolve(t, rootfstest.Make(t, image), pack); !errors.As(err, &failure) || !strings.Contains(failure.Message, "/usr/bin") {
		t.Errorf("a whole folder into /usr/bin: got %v", err)
	}
}
