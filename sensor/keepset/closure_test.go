package keepset_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/internal/elftest"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// lib is a shared library, prog a program of x86-64.
func lib(needed ...string) rootfstest.Data {
	return rootfstest.Data{B: elftest.Spec{Needed: needed}.Bytes()}
}

func object(s elftest.Spec) rootfstest.Data { return rootfstest.Data{B: s.Bytes()} }

const triplet = "/usr/lib/x86_64-linux-gnu/"

func TestLibraries(t *testing.T) {
	foreign := object(elftest.Spec{Machine: elf.EM_AARCH64})
	tests := []struct {
		name  string
		image Image
		env   []string
		run   string
		want  []string // besides run
	}{
		{
			name: "interpreter, libraries of libraries, merged usr",
			image: Image{
				"/lib64": Link("usr/lib64"), "/usr/lib64/ld-linux-x86-64.so.2": Link("../lib/x86_64-linux-gnu/ld.so"), triplet + "ld.so": lib(),
				"/lib":                Link("usr/lib"),
				"/app/run":            object(elftest.Spec{Interp: "/lib64/ld-linux-x86-64.so.2", Needed: []string{"liba.so.1"}}),
				triplet + "liba.so.1": Link("liba.so.1.2"), triplet + "liba.so.1.2": lib("libb.so"), triplet + "libb.so": lib("liba.so.1"),
				triplet + "liba.so": Link("liba.so.1"), triplet + "libc.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/lib64", "/usr/lib64/ld-linux-x86-64.so.2", triplet + "ld.so", "/lib", triplet + "liba.so.1", triplet + "liba.so.1.2", triplet + "libb.so"},
		},
		{
			name:  "absolute and missing interpreter",
			image: Image{"/app/run": object(elftest.Spec{Interp: "/nix/ld.so"})},
			run:   "/app/run",
		},
		{
			name: "rpath is inherited",
			image: Image{
				"/app/bin/run":     object(elftest.Spec{Needed: []string{"liba.so"}, Rpath: "$ORIGIN/../lib:/none"}),
				"/app/lib/liba.so": lib("libb.so"), "/app/lib/libb.so": lib("libc.so.6"), "/app/lib/libc.so.6": lib(), "/usr/lib/libb.so": lib(),
			},
			run:  "/app/bin/run",
			want: []string{"/app/lib/liba.so", "/app/lib/libb.so", "/app/lib/libc.so.6"},
		},
		{
			name: "runpath is not",
			image: Image{
				"/app/bin/run":     object(elftest.Spec{Needed: []string{"liba.so"}, Rpath: "/bad", Runpath: "${ORIGIN}/../lib"}),
				"/app/lib/liba.so": lib("libb.so"), "/app/lib/libb.so": lib(), "/usr/lib/libb.so": lib(), "/bad/liba.so": lib(),
			},
			run:  "/app/bin/run",
			want: []string{"/app/lib/liba.so", "/usr/lib/libb.so"},
		},
		{
			name: "a library's runpath hides the inherited rpath",
			image: Image{
				"/app/run":         object(elftest.Spec{Needed: []string{"liba.so"}, Rpath: "/app/lib"}),
				"/app/lib/liba.so": object(elftest.Spec{Needed: []string{"libb.so"}, Runpath: "/other"}), "/app/lib/libb.so": lib(), "/other/libb.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/app/lib/liba.so", "/other/libb.so"},
		},
		{
			name: "origin is where the loader found the library, not where its link leads",
			image: Image{
				"/app/run":         object(elftest.Spec{Needed: []string{"liba.so"}, Runpath: "/opt/lib"}),
				"/opt/lib/liba.so": Link("/store/1/liba.so"), "/store/1/liba.so": object(elftest.Spec{Needed: []string{"libb.so"}, Runpath: "$ORIGIN"}),
				"/opt/lib/libb.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/opt/lib/liba.so", "/store/1/liba.so", "/opt/lib/libb.so"},
		},
		{
			name:  "ld library path of the image",
			image: Image{"/app/run": lib("liba.so"), "/custom/liba.so": lib(), "/usr/lib/liba.so": lib()},
			env:   []string{"LD_LIBRARY_PATH=/nope:/custom"},
			run:   "/app/run",
			want:  []string{"/custom/liba.so"},
		},
		{
			name: "folders of ld.so.conf when there is no cache",
			image: Image{
				"/etc/ld.so.conf": "# comment\ninclude ld.so.conf.d/*.conf\n/opt/two\n", "/etc/ld.so.conf.d/x.conf": "/opt/one # comment\n",
				"/etc/ld.so.conf.d/loop.conf": "include /etc/ld.so.conf\n",
				"/app/run":                    lib("liba.so", "libb.so"), "/opt/one/liba.so": lib(), "/opt/two/libb.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/opt/one/liba.so", "/opt/two/libb.so", "/etc/ld.so.conf", "/etc/ld.so.conf.d/x.conf", "/etc/ld.so.conf.d/loop.conf"},
		},
		{
			name: "every variant for other processors",
			image: Image{
				"/app/run": lib("liba.so"), "/usr/lib/liba.so": lib(), "/usr/lib/glibc-hwcaps/x86-64-v3/liba.so": lib(),
				"/usr/lib/glibc-hwcaps/x86-64-v2/liba.so": lib(), "/usr/lib/haswell/liba.so": lib(), "/usr/lib/glibc-hwcaps/x86-64-v4/libb.so": lib(),
				"/usr/lib64/glibc-hwcaps/x86-64-v4/liba.so": lib(),
			},
			run: "/app/run",
			want: []string{"/usr/lib/liba.so", "/usr/lib/glibc-hwcaps/x86-64-v3/liba.so", "/usr/lib/glibc-hwcaps/x86-64-v2/liba.so",
				"/usr/lib/haswell/liba.so", "/usr/lib64/glibc-hwcaps/x86-64-v4/liba.so"},
		},
		{
			name: "libraries of another machine or class are passed over",
			image: Image{
				"/app/run": lib("liba.so"), "/usr/lib64/liba.so": foreign, triplet + "liba.so": object(elftest.Spec{Machine: elf.EM_386, Class: elf.ELFCLASS32}),
				"/usr/lib/liba.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/usr/lib/liba.so"},
		},
		{
			name:  "programs of another machine need nothing",
			image: Image{"/app/run": object(elftest.Spec{Machine: elf.EM_AARCH64, Needed: []string{"liba.so"}}), "/usr/lib/liba.so": foreign},
			run:   "/app/run",
		},
		{
			name: "32-bit programs of the same family do",
			image: Image{
				"/app/run":                        object(elftest.Spec{Machine: elf.EM_386, Class: elf.ELFCLASS32, Needed: []string{"liba.so"}}),
				"/usr/lib/i386-linux-gnu/liba.so": object(elftest.Spec{Machine: elf.EM_386, Class: elf.ELFCLASS32}), triplet + "liba.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/usr/lib/i386-linux-gnu/liba.so"},
		},
		{
			name: "musl: path file, runpath inherited, $LIB left alone",
			image: Image{
				"/lib/ld-musl-x86_64.so.1": lib(), "/etc/ld-musl-x86_64.path": "/lib\n/opt/musl:/usr/lib",
				"/app/run":         object(elftest.Spec{Interp: "/lib/ld-musl-x86_64.so.1", Needed: []string{"liba.so", "libc.musl-x86_64.so.1"}, Runpath: "/app/lib"}),
				"/app/lib/liba.so": lib("libb.so", "libd.so", "libc.musl-x86_64.so.1"), "/app/lib/libb.so": lib(), "/opt/musl/libd.so": lib(),
				"/lib/libc.musl-x86_64.so.1": Link("ld-musl-x86_64.so.1"), triplet + "libd.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/lib/ld-musl-x86_64.so.1", "/etc/ld-musl-x86_64.path", "/app/lib/liba.so", "/app/lib/libb.so", "/opt/musl/libd.so", "/lib/libc.musl-x86_64.so.1"},
		},
		{
			name: "names with a slash, $LIB and $PLATFORM",
			image: Image{
				"/app/run": object(elftest.Spec{Needed: []string{"/opt/liba.so", "libb.so"}, Runpath: "/x/$LIB/${PLATFORM}"}), "/opt/liba.so": lib(),
				"/x/lib64/haswell/libb.so": lib(),
			},
			run:  "/app/run",
			want: []string{"/opt/liba.so", "/x/lib64/haswell/libb.so"},
		},
		{
			name:  "a folder, a fifo and text are no library",
			image: Image{"/app/run": lib("liba.so", "libb.so", "libc.so.1"), "/usr/lib/liba.so": Dir{}, "/usr/lib/libb.so": FIFO{}, "/usr/lib/libc.so.1": "GROUP(x)"},
			run:   "/app/run",
		},
		{
			name:  "libraries out of the root",
			image: Image{"/app/run": object(elftest.Spec{Needed: []string{"libc.so.6"}, Rpath: "$ORIGIN/../../../../../../../lib/x86_64-linux-gnu"}), "/usr/lib": Link("../../../../../../usr/lib")},
			run:   "/app/run",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := amd64()
			pack.Image.Env = tt.env
			set, err := resolve(t, rootfstest.Make(t, tt.image), pack, "executed "+tt.run)
			must(t, err)
			diff(t, paths(set), append(tt.want, tt.run, "/"))
		})
	}
}

// TestHostileELF makes sure that broken files ship as they are and that the
// closure ends.
func TestHostileELF(t *testing.T) {
	good := elftest.Spec{Interp: "/ld.so", Needed: []string{"liba.so"}}.Bytes()
	phnum := append([]byte(nil), good...)
	phnum[56], phnum[57] = 0xff, 0xff
	image := Image{
		"/phnum": rootfstest.Data{B: phnum}, "/short": rootfstest.Data{B: good[:70]}, "/magic": rootfstest.Data{B: []byte(elf.ELFMAG)},
		"/self": lib("self", "/self"),
	}
	// A clique of libraries whose RPATHs all differ: the number of orders in
	// which folders could be inherited is out of all proportion.
	const n = 9
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("lib%d.so", i))
	}
	for i := range n {
		image[fmt.Sprintf("/d/lib%d.so", i)] = object(elftest.Spec{Needed: all, Rpath: fmt.Sprintf("/d:/e%d", i)})
	}
	pack := amd64()
	pack.Image.Env = []string{"LD_LIBRARY_PATH=/"}
	_, err := resolve(t, rootfstest.Make(t, image), pack, "executed /d/lib0.so")
	if err == nil || !strings.Contains(err.Error(), "ways to reach a library") {
		t.Errorf("clique: got %v, want an error", err)
	}
	set, err := resolve(t, rootfstest.Make(t, image), pack, "executed /phnum", "executed /short", "executed /magic", "executed /self")
	must(t, err)
	diff(t, paths(set), []string{"/", "/phnum", "/short", "/magic", "/self"})
}

func TestVia(t *testing.T) {
	image := Image{"/app/run": lib("liba.so"), "/usr/lib/liba.so": Link("liba.so.1"), "/usr/lib/liba.so.1": lib()}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "executed /app/run")
	must(t, err)
	for e := range set.All() {
		want := ""
		if strings.HasPrefix(e.Path, "/usr/lib/liba") {
			want = "/app/run"
		}
		if e.Via != want {
			t.Errorf("%s: via %q, want %q", e.Path, e.Via, want)
		}
	}
}

func TestFamilies(t *testing.T) {
	libc := object(elftest.Spec{Soname: "libc.so.6"})
	tests := []struct {
		name    string
		image   Image
		touches []string
		want    []string
	}{
		{
			name: "nss modules of nsswitch.conf",
			image: Image{
				triplet + "libc.so.6": libc, "/etc/nsswitch.conf": "# x\npasswd: files [NOTFOUND=return] sss # y\nhosts: files mdns4_minimal dns ../../evil\n",
				triplet + "libnss_files.so.2": lib(), triplet + "libnss_sss.so.2": lib("libsss.so"), triplet + "libsss.so": lib(),
				triplet + "libnss_dns.so.2": lib(), triplet + "libnss_nis.so.2": lib(),
			},
			touches: []string{"opened " + triplet + "libc.so.6"},
			want:    []string{triplet + "libc.so.6", "/etc/nsswitch.conf", triplet + "libnss_files.so.2", triplet + "libnss_sss.so.2", triplet + "libsss.so", triplet + "libnss_dns.so.2"},
		},
		{
			name:    "nss without nsswitch.conf",
			image:   Image{triplet + "libc.so.6": libc, triplet + "libnss_files.so.2": lib(), triplet + "libnss_nis.so.2": lib()},
			touches: []string{"opened " + triplet + "libc.so.6"},
			want:    []string{triplet + "libc.so.6", triplet + "libnss_files.so.2"},
		},
		{
			name:    "the unwinder of the C library",
			image:   Image{triplet + "libc.so.6": libc, triplet + "libgcc_s.so.1": lib("libc.so.6"), triplet + "libstdc++.so.6": lib("libgcc_s.so.1")},
			touches: []string{"opened " + triplet + "libc.so.6"},
			want:    []string{triplet + "libc.so.6", triplet + "libgcc_s.so.1"},
		},
		{
			name: "openssl, trust anchors",
			image: Image{
				triplet + "libssl.so.3": lib("libcrypto.so.3"), triplet + "libcrypto.so.3": lib(), triplet + "ossl-modules/legacy.so": lib(),
				triplet + "engines-3/padlock.so": lib(), triplet + "engines-3/README": "", "/etc/ssl/openssl.cnf": "", "/etc/ssl/private/key.pem": "",
				"/etc/ssl/certs/ca-certificates.crt": "", "/etc/ssl/certs/ab12cd34.0": Link("Root.pem"), "/etc/ssl/certs/Root.pem": Link("/usr/share/ca/Root.crt"),
				"/usr/share/ca/Root.crt": "", "/etc/ssl/certs/Other.pem": "",
			},
			touches: []string{"opened " + triplet + "libssl.so.3"},
			want: []string{triplet + "libssl.so.3", triplet + "libcrypto.so.3", triplet + "ossl-modules/legacy.so", triplet + "engines-3/padlock.so",
				"/etc/ssl/openssl.cnf", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ab12cd34.0", "/etc/ssl/certs/Root.pem", "/usr/share/ca/Root.crt"},
		},
		{
			name:    "gconv once a module was loaded",
			image:   Image{triplet + "gconv/BIG5.so": lib(), triplet + "gconv/SJIS.so": lib("libJIS.so"), triplet + "gconv/libJIS.so": lib(), triplet + "gconv/gconv-modules": ""},
			touches: []string{"opened " + triplet + "gconv/BIG5.so"},
			want:    []string{triplet + "gconv", triplet + "gconv/BIG5.so", triplet + "gconv/SJIS.so", triplet + "gconv/libJIS.so", triplet + "gconv/gconv-modules"},
		},
		{
			name:    "gconv's cache alone means little",
			image:   Image{triplet + "gconv/BIG5.so": lib(), triplet + "gconv/gconv-modules.cache": ""},
			touches: []string{"opened " + triplet + "gconv/gconv-modules.cache"},
			want:    []string{triplet + "gconv/gconv-modules.cache"},
		},
		{
			name:    "iconv",
			image:   Image{triplet + "gconv/BIG5.so": lib(), "/usr/bin/iconv": lib()},
			touches: []string{"executed /usr/bin/iconv"},
			want:    []string{"/usr/bin/iconv", triplet + "gconv", triplet + "gconv/BIG5.so"},
		},
		{
			name: "pam",
			image: Image{
				"/etc/pam.d/login":  "auth [success=1 default=ignore] pam_unix.so nullok\n@include common\nsession include other\n-session optional /opt/pam_x.so \\\n arg\n# auth required pam_no.so\nauth required pam_[.so\n",
				"/etc/pam.d/common": "account required pam_permit.so\n", "/etc/pam.d/other": "", "/etc/pam.d/unused": "",
				triplet + "security/pam_unix.so": lib("libcrypt.so"), triplet + "libcrypt.so": lib(), triplet + "security/pam_permit.so": lib(),
				"/opt/pam_x.so": lib(), triplet + "security/pam_no.so": lib(), "/usr/lib/security/pam_[.so": lib(),
			},
			touches: []string{"opened /etc/pam.d/login"},
			want: []string{"/etc/pam.d/login", "/etc/pam.d/common", "/etc/pam.d/other", triplet + "security/pam_unix.so", triplet + "libcrypt.so",
				triplet + "security/pam_permit.so", "/opt/pam_x.so", "/usr/lib/security/pam_[.so"},
		},
		{
			name: "java as a unit",
			image: Image{
				"/opt/jdk/lib/server/libjvm.so": lib(), "/opt/jdk/lib/modules": "", "/opt/jdk/lib/security/cacerts": Link("/etc/cacerts"), "/etc/cacerts": "",
				"/opt/jdk/conf/net.properties": "", "/opt/jdk/release": "", "/opt/jdk/bin/javac": "", "/opt/jdk/legal/x": "",
			},
			touches: []string{"opened /opt/jdk/lib/server/libjvm.so"},
			want: []string{"/opt/jdk/lib", "/opt/jdk/lib/server", "/opt/jdk/lib/server/libjvm.so", "/opt/jdk/lib/modules", "/opt/jdk/lib/security",
				"/opt/jdk/lib/security/cacerts", "/etc/cacerts", "/opt/jdk/conf", "/opt/jdk/conf/net.properties", "/opt/jdk/release"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := resolve(t, rootfstest.Make(t, tt.image), amd64(), tt.touches...)
			must(t, err)
			diff(t, paths(set), append(tt.want, "/"))
		})
	}
}

const dpkgStatus = `Package: app
Status: install ok installed
Architecture: amd64
Version: 1:2.0-1
Description: an app
 with a long
 text

Package: gone
Status: install ok installed
Architecture: all
Version: 1

Package: libx
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 3

Package: libx
Status: install ok installed
Architecture: i386
Multi-Arch: same
Version: 3

Package: removed
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: unlisted
Status: install ok half-configured
Architecture: all
Version: 0
`

func debian() Image {
	return Image{
		"/lib": Link("usr/lib"), "/var/lib/dpkg/status": dpkgStatus, "/etc/os-release": Link("../usr/lib/os-release"), "/usr/lib/os-release": "",
		"/var/lib/dpkg/info/app.list":        "/.\n/usr\n/usr/bin\n/usr/bin/app\n/usr/share\n/usr/share/doc\n/usr/share/doc/app\n/usr/share/doc/app/copyright\n/lib\n/lib/app.so\n",
		"/var/lib/dpkg/info/app.md5sums":     "0123456789abcdef  usr/bin/app\nfedc  usr/share/doc/app/copyright\nabcd  lib/app.so\n",
		"/var/lib/dpkg/info/gone.list":       "/.\n/usr/bin/gone\n",
		"/var/lib/dpkg/info/libx:amd64.list": "/usr/lib/libx.so\n",
		"/var/lib/dpkg/info/libx:i386.list":  "/usr/lib/i386/libx.so\n",
		"/usr/bin/app":                       "", "/usr/share/doc/app/copyright": "", "/usr/lib/app.so": "", "/usr/bin/gone": "", "/usr/lib/libx.so": "", "/usr/lib/i386/libx.so": "",
	}
}

func TestPackageMetadata(t *testing.T) {
	set, err := resolve(t, rootfstest.Make(t, debian()), amd64(), "opened /usr/lib/app.so", "opened /usr/lib/i386/libx.so",
		"opened /var/lib/dpkg/status", "opened /var/lib/dpkg/info/gone.list", "listed /usr/bin")
	must(t, err)
	diff(t, paths(set), []string{"/", "/etc/os-release", "/usr/lib/os-release", "/usr/lib/app.so", "/usr/lib/i386/libx.so", "/usr/bin",
		"/var/lib/dpkg", "/var/lib/dpkg/info/gone.list"})
	want := map[string]string{
		"/var/lib/dpkg/status.d":             "",
		"/var/lib/dpkg/status.d/app":         dpkgStatus[:strings.Index(dpkgStatus, "\n\n")+1],
		"/var/lib/dpkg/status.d/app.md5sums": "abcd  lib/app.so\n",
		"/var/lib/dpkg/status.d/libx_i386":   "Package: libx\nStatus: install ok installed\nArchitecture: i386\nMulti-Arch: same\nVersion: 3\n",
		"/var/lib/dpkg/status.d/unlisted":    "Package: unlisted\nStatus: install ok half-configured\nArchitecture: all\nVersion: 0\n",
	}
	last := ""
	for _, f := range set.Generated() {
		data, ok := want[f.Path]
		if !ok || string(f.Data) != data {
			t.Errorf("generated %s: %q, want %q", f.Path, f.Data, data)
		}
		delete(want, f.Path)
		if f.Path <= last {
			t.Errorf("%s comes after %s", f.Path, last)
		}
		last = f.Path
	}
	for path := range want {
		t.Errorf("%s is not generated", path)
	}
	if w := set.Warnings(); len(w) != 1 || !strings.Contains(w[0], "1 packages") {
		t.Errorf("warnings %q", w)
	}
}

func TestPackageMetadataOfDistroless(t *testing.T) {
	image := Image{
		"/var/lib/dpkg/status.d/base": "Package: base\nVersion: 1\nArchitecture: amd64\n", "/var/lib/dpkg/status.d/base.md5sums": "aa  usr/bin/base\nbb  usr/bin/other\n",
		"/var/lib/dpkg/status.d/gone": "Package: gone\nVersion: 1\n", "/var/lib/dpkg/status.d/gone.md5sums": "aa  usr/bin/gone\n",
		"/usr/bin/base": "", "/usr/bin/other": "", "/usr/bin/gone": "",
	}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "executed /usr/bin/base", "listed /var/lib/dpkg/status.d", "opened /var/lib/dpkg/status.d/gone")
	must(t, err)
	var got []string
	for _, f := range set.Generated() {
		got = append(got, f.Path+" "+string(f.Data))
	}
	diff(t, got, []string{"/var/lib/dpkg/status.d ", "/var/lib/dpkg/status.d/base Package: base\nVersion: 1\nArchitecture: amd64\n",
		"/var/lib/dpkg/status.d/base.md5sums aa  usr/bin/base\n"})
	diff(t, paths(set), []string{"/", "/usr/bin/base", "/var/lib/dpkg"})
}

func TestKeepPackage(t *testing.T) {
	pack := amd64()
	pack.Rules = []manifest.Rule{{Kind: manifest.RuleKeepPackage, Args: []string{"app", "libx:i386"}}, {Kind: manifest.RuleKeep, Args: []string{"/var/lib/dpkg/status"}}}
	set, err := resolve(t, rootfstest.Make(t, debian()), pack)
	must(t, err)
	diff(t, paths(set), []string{"/", "/etc/os-release", "/usr/lib/os-release", "/lib", "/usr", "/usr/bin", "/usr/bin/app", "/usr/share", "/usr/share/doc",
		"/usr/share/doc/app", "/usr/share/doc/app/copyright", "/usr/lib/app.so", "/usr/lib/i386/libx.so", "/var/lib/dpkg", "/var/lib/dpkg/status"})
}

// TestRuleIsNamed: what a family brings in bears its name, nothing else does.
func TestRuleIsNamed(t *testing.T) {
	image := Image{
		triplet + "libcrypto.so.3": lib(), triplet + "ossl-modules/legacy.so": lib("liba.so"), triplet + "liba.so": lib(),
	}
	set, err := resolve(t, rootfstest.Make(t, image), amd64(), "opened "+triplet+"libcrypto.so.3")
	must(t, err)
	want := map[string]string{triplet + "ossl-modules/legacy.so": "openssl"}
	for e := range set.All() {
		if e.Rule != want[e.Path] {
			t.Errorf("%s: rule %q, want %q", e.Path, e.Rule, want[e.Path])
		}
	}
}
