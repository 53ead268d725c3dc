package keepset

import (
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var pythonFamilies = []family{
	{rule: "python", name: regexp.MustCompile(`^(python3\.\d+)$`), folder: regexp.MustCompile(`/bin$`), keep: keepPythonOfBin},
	{rule: "python", name: regexp.MustCompile(`^lib(python3\.\d+)m?\.so\.`), keep: keepPythonOfLib},
}

// keepPythonOfBin keeps the extension modules of PREFIX/bin/python3.N.
func keepPythonOfBin(b *builder, f familyFile) error {
	return b.keepExtensions(rootfs.Join(path.Dir(f.dir), "lib/"+f.match[1]), f)
}

// keepPythonOfLib is keepPythonOfBin for an application that embeds Python.
// Debian has the library one folder further down.
func keepPythonOfLib(b *builder, f familyFile) error {
	for _, dir := range []string{f.dir, path.Dir(f.dir)} {
		if err := b.keepExtensions(rootfs.Join(dir, f.match[1]), f); err != nil {
			return err
		}
	}
	return nil
}

// keepExtensions keeps the extension modules of a standard library that belong
// to its kept modules: _decimal to decimal. Keeping them all would drag in
// libraries, from Berkeley DB to Kerberos, for modules that nothing imports.
func (b *builder) keepExtensions(stdlib string, f familyFile) error {
	stdlib, info, err := b.root.Resolve(stdlib, func(string) {})
	if err != nil || !info.IsDir() {
		return ignoreAbsent(err)
	}
	extensions := rootfs.Join(stdlib, "lib-dynload")
	names, err := b.root.ReadDirNames(extensions)
	if err != nil {
		return ignoreAbsent(err)
	}
	tag := ".cpython-" + strings.TrimPrefix(strings.ReplaceAll(f.match[1], ".", ""), "python") + ".pyc"
	for _, name := range names {
		module, _, _ := strings.Cut(strings.TrimPrefix(name, "_"), ".")
		for _, source := range []string{module + ".py", module, "__pycache__/" + module + tag} {
			if b.tree.find(rootfs.Join(stdlib, source)) == 0 {
				continue
			}
			if err := b.keepPhysical(rootfs.Join(extensions, name), RuntimeRule, f.id); err != nil {
				return err
			}
			break
		}
	}
	return nil
}
