package lint

import "testing"

// TestRunFixes holds what the fixes make of RUN instructions.
func TestRunFixes(t *testing.T) {
	for _, test := range []struct{ name, rule, file, want string }{
		{"behind the sub-command", "AptNoInstallRecommends", "FROM a:1\nRUN apt-get -y \\\n  install a\n", "FROM a:1\nRUN apt-get -y \\\n  install --no-install-recommends a\n"},
		{"exec form", "AptNoInstallRecommends", "FROM a:1\nRUN [\"apt-get\", \"install\", \"a\"]\n", "FROM a:1\nRUN [\"apt-get\", \"install\", \"--no-install-recommends\", \"a\"]\n"},
		{"nested shell", "AssumeYes", "FROM a:1\nRUN sh -c 'apt-get install a'\n", "FROM a:1\nRUN sh -c 'apt-get install -y a'\n"},
		{"here-document", "ApkNoCache", "FROM a:1\nRUN <<EOF\n\tapk add \\\n\t  a\nEOF\n", "FROM a:1\nRUN <<EOF\n\tapk add --no-cache \\\n\t  a\nEOF\n"},
		{"another escape", "AssumeYes", "# escape=`\nFROM a:1\nRUN dnf `\n  install a\n", "# escape=`\nFROM a:1\nRUN dnf `\n  install -y a\n"},
		{"out of a variable", "AptNoInstallRecommends", "FROM a:1\nRUN X='apt-get install'; $X a\n", ""},
		{"in front of the sub-command", "AssumeYes", "FROM a:1\nRUN zypper in a\n", "FROM a:1\nRUN zypper --non-interactive in a\n"},
		{"lists", "AptRemoveLists", "FROM a:1\nRUN apt-get update && apt-get install -y a \\\n  b \\\n && make\n", "FROM a:1\nRUN apt-get update && apt-get install -y a \\\n  b && rm -rf /var/lib/apt/lists/* \\\n && make\n"},
		{"lists, sudo", "AptRemoveLists", "FROM a:1\nRUN sudo apt-get update && sudo apt-get install -y a\n", ""},
		{"lists, in a loop", "AptRemoveLists", "FROM a:1\nRUN apt-get update; for i in a b; do apt-get install -y $i; done\n", ""},
		{"lists, redirected", "AptRemoveLists", "FROM a:1\nRUN apt-get update && apt-get install -y a > /log\n", ""},
		{"caches by the same tool", "RpmCleanAll", "FROM a:1\nRUN microdnf install -y a; true\n", "FROM a:1\nRUN microdnf install -y a && microdnf clean all; true\n"},
		{"apt-get", "AptGetNotApt", "FROM a:1\nRUN env A=1 apt update\n", "FROM a:1\nRUN env A=1 apt-get update\n"},
		{"apt has more", "AptGetNotApt", "FROM a:1\nRUN apt list\n", ""},
		{"module", "PipNoCacheDir", "FROM a:1\nRUN python3 -m pip install a\n", "FROM a:1\nRUN python3 -m pip install --no-cache-dir a\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := Input{Data: []byte(test.file), IgnoreKnown: true}
			found := of(t, in, test.rule)
			if len(found) == 0 {
				t.Fatal("nothing found")
			}
			got, n := Fix(in.Data, found)
			if test.want == "" && n != 0 || test.want != "" && string(got) != test.want {
				t.Errorf("%d fixes made\n%s\nwant\n%s", n, got, test.want)
			}
		})
	}
}
