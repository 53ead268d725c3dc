package keepset

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// failure makes an error that is the user's to mend.
func failure(source *manifest.Location, remedy, format string, args ...any) error {
	return &manifest.Failure{
		Version: manifest.Version, Phase: "keepset",
		Message: fmt.Sprintf(format, args...), Remedy: remedy, Source: source,
	}
}

// readDrops collects the drop directives: they count from the first entry on.
func (b *builder) readDrops() error {
	for _, r := range b.pack.Rules {
		if r.Kind != manifest.RuleDrop {
			continue
		}
		for _, glob := range r.Args {
			if err := checkGlob(r, glob); err != nil {
				return err
			}
			b.drops = append(b.drops, cleanGlob(glob))
		}
	}
	return nil
}

func checkGlob(r manifest.Rule, glob string) error {
	if !strings.HasPrefix(glob, "/") {
		return failure(r.Source, "write the path from / on, as it is in the image", "%s %q is not an absolute path", r.Kind, glob)
	}
	if !doublestar.ValidatePattern(glob) {
		return failure(r.Source, "close every [ and {, or put a backslash before it", "%s %q is not a valid pattern", r.Kind, glob)
	}
	return nil
}

func cleanGlob(glob string) string {
	if clean := strings.TrimRight(glob, "/"); clean != "" {
		return clean
	}
	return "/"
}

func (b *builder) isDropped(path string) bool {
	for _, glob := range b.drops {
		if matchGlob(glob, path) {
			return true
		}
	}
	return false
}

// matchGlob is doublestar.Match on bytes: where the path or the pattern is not
// UTF-8, each byte is a character.
func matchGlob(glob, path string) bool {
	if !utf8.ValidString(path) || !utf8.ValidString(glob) {
		glob, path = latin1(glob), latin1(path)
	}
	ok, err := doublestar.Match(glob, path)
	return ok && err == nil
}

func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// applyRules carries out the user's keep directives, in their order.
func (b *builder) applyRules() error {
	for _, r := range b.pack.Rules {
		var apply func(manifest.Rule, string) error
		switch r.Kind {
		case manifest.RuleDrop:
			continue
		case manifest.RuleKeep:
			apply = b.ruleKeep
		case manifest.RuleKeepExe:
			apply = b.ruleKeepExe
		case manifest.RuleKeepPackage:
			apply = b.ruleKeepPackage
		case manifest.RuleKeepShell:
			apply = b.ruleKeepExe
			r.Args = []string{"/bin/sh"}
		case manifest.RuleKeepStageCopy:
			if err := b.ruleKeepStageCopy(r); err != nil {
				return err
			}
		default:
			return failure(r.Source, "use the frontend and slimfile-pack of one version", "unknown rule %q", r.Kind)
		}
		for _, arg := range r.Args {
			if err := apply(r, arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// ruleKeep keeps what the glob matches; a folder with all its content, a link
// with what it leads to.
func (b *builder) ruleKeep(r manifest.Rule, glob string) error {
	if err := checkGlob(r, glob); err != nil {
		return err
	}
	n, err := b.keepGlob(cleanGlob(glob), User|pin, 0)
	if err == nil && n == 0 {
		return failure(r.Source, "correct the path, or remove the directive", "keep %q matches nothing in the image", glob)
	}
	return err
}

func (b *builder) ruleKeepExe(r manifest.Rule, name string) error {
	_, ok, err := b.keepProgram(name, User, 0)
	if err == nil && !ok {
		return failure(r.Source, "install it in the image, or give its absolute path",
			"%s: the image has no program %q (PATH is %s)", r.Kind, name, b.finder.Path())
	}
	return err
}

func (b *builder) ruleKeepPackage(r manifest.Rule, name string) error {
	found := b.db.Find(name)
	if len(found) == 0 {
		ok, err := b.keepLanguagePackage(name)
		if err == nil && !ok {
			return failure(r.Source, b.nearestPackage(name), "keep-package: the image has no Debian, Python or npm package %q", name)
		}
		return err
	}
	for _, i := range found {
		if !b.db.Packages[i].Listed {
			return failure(r.Source, "keep its files by path", "keep-package: the image does not tell which files package %q owns", name)
		}
		err := b.db.Files(i, func(path string) error {
			return ignoreAbsent(b.keepNamed(path, User))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepLanguagePackage keeps every installation of a package of Python or npm.
func (b *builder) keepLanguagePackage(name string) (found bool, err error) {
	wanted := normalized(name)
	err = b.root.Walk("/", func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil || !info.IsDir() {
			return err
		}
		dir, base := rootfs.Parent(path), rootfs.Base(path)
		switch {
		case strings.HasSuffix(path, "/node_modules/"+name):
			found = true
			return b.keepTree(path, User, 0)
		case strings.HasSuffix(base, ".dist-info") || strings.HasSuffix(base, ".egg-info"):
			title, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(base, ".dist-info"), ".egg-info"), "-")
			if normalized(title) == wanted && isSitePackages(dir) {
				found = true
				return b.keepDistributionOf(dir, path, User, 0)
			}
		}
		return nil
	})
	return found, err
}

// normalized is a distribution's name as packaging.python.org compares names.
func normalized(name string) string {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	return strings.Join(fields, "-")
}

// ruleKeepStageCopy keeps all that the Dockerfile COPYed, of packages too.
func (b *builder) ruleKeepStageCopy(r manifest.Rule) error {
	for _, c := range b.pack.Copied {
		dest, ok, err := b.resolved(c.Dest)
		if err != nil {
			return err
		}
		if !ok {
			continue // a later step removed it
		}
		file := ""
		if dest.info.IsDir() {
			if file, err = b.copiedFile(dest.path, c); err != nil {
				return err
			}
		}
		switch {
		case file != "":
			err = b.keepNamed(file, User)
		case dest.info.IsDir() && slices.Contains(sharedFolders, dest.path):
			return failure(r.Source, "COPY into a folder of the app's own, or keep the paths by name",
				"keep-stage-copy: a COPY put a whole folder into %s, where nothing tells its files from others", dest.path)
		default:
			if dest, _, err = b.follow(c.Dest, User, 0); err == nil {
				err = b.keepContent(dest, User, 0)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nearestPackage suggests the package whose name is most like name.
func (b *builder) nearestPackage(name string) string {
	best, score := "", 0.0
	for _, p := range b.db.Packages {
		if s := levenshtein.Match(name, p.Name, nil); s > score {
			best, score = p.Name, s
		}
	}
	if score < 0.6 {
		return "correct the name, or install the package in the image"
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// keepGlob keeps what matches an absolute glob and counts the matches.
func (b *builder) keepGlob(glob string, why Reasons, via nodeID) (int, error) {
	if !strings.ContainsAny(glob, `*?[{\`) {
		t, ok, err := b.follow(glob, why, via)
		if err != nil || !ok {
			return 0, err
		}
		return 1, b.keepContent(t, why, via)
	}
	base, pattern := doublestar.SplitPattern(glob)
	return b.keepMatches(base, pattern, why, via)
}

// keepUnder keeps what matches the pattern below the folder base, which may be
// absent.
func (b *builder) keepUnder(base, pattern string, why Reasons, via nodeID) error {
	_, err := b.keepMatches(base, pattern, why, via)
	return err
}

func (b *builder) keepMatches(base, pattern string, why Reasons, via nodeID) (n int, err error) {
	var links []string
	top, info, err := b.root.Resolve(base, func(link string) { links = append(links, link) })
	if err != nil || !info.IsDir() {
		return 0, ignoreAbsent(err)
	}
	err = b.root.Walk(top, func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		below := strings.TrimPrefix(strings.TrimPrefix(path, top), "/")
		if !matchGlob(pattern, below) {
			if info.IsDir() && !mayContain(pattern, below) {
				return fs.SkipDir
			}
			return nil
		}
		n++
		if err := b.keepMatch(path, info, why, via); err != nil {
			return err
		}
		if info.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil || n == 0 {
		return n, err
	}
	for _, link := range links {
		if err := b.keepPhysical(link, Link|why&pin, via); err != nil {
			return n, err
		}
	}
	return n, nil
}

// mayContain says whether something in the folder dir, both relative, could
// match the pattern.
func mayContain(pattern, dir string) bool {
	if dir == "" || strings.Contains(pattern, "**") || strings.Contains(pattern, "{") {
		return true
	}
	depth := strings.Count(dir, "/") + 1
	names := strings.Split(pattern, "/")
	return depth < len(names) && matchGlob(strings.Join(names[:depth], "/"), dir)
}

func (b *builder) keepMatch(path string, info rootfs.Info, why Reasons, via nodeID) error {
	if info.IsLink() {
		return b.keepLinkIn(path, info, why, via)
	}
	id, err := b.keep(path, info, why, via)
	if err != nil {
		return err
	}
	return b.keepContent(target{path: path, info: info, id: id}, why, via)
}

// keepLinkIn keeps a link that was found in a folder, and where it leads; of a
// folder, not the content, which may be anything.
func (b *builder) keepLinkIn(path string, info rootfs.Info, why Reasons, via nodeID) error {
	if _, err := b.keep(path, info, why, via); err != nil {
		return err
	}
	_, _, err := b.follow(path, why, via)
	return err
}

// keepContent keeps all that is in t, if it is a folder.
func (b *builder) keepContent(t target, why Reasons, via nodeID) error {
	if !t.info.IsDir() {
		return nil
	}
	return b.root.Walk(t.path, func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if info.IsLink() {
			return b.keepLinkIn(path, info, why, via)
		}
		_, err := b.keep(path, info, why, via)
		return err
	})
}
