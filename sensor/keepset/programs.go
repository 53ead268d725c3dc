package keepset

import (
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// programFamilies are programs and libraries that load plugins, or read data,
// by names that they get from their input.
var programFamilies = []family{
	{rule: "gio modules", name: regexp.MustCompile(`^libgio-2\.0\.so\.`), folder: libFolder, keep: named("@/gio/modules")},
	{rule: "gdk-pixbuf loaders", name: regexp.MustCompile(`^libgdk_pixbuf-2\.0\.so\.`), folder: libFolder, keep: named("@/gdk-pixbuf-2.0", "/usr/share/mime/mime.cache")},
	{rule: "sasl mechanisms", name: regexp.MustCompile(`^libsasl2\.so\.`), folder: libFolder, keep: named("@/sasl2/lib[!s]*", "@/sasl2/libscram*")},
	{rule: "file types", name: regexp.MustCompile(`^libmagic\.so\.`), folder: libFolder, keep: whenTouched(named("/etc/magic", "/etc/magic.mime", "/usr/share/misc/magic", "/usr/share/misc/magic.mgc"))},
	{rule: "terminals", name: regexp.MustCompile(`^libtinfo\.so\.`), folder: libFolder, keep: named("/lib/terminfo", "/etc/terminfo")},
	{rule: "fonts", name: regexp.MustCompile(`^libfontconfig\.so\.`), folder: libFolder, keep: named("/etc/fonts", "/usr/share/fontconfig",
		"/usr/share/fonts/truetype", "/usr/share/fonts/opentype", "/usr/share/fonts/type1", "/usr/local/share/fonts", "/var/cache/fontconfig")},
	{rule: "fonts", name: regexp.MustCompile(`(?i)^(\w+)(?:-.*)?\.(?:ttf|otf|ttc|otc|pfb)$`), folder: regexp.MustCompile(`/fonts(/|$)`), keep: whenTouched(keepFontStyles)},
	{rule: "graphviz plugins", name: regexp.MustCompile(`^libgvc\.so\.`), folder: libFolder, keep: named("@/graphviz")},
	{rule: "tesseract languages", name: regexp.MustCompile(`^libtesseract\.so\.`), folder: libFolder, keep: named("/usr/share/tesseract-ocr")},
	{rule: "poppler data", name: regexp.MustCompile(`^libpoppler\.so\.`), folder: libFolder, keep: named("/usr/share/poppler")},
	{rule: "ghostscript resources", name: regexp.MustCompile(`^libgs\.so\.`), folder: libFolder, keep: named("/usr/share/ghostscript", "/var/lib/ghostscript",
		"/usr/share/color/icc/ghostscript", "/etc/ghostscript", "/etc/papersize", "/etc/paperspecs")},
	{rule: "projections", name: regexp.MustCompile(`^libproj\.so\.`), folder: libFolder, keep: named("/usr/share/proj")},
	{rule: "pandoc data", name: regexp.MustCompile(`^pandoc$`), folder: binFolder, keep: named("/usr/share/pandoc")},
	{rule: "other names", name: regexp.MustCompile(`.`), folder: binFolder, keep: whenRun(keepOtherNames)},
	{rule: "compressors", name: regexp.MustCompile(`^tar$`), folder: binFolder, keep: whenRun(starts("gzip", "bzip2", "xz", "zstd", "lzip", "lzop", "lzma", "compress"))},
	{rule: "remote shell", name: regexp.MustCompile(`^(scp|sftp|rsync)$`), folder: binFolder, keep: whenRun(starts("ssh"))},
	{rule: "gpg", name: regexp.MustCompile(`^gpg$`), folder: binFolder, keep: whenRun(starts("gpg-agent", "keyboxd"))},
	{rule: "squid pages", name: regexp.MustCompile(`^squid$`), folder: binFolder, keep: named("/usr/share/squid", "/usr/share/squid-langpack")},
	{rule: "varnish modules", name: regexp.MustCompile(`^varnishd$`), folder: binFolder, keep: named("/usr/lib/*/varnish", "/usr/lib/varnish", "/usr/share/varnish")},
}

// keepFontStyles keeps the styles of a font that the run opened by its path:
// DejaVuSans-Bold.ttf and DejaVuSansMono.ttf with DejaVuSans.ttf.
func keepFontStyles(b *builder, f familyFile) error {
	return b.keepUnder(f.dir, f.match[1]+"*", RuntimeRule, f.id)
}

// starts makes a family keep programs that the program starts by what its
// arguments or its input ask for.
func starts(names ...string) func(*builder, familyFile) error {
	return func(b *builder, f familyFile) error {
		for _, name := range names {
			if err := b.keepWord(name, f.id); err != nil {
				return err
			}
		}
		return nil
	}
}

// maxNames bounds the names of one program; those that stand for a whole system
// have hundreds.
const maxNames = 16

// keepOtherNames keeps the links to a program that is run, in the folders of
// PATH: it may do something else by another name, and costs nothing more.
func keepOtherNames(b *builder, f familyFile) error {
	names, err := b.otherNames()
	if err != nil || len(names[f.path]) > maxNames {
		return err
	}
	for _, name := range names[f.path] {
		var links []string
		if _, _, err := b.root.Resolve(name, func(link string) { links = append(links, link) }); err != nil {
			return err
		}
		for _, link := range links {
			if err := b.keepPhysical(link, Link, f.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// otherNames are the links in the folders of PATH, by where they lead.
func (b *builder) otherNames() (map[string][]string, error) {
	if b.names != nil {
		return b.names, nil
	}
	b.names = map[string][]string{}
	for dir := range strings.SplitSeq(b.finder.Path(), ":") {
		folder, ok, err := b.resolved(b.abs(dir))
		if err != nil {
			return nil, err
		}
		if !ok || !folder.info.IsDir() || !b.first("names in "+folder.path) {
			continue
		}
		for _, name := range b.tried.Names(folder.path) {
			link := rootfs.Join(folder.path, name)
			info, err := b.near.Lstat(link)
			if err != nil {
				return nil, err
			}
			if !info.IsLink() {
				continue
			}
			t, ok, err := b.resolved(link)
			if err != nil {
				return nil, err
			}
			if ok {
				b.names[t.path] = append(b.names[t.path], link)
			}
		}
	}
	return b.names, b.tried.err
}
