package lint

import (
	"path/filepath"
	"testing"
)

// TestFixes holds what the rules' fixes make of Dockerfiles, those that are not
// safe too.
func TestFixes(t *testing.T) {
	for _, test := range []struct{ name, rule, file, want string }{
		{"exec form", "JSONArgsRecommended", "FROM a:1\nCMD server --port 80\n", "FROM a:1\nCMD [\"server\", \"--port\", \"80\"]\n"},
		{"exec form of quoted words", "JSONArgsRecommended", "from a:1\ncmd exec 'my server' \\\n  # its name\n  --name=\"a <b>\"  \n", "from a:1\ncmd [\"my server\", \"--name=a <b>\"]  \n"},
		{"a variable needs the shell", "JSONArgsRecommended", "FROM a:1\nCMD server $PORT\n", ""},
		{"an operator needs the shell", "JSONArgsRecommended", "FROM a:1\nCMD a && b\n", ""},
		{"a builtin needs the shell", "JSONArgsRecommended", "FROM a:1\nCMD cd /srv\n", ""},
		{"an assignment needs the shell", "JSONArgsRecommended", "FROM a:1\nCMD A=1 server\n", ""},
		{"ENTRYPOINT would get CMD", "JSONArgsRecommended", "FROM a:1 AS b\nCMD [\"x\"]\nFROM b\nENTRYPOINT server\n", ""},
		{"CMD is an argument", "JSONArgsRecommended", "FROM a:1\nENTRYPOINT [\"x\"]\nCMD server\n", ""},
		{"exec form though SHELL", "ExecFormStrict", "FROM a:1\nSHELL [\"/bin/bash\", \"-c\"]\nENTRYPOINT server -v\n", "FROM a:1\nSHELL [\"/bin/bash\", \"-c\"]\nENTRYPOINT [\"server\", \"-v\"]\n"},
		{"not for another shell", "ExecFormStrict", "FROM a:1\nSHELL [\"cmd\", \"/S\", \"/C\"]\nCMD server /v\n", ""},
		{"onbuild", "ExecFormStrict", "FROM a:1\nONBUILD CMD server -v\n", "FROM a:1\nONBUILD CMD [\"server\", \"-v\"]\n"},
		{"health check of words", "ExecFormStrict", "FROM a:1\nHEALTHCHECK --interval=5s \\\n  CMD curl -f http://localhost/ || exit 1\n", "FROM a:1\nHEALTHCHECK --interval=5s \\\n  CMD [\"curl\", \"-f\", \"http://localhost/\"]\n"},
		{"copy", "CopyNotAdd", "FROM a:1\nADD --chown=1:1 app.conf dir/ /srv/\n", "FROM a:1\nCOPY --chown=1:1 app.conf dir/ /srv/\n"},
		{"copy in lower case, onbuild", "CopyNotAdd", "from a:1\nonbuild add . /srv\n", "from a:1\nonbuild copy . /srv\n"},
		{"it may be an archive", "CopyNotAdd", "FROM a:1\nADD rootfs /\n", ""},
		{"one may be an archive", "CopyNotAdd", "FROM a:1\nADD app.conf * /srv/\n", ""},
		{"slash", "CopyMultiSourceSlash", "FROM a:1\nCOPY a b \\\n  /srv/a\n", "FROM a:1\nCOPY a b \\\n  /srv/a/\n"},
		{"slash in a list", "CopyMultiSourceSlash", "FROM a:1\nCOPY [\"a\", \"srv\", \"srv\"]\n", "FROM a:1\nCOPY [\"a\", \"srv\", \"srv/\"]\n"},
		{"slash within quotes", "CopyMultiSourceSlash", "FROM a:1\nCOPY a b \"/srv/a\"\n", ""},
		{"working directory", "WorkdirRelativePath", "FROM a:1\nWORKDIR \\\n  app/src\n", "FROM a:1\nWORKDIR \\\n  /app/src\n"},
		{"owner", "CopyChown", "FROM a:1\nRUN useradd app\nWORKDIR /app\nCOPY a b ./\nadd c.tar /app/c\nRUN chown -R app:app /app\n",
			"FROM a:1\nRUN useradd app\nWORKDIR /app\nCOPY --chown=app:app a b ./\nadd --chown=app:app c.tar /app/c\nRUN chown app:app /app\n"},
		{"owner where a RUN worked before", "CopyChown", "FROM a:1\nWORKDIR /app\nRUN make\nCOPY a ./\nRUN chown -R app:app /app\n", ""},
		{"owner after RUN in the directory", "CopyChown", "FROM a:1\nCOPY a /app\nRUN make\nRUN chown -R app:app /app\n", ""},
		{"owner of the system's files too", "CopyChown", "FROM a:1\nCOPY a /var/www\nRUN chown -R app:app /var/www\n", ""},
		{"owner without group", "CopyChown", "FROM a:1\nCOPY a /app\nRUN chown -R app /app\n", ""},
		{"owner among others", "CopyChown", "FROM a:1\nCOPY a /app\nRUN chown -R app:app /app && chmod -R g+w /app\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := Input{Data: []byte(test.file), IgnoreKnown: true}
			found := of(t, in, test.rule)
			if len(found) == 0 {
				t.Fatal("nothing found")
			}
			for i := range found {
				found[i].Rule = &Rule{Name: test.rule, Safe: true}
			}
			got, n := Fix(in.Data, found)
			if test.want == "" && n != 0 || test.want != "" && string(got) != test.want {
				t.Errorf("%d fixes made\n%s\nwant\n%s", n, got, test.want)
			}
		})
	}
}

// TestFixesMend: what a fix is for is gone after it.
func TestFixesMend(t *testing.T) {
	files, err := filepath.Glob("testdata/*/bad-*.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	mended := 0
	for _, file := range files {
		rule := filepath.Base(filepath.Dir(file))
		in := read(t, file)
		found := of(t, in, rule)
		if len(found) == 0 || !found[0].Rule.Safe {
			continue
		}
		fixed, n := Fix(in.Data, found)
		mended += n
		in.Data = fixed
		if left := of(t, in, rule); len(left) != len(found)-n {
			t.Errorf("%s: %d findings after %d of %d were mended:\n%s", file, len(left), n, len(found), fixed)
		}
	}
	if mended == 0 {
		t.Error("nothing was mended")
	}
}
