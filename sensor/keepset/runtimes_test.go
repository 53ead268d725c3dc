package keepset_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// TestRuntimesOfDebian holds the families against installations that Debian's
// packages make: what a runtime that was touched needs beyond its trace, what it
// does not need, and how much it comes to.
func TestRuntimesOfDebian(t *testing.T) {
	root := debianRoot(t)
	tests := []struct {
		name    string
		touches []string
		want    []string
		not     []string
		most    int64 // megabytes
	}{
		{
			name:    "java",
			touches: []string{"executed /usr/lib/jvm/java-17-openjdk-amd64/bin/java", "mapped /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"},
			want: []string{"/usr/lib/jvm/java-17-openjdk-amd64/lib/modules", "/usr/lib/jvm/java-17-openjdk-amd64/lib/tzdb.dat",
				"/etc/java-17-openjdk/security/java.security", "/etc/java-17-openjdk/logging.properties", "/etc/ssl/certs/java/cacerts"},
			not:  []string{"/usr/lib/jvm/java-17-openjdk-amd64/lib/ct.sym", "/usr/lib/jvm/java-17-openjdk-amd64/bin/keytool"},
			most: 185,
		},
		{
			name:    "php",
			touches: []string{"executed /usr/bin/php8.2", "opened /etc/php/8.2/cli/php.ini"},
			want: []string{"/etc/php/8.2/fpm/php.ini", "/etc/php/8.2/mods-available/gd.ini", "/usr/lib/php/20220829/gd.so", "/usr/lib/php/20220829/intl.so",
				"/usr/share/zoneinfo/Asia/Tokyo", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"},
			not:  []string{"/usr/sbin/php-fpm8.2", "/usr/share/zoneinfo/right/UTC", "/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so"},
			most: 135,
		},
		{
			name:    "ruby",
			touches: []string{"executed /usr/bin/ruby3.1", "mapped /usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2", "opened /usr/share/rubygems-integration/all/gems/sinatra-3.0.5/lib/sinatra/base.rb", "opened /usr/share/rubygems-integration/all/gems/rack-2.2.22/lib/rack.rb", "opened /usr/lib/ruby/vendor_ruby/rubygems.rb", "opened /usr/lib/ruby/vendor_ruby/tilt.rb", "opened /usr/lib/ruby/3.1.0/yaml.rb"},
			want: []string{"/usr/share/rubygems-integration/all/gems/rack-2.2.22/lib/rack/multipart/parser.rb", "/usr/share/rubygems-integration/all/specifications/rack-2.2.22.gemspec",
				"/usr/share/rubygems-integration/all/gems/sinatra-3.0.5/lib/sinatra/images/404.png", "/usr/lib/ruby/3.1.0/uri.rb", "/usr/lib/ruby/3.1.0/psych/syntax_error.rb", "/usr/lib/ruby/gems/3.1.0/specifications/default/csv-3.2.2.gemspec", "/usr/lib/ruby/vendor_ruby/tilt/erb.rb",
				"/usr/lib/x86_64-linux-gnu/ruby/3.1.0/enc/shift_jis.so", "/usr/lib/ruby/vendor_ruby/rubygems/specification.rb"},
			not:  []string{"/usr/lib/ruby/gems/3.1.0/gems/minitest-5.15.0"},
			most: 30,
		},
		{
			name:    "perl",
			touches: []string{"executed /usr/bin/perl", "opened /usr/share/perl5/Mojolicious.pm", "opened /usr/share/perl5/Mojo/Base.pm", "opened /usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm"},
			want: []string{"/usr/share/perl5/Mojolicious/Plugin/EPRenderer.pm", "/usr/share/perl5/Mojolicious/resources/public/mojo/mojo.css", "/usr/share/perl5/Mojo/UserAgent.pm",
				"/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/Unicode.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/Unicode/Unicode.so",
				"/usr/share/perl/5.36.0/Time/Local.pm", "/usr/share/perl/5.36.0/PerlIO.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/PerlIO/scalar/scalar.so", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Digest/SHA/SHA.so"},
			not:  []string{"/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/JP/JP.so", "/usr/share/perl/5.36.0/Test/More.pm", "/usr/share/perl5/Debconf/Log.pm"},
			most: 30,
		},
		{
			name:    "erlang",
			touches: []string{"executed /usr/lib/erlang/erts-13.1.5/bin/beam.smp", "opened /usr/lib/erlang/lib/kernel-8.5.3/ebin/kernel.beam", "opened /usr/lib/erlang/lib/stdlib-4.2/ebin/lists.beam"},
			want: []string{"/usr/lib/erlang/bin/start_clean.boot", "/usr/lib/erlang/lib/stdlib-4.2/ebin/calendar.beam", "/usr/lib/erlang/lib/kernel-8.5.3/ebin/kernel.app",
				"/usr/lib/erlang/erts-13.1.5/bin/inet_gethost"},
			not:  []string{"/usr/lib/erlang/lib/compiler-8.2.3/ebin/compile.beam", "/usr/lib/erlang/erts-13.1.5/bin/yielding_c_fun"},
			most: 25,
		},
		{
			name:    "postgresql",
			touches: []string{"executed /usr/lib/postgresql/15/bin/postgres"},
			want: []string{"/usr/share/postgresql/15/timezonesets/Default", "/usr/share/postgresql/15/tsearch_data/german.stop", "/usr/share/postgresql/15/extension/pgcrypto.control",
				"/usr/lib/postgresql/15/lib/pgcrypto.so", "/usr/lib/postgresql/15/lib/utf8_and_sjis.so", "/usr/lib/postgresql/15/lib/dict_snowball.so",
				"/usr/lib/postgresql/15/lib/lo.so", "/usr/share/zoneinfo/Asia/Tokyo", "/usr/lib/locale/C.utf8"},
			not:  []string{"/usr/lib/postgresql/15/lib/llvmjit.so", "/usr/lib/postgresql/15/lib/bitcode", "/usr/lib/postgresql/15/bin/initdb", "/usr/share/postgresql/15/man"},
			most: 80,
		},
		{
			name:    "mariadb",
			touches: []string{"executed /usr/sbin/mariadbd"},
			want:    []string{"/usr/share/mysql/charsets/latin2.xml", "/usr/share/mysql/german/errmsg.sys", "/usr/lib/mysql/plugin/ha_blackhole.so"},
			not:     []string{"/usr/share/mysql/fill_help_tables.sql"},
			most:    60,
		},
		{
			name:    "apache",
			touches: []string{"executed /usr/sbin/apache2", "opened /etc/apache2/sites-available/000-default.conf", "opened /etc/apache2/mods-available/alias.conf"},
			want:    []string{"/var/www/html/index.html", "/usr/share/apache2/icons/folder.gif"},
			most:    25,
		},
		{
			name:    "nginx",
			touches: []string{"executed /usr/sbin/nginx", "opened /etc/nginx/sites-available/default"},
			want:    []string{"/var/www/html/index.nginx-debian.html"},
			most:    20,
		},
		{
			name:    "imagemagick with ghostscript, which its policy forbids",
			touches: []string{"executed /usr/bin/convert-im6.q16"},
			want: []string{"/usr/lib/x86_64-linux-gnu/ImageMagick-6.9.11/modules-Q16/coders/gif.so", "/etc/ImageMagick-6/policy.xml",
				"/usr/share/fonts/type1/urw-base35/NimbusSans-Regular.t1", "/etc/fonts/fonts.conf"},
			not:  []string{"/usr/bin/gs"},
			most: 160,
		},
		{
			name:    "ghostscript",
			touches: []string{"executed /usr/bin/gs"},
			want: []string{"/usr/share/ghostscript/10.00.0/Resource/Init/gs_init.ps", "/usr/share/fonts/type1/urw-base35/NimbusSans-Regular.t1",
				"/usr/share/color/icc/ghostscript/srgb.icc"},
			most: 120,
		},
		{
			name:    "graphviz",
			touches: []string{"executed /usr/sbin/libgvc6-config-update"},
			want:    []string{"/usr/lib/x86_64-linux-gnu/graphviz/config6a", "/usr/lib/x86_64-linux-gnu/graphviz/libgvplugin_dot_layout.so.6"},
			most:    80,
		},
		{
			name:    "tesseract",
			touches: []string{"executed /usr/bin/tesseract"},
			want:    []string{"/usr/share/tesseract-ocr/5/tessdata/osd.traineddata", "/usr/share/tesseract-ocr/5/tessdata/configs/hocr"},
			most:    100,
		},
		{
			name:    "git",
			touches: []string{"executed /usr/bin/git"},
			want:    []string{"/usr/lib/git-core/git-remote-https", "/usr/lib/git-core/git-upload-pack", "/usr/share/git-core/templates/info/exclude", "/usr/lib/x86_64-linux-gnu/libcurl-gnutls.so.4"},
			not:     []string{"/usr/lib/git-core/git-daemon", "/usr/lib/git-core/mergetools", "/usr/lib/git-core/git-http-fetch", "/usr/lib/git-core/git-submodule"},
			most:    30,
		},
		{
			name:    "git for a server",
			touches: []string{"executed /usr/bin/git", "executed /usr/lib/git-core/git-http-backend"},
			want:    []string{"/usr/lib/git-core/git-receive-pack", "/usr/lib/git-core/git"},
			not:     []string{"/usr/lib/git-core/git-remote-http", "/usr/bin/perl"},
			most:    14, // one of them for a second name of git
		},
		{
			name:    "a shell",
			touches: []string{"executed /usr/bin/bash"},
			want:    []string{"/usr/lib/terminfo/x/xterm"},
			most:    6,
		},
		{
			name:    "the local time",
			touches: []string{"linked /etc/localtime"},
			want:    []string{"/usr/share/zoneinfo/Asia/Tokyo"},
			not:     []string{"/usr/share/zoneinfo/right/UTC", "/usr/share/zoneinfo/tzdata.zi"},
			most:    1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := resolve(t, root, manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}, tt.touches...)
			must(t, err)
			got, size := map[string]bool{}, int64(0)
			for e := range set.All() {
				got[e.Path] = true
				info, err := root.Lstat(e.Path)
				must(t, err)
				if info.IsRegular() {
					size += info.Size
				}
			}
			for _, want := range tt.want {
				if !got[want] {
					t.Errorf("%s is not kept", want)
				}
			}
			for _, not := range tt.not {
				if got[not] {
					t.Errorf("%s is kept", not)
				}
			}
			if size > tt.most<<20 {
				t.Errorf("%d bytes, more than %d MB", size, tt.most)
			}
		})
	}
}

// debianRoot is what hack/servers.sh made.
func debianRoot(t *testing.T) *rootfs.Root {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	dir := filepath.Join(cache, "slimfile/servers/current")
	if _, err := os.Stat(dir); err != nil {
		missing(t, dir+" (hack/servers.sh)")
	}
	root, err := rootfs.Open(dir)
	must(t, err)
	t.Cleanup(root.Close)
	return root
}
