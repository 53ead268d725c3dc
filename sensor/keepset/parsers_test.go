package keepset

import (
	"slices"
	"strings"
	"testing"
)

func TestHomeOf(t *testing.T) {
	passwd := []byte("root:x:0:0::/root:/bin/sh\nbad\nrel:x:5:5::home:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nfoot:x:7:7::/foot")
	for user, want := range map[string]string{"": "/root", "0": "/root", "app": "/home/app", "1000": "/home/app", "rel": "/", "nobody": "/", "foot": "/foot"} {
		if got := homeOf(passwd, user); got != want {
			t.Errorf("%q: got %q, want %q", user, got, want)
		}
	}
}

func FuzzNSSwitch(f *testing.F) {
	f.Add([]byte("passwd: files [!UNAVAIL=return] systemd\nhosts: files dns # x\n"))
	f.Fuzz(func(t *testing.T, conf []byte) {
		services := parseNSSwitch(conf)
		if len(services) > maxServices || slices.ContainsFunc(services, func(s string) bool { return strings.ContainsAny(s, "/# \n") }) {
			t.Errorf("services %q", services)
		}
	})
}

func FuzzPAM(f *testing.F) {
	f.Add([]byte("auth [success=1 default=ignore] pam_unix.so nullok\n@include common-auth\nsession include x\n-account required \\\n pam_x.so\n"))
	f.Fuzz(func(t *testing.T, conf []byte) {
		modules, includes := parsePAM(conf)
		if len(modules) > maxPAM || len(includes) > maxPAM {
			t.Errorf("%d modules, %d includes", len(modules), len(includes))
		}
	})
}

func FuzzPasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/sh\n"), "0")
	f.Fuzz(func(t *testing.T, passwd []byte, user string) {
		if home := homeOf(passwd, user); !strings.HasPrefix(home, "/") {
			t.Errorf("home %q", home)
		}
	})
}

// FuzzGlob compares byte-wise matching with what the pattern language says of
// patterns that hold no special characters.
func FuzzGlob(f *testing.F) {
	f.Add("/a/\xff")
	f.Add("/a b\n[x]{}*?\\")
	f.Fuzz(func(t *testing.T, path string) {
		if !matchGlob(escapeGlob(path), path) {
			t.Errorf("%q does not match itself", path)
		}
		if matchGlob(escapeGlob(path), path+"x") {
			t.Errorf("%q matches a longer name", path)
		}
	})
}

func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`).Replace(name)
}
