package keepset

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// family is a group of files that a kept file loads by name at run time, so
// that neither its ELF header nor a trace on another machine shows them all.
type family struct {
	// rule is what report.json says kept the files.
	rule string
	// name matches the last name of the file, folder the folder it is in.
	name   *regexp.Regexp
	folder *regexp.Regexp // nil matches any
	keep   func(b *builder, f familyFile) error
	// needed says that a file cannot be used without what the family keeps. What
	// the others keep is for paths that the run did not take.
	needed bool
}

// familyFile is a kept file that matched.
type familyFile struct {
	id    nodeID
	path  string
	dir   string
	match []string // submatches of family.name
}

// families are all of them, at most 255: a node has a byte for its rule. What
// belongs to one runtime stands in a file of its own.
var families = slices.Concat(
	backendFamilies,
	databaseFamilies,
	erlangFamilies,
	gitFamilies,
	glibcFamilies,
	golangFamilies,
	iconvFamilies,
	javaFamilies,
	localeFamilies,
	magickFamilies,
	nodeFamilies,
	pamFamilies,
	pathFamilies,
	perlFamilies,
	phpFamilies,
	programFamilies,
	pythonFamilies,
	rubyFamilies,
	startFamilies,
	tlsFamilies,
	webFamilies,
)

// keepFamilies keeps what the families of the file at path ask for. What is
// new in the set then bears the name of the rule.
func (b *builder) keepFamilies(id nodeID, path string) error {
	dir, base := rootfs.Parent(path), rootfs.Base(path)
	defer func() { b.rule = 0 }()
	for _, rule := range b.local.rules(dir, b.pack.Granularity == manifest.GranularityStrict) {
		fam := families[rule-1]
		m := fam.name.FindStringSubmatch(base)
		if m == nil {
			continue
		}
		b.rule = rule
		if err := fam.keep(b, familyFile{id: id, path: path, dir: dir, match: m}); err != nil {
			return err
		}
	}
	return nil
}

// localRules are the families that apply to files of one folder. Files are
// inspected folder by folder, or nearly so, which makes it worth remembering.
type localRules struct {
	dir   string
	found []ruleID
}

func (l *localRules) rules(dir string, strict bool) []ruleID {
	if l.dir == dir {
		return l.found
	}
	l.dir, l.found = dir, l.found[:0]
	for i, fam := range families {
		if strict && !fam.needed {
			continue
		}
		if fam.folder == nil || fam.folder.MatchString(dir) {
			l.found = append(l.found, ruleID(i+1))
		}
	}
	return l.found
}

// ruleID is the number of the family that kept a node, from 1; 0 is none.
type ruleID uint8

// name is "" for none.
func (r ruleID) name() string {
	if r == 0 {
		return ""
	}
	return families[r-1].rule
}

// maxSmall bounds configuration files that are read whole.
const maxSmall = 1 << 20

// readSmall reads a configuration file, through links. It is nil when the image
// has no such file or one that is beyond all measure.
func (b *builder) readSmall(path string) ([]byte, error) {
	physical, info, err := b.root.Resolve(path, func(string) {})
	if err != nil || !info.IsRegular() {
		return nil, ignoreAbsent(err)
	}
	data, err := b.root.ReadFile(physical, maxSmall)
	if errors.Is(err, rootfs.ErrTooLarge) {
		return nil, nil
	}
	return data, err
}

// ignoreAbsent drops the errors that say that a path leads nowhere.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}
