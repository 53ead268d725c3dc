package keepset

import (
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var pamFamilies = []family{
	{rule: "pam", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^/(etc|usr/lib)/pam\.d$`), keep: keepPAM, needed: true},
}

// keepPAM keeps the modules and included files of a PAM service (pam.conf(5)).
func keepPAM(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	modules, includes := parsePAM(conf)
	folders, err := b.pamFolders()
	if err != nil {
		return err
	}
	for _, name := range includes {
		if err := b.followAll(LinkedLibrary, f.id, "/etc/pam.d/"+name, "/usr/lib/pam.d/"+name); err != nil {
			return err
		}
	}
	for _, module := range modules {
		if strings.HasPrefix(module, "/") {
			if err := b.followAll(LinkedLibrary, f.id, module); err != nil {
				return err
			}
			continue
		}
		for _, dir := range folders {
			if err := b.followAll(LinkedLibrary, f.id, rootfs.Join(dir, module)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pamFolders returns the folders that PAM modules may be in: security in the
// folders of libraries, which Debian has one for each architecture of.
func (b *builder) pamFolders() ([]string, error) {
	var folders []string
	for _, base := range []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64"} {
		physical, info, err := b.root.Resolve(base, func(string) {})
		if err := ignoreAbsent(err); err != nil {
			return nil, err
		}
		if !info.IsDir() {
			continue
		}
		names, err := b.root.ReadDirNames(physical)
		if err != nil {
			return nil, err
		}
		for _, name := range append(names, ".") {
			dir := path.Join(base, name, "security")
			if _, info, err := b.root.Resolve(dir, func(string) {}); err == nil && info.IsDir() {
				folders = append(folders, dir)
			}
		}
	}
	return folders, nil
}

// maxPAM bounds the modules, and the includes, of one file.
const maxPAM = 256

func parsePAM(conf []byte) (modules, includes []string) {
	text := strings.ReplaceAll(string(conf), "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(pamControl.ReplaceAllString(line, " control "))
		switch {
		case len(fields) >= 2 && fields[0] == "@include":
			includes = append(includes, fields[1])
		case len(fields) >= 3 && (fields[1] == "include" || fields[1] == "substack"):
			includes = append(includes, fields[2])
		case len(fields) >= 3:
			modules = append(modules, fields[2])
		}
	}
	return modules[:min(len(modules), maxPAM)], includes[:min(len(includes), maxPAM)]
}

// pamControl is the "[success=1 default=ignore]" of pam.conf(5).
var pamControl = regexp.MustCompile(`\s\[[^]]*\]\s`)
