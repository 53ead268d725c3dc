package pymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	tests := []struct {
		name    string
		module  string
		imports []Import
		texts   []string
	}{
		{"names", "import a, b.c as d ; import e # import f\n", []Import{{Module: "a"}, {Module: "b.c"}, {Module: "e"}}, nil},
		{"from", "from a.b import (c as d,\n  e, # x\n  f)\nfrom . import g\nfrom ..h import *", []Import{
			{Module: "a.b", Names: []string{"c", "e", "f"}}, {Level: 1, Names: []string{"g"}}, {Module: "h", Level: 2},
		}, nil},
		{"joined lines", "from a \\\n import b, \\\r\n c\n", []Import{{Module: "a", Names: []string{"b", "c"}}}, nil},
		{"one-liners", "if x: import a\ntry: import b\nexcept: import c\nfinally: from d import e; import f", []Import{
			{Module: "a"}, {Module: "b"}, {Module: "c"}, {Module: "d", Names: []string{"e"}}, {Module: "f"},
		}, nil},
		{"functions", "def f():\n  if x:\n    import a\n\n  async def g():\n    import b\n  import c\nimport d\nclass C:\n  import e\n  def f(self): import g\n", []Import{
			{Module: "a", Lazy: true}, {Module: "b", Lazy: true}, {Module: "c", Lazy: true}, {Module: "d"}, {Module: "e"}, {Module: "g", Lazy: true},
		}, nil},
		{"a function over lines", "def f(a,\nb):\n\timport a\nimport b", []Import{{Module: "a", Lazy: true}, {Module: "b"}}, nil},
		{"not for this run", "if TYPE_CHECKING:\n  import a\nelse:\n  import b\nif t.TYPE_CHECKING: import c\nif __name__ == '__main__':\n  import d\nif sys.platform == 'win32':\n  import e\nelif os.name == \"nt\":\n  import f\ndef _test():\n  import g\nimport h\n",
			[]Import{{Module: "b"}, {Module: "h"}}, nil},
		{"for any other run", "if sys.platform != 'win32':\n  import a\nif not TYPE_CHECKING:\n  import b\nif WIN or x:\n  import c\n", []Import{{Module: "a"}, {Module: "b"}, {Module: "c"}}, []string{"win32"}},
		{"calls", "importlib.import_module('a.b')\n__import__(\"c\")\nimport_module('..d', __package__)\nimport_module(x)", []Import{{Module: "a.b"}, {Module: "c"}, {Module: "d", Level: 2}}, nil},
		{"functions that the module calls", "def f():\n  import a\n  def g(): import b\ndef h():\n  import c\ndef i(): import d\nx = [f()]\ndef j():\n  h()\nclass C:\n  def f(self): import e\nj", []Import{
			{Module: "a"}, {Module: "b"}, {Module: "c", Lazy: true}, {Module: "d", Lazy: true}, {Module: "e", Lazy: true},
		}, nil},
		{"functions for attributes", "def __getattr__(name):\n  from .a import b\nclass C:\n  def __getattr__(self, name):\n    import c", []Import{
			{Module: "a", Level: 1, Names: []string{"b"}, Lazy: true, Attribute: true}, {Module: "c", Lazy: true},
		}, nil},
		{"strings", "a = 'templates', r\"x.json\", '''long\nimport z''', b'bytes', f'{x}', 'two words', 'es\\'caped', \"# no comment\", ''\nu'y'", nil, []string{"templates", "x.json", "y"}},
		{"an open string", "a = 'b\nimport c\nd = '''e\nimport f", []Import{{Module: "c"}}, []string{"b"}},
		{"no statement", "yield from x\nx = y.import_\nraise a from b\nfor import_ in x: pass", nil, nil},
		{"brackets that do not match", "x = (]\nimport a\n)\nimport b", []Import{{Module: "a"}, {Module: "b"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Scan([]byte(tt.module))
			if !reflect.DeepEqual(got.Imports, tt.imports) {
				t.Errorf("imports %+v, want %+v", got.Imports, tt.imports)
			}
			if !slices.Equal(got.Texts, tt.texts) {
				t.Errorf("texts %q, want %q", got.Texts, tt.texts)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	const byName = "import_module(x)\n"
	tests := []struct {
		name   string
		module string
		want   []string
	}{
		{"percent", byName + "a = 'django.conf.locale.%s' % x; b = '%s.formats' % a; '%s.%s'; '%s.a.b.%s'", []string{"django.conf.locale.*", "*.formats", "*.a.b.*"}},
		{"braces", byName + "'a.{}.b'.format(x), f'a._{x}', F'{x}.{y}', f'''a.{x}''', f'a.{x'", []string{"a.*.b", "a._*"}},
		{"sums", byName + "'a.b._' + x; x + '.y'; x + '.y.' + z; 'a.b' + x; 'a' + x; '_a_' + x", []string{"a.b._*", "*.y", "*.y.*", "a.b*", "_a_*"}},
		{"relative", "import_module('.' + x, __package__); '.' + x; import_module(f'.{x}'); import_module('..' + x)", []string{".*", ".*"}},
		{"no names", byName + "'%s: %s', '/a.%s', 'a b.%s', '*.%s', 'a..%s', '%s.', '{}', ''", nil},
		{"no imports by name", "'a.%s' % x", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Scan([]byte(tt.module)).Patterns; !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	module := "\x7fELF\x02\x00numpy\x00scipy._lib.messagestream\x00a b\x00.x\x00x.\x00x..y\x001a\x00a.1b\x00a1\x00\xc3\xa9t\x00" +
		strings.Repeat("x", 70<<10) + "\x00" + strings.Repeat("y", maxText+1) + "\x00last\x00open"
	var got []string
	if err := Names(strings.NewReader(module), func(name []byte) { got = append(got, string(name)) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"numpy", "scipy._lib.messagestream", "a1", "last"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// parser prints, for each module named on stdin, what Python's own parser finds
// in it: imports with their level and whether a function is around them.
const parser = `
import ast, json, sys
def walk(node, lazy, out):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            out += [[alias.name, 0, lazy] for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            out.append([child.module or "", child.level, lazy])
        walk(child, lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)), out)
answers = []
for name in json.load(sys.stdin):
    out = []
    try:
        walk(ast.parse(open(name, "rb").read()), False, out)
    except (SyntaxError, ValueError):
        out = None
    answers.append(out)
json.dump(answers, sys.stdout)
`

// TestScanAgainstPython compares what Scan finds in the modules of a real
// standard library with what Python's own parser finds. Blocks that Scan leaves
// out may hold more.
func TestScanAgainstPython(t *testing.T) {
	python, stdlib := interpreter(t)
	files, err := filepath.Glob(stdlib + "/*.py")
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", parser)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][][3]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	compared, missed := 0, 0
	for i, file := range files {
		if answers[i] == nil {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, a := range answers[i] {
			want[fmt.Sprint(a[0], a[1], a[2])] = true
		}
		got := map[string]bool{}
		for _, imp := range Scan(text).Imports {
			key := fmt.Sprint(imp.Module, imp.Level, imp.Lazy)
			got[key] = true
			if !want[key] && !bytes.Contains(text, []byte("import_")) {
				t.Errorf("%s: %s is no import", file, key)
			}
		}
		for key := range want {
			compared++
			if !got[key] {
				missed++
			}
		}
	}
	if compared < 1000 || missed > compared/10 {
		t.Errorf("of %d imports %d are missed", compared, missed)
	}
	t.Logf("of %d imports %d are in blocks that do not count", compared, missed)
}

// interpreter is this machine's Python and the folder of its standard library.
func interpreter(t *testing.T) (python, stdlib string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
			t.Fatal("python3 is missing")
		}
		t.Skip("python3 is missing")
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		t.Fatal(err)
	}
	return python, strings.TrimSpace(string(out))
}

// tree is a set of files, by path.
type tree []string

func (t tree) IsFile(p string) bool { return slices.Contains(t, p) }

func (t tree) IsDir(p string) bool {
	return slices.ContainsFunc(t, func(f string) bool { return strings.HasPrefix(f, strings.TrimSuffix(p, "/")+"/") })
}

func (t tree) Names(dir string) []string {
	var names []string
	for _, f := range t {
		if rest, ok := strings.CutPrefix(f, strings.TrimSuffix(dir, "/")+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestFind(t *testing.T) {
	files := tree{
		"/l/a.py", "/l/p/__init__.py", "/l/p/q/__init__.py", "/l/p/q/m.py", "/l/p/n.cpython-311-x86_64-linux-gnu.so", "/l/p/n.py",
		"/l/ns/deep/m.py", "/l/old.pyc", "/l/x.abi3.so", "/l/libz.so", "/l/c/__init__.cpython-311-x86_64-linux-gnu.so", "/l/a/data.txt", "/l/w.win.so",
	}
	tests := []struct {
		name string
		want []string
	}{
		{"a", []string{"/l/a.py"}},
		{"a.attribute", []string{"/l/a.py"}},
		{"p", []string{"/l/p/__init__.py"}},
		{"p.q.m.attribute", []string{"/l/p/__init__.py", "/l/p/q/__init__.py", "/l/p/q/m.py"}},
		{"p.n", []string{"/l/p/__init__.py", "/l/p/n.cpython-311-x86_64-linux-gnu.so"}},
		{"p.attribute", []string{"/l/p/__init__.py"}},
		{"ns.deep.m", []string{"/l/ns/deep/m.py"}},
		{"ns", nil},
		{"old", []string{"/l/old.pyc"}},
		{"x", []string{"/l/x.abi3.so"}},
		{"libz", []string{"/l/libz.so"}},
		{"c", []string{"/l/c/__init__.cpython-311-x86_64-linux-gnu.so"}},
		{"w", nil},
		{"absent", nil},
		{"p..n", []string{"/l/p/__init__.py"}},
		{"../l/a", nil},
	}
	for _, tt := range tests {
		if got := Find(files, "/l", strings.Split(tt.name, ".")); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRoot(t *testing.T) {
	files := tree{"/l/p/__init__.py", "/l/p/q/__init__.py", "/l/p/q/m.py", "/l/a.py", "/__init__.py", "/x/__init__.py"}
	for file, want := range map[string]string{"/l/p/q/m.py": "/l", "/l/a.py": "/l", "/l/p/other/m.py": "/l/p/other", "/x/m.py": "/"} {
		if got := Root(files, file); got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{"import a", "from . import (b,\n c)", "def f():\n\timport x", "'''", `rb"\`, "a\\\n", "if TYPE_CHECKING:", "import_module('.a')", "(((", "\f\tx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		s := Scan(module)
		for _, imp := range s.Imports {
			if imp.Module == "" && imp.Level == 0 {
				t.Errorf("import of nothing: %+v", imp)
			}
			Find(tree{"/l/a.py", "/l/b/__init__.py"}, "/l", append(strings.Split(imp.Module, "."), imp.Names...))
		}
		for _, pattern := range s.Patterns {
			if !strings.Contains(pattern, "*") || strings.Trim(pattern, "*.") == "" && pattern != ".*" {
				t.Errorf("pattern %q", pattern)
			}
		}
		for _, text := range s.Texts {
			if text == "" || len(text) > maxText || path.Clean(text) == "" {
				t.Errorf("text %q", text)
			}
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add([]byte("a\x00a.b\x00"))
	f.Fuzz(func(t *testing.T, module []byte) {
		err := Names(bytes.NewReader(module), func(name []byte) {
			if len(name) == 0 || len(name) > maxText || slices.Contains(strings.Split(string(name), "."), "") || !bytes.Contains(module, name) {
				t.Errorf("name %q", name)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}
