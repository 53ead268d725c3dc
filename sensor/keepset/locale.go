package keepset

import (
	"bytes"
	"regexp"
)

// localeFamilies are the tables of zones and languages that programs choose
// from by a name of their input.
var localeFamilies = []family{
	{rule: "time zones", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^/usr/share/zoneinfo(/|$)`), keep: whenTouched(keepZonesByName)},
	{rule: "time zones", name: regexp.MustCompile(`^(postgres|php|php\d\.\d|php-fpm\d?\.?\d?)$`), folder: binFolder, keep: keepZones},
	{rule: "time zones", name: regexp.MustCompile(`^libphp\d*(\.\d+)?\.so$`), keep: keepZones},
	{rule: "time zones", name: regexp.MustCompile(`\.(pl|pm|psgi|py|rb|ru)$`), keep: whenTouched(keepZonesOfSource)},
	{rule: "locales", name: regexp.MustCompile(`^LC_`), folder: regexp.MustCompile(`^/usr/lib/locale/[^/]+$`), keep: whenTouched(keepLocale)},
	{rule: "locales", name: regexp.MustCompile(`^(postgres|mariadbd|mysqld)$`), folder: binFolder, keep: named("/usr/lib/locale/locale-archive", "/usr/lib/locale/C.utf8")},
}

// keepZones keeps all zones but the copies that count leap seconds or that do not.
func keepZones(b *builder, f familyFile) error {
	return named("/usr/share/zoneinfo/[A-Z]*", "/usr/share/zoneinfo/*.tab", "/usr/share/zoneinfo/tzdata.zi",
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
	source, err := b.readSmall(f.path)
	if err != nil || !bytes.Contains(source, []byte("TZ")) && !bytes.Contains(source, []byte("tzset")) || !setsZone.Match(source) {
		return err
	}
	return keepZones(b, f)
}

// keepLocale keeps all categories of a locale of which one was touched.
func keepLocale(b *builder, f familyFile) error {
	return b.keepUnit(f.dir, nil, f.id)
}
