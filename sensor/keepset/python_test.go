package keepset_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestPython: what functions and branches not taken import is kept, with what
// that needs to be imported, and nothing that only its own functions import.
func TestPython(t *testing.T) {
	const (
		std  = "/usr/local/lib/python3.11/"
		site = std + "site-packages/"
		so   = ".cpython-311-x86_64-linux-gnu.so"
	)
	image := func(text string) Image {
		return Image{
			"/app/main.py": text, "/app/late.py": "import decimal\ndef f(): import bz2", "/app/templates/a.html": "", "/app/templates/b.py": "", "/app/notes.txt": "",
			std + "os.py": "", std + "decimal.py": "try:\n  from _decimal import *\nexcept ImportError:\n  from _pydecimal import *\n", std + "_pydecimal.py": "",
			std + "bz2.py": "import _bz2", std + "abc.py": "", std + "tarfile.py": "", std + "pdb.py": "", std + "asyncio/__init__.py": "",
			std + "lib-dynload/_decimal" + so: lib("libmpdec.so"), triplet + "libmpdec.so": lib(), std + "lib-dynload/_bz2" + so: lib(),
			std + "json/__init__.py": "import abc, tarfile, pdb\nfrom .decoder import x", std + "json/decoder.py": "", std + "json/tool.py": "",
			std + "hashlib.py": "def new():\n  import _hashlib, tarfile", std + "__pycache__/hashlib.cpython-311.pyc": "", std + "lib-dynload/_hashlib" + so: lib(),
			std + "sitecustomize.py": Link("/etc/python3/sitecustomize.py"), std + "__pycache__/sitecustomize.cpython-311.pyc": "", "/etc/python3/sitecustomize.py": "def f(): import tarfile\nimport bz2",
			std + "encodings/__init__.py": "", std + "encodings/idna.py": "", std + "encodings/cp037.py": "",
			site + "pkg/__init__.py": "from . import core", site + "pkg/core.py": "def f():\n  from pkg.late import x\n  import asyncio\n  open('data')", site + "pkg/late.py": "from .sub.mod import y",
			site + "pkg/sub/mod.py": "", site + "pkg/tests/__init__.py": "", site + "pkg/data/x.json": "", site + "pkg/data/y.csv": "", site + "pkg/data/z.py": "",
			site + "pkg-1.dist-info/METADATA": "Name: pkg", site + "pkg-1.dist-info/RECORD": "pkg/__init__.py,,\npkg-1.dist-info/RECORD,,", site + "pkg-1.dist-info/entry_points.txt": "", site + "pkg-1.dist-info/LICENSE": "",
			site + "other/__init__.py": "", site + "other-1.dist-info/METADATA": "", site + "other-1.dist-info/top_level.txt": "other\n",
		}
	}
	metadata := []string{site + "pkg-1.dist-info/METADATA", site + "pkg-1.dist-info/entry_points.txt"}
	tests := []struct {
		name    string
		text    string
		touches []string
		want    []string // besides /app/main.py and what was touched
	}{
		{"nothing", "import sys", nil, nil},
		{"in a function", "def f(): import late", nil, []string{"/app/late.py", std + "decimal.py", std + "lib-dynload/_decimal" + so, triplet + "libmpdec.so"}},
		{"in a branch", "try:\n  import absent\nexcept ImportError:\n  import bz2", nil, []string{std + "bz2.py", std + "lib-dynload/_bz2" + so}},
		{"by byte code", "", []string{"opened " + std + "__pycache__/hashlib.cpython-311.pyc", "checked " + std + "hashlib.py"}, []string{std + "lib-dynload/_hashlib" + so}},
		{"by byte code of a link", "", []string{"opened " + std + "__pycache__/sitecustomize.cpython-311.pyc", "checked " + std + "sitecustomize.py"}, []string{std + "bz2.py", std + "lib-dynload/_bz2" + so}},
		{"what the standard library seldom asks for", "", []string{"opened " + std + "json/__init__.py"}, []string{std + "json/decoder.py"}},
		{"what an app seldom asks for", "def f():\n  import tarfile, pdb, abc, asyncio", nil, []string{std + "asyncio/__init__.py", std + "tarfile.py"}},
		{"a package", "", []string{"opened " + site + "pkg/core.py"}, append([]string{
			site + "pkg/__init__.py", site + "pkg/data", site + "pkg/data/x.json", site + "pkg/data/y.csv", site + "pkg/late.py", site + "pkg/sub/mod.py",
		}, metadata...)},
		{"settings", "BACKEND = 'pkg.sub.mod.Backend'", nil, append([]string{site + "pkg/__init__.py", site + "pkg/core.py", site + "pkg/data", site + "pkg/data/x.json", site + "pkg/data/y.csv", site + "pkg/late.py", site + "pkg/sub/mod.py"}, metadata...)},
		{"templates", "Flask(template_folder='templates')", nil, []string{"/app/templates", "/app/templates/a.html"}},
		{"codecs", "", []string{"opened " + std + "encodings/__init__.py"}, []string{std + "encodings/idna.py"}},
		{"no module at all", "\x00 \xff '''", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Something of each folder is loaded, as when the program starts.
			touches := append([]string{"opened /app/main.py", "opened " + std + "os.py", "opened " + site + "other/__init__.py"}, tt.touches...)
			set, err := resolve(t, rootfstest.Make(t, image(tt.text)), amd64(), touches...)
			must(t, err)
			got := slices.DeleteFunc(paths(set), func(p string) bool {
				return p == "/" || strings.HasPrefix(p, site+"other") || slices.ContainsFunc(touches, func(touch string) bool { return strings.HasSuffix(touch, " "+p) })
			})
			slices.SortFunc(tt.want, rootfs.Compare)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestPythonByName: modules whose names are computed are kept where what is
// literal of the name leads to them, and the data that goes with packages.
func TestPythonByName(t *testing.T) {
	const (
		std  = "/usr/lib/python3.11/"
		site = "/usr/lib/python3/dist-packages/"
		so   = ".cpython-311-x86_64-linux-gnu.so"
	)
	common := Image{
		"/app/main.py": "", std + "os.py": "", std + "bz2.py": "", site + "web/locale/de/__init__.py": "", site + "web/locale/de/formats.py": "",
		site + "web/locale/de/other.py": "", site + "web/locale/tests/formats.py": "", site + "web/cli/commands/check.py": "", site + "web/cli/commands/test_x.py": "",
		site + "web/big/a.py": strings.Repeat("#", 5<<20), site + "web/forms/__init__.py": "", site + "web/forms/templates/a.html": "", site + "web/forms/templates/a.js": "",
		site + "web/asked/de/x.mo": "", site + "web/asked/de/x.po": "", site + "web/_own.py": "", site + "web/z/__init__.py": "",
		site + "shop/__init__.py": "", site + "shop/cli/commands/sell.py": "", site + "shop/templates/b.html": "", site + "shop/walked/a.py": "", site + "shop/walked/b/__init__.py": "",
	}
	tests := []struct {
		name    string
		module  string // of web, which the run loaded
		more    Image
		touches []string
		want    []string
	}{
		{"a computed part", "import_module('web.locale.%s' % x); import_module('%s.formats' % y)", nil, nil, []string{site + "web/locale/de/__init__.py", site + "web/locale/de/formats.py"}},
		{"unknown packages", "__import__('%s.cli.commands.%s' % (x, y))", nil, nil, []string{site + "shop/cli/commands/sell.py", site + "web/cli/commands/check.py"}},
		{"the own package", "import_module('.' + x, __name__)", nil, nil, []string{site + "web/_own.py", site + "web/forms/__init__.py", site + "web/z/__init__.py"}},
		{"a prefix", "import_module('web._' + x)", nil, nil, []string{site + "web/_own.py"}},
		{"all of a library", "import_module('shop.' + x)", nil, nil, nil},
		{"too much", "import_module(f'web.big.{x}')", nil, nil, nil},
		{"listed modules", "pkgutil.iter_modules([dir + 'walked'])", nil, nil, []string{site + "shop/walked/a.py", site + "shop/walked/b/__init__.py"}},
		{"data of packages of the same library", "x = 'templates'", nil, []string{"opened " + site + "web/forms/__init__.py"}, []string{site + "web/forms/templates", site + "web/forms/templates/a.html", site + "web/forms/templates/a.js"}},
		{"data that was asked for", "", nil, []string{"checked " + site + "web/asked"}, []string{site + "web/asked/de/x.mo"}},
		{"a compiled module", "", Image{site + "web/_c" + so: "\x00web.z\x00bz2\x00readline\x00_own\x00", std + "lib-dynload/readline" + so: ""}, []string{"mapped " + site + "web/_c" + so}, []string{std + "bz2.py", site + "web/_own.py", site + "web/z/__init__.py"}},
		{"what a function of a module within needs", "def f():\n  from . import _own", Image{site + "web/_own.py": "def g():\n  import web.z\n  import bz2"}, nil, []string{site + "web/_own.py", site + "web/z/__init__.py"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			image := maps.Clone(common)
			maps.Copy(image, tt.more)
			image[site+"web/__init__.py"] = tt.module
			touches := append([]string{"opened /app/main.py", "opened " + std + "os.py", "opened " + site + "web/__init__.py", "opened " + site + "shop/__init__.py"}, tt.touches...)
			set, err := resolve(t, rootfstest.Make(t, image), amd64(), touches...)
			must(t, err)
			got := slices.DeleteFunc(paths(set), func(p string) bool {
				return p == "/" || slices.ContainsFunc(touches, func(touch string) bool { return strings.HasSuffix(touch, " "+p) })
			})
			slices.SortFunc(tt.want, rootfs.Compare)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestDistributions: the metadata of what is kept stays, and no other.
func TestDistributions(t *testing.T) {
	const site = "/usr/lib/python3/dist-packages/"
	image := Image{
		site + "yaml/__init__.py": "", site + "_yaml.so": lib(), site + "six.py": "", site + "other.py": "",
		site + "PyYAML-6.egg-info/PKG-INFO": "", site + "PyYAML-6.egg-info/top_level.txt": "_yaml\nyaml\n", site + "PyYAML-6.egg-info/SOURCES.txt": "",
		site + "six-1.dist-info/METADATA": "", site + "six-1.dist-info/RECORD": "six.py,sha256=x,1\n../../bin/six,,\n", site + "other-1.dist-info/METADATA": "", site + "other-1.dist-info/RECORD": "other.py,,",
	}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "opened "+site+"yaml/__init__.py", "opened "+site+"six.py")
	must(t, err)
	want := []string{"/", site + "PyYAML-6.egg-info/PKG-INFO", site + "PyYAML-6.egg-info/top_level.txt", site + "six-1.dist-info/METADATA", site + "six.py", site + "yaml/__init__.py"}
	if got := paths(set); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
