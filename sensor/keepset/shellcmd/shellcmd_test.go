package shellcmd

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, script      string
		commands, sourced []string
	}{
		{"empty", "", nil, nil},
		{"lists and pipes", "a && b || c; d | e & f", []string{"a", "b", "c", "d", "e", "f"}, nil},
		{"branches", "if a; then b; elif c; then d; else e; fi; while f; do g; done; case x in y) h;; esac; for i in 1; do j; done", strings.Split("abcdefghj", ""), nil},
		{"substitutions", "x=$(a `b`) \"$(c)\" <(d)", []string{"a", "b", "c", "d"}, nil},
		{"heredoc", "a <<E\n$(b)\nE\n", []string{"a", "b"}, nil},
		{"assignments and redirections", "A=1 a >b", []string{"a"}, nil},
		{"quotes", `'a' "b" c\d`, []string{"a"}, nil},
		{"what is not literal", `$X; "$Y/z"; a$B; ${#C}; ${C%d}; $(<x)`, nil, nil},
		{"variables", `A=a; $A; B="b -x"; exec gosu u $B; for c in d e; do "$c" -y; done; ${F:-f}; : "${G:=g}"; exec "$G"`, strings.Fields("a b d e f g gosu"), nil},
		{"variables of variables", `A=a; B=$A; $B; C=$C; $C; D="$E/d"; $D`, []string{"a"}, nil},
		{"lists", `A=(gosu u a); exec "${A[@]}" b; set -- c "$@"; exec "$@"`, strings.Fields("a c gosu"), nil},
		{"scripts in words", `sh -c 'a | b'; exec su -s /bin/sh -c "c <$X" u; eval "d $Y"; trap 'e; exit' EXIT; bash -ec "sh -c f"; trap - EXIT`,
			strings.Fields("- a b bash c d e f sh su"), nil},
		{"find", `find . -name '*.x' -exec a {} + -o -execdir env b {} \;`, strings.Fields("a b env find"), nil},
		{"git", `git -C /x clone y; git --bare -c a=b "$Z"; exec git log`, strings.Fields("git git-clone git-log"), nil},
		{"sourced variables", `A=/etc/a; [ -e $A ] && . "$A"`, nil, []string{"/etc/a"}},
		{"builtins and functions", "f() { a; }; f; cd /; echo; [ x ]; local y; b", []string{"a", "b"}, nil},
		{"wrappers", "exec a; exec -a name b; env -i X=1 c; env -u Y d; nice -n 5 e; timeout -k 1 5 f; gosu u g; su-exec u:g h; nohup env i; xargs -0 -n 1 j; command -v k; exec -- l; tini -- m",
			strings.Fields("a b c d e env f g gosu h i j k l m nice nohup su-exec timeout tini xargs"), nil},
		{"wrapped variable", `exec "$@"; exec gosu "$USER" a`, []string{"a", "gosu"}, nil},
		{"sourced", ". /a; source b; . \"$C\"", nil, []string{"/a", "b"}},
		{"paths", "/bin/a; ./b", []string{"./b", "/bin/a"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("test", []byte(tt.script))
			if err != nil || !slices.Equal(got.Commands, tt.commands) || !slices.Equal(got.Sourced, tt.sourced) {
				t.Errorf("got %q, %v, want %q, %q", got, err, tt.commands, tt.sourced)
			}
		})
	}
}

func TestFirst(t *testing.T) {
	for script, want := range map[string][]string{
		"":                                  nil,
		"curl -f http://x || exit 1":        {"curl"},
		"a && b | c":                        {"a"},
		"a; b":                              {"a"},
		"set -e\ncd /x\nexport A=1\nB=2\na": {"a"},
		"exec env A=1 a":                    {"env", "a"},
		"cd /x && a":                        nil,
		"cd /x && a; b":                     nil,
		"[ -e x ] || a":                     nil,
		"if a; then b; fi":                  nil,
		"$A":                                nil,
		"f() { a; }; f":                     nil,
		"echo x; a":                         nil,
	} {
		if got, err := First("test", []byte(script)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", script, got, err, want)
		}
	}
	if _, err := First("test", []byte("if a; then")); err == nil {
		t.Error("no error")
	}
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"words", `cp /a/b 'c' "/d e"; rm -rf /f/`, "/a/b /d e /f"},
		{"redirections", "a </in >/out 2>&1", "/in /out"},
		{"begin of words", `exec "/jobs/$1"; ls /x/y"$z" $HOME/a /${A}/b`, "/jobs /x"},
		{"patterns", `for i in /hooks.d/*.sh /b/[ab]c; do "$i"; done; case $x in /never/*) ;; esac`, "/b /hooks.d /never"},
		{"assignments", `A=/etc/a; : "${B:=/etc/b}"`, "/etc/a /etc/b"},
		{"none", `a b/c -o/d --e=/f /`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("test", []byte(tt.script))
			if err != nil || strings.Join(got.Paths, " ") != tt.want {
				t.Errorf("got %q, %v, want %q", got.Paths, err, tt.want)
			}
		})
	}
}

func TestChain(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{"a b", "a b"},
		{"/usr/bin/tini -g -- run x y", "/usr/bin/tini -g -- run x y; run x y"},
		{"env A=1 gosu u nice -n 5 a b", "env A=1 gosu u nice -n 5 a b; gosu u nice -n 5 a b; nice -n 5 a b; a b"},
	} {
		var got []string
		for _, words := range Chain(strings.Fields(tt.line)) {
			got = append(got, strings.Join(words, " "))
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("Chain(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestParseHostile(t *testing.T) {
	for name, script := range map[string]string{
		"too large":       strings.Repeat("a\n", MaxSize),
		"deep subshells":  strings.Repeat("(", MaxSize),
		"deep ifs":        strings.Repeat("if ", MaxSize/3),
		"deep expansions": strings.Repeat("${a:-", MaxSize/5),
		"deep arithmetic": "$((" + strings.Repeat("(", MaxSize-3),
		"less deep":       "$((" + strings.Repeat("(", maxOpen-2),
		"deep negation":   "$((" + strings.Repeat("-", MaxSize-3),
		"unclosed":        "if a; then",
		"binary":          "\x7fELF\x00\x01)",
	} {
		if _, err := Parse("test", []byte(script)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	deep := strings.Repeat("( ", maxOpen) + "a" + strings.Repeat(" )", maxOpen)
	if got, err := Parse("test", []byte(deep)); err != nil || len(got.Commands) != 1 {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestParseBounds gives scripts whose command lines lead to too many others.
func TestParseBounds(t *testing.T) {
	for name, script := range map[string]string{
		"variables":     strings.Repeat("a=$b b=$a b=$c c=$a\n", 200) + strings.Repeat("$a;", 10000),
		"finds":         strings.Repeat("find -exec ", 5000),
		"finds in turn": "find " + strings.Repeat("-exec find \\; ", 4000),
		"scripts":       strings.Repeat("eval eval sh -c ", 4000),
		"chain":         strings.Repeat("env ", 16000),
	} {
		if _, err := Parse("test", []byte(script)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLine(t *testing.T) {
	got := Line([]string{"echo", "env"})
	if !slices.Equal(got.Commands, []string{"echo"}) {
		t.Errorf("got %q", got.Commands)
	}
	got = Line([]string{"env", "A=1", "sh", "-c", "exec env | echo x"})
	if want := []string{"env", "sh"}; !slices.Equal(got.Commands, want) {
		t.Errorf("got %q, want %q", got.Commands, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("#!/bin/sh\nset -e\nif [ \"$1\" = x ]; then exec gosu u \"$@\"; fi\n"))
	f.Add([]byte("exec env -u A B=1 nice -n"))
	f.Fuzz(func(t *testing.T, script []byte) {
		got, err := Parse("test", script)
		if err != nil {
			return
		}
		for _, word := range slices.Concat(got.Commands, got.Sourced) {
			if word == "" || isBuiltin(word) && slices.Contains(got.Commands, word) {
				t.Errorf("word %q", word)
			}
		}
	})
}
