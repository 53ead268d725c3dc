package keepset_test

import (
	"testing"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// TestAdded: what verifying found missing is kept like what the run touched, with
// what it needs in turn.
func TestAdded(t *testing.T) {
	image := Image{
		"/lib": Link("usr/lib"), "/usr/lib/libx.so": "", "/usr/lib/link": Link("libx.so"), "/usr/lib/dangling": Link("nowhere"),
		"/srv/dir/file": "", "/srv/whole/a": "", "/srv/whole/sub/b": "", "/srv/other": "", "/dropped": "",
	}
	pack := amd64()
	pack.Added = []manifest.Path{"/dropped", "/lib/dangling", "/lib/link", "/srv/dir", "/srv/whole/"}
	pack.Rules = []manifest.Rule{{Kind: manifest.RuleDrop, Args: []string{"/dropped"}}}
	set, err := resolve(t, rootfstest.Make(t, image), pack)
	must(t, err)
	diff(t, kept(set), []string{
		"/lib link", "/usr/lib/dangling verify", "/usr/lib/link link,verify", "/usr/lib/libx.so verify",
		"/srv/dir verify", "/srv/whole verify", "/srv/whole/a verify", "/srv/whole/sub verify", "/srv/whole/sub/b verify", "/ config",
	})
	pack.Added = []manifest.Path{"/no/such"}
	if _, err := resolve(t, rootfstest.Make(t, image), pack); err == nil {
		t.Error("what the image does not have was added")
	}
}
