package lock

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Magic is what every lock begins with, of whatever version.
const Magic = "slimfile lock "

// The rest of a lock's first lines.
const (
	format = 1
	remark = `# What the slim image keeps, and why. Written by "slimfile lock".`
)

// Words that tell the kinds of lines apart; an entry begins with its path.
const (
	wordInput   = "from "
	wordSetting = "with "
	keyRule     = "rule="
	keyPackage  = "package="
)

// Encode writes a lock. The same sections give the same bytes. It fails for what
// Decode would not take.
func (f File) Encode(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s%d\n%s\n", Magic, format, remark)
	groups, err := f.groups()
	if err != nil {
		return err
	}
	for _, g := range groups {
		fmt.Fprintf(out, "\n[%s]\n", g.heading)
		for _, line := range g.lines {
			fmt.Fprintln(out, line.text)
		}
	}
	return out.Flush()
}

// line is one line, and what it is sorted by.
type line struct {
	kind kind
	key  string // name, text or path
	text string
}

// kind is the kind of a line.
type kind int

const (
	kindInput kind = iota
	kindSetting
	kindEntry
)

func compareLines(a, b line) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

// group is what one heading stands above.
type group struct {
	heading string // the platforms
	lines   []line
}

// groups divides the lines by the platforms that they are true of, those of many
// platforms first.
func (f File) groups() ([]group, error) {
	owners := map[string][]int{} // sections, by the line's text
	lines := map[string]line{}
	for i, s := range f.Sections {
		if !isPlatform(s.Platform) {
			return nil, fmt.Errorf("lock: bad platform %q", s.Platform)
		}
		for _, l := range s.lines() {
			if _, err := parseLine(l.text); err != nil {
				return nil, fmt.Errorf("lock: %w", err)
			}
			if had := owners[l.text]; len(had) == 0 || had[len(had)-1] != i {
				owners[l.text] = append(had, i)
			}
			lines[l.text] = l
		}
	}
	byHeading := map[string]*group{}
	for text, sections := range owners {
		var names []string
		for _, i := range sections {
			names = append(names, f.Sections[i].Platform)
		}
		heading := strings.Join(names, " ")
		if byHeading[heading] == nil {
			byHeading[heading] = &group{heading: heading}
		}
		g := byHeading[heading]
		g.lines = append(g.lines, lines[text])
	}
	var groups []group
	for _, g := range byHeading {
		slices.SortFunc(g.lines, compareLines)
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(-cmp.Compare(strings.Count(a.heading, " "), strings.Count(b.heading, " ")), cmp.Compare(a.heading, b.heading))
	})
	return groups, nil
}

func (s Section) lines() []line {
	var lines []line
	for _, in := range s.Inputs {
		lines = append(lines, line{kindInput, in.Name, wordInput + Quote(in.Name) + " " + in.Digest})
	}
	for _, text := range s.Settings {
		lines = append(lines, line{kindSetting, text, wordSetting + text})
	}
	for _, e := range s.Entries {
		lines = append(lines, line{kindEntry, e.Path, e.String()})
	}
	return lines
}

// String is the entry's line.
func (e Entry) String() string {
	text := Quote(e.Path) + " " + strings.Join(e.Reasons, ",")
	if e.Rule != "" {
		text += " " + keyRule + Quote(e.Rule)
	}
	if e.Package != "" {
		text += " " + keyPackage + Quote(e.Package)
	}
	return text
}

// Quote writes a name as it is where it is one plain word, and as a string
// literal of Go where not: nothing in it can be taken for anything else, nor
// show as something that it is not.
func Quote(name string) string {
	if isPlain(name) {
		return name
	}
	return strconv.Quote(name)
}

func isPlain(name string) bool {
	if name == "" || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if r == '"' || r == '\\' || unicode.IsSpace(r) || !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

// Merge is the first lock with the sections of the others.
func Merge(files ...File) File {
	sections := map[string]Section{}
	for _, f := range files {
		for _, s := range f.Sections {
			sections[s.Platform] = s
		}
	}
	var merged File
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		merged.Sections = append(merged.Sections, sections[name])
	}
	return merged
}
