package keepset

import (
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// backendFamilies are Python packages that import one of several modules of
// their own by a name that is computed: anyio's, which runs what is not
// asynchronous in threads, only with the first such call.
var backendFamilies = []family{
	{rule: "python", name: regexp.MustCompile(`^__init__(\.cpython-\d+)?\.pyc?$`), folder: regexp.MustCompile(`/(dist|site)-packages/(anyio|keyring)(/__pycache__)?$`), keep: whenTouched(keepBackends), guess: true},
}

// keepBackends keeps the modules of a package's folder of backends, and what
// they need to be imported.
func keepBackends(b *builder, f familyFile) error {
	top := strings.TrimSuffix(f.dir, "/__pycache__")
	for _, folder := range []string{"backends", "_backends"} {
		dir := rootfs.Join(top, folder)
		for _, name := range b.tried.Names(dir) {
			if path.Ext(name) != ".py" {
				continue
			}
			if err := b.keepModule(rootfs.Join(dir, name), f.id); err != nil {
				return err
			}
		}
	}
	return b.tried.err
}
