package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// parse reads one instruction that starts on line 3.
func parse(dockerfile string, env map[string]string) Script {
	return Parse(Source{Lines: strings.Split(dockerfile, "\n"), Line: 3, Env: env})
}

// show prints the commands of a script: name and words, what is not known as ?,
// and as ?* if it may be several words; "<" and the wrapper behind.
func show(s Script) []string {
	var out []string
	for _, c := range s.Commands {
		words := []string{c.Name}
		for _, w := range c.Args {
			text := w.Text
			if !w.Known {
				text += "?"
			}
			if w.Many {
				text += "*"
			}
			words = append(words, text)
		}
		if c.Wrapper != nil {
			words = append(words, "<"+c.Wrapper.Name)
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestParse(t *testing.T) {
	env := map[string]string{"OPTS": "-y --quiet", "EMPTY": "", "V": "1.2"}
	tests := []struct {
		name, instruction string
		want              []string
	}{
		{"simple", "RUN a b", []string{"a b"}},
		{"lower case", "run a b", []string{"a b"}},
		{"nothing", "RUN", nil},
		{"path", "RUN /usr/bin/a b", []string{"a b"}},
		{"lists", "RUN a && b || c; d & e", []string{"a", "b", "c", "d", "e"}},
		{"continuation", "RUN a \\\n  b && \\\n  c", []string{"a b", "c"}},
		{"word over two lines", "RUN ap\\\nt-get", []string{"apt-get"}},
		{"comments and empty lines", "RUN a \\\n# c\n   # d; x\n\n  b", []string{"a b"}},
		{"carriage return", "RUN a \\\r\n b\r", []string{"a b"}},
		{"comment of the shell", "RUN a # b", []string{"a"}},
		{"flags", "RUN --mount=type=cache,target=/x --network=none \\\n --security='in secure' a --b", []string{"a --b"}},
		{"end of flags", "RUN --network=none -- a", []string{"a"}},
		{"onbuild", "ONBUILD  RUN --network=none a b", []string{"a b"}},
		{"healthcheck", "HEALTHCHECK --interval=5s CMD a || b", []string{"a", "b"}},
		{"cmd", "CMD a $OPTS", []string{"a -y --quiet"}},
		{"branches", "RUN if a; then b; elif c; then d; else e; fi; while f; do g; done; case x in y) h;; esac; for i in 1; do j; done; { k; }; (l); until m; do :; done",
			[]string{"a", "b", "c", "d", "e", "f", "g", "h", "j", "k", "l", "m", ":"}},
		{"substitutions", "RUN a $(b \"$(c)\") `d` <(e) && x=$(f)", []string{"a ?* ?* ?*", "b ?", "c", "d", "e", "f"}},
		{"functions", "RUN f() { a; }; f b", []string{"a", " b"}},
		{"quotes", `RUN 'a b' "c"d e\ f ""`, []string{"a b cd e f "}},
		{"dollar quotes", `RUN a $'b' $'\n' $"c"`, []string{"a b ? c"}},
		{"exec form", `RUN ["a", "b c", "\u0064"]`, []string{"a b c d"}},
		{"exec form of a shell", `RUN ["sh", "-c", "a \"b c\" $V"]`, []string{`sh -c a "b c" $V`, "a b c 1.2 <sh"}},
		{"not the exec form", "RUN [ -f x ] && a", []string{"[ -f x ]", "a"}},

		{"variable of the environment", "RUN a $OPTS \"$OPTS\" x${V}y $EMPTY \"$EMPTY\"", []string{"a -y --quiet -y --quiet x1.2y "}},
		{"unknown variable", "RUN a $X \"$X\" b$X $X/c", []string{"a ?* ? b?* ?*"}},
		{"assigned", "RUN X='a b'; c $X", []string{"c a b"}},
		{"assigned and appended", "RUN X=a; X+=b; c $X", []string{"c ab"}},
		{"assigned from unknown", "RUN X=$Y; c $X", []string{"c ?*"}},
		{"assigned before a command", "RUN V=2 a $V; b $V", []string{"a 1.2", "b 1.2"}},
		{"assigned in a chain", "RUN a && X=1 && b $X; c $X", []string{"a", "b 1", "c ?*"}},
		{"assigned at the start of a chain", "RUN X=1 && b $X; c $X", []string{"b 1", "c 1"}},
		{"assigned in a branch", "RUN X=1; if a; then X=2; b $X; else c $X; fi; d $X", []string{"a", "b 2", "c 1", "d ?*"}},
		{"assigned in a case", "RUN X=1; case $V in 1) X=2;; *) a $X;; esac; b $X", []string{"a 1", "b ?*"}},
		{"assigned in a loop", "RUN X=1; while a $X; do b $X; X=2; c $X; done; d $X", []string{"a ?*", "b ?*", "c 2", "d ?*"}},
		{"loop variable", "RUN for X in a b; do c \"$X\"; done", []string{"c ?"}},
		{"assigned in a subshell", "RUN X=1; (X=2; a $X); b $X", []string{"a 2", "b 1"}},
		{"assigned in a pipe", "RUN X=1; X=2 | a; b $X", []string{"a", "b 1"}},
		{"assigned by read", "RUN X=1; read X; a $X", []string{"read X", "a ?*"}},
		{"assigned by an array", "RUN X=(1 2); a $X", []string{"a ?*"}},
		{"assigned by a function", "RUN V=1; f() { V=2; }; f; a $V", []string{"", "a ?*"}},
		{"sourced", "RUN X=1; . ./f; a $X", []string{". ./f", "a ?*"}},
		{"unset", "RUN unset V; a $V b", []string{"unset V", "a b"}},
		{"default", "RUN a ${V:-x} ${V-x} ${W:-x} ${V:+x}", []string{"a 1.2 1.2 ?* ?*"}},
		{"default that assigns", "RUN X=1; : ${X:=2}; a $X", []string{": ?*", "a ?*"}},
		{"other expansions", "RUN a ${#V} ${V%.*} ${V/1/2} $((1+1)) ${!V}", []string{"a ?* ?* ?* ?* ?*"}},
		{"separator", "RUN IFS=,; a $OPTS", []string{"a ?*"}},
		{"unknown program", "RUN $X a; \"$Y/b\" c", []string{" a", " c"}},

		{"wrappers", "RUN sudo -E -u root a; env -u X B=1 b; nice -n 5 c; timeout -k 1 5 d; gosu u e; xargs -r -n 1 f; exec g; command h; nohup -- i; chroot /x j; env -i k",
			[]string{"sudo -E -u root a", "a <sudo", "env -u X B=1 b", "b <env", "nice -n 5 c", "c <nice", "timeout -k 1 5 d", "d <timeout", "gosu u e", "e <gosu",
				"xargs -r -n 1 f", "f <xargs", "exec g", "g <exec", "command h", "h <command", "nohup -- i", "i <nohup", "chroot /x j", "j <chroot", "env -i k", "k <env"}},
		{"wrappers that start nothing", "RUN command -v a; sudo -l; xargs; env; exec", []string{"command -v a", "sudo -l", "xargs", "env", "exec"}},
		{"wrapped wrappers", "RUN sudo env A=1 nice b", []string{"sudo env A=1 nice b", "env A=1 nice b <sudo", "nice b <env", "b <nice"}},
		{"wrapped and unknown", "RUN gosu \"$U\" a; sudo $O b; sudo \"$P\" b", []string{"gosu ? a", "a <gosu", "sudo ?* b", "b <sudo", "sudo ? b", " b <sudo"}},
		{"keywords", "RUN time a; ! b", []string{"a", "b"}},
		{"shells", "RUN sh -c 'a b' && bash -euxo pipefail -c \"c $V\" x && bash -lc d && sh -e f.sh",
			[]string{"sh -c a b", "a b <sh", "bash -euxo pipefail -c c 1.2 x", "c 1.2 <bash", "bash -lc d", "d <bash", "sh -e f.sh"}},
		{"shell with an unknown part", "RUN X=$Y; sh -c \"a $X b\"", []string{"sh -c a ?", "a ?* b <sh"}},
		{"shell does not see it", "RUN X=1; V=2; export Z=3; sh -c 'a $X $V $Z'", []string{"sh -c a $X $V $Z", "a ?* 2 3 <sh"}},
		{"shell sees what stands before it", "RUN X=1 sh -c 'a $X'", []string{"sh -c a $X", "a 1 <sh"}},
		{"nested shells", `RUN sh -c "sh -c 'sh -c a'"`, []string{"sh -c sh -c 'sh -c a'", "sh -c sh -c a <sh", "sh -c a <sh", "a <sh"}},
		{"eval", "RUN eval \"a b\" '; c'", []string{"eval a b ; c", "a b <eval", "c <eval"}},
		{"find", "RUN find / -name x -exec a {} + -o -execdir b {} \\; && find / -exec c",
			[]string{"find / -name x -exec a {} + -o -execdir b {} ;", "a {} <find", "b {} <find", "find / -exec c"}},
		{"su", "RUN su - u -c 'a b'; su -s /bin/sh --command='c' u; su u; runuser -u u -- d; runuser -l u -c e",
			[]string{"su - u -c a b", "a b <su", "su -s /bin/sh --command=c u", "c <su", "su u", "runuser -u u -- d", "d <runuser", "runuser -l u -c e", "e <runuser"}},

		{"heredoc", "RUN <<EOF\na b \\\n  c\nd\nEOF", []string{"a b c", "d"}},
		{"heredoc with tabs", "RUN <<-EOF\n\ta\n\tb\n\tEOF", []string{"a", "b"}},
		{"empty heredoc", "RUN <<EOF\nEOF", nil},
		{"heredoc after continuation", "RUN --network=none \\\n# c\n <<EOF\na\nEOF", []string{"a"}},
		{"quoted heredoc", "RUN <<'EOF'\na $V\nEOF", []string{"a 1.2"}},
		{"heredoc with a first line", "RUN <<EOF\n#!/bin/bash -eo pipefail\na | b\nEOF", []string{"a", "b"}},
		{"heredoc for a program", "RUN cat <<EOF > /f && b\na $(c)\nEOF", []string{"cat", "b", "c"}},
		{"heredoc for a shell", "RUN bash -e <<EOF && c\na $V \\$V \\\n  x\nb\nEOF", []string{"bash -e", "c", "a 1.2 1.2 x <bash", "b <bash"}},
		{"quoted heredoc for a shell", "RUN bash <<'EOF'\na $V \\\n  x \\$V\nEOF", []string{"bash", "a 1.2 x $V <bash"}},
		{"heredocs", "RUN cat <<A >a; sh <<-B\nx\nA\n\ty\n\tB", []string{"cat", "sh", "y <sh"}},
		{"herestring", "RUN bash <<< 'a b'", []string{"bash", "a b <bash"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(tt.instruction, env)
			if got := show(s); s.Err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got  %q, %v\nwant %q", got, s.Err, tt.want)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	s := Parse(Source{Lines: []string{"RUN a `", "# c", "  b\\ c"}, Line: 1, Escape: '`'})
	if got := show(s); s.Err != nil || !slices.Equal(got, []string{"a b c"}) {
		t.Errorf("got %q, %v", got, s.Err)
	}
}

func TestShell(t *testing.T) {
	tests := []struct {
		name, instruction string
		shell             []string
		want              string // "" for not understood
		pipefail          bool
	}{
		{"default", "RUN a|b", nil, "sh", false},
		{"bash", "RUN a|b", []string{"/bin/bash", "-c"}, "bash", false},
		{"pipefail", "RUN a|b", []string{"/bin/bash", "-o", "pipefail", "-c"}, "bash", true},
		{"options in one", "RUN a|b", []string{"bash", "-euxo", "pipefail", "-c"}, "bash", true},
		{"powershell", "RUN a|b", []string{"powershell", "-Command"}, "", false},
		{"cmd", "RUN a|b", []string{"cmd", "/S", "/C"}, "", false},
		{"none", "RUN a|b", []string{}, "", false},
		{"set", "RUN set -o pipefail; a|b", nil, "sh", true},
		{"set with others", "RUN set -eux -o pipefail && a|b", nil, "sh", true},
		{"set too late", "RUN a|b; set -o pipefail", nil, "sh", false},
		{"set and unset", "RUN set -o pipefail; set +o pipefail; a|b", nil, "sh", false},
		{"set in a subshell", "RUN (set -o pipefail); a|b", nil, "sh", false},
		{"nested", "RUN bash -o pipefail -c 'a|b'", nil, "bash", true},
		{"nested does not inherit", "RUN set -o pipefail; bash -c 'a|b'", nil, "bash", false},
		{"first line", "RUN <<EOF\n#!/usr/bin/env bash\na|b\nEOF", []string{"powershell"}, "", false},
		{"first line of another", "RUN <<EOF\n#!/usr/bin/env python3\na|b\nEOF", nil, "", false},
		{"first line of another shell", "RUN <<EOF\n#!/usr/bin/env -S bash -e\na|b\nEOF", nil, "bash", false},
		{"exec form and another shell", `RUN ["bash", "-c", "a|b"]`, []string{"powershell"}, "bash", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Parse(Source{Lines: strings.Split(tt.instruction, "\n"), Line: 1, Shell: tt.shell})
			if tt.want == "" {
				if s.Err == nil {
					t.Fatal("understood")
				}
				return
			}
			if s.Err != nil || len(s.Pipes) != 1 || s.Pipes[0].Shell != tt.want || s.Pipes[0].Pipefail != tt.pipefail {
				t.Errorf("got %+v, %v", s.Pipes, s.Err)
			}
		})
	}
}

func TestPipes(t *testing.T) {
	s := parse("RUN a | b | c && (d |& e | f)", nil)
	var got []string
	for _, p := range s.Pipes {
		got = append(got, fmt.Sprint(p.Range.Start.Character, "-", p.Range.End.Character))
		for _, r := range p.Stages {
			got = append(got, fmt.Sprint(r.Start.Character))
		}
	}
	if want := []string{"4-13", "4", "8", "12", "18-28", "18", "23", "27"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRanges looks up each word's range in the instruction.
func TestRanges(t *testing.T) {
	tests := []struct {
		instruction string
		want        []string // the text of each word's range
		literal     string   // y or n for each
	}{
		{"RUN apt-get \\\n  install 'a b' \"c$X\"", []string{"apt-get", "install", "'a b'", "\"c$X\""}, "yynn"},
		{"RUN O='a b' && c $O", []string{"c", "$O", "$O"}, "ynn"},
		{"RUN <<EOF\na b\nEOF", []string{"a", "b"}, "yy"},
		{"ONBUILD RUN --network=none a b", []string{"a", "b"}, "yy"},
		{`RUN ["a", "b\"c"]`, []string{`"a"`, `"b\"c"`}, "yn"},
		{`RUN ["sh", "-c", "a b"]`, []string{`"sh"`, `"-c"`, `"a b"`, "a", "b"}, "yyyyy"},
		{"RUN sh -c 'a \"b c\"'", []string{"sh", "-c", "'a \"b c\"'", "a", "\"b c\""}, "yynyn"},
		{"RUN sh -c \"a \\\"b\\\"\"", []string{"sh", "-c", "\"a \\\"b\\\"\"", "a", "\"b\\\""}, "yynyn"},
		{"RUN é a", []string{"é", "a"}, "yy"},
	}
	for _, tt := range tests {
		t.Run(tt.instruction, func(t *testing.T) {
			lines := strings.Split(tt.instruction, "\n")
			s := parse(tt.instruction, nil)
			var got []string
			literal := ""
			for _, c := range s.Commands {
				for _, w := range append([]Word{c.Word}, c.Args...) {
					got = append(got, cut(lines, w.Range))
					literal += map[bool]string{true: "y", false: "n"}[w.Literal]
				}
			}
			if !slices.Equal(got, tt.want) || literal != tt.literal {
				t.Errorf("got %q %s, want %q %s", got, literal, tt.want, tt.literal)
			}
		})
	}
}

func cut(lines []string, r parser.Range) string {
	if r.Start.Line != r.End.Line {
		return "several lines"
	}
	return lines[r.Start.Line-3][r.Start.Character:r.End.Character]
}

func TestRedirects(t *testing.T) {
	s := parse("RUN { a; b 2>&1; } > /f >> \"$X\" && c < /g &> /h", nil)
	var got []string
	for _, c := range s.Commands {
		for _, r := range c.Redirects {
			got = append(got, fmt.Sprint(c.Name, r.Op, r.Target.Text, r.Writes()))
		}
	}
	want := []string{"a>/ftrue", "a>>true", "b>/ftrue", "b>>true", "b>&1false", "c</gfalse", "c&>/htrue"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBranch(t *testing.T) {
	s := parse("RUN a && b; if c; then d; fi; for i in 1; do e; done; f() { g; }; case x in *) sh -c h;; esac; { i; }; (j)", nil)
	var got []string
	for _, c := range s.Commands {
		if c.Branch {
			got = append(got, c.Name)
		}
	}
	if want := []string{"c", "d", "e", "g", "sh", "h"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnv(t *testing.T) {
	tests := []struct {
		name, instruction string
		want              string
		set               bool
	}{
		{"of the image", "RUN c", "image", true},
		{"in front", "RUN A=1 c", "1", true},
		{"env", "RUN env A=1 c", "1", true},
		{"sudo", "RUN sudo A=1 c", "1", true},
		{"exported", "RUN export A=1 && c", "1", true},
		{"assigned and exported", "RUN A=1; export A; c", "1", true},
		{"of the image and changed", "RUN A=1; c", "1", true},
		{"only assigned", "RUN B=1; unset A; A=2; c", "", false},
		{"unset", "RUN unset A; c", "", false},
		{"unknown", "RUN export A=$(x); c", "", true},
		{"in a branch", "RUN if x; then export A=1; fi; c", "", true},
		{"nested", "RUN A=1 sh -c c", "1", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(tt.instruction, map[string]string{"A": "image"})
			i := slices.IndexFunc(s.Commands, func(c *Command) bool { return c.Name == "c" })
			if i < 0 {
				t.Fatalf("no command c: %q, %v", show(s), s.Err)
			}
			if value, set := s.Commands[i].Env("A"); value != tt.want || set != tt.set {
				t.Errorf("got %q, %v", value, set)
			}
		})
	}
}

func TestAssigns(t *testing.T) {
	s := parse("RUN A=1 && export B=$x && C=3 d && env E=4 f && declare G=5", nil)
	var got []string
	for _, a := range s.Assigns {
		got = append(got, fmt.Sprint(a.Name, "=", a.Value.Text, a.Value.Known, a.Range.Start.Character))
	}
	if want := []string{"A=1true 4", "B=false 18", "C=3true 26", "E=4true 39", "G=5true 56"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseHostile(t *testing.T) {
	for name, script := range map[string]string{
		"too large":       strings.Repeat("a\n", maxSize),
		"deep subshells":  strings.Repeat("(", maxSize-10),
		"deep ifs":        strings.Repeat("if ", maxSize/3-10),
		"deep expansions": strings.Repeat("${a:-", maxSize/5-10),
		"deep arithmetic": "$((" + strings.Repeat("(", maxOpen-2),
		"unclosed":        "if a; then",
		"nested shells":   "eval " + strings.Repeat("eval ", 100) + "a",
	} {
		if s := parse("RUN "+script, nil); s.Err == nil {
			t.Errorf("%s: understood", name)
		}
	}
	for name, script := range map[string]string{
		"growing words":    "A=aaaaaaaaaaaaaaaa;" + strings.Repeat("A=$A$A;", 40) + strings.Repeat("b $A$A;", 1000),
		"many assignments": strings.Repeat("A=1;", maxSize/4-10),
		"many wrappers":    strings.Repeat("nice ", maxSize/5-10) + "a",
		"many variables":   strings.Repeat("$a", maxSize/2-10),
		"long or":          strings.Repeat("a||", maxSize/3-10) + "a",
		"long and":         strings.Repeat("A=1&&", maxSize/5-10) + "a",
		"long pipe":        strings.Repeat("a|", maxSize/2-10) + "a",
		"deep loops":       strings.Repeat("for i in a;do ", maxSize/20) + "a" + strings.Repeat(";done", maxSize/20),
		"finds":            strings.Repeat("find -exec ", maxSize/20) + "a +",
	} {
		s := parse("RUN "+script, nil)
		t.Logf("%s: %d commands, %v", name, len(s.Commands), s.Err)
		if s.Err != nil && !errors.Is(s.Err, errTooLarge) {
			t.Errorf("%s: %v", name, s.Err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"RUN --mount=type=cache a \\\n# c\n b $X | d",
		"RUN <<EOF\n#!/bin/bash\na $(b)\nEOF",
		"RUN bash <<-'E' && cat <<F\n\ta\n\tE\nb\\\nF",
		`RUN ["sh","-c","a \"b\" '\''"]`,
		"ONBUILD RUN find / -exec sudo env A=1 sh -c 'a $A' \\; ; su -c b; eval a 'b'",
		"RUN X=1; if a; then X=$'a\\n'; fi; for i in $X; do b ${X:-$(c)} ${Y:=1}; done",
		"RUN f(){ a;}; export A=1 B; read C; set -euo pipefail; unset A; case $A in *) a;; esac",
		"RUN a `b \\`c\\`` <(d) >&2 <<<\"$e\" `",
	} {
		f.Add(seed, "-y a")
	}
	f.Fuzz(func(t *testing.T, instruction, value string) {
		lines := strings.Split(instruction, "\n")
		for _, escape := range "\\`" {
			s := Parse(Source{Lines: lines, Line: 3, Escape: escape, Env: map[string]string{"X": value, "A": value}})
			if s.Err != nil && len(s.Commands) > 0 {
				t.Error("commands beside an error")
			}
			for _, c := range s.Commands {
				c.Call()
				c.UpdatesOS()
				for _, w := range append([]Word{c.Word}, c.Args...) {
					checkWord(t, lines, w)
				}
			}
		}
	})
}

func checkWord(t *testing.T, lines []string, w Word) {
	t.Helper()
	start, end := w.Range.Start, w.Range.End
	if start.Line < 3 || end.Line >= 3+len(lines) || compare(start, end) > 0 ||
		start.Character > len(lines[start.Line-3]) || end.Character > len(lines[end.Line-3])+1 {
		t.Fatalf("word %q has range %v", w.Text, w.Range)
	}
	if w.Literal && start.Line == end.Line && end.Character <= len(lines[end.Line-3]) {
		if got := strings.Trim(cut(lines, w.Range), `"`); got != strings.Trim(w.Text, `"`) {
			t.Errorf("word %q stands at %q", w.Text, got)
		}
	}
}
