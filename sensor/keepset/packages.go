package keepset

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/dpkg"
	"github.com/org/slimfile/sensor/rootfs"
)

// describePackages makes a file in /var/lib/dpkg/status.d for each Debian
// package of which something remains, the way distroless images tell scanners
// (Syft, Grype and Trivy read it), with the checksums of what remains.
func (b *builder) describePackages() error {
	if len(b.db.Packages) == 0 {
		return nil
	}
	if _, _, err := b.follow(dpkg.Dir, PackageMetadata, 0); err != nil {
		return err
	}
	dir, err := b.root.Lstat(b.db.Dir())
	if err != nil {
		return err
	}
	m := metadata{b: b, top: rootfs.Join(b.db.Dir(), dpkg.StatusDir), like: dir}
	m.add("", unix.S_IFDIR|0o755, nil)
	remains := b.packagesWithContent()
	unknown := 0
	for i, p := range b.db.Packages {
		if !p.Listed {
			unknown++
		} else if !remains[i] {
			continue
		}
		if err := m.describe(i); err != nil {
			return fmt.Errorf("package %s: %w", p.Name, err)
		}
	}
	if unknown > 0 {
		b.warn("%d packages are reported as present because the image does not tell which files they own", unknown)
	}
	slices.SortFunc(b.generated, func(x, y File) int { return rootfs.Compare(x.Path, y.Path) })
	return nil
}

// packagesWithContent says of each package whether a file of it is kept.
func (b *builder) packagesWithContent() []bool {
	remains := make([]bool, len(b.db.Packages))
	for id := rootID + 1; uint32(id) < b.tree.count; id++ {
		n := b.tree.at(id)
		if n.kind == directory || n.flags&(dropped|pinned) == dropped {
			continue
		}
		if i, ok := b.db.Owner(b.tree.path(id)); ok {
			remains[i] = true
		}
	}
	return remains
}

// metadata collects generated files.
type metadata struct {
	b    *builder
	top  string
	like rootfs.Info // whose owner and time the files get
	sums int         // bytes of checksums so far
}

// maxSums bounds the checksums of all packages, which are held in memory: some
// 200,000 files. Packages beyond it are described without.
const maxSums = 16 << 20

func (m *metadata) describe(i int) error {
	db := m.b.db
	stanza, err := db.Stanza(i)
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(db.ID(i), ":", "_")
	m.add(name, unix.S_IFREG|0o644, stanza)
	var sums []byte
	err = db.Checksums(i, func(file string, line []byte) error {
		if m.sums+len(sums) < maxSums && m.b.ships(path.Clean(file)) {
			sums = append(append(sums, line...), '\n')
		}
		return nil
	})
	if len(sums) > 0 {
		m.sums += len(sums)
		m.add(name+".md5sums", unix.S_IFREG|0o644, sums)
	}
	return err
}

// add makes an entry, unless a keep directive ships what the image has there.
func (m *metadata) add(name string, mode uint32, data []byte) {
	file := m.top
	if name != "" {
		file = rootfs.Join(m.top, name)
	}
	if m.b.ships(file) {
		return
	}
	m.b.generated = append(m.b.generated, File{
		Path: file, Mode: mode, UID: m.like.UID, GID: m.like.GID,
		Mtime: m.like.Mtime.Sec, Data: data,
	})
}

// ships says whether the set has the path, which may go through linked folders.
func (b *builder) ships(file string) bool {
	physical, _, err := b.near.ResolveLink(file, func(string) {})
	if err != nil {
		return false
	}
	id := b.tree.find(physical)
	return id != 0 && b.tree.at(id).flags&(dropped|pinned) != dropped
}
