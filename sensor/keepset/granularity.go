package keepset

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// keepByGranularity keeps, beside what the run touched, what granularity says
// belongs to it.
func (b *builder) keepByGranularity() error {
	switch b.pack.Granularity {
	case manifest.GranularityStrict:
		return nil
	case manifest.GranularityPackage:
		return firstError(b.keepCopied, b.keepPackages, b.keepPlugins, b.keepListed)
	case manifest.GranularityApp:
		return firstError(b.keepAllCopied, b.keepPackages, b.keepPlugins, b.keepListed)
	}
	return firstError(b.keepCopied, b.keepPlugins)
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// keepAllCopied keeps what the Dockerfile COPYed into folders of its own,
// whether the run touched it or not.
func (b *builder) keepAllCopied() error {
	for _, c := range b.copied {
		if err := b.keepCopy(c, Copied); err != nil {
			return err
		}
	}
	return nil
}

// packageFolders match a file in a language's package and the package's folder:
// of npm and Composer. The deepest counts. Gems, Erlang's applications and Java
// are kept whole at any granularity but strict.
var packageFolders = []*regexp.Regexp{
	regexp.MustCompile(`^(.*/node_modules/(?:@[^/]+/)?[^@./][^/]*)/`),
	regexp.MustCompile(`^(.*/vendor/[^/]+/[^/]+)/`),
}

// keepPackages keeps the whole language package of every file that the run
// read.
func (b *builder) keepPackages() error {
	last := b.tree.count
	for id := rootID + 1; uint32(id) < last; id++ {
		if b.tree.at(id).kind != regular || !b.isLoaded(id) {
			continue
		}
		if err := b.keepPackageOf(b.tree.path(id), id); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) keepPackageOf(file string, via nodeID) error {
	if site, top, ok := distributed(file); ok {
		return b.keepDistributions(site, top, Package, via)
	}
	for _, pattern := range packageFolders {
		m := pattern.FindStringSubmatch(file)
		if m == nil || rootfs.Base(path.Dir(path.Dir(m[1]))) == "vendor" && !b.tried.IsFile(composerMark(m[1])) {
			continue
		}
		if !b.first("package " + m[1]) {
			return nil
		}
		return b.keepTree(m[1], Package, via)
	}
	return nil
}

// composerMark is the file that tells Composer's vendor folder from others.
func composerMark(dir string) string {
	return path.Join(path.Dir(path.Dir(dir)), "autoload.php")
}

// distributed returns the site folder of Python that a file is in, and its top
// name there, without an extension.
func distributed(file string) (site, top string, ok bool) {
	i := strings.LastIndex(file, "-packages/")
	if i < 0 || !isSitePackages(file[:i+len("-packages")]) {
		return "", "", false
	}
	site = file[:i+len("-packages")]
	top, _, _ = strings.Cut(strings.TrimPrefix(file[len(site)+1:], "__pycache__/"), "/")
	top, _, _ = strings.Cut(top, ".")
	return site, top, top != ""
}

// keepDistributions keeps all that the distributions installed which a top name
// belongs to, or what has that name.
func (b *builder) keepDistributions(site, top string, why Reasons, via nodeID) error {
	if !b.first("package " + site + "/" + top) {
		return nil
	}
	for _, info := range b.distributions(site)[top] {
		if !b.first("package " + info) {
			continue
		}
		if err := b.keepDistributionOf(site, info, why, via); err != nil {
			return err
		}
	}
	if b.tried.IsDir(rootfs.Join(site, top)) {
		return b.keepTree(rootfs.Join(site, top), why, via)
	}
	return b.tried.err
}

// keepDistributionOf keeps the files of a distribution's list, and its metadata.
func (b *builder) keepDistributionOf(site, info string, why Reasons, via nodeID) error {
	if err := b.keepTree(info, why, via); err != nil {
		return err
	}
	for line := range strings.Lines(string(b.tried.Read(rootfs.Join(info, "RECORD")))) {
		name, _, _ := strings.Cut(line, ",")
		file := path.Join(site, name)
		if name == "" || strings.HasPrefix(name, `"`) || !b.tried.has(file) {
			continue
		}
		if err := b.followAll(why, via, file); err != nil {
			return err
		}
	}
	for top := range b.installedBy(info) {
		dir := rootfs.Join(site, top)
		if b.tried.IsDir(dir) {
			if err := b.keepTree(dir, why, via); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepTree keeps a folder whole, but for packages of their own in it.
func (b *builder) keepTree(dir string, why Reasons, via nodeID) error {
	t, ok, err := b.follow(dir, why, via)
	if err != nil || !ok || !t.info.IsDir() {
		return err
	}
	return b.root.Walk(t.path, func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil || path == t.path {
			return err
		}
		switch base := rootfs.Base(path); {
		case info.IsDir() && (base == "node_modules" || base == ".git"):
			return fs.SkipDir
		case info.IsLink():
			return b.keepLinkIn(path, info, why, via)
		}
		_, err := b.keep(path, info, why, via)
		return err
	})
}

// pluginFolders are the names of folders of which a program loads whatever is
// in them; so are those that end in .d.
var pluginFolders = []string{
	"conf-enabled", "hooks", "locale", "locales", "migrations", "mods-enabled", "modules-enabled", "plugins", "sites-enabled",
}

// keepPlugins keeps the files beside those that the run found by listing a
// folder for plugins.
func (b *builder) keepPlugins() error {
	return b.keepEntries(func(dir string) bool {
		base := rootfs.Base(dir)
		return strings.HasSuffix(base, ".d") || slices.Contains(pluginFolders, base)
	})
}

// keepListed keeps the files of the folders that the run listed, but for those
// of the system, where hardly any is the program's.
func (b *builder) keepListed() error {
	return b.keepEntries(func(dir string) bool {
		return !slices.Contains(sharedFolders, dir) && !libFolder.MatchString(dir) && rootfs.Base(dir) != "lib-dynload"
	})
}

// keepEntries keeps the files in the folders that the run listed and that wanted
// accepts, without what is in folders below.
func (b *builder) keepEntries(wanted func(dir string) bool) error {
	last := b.tree.count
	for id := rootID + 1; uint32(id) < last; id++ {
		n := b.tree.at(id)
		if n.reasons&Listed == 0 || n.kind != directory {
			continue
		}
		dir := b.tree.path(id)
		if !wanted(dir) {
			continue
		}
		if err := b.keepFilesIn(dir, id); err != nil {
			return err
		}
	}
	return b.tried.err
}

func (b *builder) keepFilesIn(dir string, via nodeID) error {
	for _, name := range b.tried.Names(dir) {
		file := rootfs.Join(dir, name)
		info, err := b.near.Lstat(file)
		switch {
		case err != nil:
			return err
		case info.IsLink():
			err = b.keepLinkIn(file, info, Plugin, via)
		case info.IsRegular():
			_, err = b.keep(file, info, Plugin, via)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxEstimated bounds the sets for which other granularities are tried.
const maxEstimated = 100_000

// estimate tries what other granularities would add to the finished set, in
// bytes, and leaves the set as it is.
func (b *builder) estimate() (map[string]int64, error) {
	more := map[string]int64{}
	if b.pack.Granularity == manifest.GranularityStrict {
		return more, nil
	}
	total := sizes{}
	base, err := total.add(b, rootID)
	if err != nil {
		return nil, err
	}
	strict, err := b.strictBytes()
	if err != nil {
		return nil, err
	}
	more[manifest.GranularityStrict] = strict - base
	return more, b.estimateCoarser(total, more)
}

// strictBytes tries what the image would have at granularity strict.
func (b *builder) strictBytes() (int64, error) {
	e := b.restarted()
	e.pack.Granularity = manifest.GranularityStrict
	for id := rootID + 1; uint32(id) < b.tree.count; id++ {
		if n := b.tree.at(id); n.reasons&(touched|User|Verify) != 0 {
			again := e.tree.at(e.node(b.tree.path(id)))
			again.kind, again.reasons, again.flags = n.kind, n.reasons&(touched|User|Verify), n.flags&(dropped|pinned)
		}
	}
	if err := firstError(e.keepConfig, e.keepSystem, e.close); err != nil {
		return 0, err
	}
	return sizes{}.add(e, rootID)
}

// estimateCoarser adds to more what the granularities beyond the set's own would
// add to a set of which the files have been counted.
func (b *builder) estimateCoarser(counted sizes, more map[string]int64) error {
	e := *b
	e.seen, e.tree = maps.Clone(b.seen), b.tree.clone()
	levels := []struct {
		name string
		keep func() error
	}{
		{manifest.GranularityPackage, func() error { return firstError(e.keepPackages, e.keepListed) }},
		{manifest.GranularityApp, e.keepAllCopied},
	}
	switch b.pack.Granularity {
	case manifest.GranularityPackage:
		levels = levels[1:]
	case manifest.GranularityApp:
		levels = nil
	}
	var sum int64
	for _, level := range levels {
		from := nodeID(e.tree.count)
		if err := firstError(level.keep, e.close); err != nil {
			return err
		}
		added, err := counted.add(&e, from)
		if err != nil {
			return err
		}
		sum += added
		more[level.name] = sum
	}
	return nil
}

// sizes counts the bytes of files, hard links once.
type sizes map[struct{ dev, ino uint64 }]bool

// add counts the files of b's nodes from one on.
func (s sizes) add(b *builder, from nodeID) (sum int64, err error) {
	for id := from; uint32(id) < b.tree.count; id++ {
		if n := b.tree.at(id); n.kind != regular || n.flags&(dropped|pinned) == dropped {
			continue
		}
		info, err := b.near.Lstat(b.tree.path(id))
		if err != nil {
			return 0, err
		}
		key := struct{ dev, ino uint64 }{info.Dev, info.Ino}
		if info.Nlink > 1 && s[key] {
			continue
		}
		if info.Nlink > 1 {
			s[key] = true
		}
		sum += info.Size
	}
	return sum, nil
}
