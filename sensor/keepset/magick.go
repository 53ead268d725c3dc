package keepset

import "regexp"

// magickFamilies are ImageMagick and GraphicsMagick: a module and often a
// program for each format.
var magickFamilies = []family{
	{rule: "imagemagick", name: regexp.MustCompile(`^libMagickCore-.*\.so\.`), folder: libFolder, keep: named("@/ImageMagick-*", "/usr/share/ImageMagick-*", "/etc/ImageMagick-*")},
	{rule: "graphicsmagick", name: regexp.MustCompile(`^libGraphicsMagick-.*\.so\.`), folder: libFolder, keep: named("@/GraphicsMagick-*", "/usr/share/GraphicsMagick-*", "/usr/lib/GraphicsMagick-*", "/etc/GraphicsMagick")},
	{rule: "imagemagick delegates", name: regexp.MustCompile(`^delegates\.(xml|mgk)$`), folder: regexp.MustCompile(`Magick`), keep: keepDelegates},
}

// keepDelegates keeps the programs that convert from and to formats, as far as
// the image has them, and what their command lines need beside them.
func keepDelegates(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	for _, name := range parseDelegates(conf) {
		_, ok, err := b.keepProgram(name, RuntimeRule, f.id)
		if err != nil {
			return err
		}
		if !ok || !b.first("shell of delegates") {
			continue
		}
		for _, helper := range []string{"sh", "mv", "rm", "basename", "dirname"} {
			if _, _, err := b.keepProgram(helper, RuntimeRule, f.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// delegate finds the programs in command lines, where they are in quotes.
var delegate = regexp.MustCompile(`(?:&quot;|command='")\s*([A-Za-z][\w.+-]*)(?:&quot;|")`)

// maxDelegates bounds the programs of one file.
const maxDelegates = 256

// parseDelegates returns the programs of a delegates.xml, each once.
func parseDelegates(conf []byte) []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range delegate.FindAllSubmatch(conf, maxDelegates) {
		if name := string(m[1]); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
