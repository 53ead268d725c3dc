package keepset_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// lockedImage has what a lock is about.
func lockedImage() Image {
	return Image{
		"/lib": Link("usr/lib"), "/usr/lib/libx.so": "", "/app/run": "", "/app/unused": "", "/app/empty": Dir{}, "/srv/page": "",
		"/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/srv/slim.lock": lock.Magic + "1\n",
	}
}

func entries(lines ...string) (list []lock.Entry) {
	for _, text := range lines {
		words := strings.Fields(text)
		e := lock.Entry{Path: words[0], Reasons: strings.Split(words[1], ",")}
		for _, word := range words[2:] {
			if rule, ok := strings.CutPrefix(word, "rule="); ok {
				e.Rule = rule
			} else {
				e.Package = strings.TrimPrefix(word, "package=")
			}
		}
		list = append(list, e)
	}
	return list
}

func withLock(t *testing.T, mode string, list []lock.Entry, touches ...string) (*keepset.Set, error) {
	t.Helper()
	pack := amd64()
	pack.Lock, pack.LockName = mode, "conf/slim.lock"
	pack.Rules = []manifest.Rule{{Kind: manifest.RuleDrop, Args: []string{"/srv/dropped"}}, {Kind: manifest.RuleKeep, Args: []string{"/app/unused"}}}
	image := lockedImage()
	maps.Copy(image, Image{"/srv/dropped": ""})
	return keepset.Resolve(context.Background(), rootfstest.Make(t, image), traceOf(t, 1, touches...), list, pack)
}

// TestFrozen: the lock's entries are kept with the reasons that it gives, and
// nothing else is.
func TestFrozen(t *testing.T) {
	set, err := withLock(t, manifest.LockFrozen, entries(
		"/app/empty traversed", "/app/run opened,executed", "/lib link", "/srv/dropped user", "/usr/lib/libx.so linked-library rule=python",
	))
	must(t, err)
	diff(t, kept(set), []string{
		"/app/empty lock", "/app/run opened,executed,lock", "/lib link,lock", "/srv/dropped user,lock", "/usr/lib/libx.so linked-library,lock",
	})
	for e := range set.All() {
		if want := map[bool]string{true: "python"}[e.Path == "/usr/lib/libx.so"]; e.Rule != want {
			t.Errorf("%s has rule %q", e.Path, e.Rule)
		}
	}
	if err := set.Refuse(manifest.Summary{TotalBytes: 1000, KeptBytes: 1}); err != nil {
		t.Error(err)
	}
}

// TestFrozenLacks: what the image has no more is named.
func TestFrozenLacks(t *testing.T) {
	_, err := withLock(t, manifest.LockFrozen, entries(
		"/app/run opened", "/app/run/below opened", "/lib/libx.so opened", "/no/a opened package=libxml2", "/no/b opened", "/no/c opened", "/no/d opened",
	))
	var failure *manifest.Failure
	if !errors.As(err, &failure) {
		t.Fatal(err)
	}
	want := `conf/slim.lock names what the image has no more: "/app/run/below", "/lib/libx.so", "/no/a" of package libxml2, "/no/b", "/no/c" and 1 more`
	if failure.Message != want || !strings.Contains(failure.Remedy, "slimfile lock") {
		t.Errorf("got %q, %q", failure.Message, failure.Remedy)
	}
}

// TestUpdate: what other runs touched is kept as well, as far as it is there;
// what they kept on other grounds is this build's to find.
func TestUpdate(t *testing.T) {
	set, err := withLock(t, manifest.LockUpdate, entries(
		"/app/empty traversed", "/lib link", "/no/such opened", "/srv/dropped opened", "/srv/page copied,opened", "/usr/lib/libx.so linked-library",
	), "opened /app/run")
	must(t, err)
	diff(t, kept(set), []string{
		"/ config", "/app/empty lock", "/app/run opened", "/app/unused user", "/etc/passwd system", "/lib link,lock", "/srv/page opened,lock",
	})
}

// TestLockInImage: a lock that was copied along is no part of the app.
func TestLockInImage(t *testing.T) {
	set, err := withLock(t, manifest.LockUpdate, nil, "opened /srv/page", "opened /srv/slim.lock")
	must(t, err)
	diff(t, paths(set), []string{"/", "/app/unused", "/etc/passwd", "/srv/page"})
}
