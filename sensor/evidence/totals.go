package evidence

import (
	"cmp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// totals adds up an image.
type totals struct {
	installed
	sum        manifest.Summary
	inodes     map[inode]names
	folders    map[string]*count
	byPackage  []count // removed
	ownedFiles []int64
	keptFiles  []int64
	listed     []manifest.Total // folders that lost what the run listed
}

type count struct{ files, bytes int64 }

func (c *count) add(files, bytes int64) {
	c.files += files
	c.bytes += bytes
}

// inode identifies a file that has several names.
type inode struct{ dev, ino uint64 }

// names is what is known of such a file: its bytes count once, and as removed
// only when none of its names is kept.
type names struct {
	kept   bool
	size   int64
	folder *count // of the first removed name
	owner  int32  // its package; -1 for none
}

func newTotals(i installed) *totals {
	return &totals{
		installed: i, inodes: map[inode]names{}, folders: map[string]*count{},
		byPackage: make([]count, len(i.list)), ownedFiles: make([]int64, len(i.list)), keptFiles: make([]int64, len(i.list)),
	}
}

// owner returns the package of an entry and counts it; -1 for none.
func (t *totals) owner(path string, info rootfs.Info) int {
	i, ok := t.ownerOf(path)
	if !ok {
		return -1
	}
	if info.IsRegular() || info.IsLink() {
		t.ownedFiles[i]++
	}
	return i
}

// total counts an entry of the image and returns the bytes that it alone
// accounts for; shared says that other names of the file share them.
func (t *totals) total(info rootfs.Info) (bytes int64, shared bool) {
	t.sum.TotalFiles++
	if !info.IsRegular() {
		return 0, false
	}
	if info.Nlink == 1 {
		t.sum.TotalBytes += info.Size
		return info.Size, false
	}
	key := inode{info.Dev, info.Ino}
	if _, seen := t.inodes[key]; !seen {
		t.sum.TotalBytes += info.Size
		t.inodes[key] = names{size: info.Size, owner: -1}
	}
	return 0, true
}

// kept counts an entry that is copied and returns its package.
func (t *totals) kept(path string, info rootfs.Info) string {
	if info.IsDir() {
		return ""
	}
	bytes, shared := t.total(info)
	t.sum.KeptFiles++
	t.sum.KeptBytes += bytes
	if shared {
		key := inode{info.Dev, info.Ino}
		n := t.inodes[key]
		if !n.kept {
			t.sum.KeptBytes += n.size
		}
		n.kept = true
		t.inodes[key] = n
	}
	i := t.owner(path, info)
	if i < 0 {
		return ""
	}
	if info.IsRegular() || info.IsLink() {
		t.keptFiles[i]++
	}
	return t.id(i)
}

// removed counts an entry that is not shipped.
func (t *totals) removed(path string, info rootfs.Info) {
	if info.IsDir() {
		return
	}
	bytes, shared := t.total(info)
	folder, owner := t.folder(path), t.owner(path, info)
	folder.add(1, bytes)
	if owner >= 0 {
		t.byPackage[owner].add(1, bytes)
	}
	if shared {
		key := inode{info.Dev, info.Ino}
		if n := t.inodes[key]; n.folder == nil {
			n.folder, n.owner = folder, int32(owner)
			t.inodes[key] = n
		}
	}
}

// replaced counts an entry of the image that a generated one stands in for.
func (t *totals) replaced(info rootfs.Info) {
	if !info.IsDir() {
		t.total(info)
	}
}

func (t *totals) generated(f *keepset.File) {
	if info := (rootfs.Info{Mode: f.Mode}); !info.IsDir() {
		t.sum.KeptFiles++
		t.sum.KeptBytes += int64(len(f.Data))
	}
}

// maxFolders bounds the top folders that are told apart.
const maxFolders = 4096

// folder returns the count of the top folder that path is in; files of the root
// itself, and of folders beyond maxFolders, count under "/".
func (t *totals) folder(path string) *count {
	top := "/"
	if end := strings.IndexByte(path[1:], '/'); end >= 0 {
		top = path[:end+1]
	}
	c, ok := t.folders[top]
	if !ok && len(t.folders) >= maxFolders {
		top = "/"
		c, ok = t.folders[top]
	}
	if !ok {
		c = &count{}
		t.folders[strings.Clone(top)] = c
	}
	return c
}

// summary completes the sums; nothing may be counted after it.
func (t *totals) summary(set *keepset.Set) manifest.Summary {
	for _, n := range t.inodes {
		if n.kept || n.folder == nil {
			continue
		}
		n.folder.bytes += n.size
		if n.owner >= 0 {
			t.byPackage[n.owner].bytes += n.size
		}
	}
	t.sum.Version = manifest.Version
	t.sum.Lock = set.Pack().Lock
	t.sum.TotalPackages = len(t.list)
	t.sum.KeptPackages = len(t.left().Kept)
	t.sum.Probes, t.sum.Listed, t.sum.Warnings = set.Probes(), set.Listed(), set.Warnings()
	t.listed = set.Worst()
	for level, more := range set.Levels() {
		if t.sum.Levels == nil {
			t.sum.Levels = map[string]int64{}
		}
		t.sum.Levels[level] = t.sum.KeptBytes + more
	}
	return t.sum
}

// sums returns what was removed, largest first.
func (t *totals) sums() manifest.Removed {
	r := manifest.Removed{Folders: []manifest.Total{}, Packages: []manifest.Total{}, Listed: t.listed}
	for name, c := range t.folders {
		r.Folders = append(r.Folders, manifest.Total{Name: manifest.Path(name), Files: c.files, Bytes: c.bytes})
	}
	for i, c := range t.byPackage {
		if c.files > 0 {
			r.Packages = append(r.Packages, manifest.Total{Name: manifest.Path(t.id(i)), Files: c.files, Bytes: c.bytes})
		}
	}
	largestFirst := func(a, b manifest.Total) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Files, a.Files), cmp.Compare(a.Name, b.Name))
	}
	slices.SortFunc(r.Folders, largestFirst)
	slices.SortFunc(r.Packages, largestFirst)
	return r
}

// packages returns every package of the image.
func (t *totals) packages() []manifest.Package {
	list := slices.Clone(t.list)
	for i := range list {
		list[i].Files, list[i].Kept = t.ownedFiles[i], t.keptFiles[i]
	}
	return list
}

// left returns the packages of which something remains.
func (t *totals) left() manifest.Packages {
	all := manifest.Packages{Version: manifest.Version, Total: len(t.list)}
	for i, p := range t.packages() {
		if p.Kept > 0 || t.unlisted[i] {
			all.Kept = append(all.Kept, p)
		}
	}
	return all
}
