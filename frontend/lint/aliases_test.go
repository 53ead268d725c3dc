package lint

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// aliasCase is a Dockerfile, mostly a part of one, and what the rule of another
// linter makes of it.
type aliasCase struct {
	text string
	// theirs says that the other linter finds something, ours that we do.
	theirs, ours bool
	// reason is why we differ.
	reason string
}

// aliasGroup are cases of rules that mean the same.
type aliasGroup struct {
	aliases []string
	// stock says that BuildKit's own linter looks for one of them.
	stock bool
	set   Settings
	cases []aliasCase
}

// readAliasGroups reads testdata/aliases: "@ DL3008 DS-0029" begins the cases of
// these rules, with "labels:NAME=TYPE,..." or "registries:GLOB,..." for the
// policy. A case is one line, in which ¶ ends a line of the Dockerfile. Its mark
// is "+" for what both find, "-" for what both leave alone, "<" for what they find
// and we do not, and ">" for what we find and they do not, the last two with the
// reason behind ##.
func readAliasGroups(t *testing.T) []*aliasGroup {
	t.Helper()
	files, err := filepath.Glob("testdata/aliases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var groups []*aliasGroup
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			mark, text, _ := strings.Cut(line, " ")
			text, reason, differs := strings.Cut(text, " ## ")
			switch {
			case line == "":
			case mark == "@":
				groups = append(groups, newAliasGroup(text))
			case len(groups) == 0 || !strings.Contains("+-<>", mark) || differs != (mark == "<" || mark == ">"):
				t.Fatalf("%s:%d: %s", file, i+1, line)
			default:
				g := groups[len(groups)-1]
				text = strings.ReplaceAll(text, "¶", "\n") + "\n"
				g.cases = append(g.cases, aliasCase{text, mark == "+" || mark == "<", mark == "+" || mark == ">", reason})
			}
		}
	}
	return groups
}

func newAliasGroup(head string) *aliasGroup {
	g := &aliasGroup{set: Settings{IgnoresOff: true, Severity: map[string]Severity{}}}
	for _, rule := range Rules() {
		g.set.Severity[rule.Name] = Error
	}
	for _, word := range strings.Fields(head) {
		if list, ok := strings.CutPrefix(word, "labels:"); ok {
			g.set.Labels = map[string]string{}
			for label := range strings.SplitSeq(list, ",") {
				name, kind, _ := strings.Cut(label, "=")
				g.set.Labels[name] = kind
			}
		} else if list, ok := strings.CutPrefix(word, "registries:"); ok {
			g.set.Registries = strings.Split(list, ",")
		} else {
			g.aliases = append(g.aliases, word)
			g.stock = g.stock || slices.ContainsFunc(Rules(), func(r *Rule) bool { return r.Stock && r.Is(word) })
		}
	}
	return g
}

// forms are a case as it is and, if it is one RUN, in other ways to write it,
// which change nothing.
func (c aliasCase) forms() []string {
	command, run := strings.CutPrefix(c.text, "RUN ")
	if !run || strings.Count(c.text, "\n") > 1 || strings.HasPrefix(command, "--") {
		return []string{c.text}
	}
	forms := []string{c.text, "FROM a:1\nonbuild run " + command}
	if !strings.HasPrefix(command, "[") {
		forms = append(forms, "FROM a:1\nRUN <<EOF\n"+command+"EOF\n")
	}
	return forms
}

// finds tells of each alias whether one of its rules finds something.
func (g *aliasGroup) finds(t *testing.T, text string) map[string]bool {
	t.Helper()
	in := Input{Data: []byte(text), IgnoreKnown: true}
	if g.stock {
		in.Stock, _ = StockFindings(t.Context(), in) // what cannot be built is judged nevertheless
	}
	found, err := Check(in, g.set)
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	hits := map[string]bool{}
	for _, f := range found {
		for _, alias := range f.Rule.Aliases {
			hits[alias] = true
		}
	}
	return hits
}

// TestAliases holds the rules against what the rules that they are named after
// do, by those linters' documentation: testdata/aliases/README.md is the table.
func TestAliases(t *testing.T) {
	groups := readAliasGroups(t)
	for _, g := range groups {
		for _, c := range g.cases {
			for _, form := range c.forms() {
				hits := g.finds(t, form)
				for _, alias := range g.aliases {
					if hits[alias] != c.ours {
						t.Errorf("%s: found %t, want %t in\n%s", alias, hits[alias], c.ours, form)
					}
				}
			}
		}
	}
	const golden = "testdata/aliases/README.md"
	table := aliasTable(t, groups)
	if *update {
		if err := os.WriteFile(golden, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != table {
		t.Errorf("%s is not current (%v): go test -run TestAliases -update writes it", golden, err)
	}
}

// aliasTally counts the cases of a rule.
type aliasTally struct{ both, neither, theirs, ours int }

func (n *aliasTally) add(c aliasCase) {
	switch {
	case c.ours && c.theirs:
		n.both++
	case c.theirs:
		n.theirs++
	case c.ours:
		n.ours++
	default:
		n.neither++
	}
}

// aliasTable is testdata/aliases/README.md.
func aliasTable(t *testing.T, groups []*aliasGroup) string {
	t.Helper()
	byAlias := map[string][]aliasCase{}
	for _, g := range groups {
		for _, alias := range g.aliases {
			byAlias[alias] = append(byAlias[alias], g.cases...)
		}
	}
	var rows, differences strings.Builder
	var total aliasTally
	rules := slices.SortedFunc(slices.Values(Rules()), func(a, b *Rule) int { return cmp.Compare(a.Name, b.Name) })
	for _, rule := range rules {
		var n aliasTally
		var ids []string
		for _, alias := range rule.Aliases {
			cases, ok := byAlias[alias]
			if !ok {
				continue
			}
			ids = append(ids, alias)
			for _, c := range cases {
				n.add(c)
				if c.ours != c.theirs {
					fmt.Fprintf(&differences, "| %s | `%s` | %s | %s |\n", alias, inCell(c.text), map[bool]string{true: "we", false: "they"}[c.ours], c.reason)
				}
			}
		}
		if len(ids) > 0 {
			fmt.Fprintf(&rows, "| %s | %s | %d | %d | %d | %d |\n", rule.Name, strings.Join(ids, " "), n.both, n.neither, n.theirs, n.ours)
		}
	}
	for _, g := range groups {
		for _, c := range g.cases {
			total.add(c)
		}
	}
	return fmt.Sprintf(aliasReadme, rows.String(), total.both, total.neither, total.theirs, total.ours,
		percent(total.both, total.both+total.theirs), percent(total.both, total.both+total.ours), differences.String())
}

func percent(n, of int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of)) }

// inCell is a case as code in a table of Markdown.
func inCell(text string) string {
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", " ⏎ ")
	return strings.ReplaceAll(text, "|", `\|`)
}

const aliasReadme = `<!-- Written by go test -run TestAliases -update: edit the cases. -->
# Our rules, held against those that they are named after

What other linters say of a rule, and do, is written down here in small cases, mostly without a FROM; a RUN counts once, and is judged in
lower case behind ONBUILD and as a here-document as well. Cases of rules that mean the same are shared,
so that the sums of the rows are more than the total. An id that stands for several of our rules is in the row of each.

| rule | ids | both find | neither finds | they find | we find |
|--|--|--|--|--|--|
%s| all | | %d | %d | %d | %d |

Not here are DL3043 and DL3061, with which nothing can be built, so that BuildKit's error stands for them, and DL3050, as our
policy forbids no labels.

By their lights that is a recall of %s at a precision of %s.

## Where we differ

| id | case | who finds | why |
|--|--|--|--|
%s`

// TestAliasesHaveCases: what is named after a rule of another linter was held
// against it.
func TestAliasesHaveCases(t *testing.T) {
	seen := map[string]aliasTally{}
	for _, g := range readAliasGroups(t) {
		for _, alias := range g.aliases {
			n := seen[alias]
			for _, c := range g.cases {
				n.add(c)
			}
			seen[alias] = n
		}
	}
	judged := regexp.MustCompile(`^(DL|DS-|CKV|DKL-)`) // the others are no linter's of Dockerfiles
	for _, rule := range Rules() {
		for _, alias := range rule.Aliases {
			if n := seen[alias]; judged.MatchString(alias) && (n.both == 0 || n.neither == 0) {
				t.Errorf("%s, which %s is named after, has no case that is found, or none that is not", alias, rule.Name)
			}
		}
	}
}
