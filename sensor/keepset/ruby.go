package keepset

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var rubyFamilies = []family{
	{rule: "ruby encodings", name: regexp.MustCompile(`^libruby[-.\d]*\.so\.`), folder: libFolder, keep: keepRubyEncodings},
	{rule: "ruby default gems", name: regexp.MustCompile(`^libruby[-.\d]*\.so\.`), folder: libFolder, keep: named("/usr/lib/ruby/gems/*/specifications/default", "/usr/local/lib/ruby/gems/*/specifications/default")},
	{rule: "ruby gem", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`/gems/[^/]+-\d[^/]*(/|$)`), keep: keepGem},
	{rule: "ruby package", name: regexp.MustCompile(`\.(rb|so)$`), folder: regexp.MustCompile(`/vendor_ruby(/|$)`), keep: whenTouched(keepVendorRuby)},
	{rule: "ruby require", name: regexp.MustCompile(`\.(rb|ru|rake)$|^Rakefile$`), keep: keepRubyRequires},
}

// keepRubyEncodings keeps the encodings, but for those of the pictures that
// Japanese telephones had before Unicode had them.
func keepRubyEncodings(b *builder, f familyFile) error {
	folders, err := b.folders("ruby encodings of "+f.dir, rootfs.Join(f.dir, "ruby/*/enc"), rootfs.Join(f.dir, "ruby/*/*/enc"))
	if err != nil {
		return err
	}
	for _, dir := range folders {
		if err := b.keepUnit(dir, telephones, f.id); err != nil {
			return err
		}
	}
	return nil
}

var telephones = regexp.MustCompile(`^(trans/)?emoji_`)

// gemFolder splits the path of a file into the folder of gems and the gem.
var gemFolder = regexp.MustCompile(`^(.*)/gems/([^/]+-\d[^/]*)(?:/|$)`)

// keepGem keeps the gem of a file, its specification and what was built for it.
func keepGem(b *builder, f familyFile) error {
	m := gemFolder.FindStringSubmatch(f.dir)
	gems, name := m[1], m[2]
	if !b.first("gem " + gems + "/" + name) {
		return nil
	}
	if err := b.keepUnit(rootfs.Join(gems, "gems/"+name), documentation, f.id); err != nil {
		return err
	}
	spec := rootfs.Join(gems, "specifications/")
	if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, spec+name+".gemspec", spec+"default/"+name+".gemspec")); err != nil {
		return err
	}
	extensions, err := b.folders("extensions of "+gems, rootfs.Join(gems, "extensions/*/*"))
	if err != nil {
		return err
	}
	for _, dir := range extensions {
		if err := b.keepUnit(rootfs.Join(dir, name), nil, f.id); err != nil {
			return err
		}
	}
	return nil
}

// keepVendorRuby keeps the library of a file in Debian's folder of libraries,
// where a library is a file and a folder of one name. RubyGems is in each image
// with Ruby and asks for its parts by literal names.
func keepVendorRuby(b *builder, f familyFile) error {
	top, below, _ := strings.Cut(f.path, "/vendor_ruby/")
	name, _, _ := strings.Cut(below, "/")
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".rb"), ".so")
	if name == "" || name == "rubygems" || name == "bundler" || name[0] >= '0' && name[0] <= '9' {
		return nil
	}
	top += "/vendor_ruby/" + name
	if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, top+".rb")); err != nil {
		return err
	}
	return b.keepUnit(top, nil, f.id)
}

// rubyRequire finds what a line loads by a literal name.
var rubyRequire = regexp.MustCompile(`\b(require|require_relative|autoload)\b[ \t(]*(?::?[\w"']+\s*,\s*)?["']([\w./+-]+)["']`)

// maxRequires bounds the names in one source.
const maxRequires = 4096

// required is a library that a source names.
type required struct {
	feature  string
	relative bool // to the folder of the source
}

// parseRuby returns what a source loads.
func parseRuby(source []byte) []required {
	var all []required
	for line := range bytes.Lines(source) {
		if !bytes.Contains(line, []byte("require")) && !bytes.Contains(line, []byte("autoload")) {
			continue
		}
		line, _, _ = bytes.Cut(line, []byte("#"))
		for _, m := range rubyRequire.FindAllSubmatch(line, -1) {
			all = append(all, required{feature: string(m[2]), relative: string(m[1]) == "require_relative" || m[2][0] == '.'})
		}
		if len(all) >= maxRequires {
			break
		}
	}
	return all
}

// keepRubyRequires keeps what a source loads, now or when a branch or a
// constant comes to it.
func keepRubyRequires(b *builder, f familyFile) error {
	source, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	for _, r := range parseRuby(source) {
		switch {
		case r.relative:
			err = b.keepRubyFile(path.Join(f.dir, r.feature), f.id)
		case !strings.HasPrefix(r.feature, "/"):
			err = b.keepRubyFeature(r.feature, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepRubyFeature keeps a library that is looked for in the folders of
// libraries: the one that the source is in, Ruby's own, and those of gems.
func (b *builder) keepRubyFeature(feature string, f familyFile) error {
	if first, _, _ := strings.Cut(feature, "/"); slices.Contains(rubyDevelopers, first) && !b.isOwn(f.path) {
		return nil
	}
	if own, _, ok := strings.Cut(f.dir+"/", "/lib/"); ok && b.first("ruby feature "+own+" "+feature) {
		if err := b.keepRubyFile(path.Join(own, "lib", feature), f.id); err != nil {
			return err
		}
	}
	if !b.first("ruby feature " + feature) {
		return nil
	}
	folders, err := b.folders("ruby",
		"/usr/lib/ruby/vendor_ruby*", "/usr/lib/ruby/vendor_ruby/[0-9]*", "/usr/lib/*/ruby/vendor_ruby/[0-9]*",
		"/usr/lib/ruby/[0-9]*", "/usr/lib/ruby/[0-9]*/*-linux*", "/usr/lib/*/ruby/[0-9]*",
		"/usr/local/lib/ruby/site_ruby/[0-9]*", "/usr/local/lib/ruby/vendor_ruby/[0-9]*",
		"/usr/local/lib/ruby/[0-9]*", "/usr/local/lib/ruby/[0-9]*/*-linux*")
	if err != nil {
		return err
	}
	for _, dir := range folders {
		if err := b.keepRubyFile(path.Join(dir, feature), f.id); err != nil {
			return err
		}
		// Native libraries load Ruby sources of theirs: psych.so, for one.
		if !rubyTools.MatchString(feature) {
			if err := b.keepUnit(path.Join(dir, feature), nil, f.id); err != nil {
				return err
			}
		}
	}
	return b.keepRubyFeatureOfGem(feature, f)
}

// rubyDevelopers are libraries for developers, which others name for the case
// that they are wanted: one that the run did not load is of no use to an image
// whose own sources do not name it.
var rubyDevelopers = []string{"debug", "irb", "minitest", "rbs", "rdoc", "ruby-prof", "simplecov", "test-unit", "typeprof"}

// rubyTools matches libraries for developers, which others name for the case
// that they are wanted, and parts of a library.
var rubyTools = regexp.MustCompile(`^(rubygems|bundler|rdoc|irb|rbs|debug|rake|bin)$|[/.]`)

// keepRubyFeatureOfGem looks for a library in the gems that are named like it.
func (b *builder) keepRubyFeatureOfGem(feature string, f familyFile) error {
	gems, err := b.folders("ruby gems", "/var/lib/gems/*/gems/*", "/usr/lib/ruby/gems/*/gems/*", "/usr/local/lib/ruby/gems/*/gems/*",
		"/usr/local/bundle/gems/*", "/usr/local/bundle/ruby/*/gems/*", "/usr/share/rubygems-integration/*/gems/*", "/usr/lib/*/rubygems-integration/*/gems/*")
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(feature, "/")
	for _, gem := range gems {
		name, _, _ := strings.Cut(rootfs.Base(gem), "-")
		if name != first && rubyName.Replace(name) != rubyName.Replace(first) {
			continue
		}
		if err := b.keepRubyFile(path.Join(gem, "lib", feature), f.id); err != nil {
			return err
		}
	}
	return nil
}

// rubyName makes the name of a gem and that of its library alike.
var rubyName = strings.NewReplacer("-", "", "_", "")

// keepRubyFile keeps the source or the native library that a path without
// extension means.
func (b *builder) keepRubyFile(file string, via nodeID) error {
	file = strings.TrimSuffix(strings.TrimSuffix(file, ".rb"), ".so")
	for _, name := range []string{file + ".rb", file + ".so"} {
		_, info, err := b.root.Resolve(name, func(string) {})
		if err != nil || !info.IsRegular() {
			if err := ignoreAbsent(err); err != nil {
				return err
			}
			continue
		}
		if _, _, err := b.follow(name, RuntimeRule, via); err != nil {
			return err
		}
	}
	return nil
}
