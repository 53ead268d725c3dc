package keepset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// pathFamilies are the app's own sources and settings: what they name by an
// absolute path, a route that no probe took may read.
var pathFamilies = []family{
	{rule: "named paths", name: regexp.MustCompile(`\.(py|[cm]?[jt]s|rb|ru|php|pl|pm|psgi)$`), keep: keepPathsOfSource},
	{rule: "named paths", name: regexp.MustCompile(`\.(json|ya?ml|toml|ini|cfg|conf|env|properties|xml)$`), keep: keepPathsOfSettings},
}

func keepPathsOfSource(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&(touched|Copied) == 0 || !b.isOwn(f.path) {
		return nil
	}
	return b.keepPathsIn(f)
}

func keepPathsOfSettings(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&Copied == 0 {
		return nil // the system's, as likely as not
	}
	return b.keepPathsIn(f)
}

func (b *builder) keepPathsIn(f familyFile) error {
	text, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	for _, name := range parsePaths(text) {
		if err := b.keepPath(name, f.id); err != nil {
			return err
		}
	}
	return nil
}

// quotedPath matches an absolute path that begins a literal or a value.
var quotedPath = regexp.MustCompile("(?:[\"'`]|[:=>][ \\t]*)(/[^\\s\"'`,;:<>()]+)")

// comment matches lines that are comments in one language or another.
var comment = regexp.MustCompile(`(?m)^[ \t]*(?:#|//|\*|;).*$`)

// maxPaths bounds the paths of one file.
const maxPaths = 1024

// parsePaths returns the absolute paths that a source or a file of settings has,
// each once: of one that is computed, the folder that is literal.
func parsePaths(text []byte) []string {
	var paths []string
	for _, m := range quotedPath.FindAllSubmatch(comment.ReplaceAll(text, nil), maxPaths) {
		name := string(m[1])
		if i := strings.IndexAny(name, "{}$%*#?[\\"); i >= 0 {
			name = name[:strings.LastIndexByte(name[:i], '/')+1]
		}
		paths = append(paths, path.Clean(name))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// keepPath keeps what the app names by an absolute path: a file; a folder of the
// app's own; the data in one of the system's.
func (b *builder) keepPath(name string, via nodeID) error {
	t, ok, err := b.resolved(name)
	shared := systemFolder.MatchString(t.path) || slices.Contains(sharedFolders, t.path)
	switch {
	case err != nil || !ok || shared || secrets.MatchString(t.path) || rootfs.FromRuntime(t.path):
		return err
	case t.info.IsRegular() && binFolder.MatchString(rootfs.Parent(t.path)):
		return b.keepWord(name, via)
	case t.info.IsRegular():
		return b.followAll(RuntimeRule, via, name)
	case !t.info.IsDir() || !b.first("named "+t.path):
		return nil
	}
	if b.isSystem(t.path) {
		return b.keepDataFolder(name, t.path, via)
	}
	if err := b.followAll(RuntimeRule, via, name); err != nil {
		return err
	}
	return b.keepFolder(t.path, via)
}

// isSystem says whether a folder is a package's, or stands where those of
// packages do.
func (b *builder) isSystem(dir string) bool {
	_, owned := b.db.Owner(dir)
	return owned || !b.isOwn(dir+"/")
}

// Bounds of a folder that is kept whole because it seems to be the app's.
const (
	maxFolderBytes = 64 << 20
	maxFolderFiles = 1 << 16
)

// keepFolder keeps a folder of the app's own whole, but for what is managed in
// it and unless it is too much.
func (b *builder) keepFolder(top string, via nodeID) error {
	var size int64
	files := 0
	err := b.walkOwn(top, func(_ string, info rootfs.Info) error {
		size += info.Size
		if files++; size > maxFolderBytes || files > maxFolderFiles {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipAll) {
		return err
	}
	if size > maxFolderBytes || files > maxFolderFiles {
		b.skipped = append(b.skipped, fmt.Sprintf("%q", top))
		return nil
	}
	return b.walkOwn(top, func(path string, info rootfs.Info) error {
		if info.IsLink() {
			return b.keepLinkIn(path, info, RuntimeRule, via)
		}
		_, err := b.keep(path, info, RuntimeRule, via)
		return err
	})
}
