package keepset_test

import (
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestRuntimesElsewhere holds the families against the layouts of images that
// build their runtime from source, and against what belongs to an application.
func TestRuntimesElsewhere(t *testing.T) {
	tests := []struct {
		name    string
		image   Image
		touches []string
		want    []string // beyond what was touched
		not     []string
	}{
		{
			name: "ruby below /usr/local, gems of a bundle",
			image: Image{
				"/usr/local/lib/libruby.so.3.2": lib(), "/usr/local/lib/ruby/3.2.0/x86_64-linux/enc/euc_jp.so": lib(),
				"/usr/local/lib/ruby/3.2.0/csv.rb": "require_relative 'csv/table'\n", "/usr/local/lib/ruby/3.2.0/csv/table.rb": "", "/usr/local/lib/ruby/3.2.0/set.rb": "",
				"/usr/local/bundle/gems/rack-3.0.0/lib/rack.rb": "autoload :Mime, 'rack/mime'\nrequire 'json'", "/usr/local/bundle/gems/rack-3.0.0/lib/rack/mime.rb": "",
				"/usr/local/bundle/gems/rack-3.0.0/test/spec_rack.rb": "", "/usr/local/bundle/gems/rack-3.0.0/README.md": "", "/usr/local/bundle/specifications/rack-3.0.0.gemspec": "",
				"/usr/local/bundle/extensions/x86_64-linux/3.2.0/rack-3.0.0/gem.build_complete": "", "/usr/local/bundle/gems/json-2.7.0/lib/json.rb": "", "/usr/local/bundle/specifications/json-2.7.0.gemspec": "", "/usr/local/bundle/gems/other-1.0/lib/other.rb": "",
				"/app/app.rb": "get('/') { require \"csv\" }\nrequire_relative 'lib/x'\n", "/app/lib/x.rb": "require 'y'", "/app/lib/y.rb": "", "/app/lib/z.rb": "",
			},
			touches: []string{"mapped /usr/local/lib/libruby.so.3.2", "opened /usr/local/bundle/gems/rack-3.0.0/lib/rack.rb", "opened /app/app.rb"},
			want: []string{"/usr/local/lib/ruby/3.2.0/x86_64-linux/enc/euc_jp.so", "/usr/local/lib/ruby/3.2.0/csv.rb", "/usr/local/lib/ruby/3.2.0/csv/table.rb",
				"/usr/local/bundle/gems/rack-3.0.0/lib/rack/mime.rb", "/usr/local/bundle/specifications/rack-3.0.0.gemspec", "/usr/local/bundle/gems/json-2.7.0/lib/json.rb", "/usr/local/bundle/specifications/json-2.7.0.gemspec",
				"/usr/local/bundle/extensions/x86_64-linux/3.2.0/rack-3.0.0/gem.build_complete", "/app/lib/x.rb", "/app/lib/y.rb"},
			not: []string{"/usr/local/lib/ruby/3.2.0/set.rb", "/usr/local/bundle/gems/rack-3.0.0/test", "/usr/local/bundle/gems/rack-3.0.0/README.md", "/usr/local/bundle/gems/other-1.0/lib/other.rb", "/app/lib/z.rb"},
		},
		{
			name: "perl below /usr/local, modules of an application",
			image: Image{
				"/usr/local/lib/perl5/site_perl/5.38.0/Plack/Runner.pm": "require Plack::Loader;", "/usr/local/lib/perl5/site_perl/5.38.0/Plack/Loader.pm": "", "/usr/local/lib/perl5/site_perl/5.38.0/Dancer.pm": "",
				"/usr/local/lib/perl5/5.38.0/POSIX.pm": "", "/usr/local/lib/perl5/5.38.0/Benchmark.pm": "", "/usr/local/lib/perl5/5.38.0/x86_64-linux-gnu/Socket.pm": "", "/usr/local/lib/perl5/5.38.0/x86_64-linux-gnu/auto/Socket/Socket.so": lib(),
				"/app/bin/run.pl": "use lib 'lib';\nif ($x) { require My::Part }\nuse Socket;\n", "/app/lib/My/Part.pm": "use POSIX ();", "/app/lib/My/Other.pm": "",
				"/usr/local/lib/perl5/5.38.0/unicore/Name.pl": "", "/usr/local/lib/perl5/5.38.0/unicore/lib/Gc/L.pl": "",
			},
			touches: []string{"opened /usr/local/lib/perl5/site_perl/5.38.0/Plack/Runner.pm", "opened /app/lib/My/Part.pm", "opened /app/bin/run.pl", "opened /usr/local/lib/perl5/5.38.0/unicore/Name.pl"},
			want: []string{"/usr/local/lib/perl5/site_perl/5.38.0/Plack/Loader.pm", "/usr/local/lib/perl5/5.38.0/POSIX.pm", "/usr/local/lib/perl5/5.38.0/x86_64-linux-gnu/Socket.pm",
				"/usr/local/lib/perl5/5.38.0/x86_64-linux-gnu/auto/Socket/Socket.so", "/usr/local/lib/perl5/5.38.0/unicore/lib/Gc/L.pl"},
			not: []string{"/usr/local/lib/perl5/5.38.0/Benchmark.pm", "/usr/local/lib/perl5/site_perl/5.38.0/Dancer.pm"},
		},
		{
			name: "php pages that the run did not open convert",
			image: Image{
				"/srv/a.php": "<?php require 'tools.php';", "/srv/tools.php": "<?php echo iconv('UTF-8', 'b', $x), iconv($from, 'b', $x);",
				"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so": lib(),
			},
			touches: []string{"opened /srv/a.php"},
			want:    []string{"/srv/tools.php", "/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so"},
		},
		{
			name: "php pages that say which character sets they convert",
			image: Image{
				"/srv/a.php": "<?php echo iconv('UTF-8', \"Shift_JIS//TRANSLIT\", $x), iconv( 'EUC-JP', 'UTF-8', $x );",
				"/usr/lib/x86_64-linux-gnu/gconv/gconv-modules":              "alias SHIFT_JIS// SJIS//\nmodule SJIS// INTERNAL SJIS 1\n",
				"/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/extra.conf": "module EUC-JP// INTERNAL EUC-JP 1\nmodule BIG5// INTERNAL BIG5 1",
				"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so":                  lib("libJIS.so"), "/usr/lib/x86_64-linux-gnu/gconv/SJIS.so": lib(), "/usr/lib/x86_64-linux-gnu/gconv/BIG5.so": lib(),
				"/usr/lib/x86_64-linux-gnu/libJIS.so": lib(),
			},
			touches: []string{"opened /srv/a.php"},
			want: []string{"/usr/lib/x86_64-linux-gnu/gconv/gconv-modules", "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/extra.conf",
				"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so", "/usr/lib/x86_64-linux-gnu/libJIS.so", "/usr/lib/x86_64-linux-gnu/gconv/SJIS.so"},
			not: []string{"/usr/lib/x86_64-linux-gnu/gconv/BIG5.so"},
		},
		{
			name: "php libraries that the run did not open convert nothing",
			image: Image{
				"/srv/a.php": "<?php require 'vendor/x.php';", "/srv/vendor/x.php": "<?php iconv($a, 'b', $x);",
				"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so": lib(),
			},
			touches: []string{"opened /srv/a.php"},
			want:    []string{"/srv/vendor/x.php"},
			not:     []string{"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so"},
		},
		{
			name: "rabbitmq's commands",
			image: Image{
				"/opt/rabbitmq/sbin/rabbitmq-env": "", "/opt/rabbitmq/sbin/rabbitmqctl": Exe(""), "/opt/rabbitmq/escript/rabbitmqctl": "", "/opt/rabbitmq/sbin/other": Exe(""),
				"/usr/sbin/rabbitmqctl": Exe(""),
			},
			touches: []string{"opened /opt/rabbitmq/sbin/rabbitmq-env"},
			want:    []string{"/opt/rabbitmq/sbin/rabbitmqctl", "/opt/rabbitmq/escript/rabbitmqctl", "/usr/sbin/rabbitmqctl"},
			not:     []string{"/opt/rabbitmq/sbin/other"},
		},
		{
			name:    "a program in Perl where there is no Perl",
			image:   Image{"/bin/run": Exe("#!/usr/bin/perl\nuse Socket;\n")},
			touches: []string{"opened /bin/run"},
		},
		{
			name: "perl's encodings of East Asia for a program that computes names",
			image: Image{
				"/srv/app/script/web": Exe("#!/usr/bin/env perl\nuse Web;\nprint Encode::decode($c->param('x'), $y);"), "/srv/app/script/data": "use Data;", "/usr/share/perl5/Web.pm": "", "/usr/share/perl5/Data.pm": "",
				"/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/JP.pm": "", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/KR/2022_KR.pm": "",
			},
			touches: []string{"executed /srv/app/script/web", "opened /srv/app/script/data"},
			want:    []string{"/usr/share/perl5/Web.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/JP.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/KR/2022_KR.pm"},
			not:     []string{"/usr/share/perl5/Data.pm"},
		},
		{
			name: "perl's encodings that only a library names, and other decoders",
			image: Image{
				"/app/a.pl": "$json->decode($text); decode_json($x); encode('UTF-8', $x)", "/usr/share/perl5/Web.pm": "decode('big5', $x); decode($charset, $y)",
				"/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/TW.pm": "", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm": "",
			},
			touches: []string{"opened /app/a.pl", "opened /usr/share/perl5/Web.pm", "opened /usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm"},
			not:     []string{"/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/TW.pm"},
		},
		{
			name: "libraries for developers of Ruby",
			image: Image{
				"/usr/lib/ruby/vendor_ruby/tilt.rb": "autoload :RDoc, 'tilt/rdoc'", "/usr/lib/ruby/vendor_ruby/tilt/rdoc.rb": "require 'rdoc'\nrequire 'rdoc/markup'", "/usr/lib/ruby/3.1.0/rdoc.rb": "", "/usr/lib/ruby/3.1.0/rdoc/markup.rb": "",
				"/usr/lib/ruby/3.1.0/irb.rb": "", "/app/console.rb": "require 'irb'",
			},
			touches: []string{"opened /usr/lib/ruby/vendor_ruby/tilt.rb", "opened /app/console.rb"},
			want:    []string{"/usr/lib/ruby/vendor_ruby/tilt/rdoc.rb", "/usr/lib/ruby/3.1.0/irb.rb"},
			not:     []string{"/usr/lib/ruby/3.1.0/rdoc.rb", "/usr/lib/ruby/3.1.0/rdoc/markup.rb"},
		},
		{
			name: "perl's encodings of East Asia for a source that names one",
			image: Image{
				"/app/a.pl": "decode('shift_jis', $x)", "/usr/share/perl5/A.pm": "", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/JP.pm": "",
				"/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/JP/JP.so": lib(), "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/TW.pm": "",
			},
			touches: []string{"opened /app/a.pl"},
			want:    []string{"/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/JP.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/JP/JP.so"},
			not:     []string{"/usr/share/perl5/A.pm", "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode/TW.pm"},
		},
		{
			name: "php below /usr/local, Composer's packages",
			image: Image{
				"/usr/local/bin/php": lib(), "/usr/local/etc/php/conf.d/docker-php-ext-gd.ini": "extension=gd\n", "/usr/local/etc/php/conf.d/x.ini": "zend_extension=/opt/x.so",
				"/usr/local/lib/php/extensions/no-debug-non-zts-20220829/gd.so": lib(), "/usr/local/lib/php/extensions/no-debug-non-zts-20220829/ftp.so": lib(), "/opt/x.so": lib(),
				"/app/vendor/autoload.php": "", "/app/vendor/composer/autoload_psr4.php": "", "/app/vendor/acme/a/src/A.php": "", "/app/vendor/acme/a/src/B.php": "", "/app/vendor/acme/a/data.json": "",
				"/app/vendor/acme/a/tests/T.php": "", "/app/vendor/acme/b/B.php": "", "/go/vendor/x/y/z.php": "", "/go/vendor/x/y/w.php": "",
				"/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so": lib(), "/app/page.php": "<?php if ($x) require_once('Twig/autoload.php'); include __DIR__ . '/../inc/a.php';  echo iconv('UTF-8', $x, $y);",
				"/usr/share/php/Twig/autoload.php": "", "/usr/share/php/Twig/Environment.php": "", "/usr/share/php/Other/x.php": "", "/inc/a.php": "<?php include 'b.inc';", "/inc/b.inc": "",
			},
			touches: []string{"executed /usr/local/bin/php", "opened /usr/local/etc/php/conf.d/docker-php-ext-gd.ini", "opened /usr/local/etc/php/conf.d/x.ini", "opened /app/vendor/acme/a/src/A.php", "opened /go/vendor/x/y/z.php", "opened /app/page.php"},
			want: []string{"/usr/local/lib/php/extensions/no-debug-non-zts-20220829/gd.so", "/opt/x.so", "/app/vendor/autoload.php", "/app/vendor/composer/autoload_psr4.php",
				"/app/vendor/acme/a/src/B.php", "/app/vendor/acme/a/data.json", "/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so",
				"/usr/share/php/Twig/Environment.php", "/inc/b.inc"},
			not: []string{"/usr/share/php/Other/x.php", "/usr/local/lib/php/extensions/no-debug-non-zts-20220829/ftp.so", "/app/vendor/acme/a/tests", "/app/vendor/acme/b/B.php", "/go/vendor/x/y/w.php"},
		},
		{
			name: "a release of Erlang's",
			image: Image{
				"/opt/r/erts-14.0/bin/beam.smp": lib(), "/opt/r/erts-14.0/bin/erl_child_setup": "", "/opt/r/bin/start_clean.boot": "", "/opt/r/releases/1.0/vm.args": "",
				"/opt/r/lib/web-1.0/ebin/web.app": "{application,web,[{applications,[kernel,cowboy]}]}.", "/opt/r/lib/web-1.0/ebin/web.beam": "", "/opt/r/lib/web-1.0/ebin/web_other.beam": "", "/opt/r/lib/web-1.0/priv/logo.png": "",
				"/opt/r/lib/cowboy-2.9.0/ebin/cowboy.app": "", "/opt/r/lib/cowboy-2.9.0/ebin/cowboy.beam": "", "/opt/r/lib/wx-2.3/ebin/wx.app": "", "/opt/r/lib/wx-2.3/ebin/wx.beam": "", "/opt/r/lib/web-1.0/src/web.erl": "",
			},
			touches: []string{"executed /opt/r/erts-14.0/bin/beam.smp", "opened /opt/r/lib/web-1.0/ebin/web.beam"},
			want: []string{"/opt/r/erts-14.0/bin/erl_child_setup", "/opt/r/bin/start_clean.boot", "/opt/r/releases/1.0/vm.args", "/opt/r/lib/web-1.0/ebin/web_other.beam",
				"/opt/r/lib/web-1.0/priv/logo.png", "/opt/r/lib/cowboy-2.9.0/ebin/cowboy.beam"},
			not: []string{"/opt/r/lib/wx-2.3/ebin/wx.beam", "/opt/r/lib/web-1.0/src/web.erl"},
		},
		{
			name:    "jars beside one that was opened, not those of Debian's folder",
			image:   Image{"/app/a.jar": "", "/app/b.jar": "", "/app/c.txt": "", "/usr/share/java/x.jar": "", "/usr/share/java/y.jar": ""},
			touches: []string{"opened /app/a.jar", "opened /usr/share/java/x.jar"},
			want:    []string{"/app/b.jar"},
			not:     []string{"/app/c.txt", "/usr/share/java/y.jar"},
		},
		{
			name: "postgresql below /usr/local",
			image: Image{
				"/usr/local/bin/postgres": lib(), "/usr/local/lib/postgresql/pgcrypto.so": lib(), "/usr/local/lib/postgresql/llvmjit.so": lib(), "/usr/local/share/postgresql/timezonesets/Default": "",
				"/usr/local/share/postgresql/postgres.bki": "",
			},
			touches: []string{"executed /usr/local/bin/postgres"},
			want:    []string{"/usr/local/lib/postgresql/pgcrypto.so", "/usr/local/share/postgresql/timezonesets/Default"},
			not:     []string{"/usr/local/lib/postgresql/llvmjit.so", "/usr/local/share/postgresql/postgres.bki"},
		},
		{
			name: "what a web server's configuration serves from",
			image: Image{
				"/etc/nginx/conf.d/site.conf": "root /srv/www;\nauth_basic_user_file /etc/nginx/users;\n", "/etc/nginx/users": "", "/srv/www/a/b.html": "", "/srv/other": "",
				"/app/nginx.conf": "location / { alias /app/public/; }\nalias /app/static;\n", "/app/static/x.css": "", "/app/secret": "",
			},
			touches: []string{"opened /etc/nginx/conf.d/site.conf", "opened /app/nginx.conf"},
			want:    []string{"/etc/nginx/users", "/srv/www/a/b.html", "/app/static/x.css"},
			not:     []string{"/srv/other", "/app/secret"},
		},
		{
			name: "backends of a Python package",
			image: Image{
				"/usr/bin/python3.11": Exe(""), "/usr/lib/python3.11/os.py": "", "/usr/lib/python3.11/bz2.py": "",
				"/usr/lib/python3/dist-packages/anyio/__init__.py": "", "/usr/lib/python3/dist-packages/anyio/__pycache__/__init__.cpython-311.pyc": "",
				"/usr/lib/python3/dist-packages/anyio/_backends/_asyncio.py": "import bz2", "/usr/lib/python3/dist-packages/other/_backends/_a.py": "", "/usr/lib/python3/dist-packages/other/__init__.py": "",
			},
			touches: []string{"executed /usr/bin/python3.11", "opened /usr/lib/python3.11/os.py", "opened /usr/lib/python3/dist-packages/anyio/__pycache__/__init__.cpython-311.pyc", "opened /usr/lib/python3/dist-packages/other/__init__.py"},
			want:    []string{"/usr/lib/python3/dist-packages/anyio/_backends/_asyncio.py", "/usr/lib/python3.11/bz2.py"},
			not:     []string{"/usr/lib/python3/dist-packages/other/_backends/_a.py"},
		},
		{
			name: "formats of Pillow",
			image: Image{
				"/usr/bin/python3.11": Exe(""), "/usr/lib/python3.11/os.py": "", "/usr/lib/python3.11/zlib.py": "", "/usr/lib/python3/dist-packages/PIL/__init__.py": "",
				"/usr/lib/python3/dist-packages/PIL/WebPImagePlugin.py": "from . import _webp", "/usr/lib/python3/dist-packages/PIL/_webp.so": lib("libwebp.so"), "/usr/lib/x86_64-linux-gnu/libwebp.so": lib(),
				"/usr/lib/python3/dist-packages/PIL/PdfImagePlugin.py": "from . import PdfParser", "/usr/lib/python3/dist-packages/PIL/PdfParser.py": "import zlib", "/usr/lib/python3/dist-packages/PIL/ImageShow.py": "",
			},
			touches: []string{"executed /usr/bin/python3.11", "opened /usr/lib/python3.11/os.py", "opened /usr/lib/python3/dist-packages/PIL/__init__.py"},
			want: []string{"/usr/lib/python3/dist-packages/PIL/WebPImagePlugin.py", "/usr/lib/python3/dist-packages/PIL/_webp.so", "/usr/lib/x86_64-linux-gnu/libwebp.so",
				"/usr/lib/python3/dist-packages/PIL/PdfParser.py", "/usr/lib/python3.11/zlib.py"},
			not: []string{"/usr/lib/python3/dist-packages/PIL/ImageShow.py"},
		},
		{
			name: "languages of Babel",
			image: Image{
				"/usr/lib/python3/dist-packages/babel/localedata.py": "", "/usr/lib/python3/dist-packages/babel/__pycache__/localedata.cpython-311.pyc": "", "/usr/lib/python3/dist-packages/babel/locale-data": Link("/usr/share/babel"),
				"/usr/share/babel/root.dat": "", "/usr/share/babel/en.dat": "", "/usr/share/babel/de.dat": "", "/usr/share/babel/de_AT.dat": "", "/usr/share/babel/den.dat": "", "/usr/share/babel/zh_Hant.dat": "",
				"/usr/share/babel/no.dat": "", "/usr/share/babel/nb.dat": "", "/usr/share/babel/ja.dat": "", "/usr/share/babel/fr.dat": "",
				"/app/translations/de/LC_MESSAGES/m.mo": "", "/app/translations/zh_TW/LC_MESSAGES/m.mo": "", "/app/translations/nb/LC_MESSAGES/m.mo": "", "/usr/share/locale/ja/LC_MESSAGES/x.mo": "", "/app/translations/{fr}/LC_MESSAGES/m.mo": "",
			},
			touches: []string{"opened /usr/lib/python3/dist-packages/babel/__pycache__/localedata.cpython-311.pyc", "opened /app/translations/de/LC_MESSAGES/m.mo", "checked /app/translations/zh_TW/LC_MESSAGES/m.mo",
				"opened /app/translations/nb/LC_MESSAGES/m.mo", "opened /usr/share/locale/ja/LC_MESSAGES/x.mo", "opened /app/translations/{fr}/LC_MESSAGES/m.mo"},
			want: []string{"/usr/share/babel/root.dat", "/usr/share/babel/en.dat", "/usr/share/babel/de.dat", "/usr/share/babel/de_AT.dat", "/usr/share/babel/zh_Hant.dat", "/usr/share/babel/nb.dat", "/usr/share/babel/no.dat"},
			not:  []string{"/usr/share/babel/ja.dat", "/usr/share/babel/den.dat", "/usr/share/babel/fr.dat"},
		},
		{
			name: "programs that the app's sources start",
			image: Image{
				"/bin/sh": Exe(""), "/usr/bin/date": lib("libdate.so"), "/usr/lib/x86_64-linux-gnu/libdate.so": lib(), "/usr/bin/wc": Exe("#!/usr/bin/env perl"), "/usr/bin/env": Exe(""), "/usr/bin/perl": Exe(""), "/usr/bin/cal": Exe(""), "/usr/bin/tac": Exe(""),
				"/usr/src/app/app.py": "def f():\n  subprocess.run(['date'])\n  os.system('cut x | wc')\n  os.popen('if')\n", "/usr/src/app/other.py": "os.system('tac')", "/usr/lib/python3/dist-packages/x.py": "os.system('cal')",
				"/usr/bin/cut": Exe(""), "/usr/bin/if": Exe(""), "/usr/src/app/a.rb": "system('sh', '-c', 'sort')", "/usr/bin/sort": Exe(""),
			},
			touches: []string{"opened /usr/src/app/app.py", "opened /usr/src/app/a.rb", "opened /usr/lib/python3/dist-packages/x.py"},
			want:    []string{"/usr/bin/date", "/usr/lib/x86_64-linux-gnu/libdate.so", "/bin/sh", "/usr/bin/wc", "/usr/bin/env", "/usr/bin/perl", "/usr/bin/cut", "/usr/bin/sort"},
			not:     []string{"/usr/bin/cal", "/usr/bin/tac", "/usr/bin/if"},
		},
		{
			name: "programs that the app's sources start by functions of their own",
			image: Image{
				"/usr/src/app/a.py": "from tools import run\nrun(['cal'])", "/usr/src/app/tools.py": "def run(cmd): subprocess.run(cmd)", "/usr/src/app/z.py": "run(['tac'])",
				"/srv/job": Exe("#!/usr/bin/env python3\nrun('uniq')\n"), "/srv/data": "run('sort')", "/usr/lib/python3.11/x.py": "run(['wc'])", "/usr/bin/tool": "#!/usr/bin/python3\nrun(['cut'])",
				"/usr/bin/cal": Exe(""), "/usr/bin/tac": Exe(""), "/usr/bin/uniq": Exe(""), "/usr/bin/sort": Exe(""), "/usr/bin/wc": Exe(""), "/usr/bin/cut": Exe(""),
				"/var/lib/dpkg/status": "Package: tool\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n", "/var/lib/dpkg/info/tool.list": "/.\n/usr/bin/tool\n",
			},
			touches: []string{"opened /usr/src/app/a.py", "opened /usr/src/app/tools.py", "opened /usr/src/app/z.py", "executed /srv/job", "opened /srv/data", "opened /usr/lib/python3.11/x.py", "opened /usr/bin/tool"},
			want:    []string{"/usr/bin/cal", "/usr/bin/tac", "/usr/bin/uniq"},
			not:     []string{"/usr/bin/sort", "/usr/bin/wc", "/usr/bin/cut"},
		},
		{
			name: "an app below /usr/src",
			image: Image{
				"/usr/src/app/server.js": "app.set('view engine', 'pug')", "/usr/src/app/node_modules/pug/index.js": "", "/usr/src/app/node_modules/pug/package.json": `{"main":"index.js"}`,
				"/usr/share/nodejs/x/index.js": "load('pug')",
			},
			touches: []string{"opened /usr/src/app/server.js", "opened /usr/share/nodejs/x/index.js"},
			want:    []string{"/usr/src/app/node_modules/pug/index.js"},
		},
		{
			name: "delegates that the policies allow, the user's last",
			image: Image{
				"/etc/ImageMagick-6/delegates.xml": `<delegate decode="ps:alpha" command="&quot;gs&quot; -q"/><delegate decode="dot" command="&quot;dot&quot;"/>`,
				"/etc/ImageMagick-6/policy.xml":    `<policy domain="coder" rights="none" pattern="{PS,DOT}"/>`, "/root/.config/ImageMagick/policy.xml": `<policy domain="coder" rights="read" pattern="PS"/>`,
				"/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/usr/bin/gs": Exe(""), "/usr/bin/dot": Exe(""), "/bin/sh": Exe(""), "/bin/mv": Exe(""),
			},
			touches: []string{"opened /etc/ImageMagick-6/delegates.xml"},
			want:    []string{"/usr/bin/gs", "/bin/sh", "/bin/mv"},
			not:     []string{"/usr/bin/dot"},
		},
		{
			name: "what a web server starts",
			image: Image{
				"/etc/lighttpd/lighttpd.conf": "server.document-root = \"/srv/www\"\ncgi.assign = ( \".sh\" => \"/bin/sh\" )\n", "/bin/sh": Exe(""), "/bin/tr": Exe(""), "/bin/cut": Exe(""),
				"/srv/www/upper.sh": "#!/bin/sh\ntr a-z A-Z\n", "/srv/www/index.html": "", "/etc/nginx/nginx.conf": "root /srv/plain;", "/srv/plain/x.sh": "#!/bin/sh\ncut\n",
			},
			touches: []string{"opened /etc/lighttpd/lighttpd.conf", "opened /etc/nginx/nginx.conf"},
			want:    []string{"/srv/www/index.html", "/bin/sh", "/bin/tr", "/srv/plain/x.sh"},
			not:     []string{"/bin/cut"},
		},
		{
			name: "styles of a font",
			image: Image{
				"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf": "", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf": "",
				"/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf": "", "/app/fonts/a-Light.otf": "", "/app/fonts/a.otf": "", "/app/fonts/b.otf": "",
			},
			touches: []string{"opened /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "opened /app/fonts/a-Light.otf"},
			want:    []string{"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf", "/app/fonts/a.otf"},
			not:     []string{"/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf", "/app/fonts/b.otf"},
		},
		{
			name: "zones by name",
			image: Image{
				"/etc/localtime": Link("/usr/share/zoneinfo/Etc/UTC"), "/usr/share/zoneinfo/Etc/UTC": "", "/usr/share/zoneinfo/Asia/Tokyo": "", "/usr/share/zoneinfo/Europe/Rome": "",
				"/usr/share/zoneinfo/right/UTC": "",
			},
			touches: []string{"opened /usr/share/zoneinfo/Asia/Tokyo"},
			want:    []string{"/usr/share/zoneinfo/Europe/Rome"},
			not:     []string{"/usr/share/zoneinfo/right/UTC"},
		},
		{
			name: "zones of a source that chooses one, drivers of a database, names of characters",
			image: Image{
				"/app/a.rb": "ENV[\"TZ\"] = zone", "/usr/share/zoneinfo/Asia/Tokyo": "", "/app/b.pl": "require DBI; require charnames;", "/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm": "",
				"/usr/lib/x86_64-linux-gnu/perl5/5.36/DBD/SQLite.pm": "", "/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBD/SQLite/SQLite.so": lib(), "/usr/share/perl/5.36.0/charnames.pm": "use _charnames ();",
				"/usr/share/perl/5.36.0/_charnames.pm": "", "/usr/share/perl/5.36.0/unicore/Name.pl": "", "/usr/share/perl/5.36.0/unicore/UCD.pl": "",
			},
			touches: []string{"opened /app/a.rb", "opened /app/b.pl"},
			want: []string{"/usr/share/zoneinfo/Asia/Tokyo", "/usr/lib/x86_64-linux-gnu/perl5/5.36/DBD/SQLite.pm", "/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBD/SQLite/SQLite.so",
				"/usr/share/perl/5.36.0/unicore/Name.pl"},
			not: []string{"/usr/share/perl/5.36.0/unicore/UCD.pl"},
		},
		{
			name:    "names that are extensions alone",
			image:   Image{"/usr/lib/ruby/vendor_ruby/.rb": "", "/usr/share/perl5/.pm": "", "/usr/share/perl5/A.pm": "", "/usr/share/php/.php": "", "/usr/lib/ruby/gems/a-1/.rb": ""},
			touches: []string{"opened /usr/lib/ruby/vendor_ruby/.rb", "opened /usr/share/perl5/.pm", "opened /usr/share/php/.php", "opened /usr/lib/ruby/gems/a-1/.rb"},
			not:     []string{"/usr/share/perl5/A.pm"},
		},
		{
			name:    "the categories of a locale",
			image:   Image{"/usr/lib/locale/C.utf8/LC_CTYPE": "", "/usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES": "", "/usr/lib/locale/de_DE.utf8/LC_CTYPE": ""},
			touches: []string{"opened /usr/lib/locale/C.utf8/LC_CTYPE"},
			want:    []string{"/usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES"},
			not:     []string{"/usr/lib/locale/de_DE.utf8/LC_CTYPE"},
		},
		{
			name:    "a link out of a folder that is kept whole stays in the image",
			image:   Image{"/usr/lib/locale/a/LC_TIME": "", "/usr/lib/locale/a/x": Link("../../../../../../etc/evil"), "/etc/evil": "", "/usr/lib/locale/a/loop": Link("loop")},
			touches: []string{"opened /usr/lib/locale/a/LC_TIME"},
			want:    []string{"/usr/lib/locale/a/x", "/usr/lib/locale/a/loop", "/etc/evil"},
		},
		{
			name:    "git's commands in a script",
			image:   gitImage("git -C /x submodule update; git log; git daemon"),
			touches: []string{"executed /start"},
			want: []string{"/usr/bin/git", "/usr/lib/git-core/git-log", "/usr/lib/git-core/git-submodule", "/usr/lib/git-core/git-sh-setup", "/usr/lib/git-core/git-sh-i18n", "/usr/bin/sed",
				"/usr/lib/git-core/git-remote-http", "/usr/lib/git-core/git-remote-https", "/usr/bin/ssh", "/usr/lib/git-core/git-daemon"},
			not: []string{"/usr/lib/git-core/git-instaweb", "/usr/bin/perl"},
		},
		{
			name:    "git that asks nobody",
			image:   gitImage("git rev-parse HEAD"),
			touches: []string{"executed /start"},
			want:    []string{"/usr/bin/git", "/usr/lib/git-core/git-log"},
			not:     []string{"/usr/lib/git-core/git-remote-http", "/usr/lib/git-core/git-submodule", "/usr/bin/ssh"},
		},
		{
			name:    "git that a program started",
			image:   gitImage(""),
			touches: []string{"executed /usr/bin/git"},
			want:    []string{"/usr/lib/git-core/git-log", "/usr/lib/git-core/git-remote-https", "/usr/bin/ssh"},
			not:     []string{"/usr/lib/git-core/git-submodule", "/usr/lib/git-core/git-instaweb"},
		},
		{
			name:    "programs that tar starts",
			image:   Image{"/bin/tar": Exe(""), "/bin/gzip": Exe(""), "/bin/zstd": lib("libzstd.so"), "/usr/lib/libzstd.so": lib(), "/bin/bzip3": Exe(""), "/start": Exe("#!/bin/sh\ntar -c x"), "/bin/sh": Exe("")},
			touches: []string{"executed /start"},
			want:    []string{"/bin/gzip", "/bin/zstd", "/usr/lib/libzstd.so"},
			not:     []string{"/bin/bzip3"},
		},
		{
			name: "other names of a program",
			image: Image{"/bin": Link("usr/bin"), "/usr/bin/many": Exe(""), "/usr/bin/one": Link("many"), "/usr/bin/two": Link("/etc/alternatives/two"), "/etc/alternatives/two": Link("/usr/bin/many"),
				"/usr/bin/other": Link("tool"), "/usr/bin/tool": Exe(""), "/opt/link": Link("/usr/bin/many"), "/usr/bin/loop": Link("loop")},
			touches: []string{"executed /usr/bin/many", "checked /usr/bin/tool"},
			want:    []string{"/usr/bin/one", "/usr/bin/two", "/etc/alternatives/two"},
			not:     []string{"/usr/bin/other", "/opt/link", "/bin"},
		},
		{
			name:    "nobody runs tar",
			image:   Image{"/bin/tar": Exe(""), "/bin/gzip": Exe("")},
			touches: []string{"checked /bin/tar"},
			not:     []string{"/bin/gzip"},
		},
		{
			name: "scripts that are samples",
			image: Image{
				"/etc/lighttpd/a.conf": "server.document-root = \"/srv/git\"\ncgi.assign = ( \"\" => \"\" )\n", "/srv/git/hooks/update": Exe("#!/bin/sh\ntr a b"), "/srv/git/hooks/x.sample": Exe("#!/usr/bin/perl"),
				"/bin/sh": Exe(""), "/bin/tr": Exe(""), "/usr/bin/perl": Exe(""),
			},
			touches: []string{"opened /etc/lighttpd/a.conf"},
			want:    []string{"/srv/git/hooks/x.sample", "/bin/tr"},
			not:     []string{"/usr/bin/perl"},
		},
		{
			name: "locales that somebody generated",
			image: Image{
				"/lib/libc.so.6": lib(), "/usr/lib/locale/locale-archive": "", "/usr/lib/locale/de_DE.utf8/LC_TIME": "", "/usr/lib/locale/C.utf8/LC_CTYPE": "", "/usr/lib/locale/no": Link("/nothing"),
				"/var/lib/dpkg/status": "Package: libc-bin\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n", "/var/lib/dpkg/info/libc-bin.list": "/.\n/usr/lib/locale/C.utf8\n/usr/lib/locale/C.utf8/LC_CTYPE\n",
			},
			touches: []string{"mapped /lib/libc.so.6"},
			want:    []string{"/usr/lib/locale/locale-archive", "/usr/lib/locale/de_DE.utf8/LC_TIME"},
			not:     []string{"/usr/lib/locale/C.utf8/LC_CTYPE", "/usr/lib/locale/no"},
		},
		{
			name:    "the locale C.UTF-8",
			image:   Image{"/bin/bash": withText("\x00LC_ALL\x00"), "/usr/lib/locale/C.utf8/LC_CTYPE": "", "/usr/lib/locale/de_DE.utf8/LC_CTYPE": ""},
			touches: []string{"executed /bin/bash"},
			want:    []string{"/usr/lib/locale/C.utf8/LC_CTYPE"},
			not:     []string{"/usr/lib/locale/de_DE.utf8/LC_CTYPE"},
		},
		{
			name:    "the locale C.UTF-8, for which nobody asks",
			image:   Image{"/bin/sort": withText("set LC_ALL=C\x00setlocale\x00"), "/lib/libstdc++.so.6": withText("\x00LC_ALL\x00"), "/bin/bash": withText("\x00LC_ALL\x00"), "/usr/lib/locale/C.utf8/LC_CTYPE": "", "/var/lib/dpkg/status": "Package: libc-bin\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n", "/var/lib/dpkg/info/libc-bin.list": "/.\n/usr/lib/locale/C.utf8/LC_CTYPE\n"},
			touches: []string{"executed /bin/sort", "mapped /lib/libstdc++.so.6", "checked /bin/bash"},
			not:     []string{"/usr/lib/locale/C.utf8/LC_CTYPE"},
		},
		{
			name:    "the local time where there is none",
			image:   Image{"/usr/share/zoneinfo/Asia/Tokyo": "", "/usr/share/zoneinfo/tzdata.zi": ""},
			touches: []string{"absent /etc/localtime"},
			want:    []string{"/usr/share/zoneinfo/Asia/Tokyo"},
			not:     []string{"/usr/share/zoneinfo/tzdata.zi"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := resolve(t, rootfstest.Make(t, tt.image), amd64(), tt.touches...)
			must(t, err)
			got := paths(set)
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("missing: %q", want)
				}
			}
			for _, not := range tt.not {
				if slices.Contains(got, not) {
					t.Errorf("unwanted: %q", not)
				}
			}
		})
	}
}

// gitImage is an image with git and a script for a shell.
func gitImage(script string) Image {
	core := "/usr/lib/git-core/"
	return Image{
		"/start": Exe("#!/bin/sh\n" + script), "/bin/sh": Exe(""), "/usr/bin/git": lib(), "/usr/bin/ssh": Exe(""), "/usr/bin/perl": Exe(""), "/usr/bin/sed": Exe(""),
		core + "git": Link("../../bin/git"), core + "git-log": Link("git"), core + "git-daemon": lib(), core + "git-http-backend": lib(), core + "git-instaweb": Exe("#!/usr/bin/perl"),
		core + "git-submodule": Exe("#!/bin/sh\n. git-sh-setup\n"), core + "git-sh-setup": ". \"$(git --exec-path)/git-sh-i18n\"; sed x", core + "git-sh-i18n": "",
		core + "git-remote-http": lib(), core + "git-remote-https": Link("git-remote-http"),
	}
}

// withText is a library that has a text.
func withText(text string) rootfstest.Data {
	d := lib()
	d.B = append(slices.Clone(d.B), text...)
	return d
}
