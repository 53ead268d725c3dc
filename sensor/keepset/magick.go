package keepset

import (
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// magickFamilies are ImageMagick and GraphicsMagick: a module and often a
// program for each format.
var magickFamilies = []family{
	{rule: "imagemagick", name: regexp.MustCompile(`^libMagickCore-.*\.so\.`), folder: libFolder, keep: named("@/ImageMagick-*", "/usr/share/ImageMagick-*", "/etc/ImageMagick-*")},
	{rule: "graphicsmagick", name: regexp.MustCompile(`^libGraphicsMagick-.*\.so\.`), folder: libFolder, keep: named("@/GraphicsMagick-*", "/usr/share/GraphicsMagick-*", "/usr/lib/GraphicsMagick-*", "/etc/GraphicsMagick")},
	{rule: "imagemagick delegates", name: regexp.MustCompile(`^delegates\.(xml|mgk)$`), folder: regexp.MustCompile(`Magick`), keep: keepDelegates},
}

// keepDelegates keeps the programs that convert from and to formats which the
// policy beside allows, as far as the image has them, and what their command
// lines need beside them.
func keepDelegates(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	p, err := b.magickPolicies(f.dir)
	if err != nil {
		return err
	}
	for _, d := range parseDelegates(conf) {
		if !p.allow(d) {
			continue
		}
		_, ok, err := b.keepProgram(d.program, RuntimeRule, f.id)
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

// magickPolicies reads the policies of a configuration folder and those of the
// user, which come after it (imagemagick.org/script/security-policy.php).
func (b *builder) magickPolicies(dir string) (policies, error) {
	home, err := b.home()
	if err != nil {
		return nil, err
	}
	var p policies
	for _, folder := range []string{dir, b.abs(path.Join(home, ".config/ImageMagick"))} {
		conf, err := b.readSmall(rootfs.Join(folder, "policy.xml"))
		if err != nil {
			return nil, err
		}
		p = append(p, parsePolicies(conf)...)
	}
	return p, nil
}

// delegate is a program that converts from one format, or to another.
type delegate struct {
	decode, encode, program string
}

var (
	magickComment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	magickElement   = regexp.MustCompile(`<(delegate|policy)\s((?:"[^"]*"|'[^']*'|[^"'<>])*)>`)
	magickAttribute = regexp.MustCompile(`([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
	// delegateProgram finds the program of a command line, where it is in quotes.
	delegateProgram = regexp.MustCompile(`(?:&quot;|")\s*([A-Za-z][\w.+-]*)(?:&quot;|")`)
)

// maxDelegates bounds the elements of one file.
const maxDelegates = 256

// magickElements returns the attributes of each element of a configuration.
func magickElements(conf []byte, element string) []map[string]string {
	var elements []map[string]string
	for _, m := range magickElement.FindAllSubmatch(magickComment.ReplaceAll(conf, nil), maxDelegates) {
		if string(m[1]) != element {
			continue
		}
		attributes := map[string]string{}
		for _, a := range magickAttribute.FindAllSubmatch(m[2], -1) {
			attributes[string(a[1])] = string(a[2]) + string(a[3])
		}
		elements = append(elements, attributes)
	}
	return elements
}

// parseDelegates returns the programs of a delegates.xml.
func parseDelegates(conf []byte) []delegate {
	var found []delegate
	for _, e := range magickElements(conf, "delegate") {
		for _, m := range delegateProgram.FindAllStringSubmatch(e["command"], -1) {
			found = append(found, delegate{decode: e["decode"], encode: e["encode"], program: m[1]})
		}
	}
	return found
}

// policy says what may be done with the things of a domain that match a glob.
type policy struct {
	domain, pattern, rights string
}

type policies []policy

// parsePolicies returns those of a policy.xml.
func parsePolicies(conf []byte) policies {
	var found policies
	for _, e := range magickElements(conf, "policy") {
		found = append(found, policy{domain: e["domain"], pattern: strings.ToUpper(e["pattern"]), rights: strings.ToLower(e["rights"])})
	}
	return found
}

// grants says whether the last policy for a name grants a right; without a
// policy, or a name, it is granted.
func (p policies) grants(domain, name, right string) bool {
	granted := true
	for _, each := range p {
		if each.domain == domain && name != "" && matchGlob(each.pattern, strings.ToUpper(name)) {
			granted = strings.Contains(each.rights, right) || strings.Contains(each.rights, "all")
		}
	}
	return granted
}

// allow says whether a delegate may be started, to read what it converts from
// and to write what it converts to: "ps:alpha" is for PS.
func (p policies) allow(d delegate) bool {
	from, _, _ := strings.Cut(d.decode, ":")
	to, _, _ := strings.Cut(d.encode, ":")
	return p.grants("delegate", d.decode, "execute") && p.grants("delegate", d.encode, "execute") &&
		p.grants("coder", from, "read") && p.grants("coder", to, "write") &&
		p.grants("module", from, "read") && p.grants("module", to, "write")
}
