package keepset

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// localeFamilies are the tables of zones and languages that programs choose
// from by a name of their input.
var localeFamilies = []family{
	{rule: "time zones", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^/usr/share/zoneinfo(/|$)`), keep: whenTouched(keepZonesByName)},
	{rule: "time zones", name: regexp.MustCompile(`^(postgres|php|php\d\.\d|php-fpm\d?\.?\d?)$`), folder: binFolder, keep: keepZones},
	{rule: "time zones", name: regexp.MustCompile(`^libphp\d*(\.\d+)?\.so$`), keep: keepZones},
	{rule: "time zones", name: regexp.MustCompile(`\.(pl|pm|psgi|py|rb|ru)$`), keep: whenTouched(keepZonesOfSource)},
	{rule: "locales", name: regexp.MustCompile(`^libc\.so\.6$`), keep: keepGenerated},
	{rule: "locales", name: regexp.MustCompile(`.`), keep: whenRun(keepUTF8)},
	{rule: "locales", name: regexp.MustCompile(`^lib(perl|php|ruby)[-.\d]*\.so`), keep: named(utf8Locale)},
	{rule: "locales", name: regexp.MustCompile(`^LC_`), folder: regexp.MustCompile(`^/usr/lib/locale/[^/]+$`), keep: whenTouched(keepLocale)},
	{rule: "babel", name: regexp.MustCompile(`^localedata(\.cpython-\d+)?\.pyc?$`), folder: regexp.MustCompile(`/babel(/__pycache__)?$`), keep: whenTouched(keepBabel)},
	{rule: "locales", name: regexp.MustCompile(`^(postgres|mariadbd|mysqld)$`), folder: binFolder, keep: named("/usr/lib/locale/locale-archive", "/usr/lib/locale/C.utf8")},
}

// allZones is the name of what keepZones does, once.
const allZones = "time zones"

// keepZones keeps all zones and the tables of them.
func keepZones(b *builder, f familyFile) error {
	if !b.first(allZones) {
		return nil // a program that lists them all touches each
	}
	return named("/usr/share/zoneinfo/"+zones, "/usr/share/zoneinfo/*.tab", "/usr/share/zoneinfo/tzdata.zi",
		"/usr/share/zoneinfo/leap*")(b, f)
}

// keepZonesByName keeps all zones where the run asked for one by its name, or
// where the image has TZ for a setting. The one that /etc/localtime leads to is
// touched by whoever tells the time.
func keepZonesByName(b *builder, f familyFile) error {
	zone, _, err := b.root.Resolve("/etc/localtime", func(string) {})
	if err := ignoreAbsent(err); err != nil {
		return err
	}
	if f.path == zone {
		return nil
	}
	return keepZones(b, f)
}

// setsZone finds sources that set the zone of their process.
var setsZone = regexp.MustCompile(`\b(ENV|environ)\s*[\[{(]\s*["']?TZ\b|\btzset\b`)

// keepZonesOfSource keeps all zones for a source that chooses one.
func keepZonesOfSource(b *builder, f familyFile) error {
	if b.seen[allZones] {
		return nil
	}
	source, err := b.readSmall(f.path)
	if err != nil || !bytes.Contains(source, []byte("TZ")) && !bytes.Contains(source, []byte("tzset")) || !setsZone.Match(source) {
		return err
	}
	return keepZones(b, f)
}

// localeFolder is where glibc looks for locales (locale(7)).
const localeFolder = "/usr/lib/locale"

// maxLocales bounds, in bytes, the locales that are kept because somebody
// generated them: twenty or so.
const maxLocales = 32 << 20

// keepGenerated keeps the locales that no package has installed: who has
// locale-gen(8) or localedef(1) make some wants them, and chooses when the
// container is started.
func keepGenerated(b *builder, f familyFile) error {
	for _, name := range b.tried.Names(localeFolder) {
		locale := rootfs.Join(localeFolder, name)
		t, ok, err := b.resolved(locale)
		if err != nil || !ok {
			return err
		}
		file := t.path
		if t.info.IsDir() {
			file = rootfs.Join(t.path, "LC_CTYPE")
		}
		if _, owned := b.db.Owner(file); owned || t.info.Size > maxLocales {
			continue
		}
		if t, ok, err = b.follow(locale, RuntimeRule, f.id); err != nil || !ok {
			return err
		}
		if err := b.keepContent(t, RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return b.tried.err
}

// keepUTF8 keeps the locale that each Debian has, C.UTF-8, for programs that ask
// for LC_ALL by its name, as shells and interpreters do: whoever starts the
// container may set it. What merely calls setlocale(3) has no such string.
func keepUTF8(b *builder, f familyFile) error {
	if b.seen[utf8Locale] || !b.tried.IsDir(utf8Locale) {
		return b.tried.err
	}
	found, err := b.findInELF(f.path, "LC_ALL\x00")
	if err != nil || len(found) == 0 || !b.first(utf8Locale) {
		return err
	}
	return named(utf8Locale)(b, f)
}

const utf8Locale = localeFolder + "/C.utf8"

// keepLocale keeps all categories of a locale of which one was touched.
func keepLocale(b *builder, f familyFile) error {
	return b.keepUnit(f.dir, nil, f.id)
}

// keepBabel keeps Babel's data of the languages that the app has translations
// for, with their regions, and of the ones that Babel falls back to.
func keepBabel(b *builder, f familyFile) error {
	data := rootfs.Join(strings.TrimSuffix(f.dir, "/__pycache__"), "locale-data")
	if err := b.keepUnder(data, "{root,en,en_001,en_US,en_US_POSIX}.dat", RuntimeRule, f.id); err != nil {
		return err
	}
	for _, language := range b.languages() {
		if err := b.keepUnder(data, language+"{,_*}.dat", RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return nil
}

// languageCode is the language of a locale, in ISO 639's letters.
var languageCode = regexp.MustCompile(`^([a-z]{2,3})([_.@-]|$)`)

// languages are those that the app has translations for, in gettext's layout,
// sorted, each once.
func (b *builder) languages() []string {
	var found []string
	for id := rootID + 1; uint32(id) < b.tree.count; id++ {
		if string(b.tree.name(id)) != "LC_MESSAGES" {
			continue
		}
		path := b.tree.path(id)
		if m := languageCode.FindStringSubmatch(rootfs.Base(rootfs.Parent(path))); m != nil && b.isOwn(path) {
			found = append(found, m[1])
			if m[1] == "nb" || m[1] == "nn" {
				found = append(found, "no") // their parent (CLDR, parentLocales)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
