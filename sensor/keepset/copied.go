package keepset

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// sharedFolders belong to the system: what a COPY put there is known only if it
// has the source's name.
var sharedFolders = []string{
	"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media", "/mnt", "/opt",
	"/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/include", "/usr/lib",
	"/usr/lib64", "/usr/libexec", "/usr/local", "/usr/local/bin", "/usr/local/etc", "/usr/local/include",
	"/usr/local/lib", "/usr/local/libexec", "/usr/local/sbin", "/usr/local/share", "/usr/sbin", "/usr/share",
	"/usr/src", "/var", "/var/cache", "/var/lib", "/var/log", "/var/opt", "/var/run", "/var/spool", "/var/tmp", "/var/www",
}

// copied is what one COPY or several left in a folder that is theirs.
type copied struct {
	folder string // physical
	// whole says that all of the folder came so; else files did.
	whole bool
	files []string // physical
}

// keepCopied keeps what the Dockerfile COPYed into a folder as soon as the run
// touched some of it: it is the app's own, of which no run reads every page and
// template.
func (b *builder) keepCopied() error {
	for _, c := range b.copied {
		if !b.isTouched(c) && !b.isHome(c) {
			continue
		}
		if err := b.keepCopy(c, Copied); err != nil {
			return err
		}
	}
	return nil
}

// copies finds in the image what the Dockerfile copied, by folder.
func (b *builder) copies() ([]copied, error) {
	var list []copied
	for _, c := range b.pack.Copied {
		folder, info, err := b.root.Resolve(c.Dest, func(string) {})
		if err := ignoreAbsent(err); err != nil {
			return nil, err
		}
		if !info.IsDir() || slices.Contains(sharedFolders, folder) {
			continue // a file of its own is kept if it is touched
		}
		file, err := b.copiedFile(folder, c)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(other copied) bool { return other.folder == folder })
		if i < 0 {
			i = len(list)
			list = append(list, copied{folder: folder})
		}
		if file == "" {
			list[i].whole = true
		} else {
			list[i].files = append(list[i].files, file)
		}
	}
	return list, nil
}

// copiedFile is the file that a copy left in a folder; empty if it was a
// folder, the content of which is there.
func (b *builder) copiedFile(folder string, c manifest.Copy) (string, error) {
	if c.Name == "" {
		return "", nil
	}
	file := rootfs.Join(folder, path.Base(c.Name))
	info, err := b.root.Lstat(file)
	if err != nil || info.IsDir() {
		return "", ignoreAbsent(err)
	}
	return file, nil
}

var (
	// foreign matches the folders of languages' packages and libraries, wherever
	// they are; shared, those of the system.
	foreign = regexp.MustCompile(`/(node_modules|site-packages|dist-packages|vendor|vendor_ruby|gems)/|/lib/(python|ruby|perl|php|erlang|jvm|R)[\d.]*/`)
	shared  = regexp.MustCompile(`^/usr/(lib\w*|share|local/lib|local/share)/`)
)

// isOwn says whether a file is the app's own: none of a package for the system
// or for a language, which has much that an app need not come to.
func (b *builder) isOwn(path string) bool {
	switch {
	case foreign.MatchString(path):
		return false
	case b.isCopied(path):
		return true
	}
	_, owned := b.db.Owner(path)
	return !owned && !shared.MatchString(path)
}

// isCopied says whether the Dockerfile COPYed a file, or the folder it is in.
func (b *builder) isCopied(path string) bool {
	return slices.ContainsFunc(b.copied, func(c copied) bool {
		return c.whole && strings.HasPrefix(path, c.folder+"/") || slices.Contains(c.files, path)
	})
}

// isTouched says whether the run used some of what was copied.
func (b *builder) isTouched(c copied) bool {
	if c.whole {
		return b.touchedUnder(b.tree.find(c.folder))
	}
	return slices.ContainsFunc(c.files, func(file string) bool {
		id := b.tree.find(file)
		return id != 0 && b.tree.at(id).reasons&touched != 0
	})
}

// touchedUnder says whether the run read a file or a folder's names in the
// tree of a node.
func (b *builder) touchedUnder(id nodeID) bool {
	if id == 0 {
		return false
	}
	n := b.tree.at(id)
	if n.reasons&Listed != 0 || n.kind != directory && n.reasons&touched != 0 {
		return true
	}
	for c := n.child; c != 0; c = b.tree.at(c).sibling {
		if b.touchedUnder(c) {
			return true
		}
	}
	return false
}

// isHome says whether a tree was copied into the app's own folder, WORKDIR.
func (b *builder) isHome(c copied) bool {
	home, info, err := b.root.Resolve(b.pack.Image.WorkingDir, func(string) {})
	if err != nil || !info.IsDir() || slices.Contains(sharedFolders, home) {
		return false
	}
	return c.whole && (c.folder == home || strings.HasPrefix(c.folder, home+"/"))
}

// keepCopy keeps what was copied, by keepCopied or for another reason.
func (b *builder) keepCopy(c copied, why Reasons) error {
	if !c.whole {
		for _, file := range c.files {
			if err := b.keepPhysical(file, why, 0); err != nil {
				return err
			}
		}
		return nil
	}
	return b.walkOwn(c.folder, func(path string, info rootfs.Info) error {
		if info.IsLink() {
			return b.keepLinkIn(path, info, why, 0)
		}
		_, err := b.keep(path, info, why, 0)
		return err
	})
}

// walkOwn visits what is in a folder of the app's own, and the folder, but for
// what is managed.
func (b *builder) walkOwn(top string, visit func(path string, info rootfs.Info) error) error {
	return b.root.Walk(top, func(path string, info rootfs.Info) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if info.IsDir() {
			managed, err := b.isManaged(path)
			if err != nil {
				return err
			}
			if managed {
				return fs.SkipDir
			}
		}
		return visit(path, info)
	})
}

// isManaged says whether a folder is filled by a package manager or a version
// control system: what of it is needed, the rules of its language say.
func (b *builder) isManaged(dir string) (bool, error) {
	var mark string // a file that tells a folder's nature
	switch rootfs.Base(dir) {
	case "node_modules", "site-packages", "dist-packages", ".git", ".hg", ".svn":
		return true, nil
	case "bundle":
		return rootfs.Base(rootfs.Parent(dir)) == "vendor", nil
	case "vendor":
		mark = "autoload.php" // Composer's
	default:
		mark = "pyvenv.cfg"
	}
	info, err := b.near.Lstat(rootfs.Join(dir, mark))
	if err != nil {
		return false, ignoreAbsent(err)
	}
	return info.IsRegular(), nil
}
