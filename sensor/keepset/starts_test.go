package keepset

import (
	"slices"
	"strings"
	"testing"
)

// TestStarts gives each start as its words, or as its script after $ if a shell
// reads it and after = if not.
func TestStarts(t *testing.T) {
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
		{"another language", ".txt", `os.system("date")`, nil},
		{"nothing", ".py", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range parseStarts(tt.ext, []byte(tt.source)) {
				if s.script != "" {
					got = append(got, "$"+s.script)
				} else {
					got = append(got, strings.Join(s.words, " "))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzStarts(f *testing.F) {
	f.Add(".py", []byte("os.system(f'date {x}')\nsubprocess.run(['a', \"b\"], shell=True)"))
	f.Add(".js", []byte("require('child_process').exec(`a ${b}`)"))
	f.Add(".rb", []byte("x = `date`\n%x[a] + %x|b|; spawn({}, 'c', 'd')"))
	f.Add(".php", []byte("<?php popen('a', 'r');"))
	f.Add(".pl", []byte("open(F, '-|', 'a'); qx/b/"))
	f.Fuzz(func(t *testing.T, ext string, source []byte) {
		all := parseStarts(ext, source)
		if len(all) > 2*maxStarts {
			t.Errorf("%d starts", len(all))
		}
		for _, s := range all {
			if (s.script == "") == (len(s.words) == 0) || len(s.words) > maxStartWords {
				t.Errorf("start %+v", s)
			}
		}
	})
}
