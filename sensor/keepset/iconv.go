package keepset

import (
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// iconvFamilies are the character sets of the C library: a module for each, of
// which iconv_open(3) loads the one that it is asked for.
var iconvFamilies = []family{
	{rule: "iconv", name: regexp.MustCompile(`\.so$`), folder: regexp.MustCompile(`/gconv$`), keep: keepGconv},
	{rule: "iconv", name: regexp.MustCompile(`^iconv$`), folder: regexp.MustCompile(`/bin$`), keep: keepIconv},
}

// keepGconv keeps the folder of a character set module that the run loaded:
// which others it needs depends on its input. Modules that came in with the
// folder itself need nothing more.
func keepGconv(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&touched == 0 {
		return nil
	}
	return b.keepUnder(f.dir, "**", LinkedLibrary, f.id)
}

// keepIconv keeps every character set for the program iconv(1).
func keepIconv(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&runs == 0 {
		return nil
	}
	return b.keepCharsets(f)
}

// gconvFolders are those of modules.
func (b *builder) gconvFolders() ([]string, error) {
	return b.folders("gconv", "/usr/lib/gconv", "/usr/lib/*/gconv", "/usr/lib64/gconv", "/usr/lib64/*/gconv")
}

// keepCharsets keeps all character sets.
func (b *builder) keepCharsets(f familyFile) error {
	folders, err := b.gconvFolders()
	if err != nil {
		return err
	}
	for _, dir := range folders {
		if err := b.keepUnder(dir, "**", LinkedLibrary, f.id); err != nil {
			return err
		}
	}
	return nil
}

// keepCharset keeps the modules that convert from and to one character set, and
// the lists in which the C library looks for them.
func (b *builder) keepCharset(name string, f familyFile) error {
	folders, err := b.gconvFolders()
	if err != nil || !b.first("character set "+name) {
		return err
	}
	for _, dir := range folders {
		lists := []string{rootfs.Join(dir, "gconv-modules")}
		for _, more := range b.tried.Names(rootfs.Join(dir, "gconv-modules.d")) {
			lists = append(lists, rootfs.Join(dir, "gconv-modules.d/"+more))
		}
		var conf []byte
		for _, list := range lists {
			conf = append(append(conf, b.tried.Read(list)...), '\n')
		}
		for _, module := range parseGconv(conf, name) {
			if err := ignoreAbsent(b.followAll(LinkedLibrary, f.id, rootfs.Join(dir, module))); err != nil {
				return err
			}
		}
		if err := b.followAll(LinkedLibrary, f.id, append(lists, rootfs.Join(dir, "gconv-modules.cache"))...); err != nil {
			return err
		}
	}
	return b.tried.err
}

// parseGconv returns the files of the modules that convert from and to a
// character set, of lists in the format of gconv-modules (glibc's manual,
// "The iconv Implementation in the GNU C Library").
func parseGconv(conf []byte, charset string) []string {
	charset = strings.ToUpper(charset) + "//"
	aliases := map[string]string{}
	modules := map[string][]string{}
	for line := range strings.Lines(string(conf)) {
		switch fields := strings.Fields(line); {
		case len(fields) >= 3 && fields[0] == "alias":
			aliases[strings.ToUpper(fields[1])] = strings.ToUpper(fields[2])
		case len(fields) >= 4 && fields[0] == "module" && !strings.Contains(fields[3], "/"):
			file := strings.TrimSuffix(fields[3], ".so") + ".so"
			for _, name := range fields[1:3] {
				if name = strings.ToUpper(name); !slices.Contains(modules[name], file) {
					modules[name] = append(modules[name], file)
				}
			}
		}
	}
	if name, ok := aliases[charset]; ok {
		charset = name
	}
	return modules[charset]
}
