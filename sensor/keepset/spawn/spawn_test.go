package spawn

import (
	"slices"
	"strings"
	"testing"
)

// TestParse gives each start as its words, or as its script after $ if a shell
// reads it and after = if not.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, ext, source string
		want              []string
	}{
		{"python: list", ".py", `subprocess.run(["date", "-u", fmt])`, []string{"date -u"}},
		{"python: next line", ".py", "subprocess.check_output(\n    [\n        'date', '-u'],\n)", []string{"date -u"}},
		{"python: string", ".py", `subprocess.call("date")`, []string{"date"}},
		{"python: shell", ".py", `Popen("date | cat", stdout=PIPE, shell=True)`, []string{"$date | cat"}},
		{"python: always a shell", ".py", `os.system("date"); os.popen('cal -y', "r")`, []string{"$date", "$cal -y"}},
		{"python: asynchronous", ".py", `await asyncio.create_subprocess_exec("date", "-u", x); asyncio.create_subprocess_shell(f"ls {x}/y | wc")`, []string{"date -u", "$ls $x/y | wc"}},
		{"python: exec", ".py", `os.execvp("vi", ["vi"]); os.spawnlp(os.P_WAIT, "cp", "cp")`, []string{"vi vi", "cp cp"}},
		{"python: not literal", ".py", `subprocess.run([sys.executable, "x"]); subprocess.run(cmd); app.run("x"); run("y")`, nil},
		{"python: comment", ".py", `  # os.system("date")`, nil},
		{"node", ".js", `const {execFile} = require("child_process"); execFile('convert', ['a', b])`, []string{"convert a"}},
		{"node: shells", ".mjs", "import cp from 'node:child_process'; cp.exec(`git log ${a}`); cp.spawn('ls -l', {shell: true}); spawnSync('sh', ['-c', 'date'])",
			[]string{"$git log $x", "$ls -l", "sh -c date"}},
		{"node: another exec", ".js", `/x/.exec("date")`, nil},
		{"ruby", ".rb", `Open3.capture2("cat", stdin_data: x); system "ls -l"; IO.popen(["wc", "-l"]); IO.popen("sort -u", "r+"); spawn({"A" => "b"}, "tac", "x")`,
			[]string{"cat", "ls -l", "wc -l", "sort -u", "tac x"}},
		{"ruby: shell", ".rb", "get('/') { `date | cat` }\nx = `id`.strip\ny = %x(ls #{dir} | wc)\n", []string{"$date | cat", "id", "$ls $x | wc"}},
		{"ruby: names of SQL", ".rb", "db.query(\"SELECT `id`, `date` FROM t WHERE `id` = 1\")", nil},
		{"php", ".php", `<?php $x = shell_exec('date -u'); exec("ls $dir", $out); proc_open(['wc', '-l'], $p, $q); $y = ` + "`id`;", []string{"$date -u", "$ls $dir", "wc -l", "$id"}},
		{"perl", ".pl", `system("date", "-u"); my $x = qx{ls | wc}; open(my $f, "-|", "sort", "a"); exec 'env';`, []string{"date -u", "sort a", "env", "$ls | wc"}},
		{"perl: backticks", ".pl", "render(text => scalar `echo x`); $db->do(\"delete from `t`\")", []string{"echo x"}},
		{"nothing", ".py", "", nil},
		{"python: imported", ".py", "from subprocess import run, check_call as cc\nfrom os import (\n  path,\n  system)\nrun(['date']); cc('cal'); system('ls | wc'); path('id')", []string{"date", "cal", "$ls | wc"}},
		{"python: a wrapper", ".py", "def sh(cmd: str, **kw) -> str:\n  return subprocess.run(cmd, shell=True)\nclass A:\n  async def go(self, *args):\n    await asyncio.create_subprocess_exec(*args)\n  def went(self):\n    self.go('date', '-u'); sh(f'ls {x} | wc'); other('id')",
			[]string{"date -u", "$ls $x | wc"}},
		{"python: a wrapper of a wrapper", ".py", "def a(words):\n  b([*words, 'x'])\ndef b(args): subprocess.check_call(shlex.split(args))\na(['date'])", []string{"date"}},
		{"python: no wrapper", ".py", "def a(x, cmd):\n  subprocess.run(cmd)\na('date')", nil},
		{"node: promises", ".js", "const { exec: sh, execFile } = require('node:child_process')\nconst run = util.promisify(execFile)\nconst go = promisify(require('child_process').exec);\nawait run('date', ['-u']); sh('ls | wc'); await go('id -u')",
			[]string{"date -u", "$ls | wc", "$id -u"}},
		{"node: wrappers", ".mjs", "import { spawn } from 'child_process'\nconst a = async (cmd, args) => spawn(cmd, args)\nclass X { \n  run([cmd]) { return spawn(cmd) }\n  go() { if (x) { this.run(['cal']) } a('date', ['-u']) }\n}",
			[]string{"cal", "date -u"}},
		{"node: exported wrappers", ".js", "const execFile = promisify(require('child_process').execFile);\nexports.run = async (program, ...args) => (await execFile(program, args)).stdout;\nmodule.exports = {go: function (cmd) { exec(cmd) }}\nrun('date'); x.go('ls | wc')",
			[]string{"date", "$ls | wc"}},
		{"node: execa and zx", ".mjs", "import {$, execa} from 'execa'\nawait execa('date', ['-u']); await $`ls ${x} | wc`; await $({cwd})`id`", []string{"date -u", "$ls $x | wc", "$id"}},
		{"ruby: a wrapper", ".rb", "def self.run(*cmd)\n  system(*cmd)\nend\nrun 'date', '-u'", []string{"date -u"}},
		{"php: processes", ".php", "<?php $p = new Process(['date', '-u']); Process::fromShellCommandline('ls | wc'); function run(array $cmd) { $p = new Process($cmd); } run(['id']);", []string{"date -u", "$ls | wc", "id"}},
		{"perl: pipes", ".pl", "open(F, \"date -u |\"); open my $f, '| cat > x'; open(my $g, '<', 'id'); chomp(my $x = `id -u`); if (`uname` eq 'x') { f(`tty`) }",
			[]string{"date -u", "$ cat > x", "id -u", "tty"}},
		{"perl: wrappers", ".pm", "sub run { my ($self, $cmd) = @_; system($cmd) }\nsub go {\n  system(@_) or die;\n}\n$x->run('date -u'); go('ls', '-l')", []string{"date -u", "ls -l"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			language := ByName("x" + tt.ext)
			if language == nil {
				t.Fatal("no such language")
			}
			all, _ := language.Parse([]byte(tt.source), nil)
			if got := lines(all); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func lines(all []Start) []string {
	var out []string
	for _, s := range all {
		if s.Script != "" {
			out = append(out, "$"+s.Script)
		} else {
			out = append(out, strings.Join(s.Words, " "))
		}
	}
	return out
}

// TestWrappers uses what another source defines.
func TestWrappers(t *testing.T) {
	_, wrappers := python.Parse([]byte("def run(cmd): os.system(cmd)"), nil)
	all, own := python.Parse([]byte("from tools import run\nrun('date | wc')\ndef more(cmd): run(cmd)\nmore('id')"), wrappers)
	if got, want := lines(all), []string{"$date | wc", "$id"}; !slices.Equal(got, want) || !own["more"] {
		t.Errorf("got %q and %v, want %q", got, own, want)
	}
	all, own = node.Parse([]byte("import { run } from './tools.mjs'\nrun('date')"), Wrappers{"run": false})
	if got := lines(all); !slices.Equal(got, []string{"date"}) || len(own) > 0 {
		t.Errorf("got %q and %v", got, own)
	}
}

func TestLanguages(t *testing.T) {
	for name, want := range map[string]*Language{"a.py": &python, "a.b.mjs": &node, "config.ru": &ruby, "a.txt": nil, "a": nil} {
		if got := ByName(name); got != want {
			t.Errorf("%s: %p", name, got)
		}
	}
	for program, want := range map[string]*Language{"/usr/bin/python3.11": &python, "node": &node, "perl5.36": &perl, "/bin/sh": nil, "nodemon": nil, "": nil} {
		if got := ByInterpreter(program); got != want {
			t.Errorf("%s: %p", program, got)
		}
	}
}

// TestBounds gives sources with too much of everything.
func TestBounds(t *testing.T) {
	for name, source := range map[string]string{
		"functions": strings.Repeat("def f(x):\n  os.system(x)\n", 20000),
		"wrappers":  strings.Repeat("def a(x): b(x)\ndef b(x): a(x)\n", 5000) + "def a(x): os.system(x)\n",
		"imports":   strings.Repeat("from os import system as ", 20000),
	} {
		if all, own := python.Parse([]byte(source), Wrappers{"z": true}); len(all) > 0 || len(own) > MaxWrappers {
			t.Errorf("%s: %d starts, %d wrappers", name, len(all), len(own))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(".py", []byte("os.system(f'date {x}')\nsubprocess.run(['a', \"b\"], shell=True)"))
	f.Add(".js", []byte("require('child_process').exec(`a ${b}`)"))
	f.Add(".rb", []byte("x = `date`\n%x[a] + %x|b|; spawn({}, 'c', 'd')"))
	f.Add(".php", []byte("<?php popen('a', 'r');"))
	f.Add(".pl", []byte("open(F, '-|', 'a'); qx/b/"))
	f.Fuzz(func(t *testing.T, ext string, source []byte) {
		language := ByName("x" + ext)
		if language == nil {
			return
		}
		all, own := language.Parse(source, Wrappers{"run": true, "go": false})
		if len(all) > 20*maxStarts || len(own) > MaxWrappers {
			t.Errorf("%d starts, %d wrappers", len(all), len(own))
		}
		for _, s := range all {
			if (s.Script == "") == (len(s.Words) == 0) || len(s.Words) > maxWords {
				t.Errorf("start %+v", s)
			}
		}
	})
}
