package evidence

import (
	"cmp"

	"github.com/org/slimfile/sensor/keepset/apk"
	"github.com/org/slimfile/sensor/keepset/dpkg"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// installed are an image's packages, whoever manages them.
type installed struct {
	list []manifest.Package
	// unlisted tells of those that do not tell what they own.
	unlisted []bool
	ownerOf  func(path string) (int, bool)
	id       func(i int) string
}

// readInstalled reads those of dpkg, which db has already, or of apk.
func readInstalled(root *rootfs.Root, db *dpkg.DB) (installed, error) {
	if len(db.Packages) == 0 {
		return readAPK(root)
	}
	all := installed{ownerOf: db.Owner, id: db.ID}
	for _, p := range db.Packages {
		all.unlisted = append(all.unlisted, !p.Listed)
		all.list = append(all.list, manifest.Package{
			Name: p.Name, Version: p.Version, Arch: p.Arch,
			Source: cmp.Or(p.Source, p.Name), SourceVersion: cmp.Or(p.SourceVersion, p.Version),
		})
	}
	return all, nil
}

func readAPK(root *rootfs.Root) (installed, error) {
	db, err := apk.Read(root)
	if err != nil {
		return installed{}, err
	}
	all := installed{ownerOf: db.Owner, id: func(i int) string { return db.Packages[i].Name }, unlisted: make([]bool, len(db.Packages))}
	for _, p := range db.Packages {
		all.list = append(all.list, manifest.Package{
			Name: p.Name, Version: p.Version, Arch: p.Arch, Source: cmp.Or(p.Origin, p.Name), SourceVersion: p.Version,
		})
	}
	return all, nil
}
