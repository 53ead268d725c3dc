package keepset

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestParsePerl(t *testing.T) {
	source := `package App; # use Comment;
use strict;
use parent 'Base';
  require Lazy::Part if $x; eval { require Other }
use 5.010;
use Test::More;

=head1 NAME

 use In::Pod;

=cut

my $used = "used"; require "file.pl";
my $library = 'Math::BigInt::Calc';
foreach my $class (
  'In::List', "In::Second") {
my %table = (a => 'Of::Table');
__END__
use After::End;
`
	want := []string{"strict", "parent", "Lazy::Part", "Other", "Math::BigInt::Calc", "In::List", "In::Second"}
	if got := parsePerl([]byte(source)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRuby(t *testing.T) {
	source := `require 'json' # require 'comment'
autoload :Builder, "rack/builder"
autoload(:X, 'x.rb')
  require_relative "./version" unless defined?(V)
require "./lib/app"
require "#{name}/x"
require variable
`
	want := []required{{"json", false}, {"rack/builder", false}, {"x.rb", false}, {"./version", true}, {"./lib/app", true}}
	if got := parseRuby([]byte(source)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseServed(t *testing.T) {
	tests := []struct {
		name, conf string
		want       []string
	}{
		{"nginx", "server {\n  root /srv/www;\n  location /i/ { }\n\talias \"/data/i/\";\n # root /no;\n root $x/y;\n root html;\n auth_basic_user_file /etc/nginx/users;\n}", []string{"/srv/www", "/data/i", "/etc/nginx/users"}},
		{"nginx in one line", "location = /404.html { root /usr/share/errors; internal; alias /data/i; }", []string{"/usr/share/errors", "/data/i"}},
		{"apache", "DocumentRoot \"/var/www/html\"\nAlias /icons/ \"/usr/share/apache2/icons/\"\n  ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\nAuthUserFile /etc/htpasswd\nDocumentRoot ${WWW}", []string{"/var/www/html", "/usr/share/apache2/icons", "/usr/lib/cgi-bin", "/etc/htpasswd"}},
		{"lighttpd", `server.document-root = "/var/www/html"`, []string{"/var/www/html"}},
		{"caddy", ":80 {\n\troot * /srv\n}", []string{"/srv"}},
		{"the system is no site", "root /;\nroot /usr/share;\nroot /proc/1/root;\nroot /srv/../etc;\nroot /var/lib/;", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseServed([]byte(tt.conf)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// delegates are as ImageMagick and GraphicsMagick write them.
const delegates = `<delegate decode="ps:alpha" stealth="True" command="&quot;gs&quot; -q"/>
  <delegate decode="dot" command='&quot;dot&quot; -Tsvg' />
  <delegate decode="ps" encode="prt" command='&quot; lpr&quot; &quot;%i&quot;'/>
  <delegate decode="jxr" command="/bin/mv &quot;%i&quot; &quot;%i.jxr&quot;; &quot;JxrDecApp&quot; -i"/>
  <!-- <delegate decode="old" command="&quot;old&quot;"/> -->
  <delegate decode="cgm" command='"ralcgm" -d ps < "%i" > "%o"' />
  <delegate decode="tiff" encode="text" command="&quot;tesseract&quot; &quot;%i&quot;"/>
  <delegate decode="edit" command="&quot;/etc/alternatives/x&quot;"/>`

func TestDelegates(t *testing.T) {
	tests := []struct {
		name, policies string
		want           []string
	}{
		{"no policy", "", []string{"gs", "dot", "lpr", "JxrDecApp", "ralcgm", "tesseract"}},
		{"Debian's", `<policy domain="coder" rights="none" pattern="PS" /> <policy domain="resource" name="map" value="1GiB"/>`, []string{"dot", "JxrDecApp", "ralcgm", "tesseract"}},
		{"the last one counts", `<policy domain="coder" rights="none" pattern="*"/><policy domain="coder" rights="read | write" pattern="{PS,prt,TIFF}"/>`, []string{"gs", "lpr"}},
		{"reading is not writing", `<policy domain="coder" rights="read" pattern="*"/>`, []string{"gs", "dot", "JxrDecApp", "ralcgm"}},
		{"no delegates", `<policy domain="delegate" rights="none" pattern="*" />`, nil},
		{"a delegate", `<policy domain="delegate" rights="none" pattern="ps:*" /><policy domain="delegate" rights="all" pattern="dot" />`, []string{"dot", "lpr", "JxrDecApp", "ralcgm", "tesseract"}},
		{"a module", `<policy domain="module" rights="none" pattern="PS" />`, []string{"dot", "JxrDecApp", "ralcgm", "tesseract"}},
		{"a comment", `<!-- <policy domain="coder" rights="none" pattern="PS" /> -->`, []string{"gs", "dot", "lpr", "JxrDecApp", "ralcgm", "tesseract"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parsePolicies([]byte("<policymap>" + tt.policies + "</policymap>"))
			var got []string
			for _, d := range parseDelegates([]byte(delegates)) {
				if p.allow(d) {
					got = append(got, d.program)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseGconv(t *testing.T) {
	conf := `# from to module cost
alias	SHIFT_JIS//	SJIS//
module	SJIS//	INTERNAL	SJIS	1
module	INTERNAL	SJIS//	SJIS	1
module	EUC-JP//	INTERNAL	EUC-JP.so	1
module	BIG5//	INTERNAL	../BIG5	1
module	KOI8-R//	INTERNAL`
	for charset, want := range map[string][]string{"shift_jis": {"SJIS.so"}, "SJIS": {"SJIS.so"}, "EUC-JP": {"EUC-JP.so"}, "BIG5": nil, "KOI8-R": nil, "UTF-8": nil, "": nil} {
		if got := parseGconv([]byte(conf), charset); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", charset, got, want)
		}
	}
}

func TestParseApplications(t *testing.T) {
	resource := `{application,ssl,[{description,"x"},{vsn,"10"},
 {applications,[crypto, public_key,
   kernel]}, {included_applications, ['x',y_1]}, {env,[]}]}.`
	want := []string{"crypto", "public_key", "kernel", "x", "y_1"}
	if got := parseApplications([]byte(resource)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClassPath(t *testing.T) {
	jar := func(manifest string) string {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		f, err := w.Create("META-INF/MANIFEST.MF")
		if err == nil {
			_, err = f.Write([]byte(manifest))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return buf.String()
	}
	tests := []struct {
		name, jar string
		want      []string
	}{
		{"lines go on", jar("Manifest-Version: 1.0\r\nClass-Path: lib/a.jar li\r\n b/b.jar\r\n\r\nName: x\r\n"), []string{"lib/a.jar", "lib/b.jar"}},
		{"main section only", jar("Manifest-Version: 1.0\n\nClass-Path: no.jar\n"), nil},
		{"no jar", "#!/bin/sh", nil},
		{"empty", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := classPath(strings.NewReader(tt.jar), int64(len(tt.jar))); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzLiterals feeds one text to every reader of sources and configurations.
func FuzzLiterals(f *testing.F) {
	f.Add([]byte("require 'a/b'\nuse Foo::Bar;\n=cut\nroot /srv/x;\n{applications,[a]}\n<delegate command=\"&quot;gs\"\nClass-Path: a\n b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range parsePerl(text) {
			if !perlUse.MatchString("use " + name) {
				t.Errorf("perl module %q", name)
			}
		}
		for _, r := range parseRuby(text) {
			if r.feature == "" || strings.ContainsAny(r.feature, "\n\"'#") {
				t.Errorf("ruby feature %q", r.feature)
			}
		}
		for _, path := range parseServed(text) {
			if !strings.HasPrefix(path, "/") || path == "/" || strings.Contains(path, "..") && strings.Contains(path, "/../") {
				t.Errorf("served %q", path)
			}
		}
		for _, path := range parsePaths(text) {
			if !strings.HasPrefix(path, "/") || strings.Contains(path+"/", "/../") || strings.ContainsAny(path, " \n\"'{") {
				t.Errorf("named path %q", path)
			}
		}
		if n := len(parseApplications(text)); n > maxApplications {
			t.Errorf("%d applications", n)
		}
		for _, d := range parseDelegates(text) {
			parsePolicies(text).allow(d)
		}
		for _, file := range parseGconv(text, "UTF-16") {
			if !strings.HasSuffix(file, ".so") || strings.Contains(file, "/") {
				t.Errorf("module %q", file)
			}
		}
		if n := len(parseClassPath(text)); n > maxClassPath {
			t.Errorf("%d entries of a class path", n)
		}
	})
}
