package keepset

import (
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var phpFamilies = []family{
	{rule: "php", name: regexp.MustCompile(`^php(-fpm|-cgi)?\d*(\.\d+)?$`), folder: binFolder, keep: named("/etc/php/*/*", "@/../etc/php.ini", "@/../etc/php/conf.d")},
	{rule: "php", name: regexp.MustCompile(`^libphp\d*(\.\d+)?\.so$`), keep: named("/etc/php/*/*", "/usr/local/etc/php")},
	{rule: "php extensions", name: regexp.MustCompile(`\.ini$`), folder: regexp.MustCompile(`^(/usr/local)?/etc/php\d*(/|$)`), keep: keepPHPExtensions},
	{rule: "php conversions", name: regexp.MustCompile(`\.php$`), keep: keepPHPConversions},
	{rule: "composer", name: regexp.MustCompile(`\.(php|inc)$`), folder: regexp.MustCompile(`/vendor(/|$)`), keep: whenTouched(keepComposer)},
	{rule: "php library", name: regexp.MustCompile(`\.(php|inc)$`), folder: regexp.MustCompile(`^/usr/share/php/.`), keep: keepPHPLibrary},
	{rule: "php require", name: regexp.MustCompile(`\.(php|inc|phtml)$`), keep: keepPHPRequires},
}

// phpExtension finds the extensions that an ini file loads.
var phpExtension = regexp.MustCompile(`(?m)^\s*(?:zend_)?extension\s*=\s*["']?([\w./-]+)`)

// maxExtensions bounds the extensions of one file.
const maxExtensions = 256

// keepPHPExtensions keeps the extensions that an ini file names: another way to
// run PHP than the one that was traced loads them.
func keepPHPExtensions(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	folders, err := b.folders("php extensions", "/usr/lib/php/[0-9]*", "/usr/lib/php*/modules", "/usr/local/lib/php/extensions/*")
	if err != nil {
		return err
	}
	for _, m := range phpExtension.FindAllSubmatch(conf, maxExtensions) {
		name := strings.TrimSuffix(string(m[1]), ".so") + ".so"
		if strings.HasPrefix(name, "/") {
			if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, name)); err != nil {
				return err
			}
			continue
		}
		for _, dir := range folders {
			if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, rootfs.Join(dir, name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// phpRequire finds a file that a line loads by a literal name.
var phpRequire = regexp.MustCompile(`\b(?:require|include)(?:_once)?\b[\s(]*((?:__DIR__|dirname\(__FILE__\))\s*\.\s*)?["']([\w./ +-]+)["']`)

// keepPHPRequires keeps what a source loads, now or when a branch comes to it:
// from where it says, beside it, or from Debian's folder of libraries.
func keepPHPRequires(b *builder, f familyFile) error {
	source, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	for _, m := range phpRequire.FindAllSubmatch(source, maxRequires) {
		name := string(m[2])
		candidates := []string{path.Join(f.dir, name)}
		if len(m[1]) == 0 && strings.HasPrefix(name, "/") {
			candidates = []string{name}
		} else if len(m[1]) == 0 {
			candidates = append(candidates, path.Join("/usr/share/php", name))
		}
		for _, candidate := range candidates {
			if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, candidate)); err != nil {
				return err
			}
		}
	}
	return nil
}

// phpIconv finds conversions, and their character sets where both are literal.
var phpIconv = regexp.MustCompile(`\biconv(?:_\w+\s*\(|\s*\((?:\s*["']([\w.:+-]+)[\w/]*["']\s*,\s*["']([\w.:+-]+)[\w/]*["']\s*,)?)`)

// phpForeign matches the folders of libraries, of which most is never run.
var phpForeign = regexp.MustCompile(`/vendor(/|$)|^/usr/(share/php|local/lib/php)(/|$)`)

// keepPHPConversions keeps the character sets for a page that converts them: all
// where it depends on the page's input which. Of a library it must have been
// loaded.
func keepPHPConversions(b *builder, f familyFile) error {
	if phpForeign.MatchString(f.dir) && b.tree.at(f.id).reasons&touched == 0 {
		return nil
	}
	page, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	for _, m := range phpIconv.FindAllSubmatch(page, maxRequires) {
		if len(m[1]) == 0 {
			if !b.first("character sets") {
				return nil
			}
			return b.keepCharsets(f)
		}
		for _, name := range m[1:] {
			if err := b.keepCharset(string(name), f); err != nil {
				return err
			}
		}
	}
	return nil
}

// composerPackage splits the path of a file into Composer's folder and the
// package below it.
var composerPackage = regexp.MustCompile(`^(.*/vendor)(?:/([^/]+/[^/]+))?(?:/|$)`)

// keepComposer keeps the package of a file, which loads its classes by name,
// and the map from names to files.
func keepComposer(b *builder, f familyFile) error {
	m := composerPackage.FindStringSubmatch(f.dir)
	if m == nil {
		return nil
	}
	if _, err := b.root.Lstat(rootfs.Join(m[1], "composer")); err != nil {
		return ignoreAbsent(err)
	}
	if err := b.keepUnit(rootfs.Join(m[1], "composer"), nil, f.id); err != nil {
		return err
	}
	if err := b.followAll(RuntimeRule, f.id, rootfs.Join(m[1], "autoload.php")); err != nil {
		return err
	}
	if m[2] == "" {
		return nil
	}
	return b.keepUnit(rootfs.Join(m[1], m[2]), documentation, f.id)
}

// keepPHPLibrary keeps the library of a file in Debian's include folder.
func keepPHPLibrary(b *builder, f familyFile) error {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.dir, "/usr/share/php/"), "/")
	return b.keepUnit(path.Join("/usr/share/php", name), documentation, f.id)
}
