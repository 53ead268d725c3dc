package trace

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/dpkg"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/record"
	"github.com/org/slimfile/sensor/rootfs"
)

// comparison finds what a run of a slim image asked for in vain and the image as
// built has. The run of that one cannot have asked for it in vain: so it took
// another way, or what it asked for was dropped.
//
// Not counted is what the container runtime puts in its place, and what is never
// shipped: sockets.
type comparison struct {
	fat, slim *rootfs.Root
	result    *record.Result
	phases    []manifest.Phase

	found   []manifest.Missing
	homes   []string // physical paths of what was found, parallel to it
	omitted int64
}

// compare lists what is missing, with an error what is known of it; lines are
// those in which it may be spoken of.
func compare(fat *rootfs.Root, result *record.Result, phases []manifest.Phase, lines []string) (list []manifest.Missing, omitted int64, err error) {
	slim, err := rootfs.Open("/")
	if err != nil {
		return nil, 0, err
	}
	defer slim.Close()
	c := comparison{fat: fat, slim: slim, result: result, phases: phases}
	err = errors.Join(c.lookups(), c.spoken(lines), c.owners())
	return c.found, c.omitted, err
}

// lookups finds the paths that were looked up.
func (c *comparison) lookups() error {
	for t := range c.result.Touches {
		if t.Ops&manifest.Absent == 0 || rootfs.FromRuntime(string(t.Path)) {
			continue
		}
		home, info, err := c.fat.ResolveLink(string(t.Path), func(string) {})
		if isAbsent(err) || err == nil && info.Type() == "socket" {
			continue
		}
		if err != nil {
			return err
		}
		c.add(home, manifest.Missing{Path: t.Path, Type: info.Type(), During: c.during(t.Phases), Program: c.program(t.Program)})
	}
	return nil
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENAMETOOLONG)
}

func (c *comparison) add(home string, m manifest.Missing) {
	if len(c.found) == manifest.MaxMissing {
		c.omitted++
		return
	}
	c.found, c.homes = append(c.found, m), append(c.homes, home)
}

func (c *comparison) during(phases []int) []string {
	var names []string
	for _, p := range phases {
		if p < len(c.phases) {
			names = append(names, c.phases[p].Name)
		}
	}
	return names
}

// program is the path of a program, for a script its own.
func (c *comparison) program(i int) manifest.Path {
	if i < 0 || i >= len(c.result.Programs) {
		return ""
	}
	if p := c.result.Programs[i]; p.Script != "" {
		return p.Script
	}
	return c.result.Programs[i].Exe
}

// quotedWord is a name in quotes, as in "No module named 'x.y'".
const quotedWord = "['\"`‘“]([^'\"`’”]{2,256})['\"`’”]"

// spoken finds what a program that lists folders misses without looking it up,
// as Python does with modules: what a listed folder has lost and a line that
// speaks of something missing has in quotes, but for its endings.
func (c *comparison) spoken(lines []string) error {
	words := map[string]string{} // line by word
	quoted := regexp.MustCompile(quotedWord)
	for _, line := range lines {
		if !speaksOfMissing([]byte(line)) {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			words[m[1]] = line
			for part := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == '.' || r == '/' }) {
				words[part] = line
			}
		}
	}
	if len(words) == 0 {
		return nil
	}
	for t := range c.result.Touches {
		if t.Ops&manifest.Listed == 0 {
			continue
		}
		if err := c.lost(string(t.Path), words); err != nil {
			return err
		}
	}
	return nil
}

// lost finds the entries of a folder that are gone and that words name.
func (c *comparison) lost(dir string, words map[string]string) error {
	home, info, err := c.fat.Resolve(dir, func(string) {})
	if isAbsent(err) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := c.fat.ReadDirNames(home)
	if err != nil {
		return err
	}
	for _, name := range names {
		stem, _, _ := strings.Cut(name, ".")
		line, ok := words[name]
		if !ok {
			line, ok = words[stem]
		}
		path := rootfs.Join(dir, name)
		if !ok || stem == "" || c.has(path) {
			continue
		}
		info, err := c.fat.Lstat(rootfs.Join(home, name))
		if err != nil {
			return err
		}
		c.add(rootfs.Join(home, name), manifest.Missing{Path: manifest.Path(path), Type: info.Type(), Line: line})
	}
	return nil
}

// has tells whether the slim image has the path, or it is listed already.
func (c *comparison) has(path string) bool {
	_, _, err := c.slim.ResolveLink(path, func(string) {})
	return err == nil || slices.ContainsFunc(c.found, func(m manifest.Missing) bool { return string(m.Path) == path })
}

// owners says which packages own what was found.
func (c *comparison) owners() error {
	if len(c.found) == 0 {
		return nil
	}
	db, err := dpkg.Read(c.fat)
	if err != nil {
		return err
	}
	for i := range c.found {
		if owner, ok := db.Owner(c.homes[i]); ok && c.found[i].Type != "dir" {
			c.found[i].Package = db.ID(owner)
		}
	}
	return nil
}
