package keepset

import (
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// backendFamilies are Python packages that import some of many modules of
// their own by a name that is computed: anyio's, which runs what is not
// asynchronous in threads, only with the first such call; Pillow's, when a
// format is none of the usual ones.
var backendFamilies = []family{
	{rule: "python", name: packageInit, folder: regexp.MustCompile(`/(dist|site)-packages/(anyio|keyring)(/__pycache__)?$`), keep: whenTouched(keepBackends)},
	{rule: "python", name: packageInit, folder: regexp.MustCompile(`/(dist|site)-packages/PIL(/__pycache__)?$`), keep: whenTouched(keepImagePlugins)},
}

// packageInit matches the source and the byte code of a package.
var packageInit = regexp.MustCompile(`^__init__(\.cpython-\d+)?\.pyc?$`)

// keepBackends keeps the modules of a package's folder of backends.
func keepBackends(b *builder, f familyFile) error {
	top := strings.TrimSuffix(f.dir, "/__pycache__")
	for _, folder := range []string{"backends", "_backends"} {
		if err := b.keepModulesIn(rootfs.Join(top, folder), ".py", f.id); err != nil {
			return err
		}
	}
	return nil
}

// keepImagePlugins keeps the modules that know a format each.
func keepImagePlugins(b *builder, f familyFile) error {
	return b.keepModulesIn(strings.TrimSuffix(f.dir, "/__pycache__"), "ImagePlugin.py", f.id)
}

// keepModulesIn keeps the modules in a folder whose names end in suffix, and
// what they need to be imported.
func (b *builder) keepModulesIn(dir, suffix string, via nodeID) error {
	for _, name := range b.tried.Names(dir) {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		if err := b.keepModule(rootfs.Join(dir, name), via); err != nil {
			return err
		}
	}
	return b.tried.err
}
