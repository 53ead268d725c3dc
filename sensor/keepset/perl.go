package keepset

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var perlFamilies = []family{
	{rule: "perl modules", name: regexp.MustCompile(`\.(pm|pl|psgi|cgi|fcgi)$`), keep: keepPerlModules},
	{rule: "perl modules", name: regexp.MustCompile(`^[^.]+$`), keep: keepPerlProgram},
	{rule: "perl package", name: regexp.MustCompile(`\.(pm|so)$`), folder: perlVendor, keep: whenTouched(keepPerlPackage)},
	{rule: "perl unicode tables", name: regexp.MustCompile(`\.pl$`), folder: regexp.MustCompile(`/unicore(/|$)`), keep: whenTouched(keepUnicore)},
	{rule: "perl unicode tables", name: regexp.MustCompile(`^_charnames\.pm$`), keep: named("@/unicore/Name.pl", "@/unicore/Name.pm")},
	{rule: "perl database drivers", name: regexp.MustCompile(`^DBI\.pm$`), keep: named("@/DBD")},
	{rule: "perl encodings", name: regexp.MustCompile(`\.(pm|pl|psgi|cgi|fcgi)$`), keep: keepEastAsian},
	{rule: "perl encodings", name: regexp.MustCompile(`^Encode\.pm$`), folder: regexp.MustCompile(`/perl`), keep: whenTouched(keepPerlEncodings)},
}

// perlVendor splits the path of a module that is not Perl's own.
var perlVendor = regexp.MustCompile(`^(/usr/share/perl5|/usr/lib/[^/]+/perl5/[\d.]+|/usr/local/(?:share|lib/[^/]+)/perl/[\d.]+|/usr/local/lib/perl5/(?:site|vendor)_perl/[\d.]+(?:/[^/]+-linux[^/]*)?)(?:/|$)(.*)`)

// keepPerlPackage keeps the modules that share the first part of their name with
// one that the run used, and the data in their folder: classes find
// each other by names that they put together.
func keepPerlPackage(b *builder, f familyFile) error {
	m := perlVendor.FindStringSubmatch(f.dir)
	first, _, _ := strings.Cut(m[2], "/")
	if first == "" {
		first = strings.TrimSuffix(rootfs.Base(f.path), ".pm")
	}
	if first == "" || first == "auto" {
		return nil
	}
	if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, rootfs.Join(m[1], first+".pm"))); err != nil {
		return err
	}
	return b.keepUnit(rootfs.Join(m[1], first), perlDocumentation, f.id)
}

var perlDocumentation = regexp.MustCompile(`\.pod$`)

func keepUnicore(b *builder, f familyFile) error {
	top, _, _ := strings.Cut(f.path+"/", "/unicore/")
	return b.keepUnit(top+"/unicore", nil, f.id)
}

// keepPerlProgram keeps what other sources of Perl keep for a program that says
// in its first line that it is one.
func keepPerlProgram(b *builder, f familyFile) error {
	if !binFolder.MatchString(f.dir) && !b.isOwn(f.path) {
		return nil
	}
	language, err := b.languageOf(f.path)
	if err != nil || language == nil || language.Name != "perl" {
		return err
	}
	if err := keepEastAsian(b, f); err != nil {
		return err
	}
	return keepPerlModules(b, f)
}

var (
	// perlUse finds a module that a line loads by a literal name.
	perlUse = regexp.MustCompile(`\b(?:use|require)\s+([A-Za-z_]\w*(?:::\w+)*)\b`)
	// perlNamed finds one whose name is assigned, listed or an argument, to be
	// loaded later; not the values of a table, which has many.
	perlNamed = regexp.MustCompile(`(?:^|[=(,])\s*["']([A-Za-z_]\w*(?:::\w+)+)["']`)
	// perlForeign matches modules for building and testing others, which many
	// name and nothing loads at run time.
	perlForeign = regexp.MustCompile(`^(Test|Test2|TAP|CPAN|ExtUtils|Module::Build|B|Devel|Perl)(::|$)`)
)

// perlLayers are the modules that perl loads by itself for file handles that are
// strings or that have an encoding (PerlIO(3perl)).
var perlLayers = []string{"PerlIO", "PerlIO::encoding", "PerlIO::scalar"}

// keepPerlModules keeps the modules that a source loads, now or when a branch
// comes to it, and the parts of a module that Perl loads by itself.
func keepPerlModules(b *builder, f familyFile) error {
	source, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	roots, err := b.perlRoots()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if module, ok := strings.CutPrefix(strings.TrimSuffix(f.path, ".pm"), root+"/"); ok {
			if err := b.keepPerlParts(rootfs.Join(root, "auto/"+module), f.id); err != nil {
				return err
			}
		}
	}
	if own, _, ok := strings.Cut(f.dir+"/", "/lib/"); ok {
		roots = append([]string{own + "/lib"}, roots...)
	}
	if len(roots) == 0 {
		return nil // a script in an image without Perl
	}
	for _, name := range append(parsePerl(source), perlLayers...) {
		module := strings.ReplaceAll(name, "::", "/") + ".pm"
		if !b.first("perl " + roots[0] + module) {
			continue
		}
		for _, root := range roots {
			_, ok, err := b.follow(rootfs.Join(root, module), RuntimeRule, f.id)
			if err := ignoreAbsent(err); err != nil {
				return err
			}
			if ok {
				break
			}
		}
	}
	return nil
}

// parsePerl returns the modules that a source loads or names outside of its
// documentation (perlpod(1)).
func parsePerl(source []byte) []string {
	var names []string
	documentation := false
	for line := range bytes.Lines(source) {
		switch {
		case bytes.HasPrefix(line, []byte("=cut")):
			documentation = false
		case line[0] == '=' && len(line) > 1 && line[1] >= 'a':
			documentation = true
		case bytes.HasPrefix(line, []byte("__END__")), bytes.HasPrefix(line, []byte("__DATA__")), len(names) >= maxRequires:
			return names
		}
		if documentation || !bytes.Contains(line, []byte("use")) && !bytes.Contains(line, []byte("require")) && !bytes.Contains(line, []byte("::")) {
			continue
		}
		line, _, _ = bytes.Cut(line, []byte("#"))
		for _, m := range slices.Concat(perlUse.FindAllSubmatch(line, -1), perlNamed.FindAllSubmatch(line, -1)) {
			if name := string(m[1]); !perlForeign.MatchString(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// keepPerlParts keeps the native library of a module and its subroutines
// (XSLoader(3perl), AutoLoader(3perl)), which are in dir.
func (b *builder) keepPerlParts(dir string, via nodeID) error {
	_, info, err := b.root.Resolve(dir, func(string) {})
	if err != nil || !info.IsDir() {
		return ignoreAbsent(err)
	}
	for _, pattern := range []string{"*.so", "*.al", "*.ix"} {
		if err := b.keepUnder(dir, pattern, RuntimeRule, via); err != nil {
			return err
		}
	}
	return nil
}

// perlRoots returns the folders of modules, in the order in which Perl looks into
// Debian's.
func (b *builder) perlRoots() ([]string, error) {
	return b.folders("perl",
		"/usr/local/lib/*/perl/[0-9]*", "/usr/local/share/perl/[0-9]*", "/usr/lib/*/perl5/[0-9]*", "/usr/share/perl5*", "/usr/lib/*/perl-base",
		"/usr/lib/*/perl/[0-9]*", "/usr/share/perl/[0-9]*",
		"/usr/local/lib/perl5/[0-9]*", "/usr/local/lib/perl5/[0-9]*/*-linux*",
		"/usr/local/lib/perl5/site_perl/[0-9]*", "/usr/local/lib/perl5/site_perl/[0-9]*/*-linux*",
		"/usr/lib/perl5/core_perl*", "/usr/lib/perl5/vendor_perl*", "/usr/lib64/perl5*", "/usr/lib64/perl5/vendor_perl*")
}

// eastAsian are the modules of Encode that take megabytes, below its folder, and
// the names of their encodings (Encode::Supported(3perl)).
var eastAsian = []struct {
	module string
	names  *regexp.Regexp
}{
	{"CN", regexp.MustCompile(`(?i)\b(gbk|gb-?(2312|12345)(-raw)?|euc-cn|cp936|hz|iso-ir-165)\b`)},
	{"JP", regexp.MustCompile(`(?i)\b(s(hift)?[_-]?jis|euc-?jp|iso-2022-jp(-1)?|7bit-jis|cp932|jis020[18]-raw)\b`)},
	{"KR", regexp.MustCompile(`(?i)\b(euc-?kr|cp949|iso-2022-kr|johab|ksc?_?5601(-raw)?|uhc)\b`)},
	{"TW", regexp.MustCompile(`(?i)\b(big-?5(-eten|-hkscs)?|cp950)\b`)},
}

// eastAsianModule matches their modules, below the folder of Encode.
var eastAsianModule = regexp.MustCompile(`^(CN|JP|KR|TW)(\.pm$|/)`)

// computedEncoding matches where a source converts by an encoding of which it
// computes the name.
var computedEncoding = regexp.MustCompile(`(?m)(?:^|[^>\w]|\bEncode::)(?:decode|encode|from_to|find_encoding|find_mime_encoding)[ \t]*\([ \t]*\$|:encoding\(\$`)

// keepPerlEncodings keeps the encodings that Encode loads when one is asked for,
// but for those of East Asia.
func keepPerlEncodings(b *builder, f familyFile) error {
	return b.keepUnit(rootfs.Join(f.dir, "Encode"), eastAsianModule, f.id)
}

// keepEastAsian keeps those of East Asia that a source of the app's own names,
// or all if it computes names.
func keepEastAsian(b *builder, f familyFile) error {
	if !b.isOwn(f.path) {
		return nil
	}
	source, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	computed := computedEncoding.Match(source)
	for _, set := range eastAsian {
		if !computed && !set.names.Match(source) || !b.first("perl encodings "+set.module) {
			continue
		}
		roots, err := b.perlRoots()
		if err != nil {
			return err
		}
		for _, root := range roots {
			if err := b.keepUnder(rootfs.Join(root, "Encode"), set.module+"{.pm,/**}", RuntimeRule, f.id); err != nil {
				return err
			}
		}
	}
	return nil
}
