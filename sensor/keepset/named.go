package keepset

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/org/slimfile/sensor/rootfs"
)

var (
	libFolder = regexp.MustCompile(`/lib(32|64)?(/[^/]+)?$`)
	binFolder = regexp.MustCompile(`/s?bin$`)
)

// named makes a family keep files and whole folders by name, of which the image
// may have none. A pattern starts at the image's root or, after "@/", at the
// folder of the file that matched.
func named(patterns ...string) func(*builder, familyFile) error {
	return func(b *builder, f familyFile) error {
		for _, pattern := range patterns {
			if err := b.keepNamedBy(f, pattern); err != nil {
				return err
			}
		}
		return nil
	}
}

func (b *builder) keepNamedBy(f familyFile, pattern string) error {
	dir := "/"
	if below, ok := strings.CutPrefix(pattern, "@/"); ok {
		dir, pattern = f.dir, below
	}
	base, rest := doublestar.SplitPattern(strings.TrimPrefix(pattern, "/"))
	if strings.ContainsAny(rest, `*?[{\`) {
		return b.keepUnder(path.Join(dir, base), rest, RuntimeRule, f.id)
	}
	t, ok, err := b.follow(path.Join(dir, base, rest), RuntimeRule, f.id)
	if err != nil || !ok {
		return ignoreAbsent(err)
	}
	return b.keepContent(t, RuntimeRule, f.id)
}

// whenTouched makes a family heed only files that the run touched, not those
// that another rule or a library's header asks for.
func whenTouched(keep func(*builder, familyFile) error) func(*builder, familyFile) error {
	return func(b *builder, f familyFile) error {
		if b.tree.at(f.id).reasons&touched == 0 {
			return nil
		}
		return keep(b, f)
	}
}

// whenRun makes a family heed only programs that are started.
func whenRun(keep func(*builder, familyFile) error) func(*builder, familyFile) error {
	return func(b *builder, f familyFile) error {
		if b.tree.at(f.id).reasons&runs == 0 {
			return nil
		}
		return keep(b, f)
	}
}

// first says whether it is asked about the thing for the first time.
func (b *builder) first(thing string) bool {
	if b.seen[thing] {
		return false
	}
	b.seen[thing] = true
	return true
}

// keepUnit keeps the folder top whole, once, but for what skip matches of the
// path below it.
func (b *builder) keepUnit(top string, skip *regexp.Regexp, via nodeID) error {
	if !b.first("unit " + top) {
		return nil
	}
	top, info, err := b.root.Resolve(top, func(string) {})
	if err != nil || !info.IsDir() {
		return ignoreAbsent(err)
	}
	if _, err := b.keep(top, info, RuntimeRule, via); err != nil {
		return err
	}
	return b.walkFolder(top, func(below string, info rootfs.Info) (bool, error) {
		if skip != nil && skip.MatchString(below) {
			return false, nil
		}
		if info.IsLink() {
			return true, b.keepLinkIn(rootfs.Join(top, below), info, RuntimeRule, via)
		}
		_, err := b.keep(rootfs.Join(top, below), info, RuntimeRule, via)
		return true, err
	})
}

// documentation matches what a package ships for its developers, below the
// package's folder.
var documentation = regexp.MustCompile(`(?i)^(tests?|specs?|features|docs?|man|examples?|samples|bench(mark)?s?|\.github|ext|sig)(/|$)|^(readme|change(s|log)|history|contributing|upgrad|news|authors|todo)[^/]*$`)

// folders returns the physical paths of the folders that absolute patterns
// match, in the order of the patterns; the answer is remembered as thing.
func (b *builder) folders(thing string, patterns ...string) ([]string, error) {
	if found, ok := b.found[thing]; ok {
		return found, nil
	}
	var found []string
	for _, pattern := range patterns {
		base, rest := doublestar.SplitPattern(pattern)
		top, info, err := b.root.Resolve(base, func(string) {})
		if err != nil || !info.IsDir() {
			if err := ignoreAbsent(err); err != nil {
				return nil, err
			}
			continue
		}
		err = b.walkFolder(top, func(below string, info rootfs.Info) (bool, error) {
			if matchGlob(rest, below) {
				if info.IsDir() {
					found = append(found, rootfs.Join(top, below))
				}
				return false, nil
			}
			return mayContain(rest, below), nil
		})
		if err != nil {
			return nil, err
		}
	}
	b.found[thing] = found
	return found, nil
}

// walkFolder visits what is below the folder top, of which visit gets the path
// relative to it; of a folder it says whether to look into it.
func (b *builder) walkFolder(top string, visit func(below string, info rootfs.Info) (bool, error)) error {
	return b.root.Walk(top, func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil || path == top {
			return err
		}
		enter, err := visit(strings.TrimPrefix(path[len(top):], "/"), info)
		if err == nil && !enter && info.IsDir() {
			return fs.SkipDir
		}
		return err
	})
}
