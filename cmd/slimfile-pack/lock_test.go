package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
)

const zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// locker makes sections in the step's folders, of what it has packed.
func (s step) locker(t *testing.T, section manifest.Section) locker {
	t.Helper()
	dir := t.TempDir()
	l := locker{input: s.input, source: s.source, packed: s.output, lock: s.lock, sections: dir + "/sections", output: dir + "/out"}
	for _, sub := range []string{l.sections, l.output} {
		must(t, os.Mkdir(sub, 0o755))
	}
	data, err := json.Marshal(section)
	must(t, err)
	must(t, os.WriteFile(s.input+"/"+manifest.SectionFile, data, 0o600))
	return l
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// TestSection: what is packed goes into the lock, and what the lock says is what
// is packed, with the same lock again.
func TestSection(t *testing.T) {
	section := manifest.Section{Version: manifest.Version, Platform: "linux/amd64", LockName: "slim.lock", Run: zeros, Settings: []string{"probe b", "probe a", "probe b"}}
	s := newStep(t, &manifest.Pack{Version: manifest.Version, Platform: "linux/amd64"}, "/app/conf", "/app/prefix", "/lib/libx.so", "/var/empty", "/app/[ \n\xff")
	s.lock = t.TempDir()
	if failure := s.run(t.Context()); failure != nil {
		t.Fatal(line(failure))
	}
	l := s.locker(t, section)
	must(t, l.section(t.Context()))
	text := readFile(t, l.output+"/"+manifest.LockFile)
	file, err := lock.Decode("slim.lock", strings.NewReader(text))
	must(t, err)
	got, _ := file.Section("linux/amd64")
	var lines []string
	for _, e := range got.Entries {
		lines = append(lines, e.String())
	}
	want := []string{`"/app/[ \n\xff" opened`, "/app/conf opened", "/app/prefix opened", "/etc/passwd system", "/lib link", "/usr/lib/libx.so opened", "/var/empty opened"}
	if !slices.Equal(lines, want) {
		t.Errorf("entries %q, want %q", lines, want)
	}
	if !slices.Equal(got.Settings, []string{"probe a", "probe b"}) || !slices.Contains(got.Inputs, lock.Input{Name: lock.Run, Digest: zeros}) {
		t.Errorf("got %+v", got)
	}

	must(t, os.WriteFile(s.lock+"/"+manifest.LockFile, []byte(text), 0o600))
	frozen := newStep(t, &manifest.Pack{Version: manifest.Version, Platform: "linux/amd64", Lock: manifest.LockFrozen, LockName: "slim.lock"})
	frozen.lock = s.lock
	if failure := frozen.run(t.Context()); failure != nil {
		t.Fatal(line(failure))
	}
	if got, want := tree(t, frozen.root), tree(t, s.root); len(got) != len(want) {
		t.Errorf("frozen %q, want %q", got, want)
	}
	l = frozen.locker(t, section)
	must(t, l.section(t.Context()))
	if again := readFile(t, l.output+"/"+manifest.LockFile); again != text {
		t.Errorf("of the frozen image: %s, want %s", again, text)
	}
	l = newStep(t, nil).locker(t, section) // which has packed nothing
	l.lock = s.lock
	must(t, l.section(t.Context()))
	if again := readFile(t, l.output+"/"+manifest.LockFile); again != text {
		t.Errorf("of the image alone: %s, want %s", again, text)
	}
	section.Platform = "linux/arm64"
	l = newStep(t, nil).locker(t, section)
	l.lock = s.lock
	if err := l.section(t.Context()); err == nil || !strings.Contains(err.Error(), "slim.lock has nothing for linux/arm64") {
		t.Errorf("got %v", err)
	}
}

// TestMerge: sections take the place of the lock's own.
func TestMerge(t *testing.T) {
	s := newStep(t, nil)
	s.lock = t.TempDir()
	l := s.locker(t, manifest.Section{})
	put := func(dir string, platforms ...string) {
		var file lock.File
		for _, p := range platforms {
			file.Sections = append(file.Sections, lock.Section{Platform: p, Settings: []string{"of " + dir[len(dir)-1:]}})
		}
		must(t, os.MkdirAll(dir, 0o755))
		f, err := os.Create(dir + "/" + manifest.LockFile)
		must(t, err)
		must(t, file.Encode(f))
		must(t, f.Close())
	}
	put(l.sections+"/0", "linux/arm64")
	put(l.sections+"/1", "linux/amd64")
	check := func(want string) {
		t.Helper()
		must(t, l.merge())
		if got := readFile(t, l.output+"/"+manifest.LockFile); !strings.HasSuffix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check("\n\n[linux/amd64]\nwith of 1\n\n[linux/arm64]\nwith of 0\n")
	l.lock += "/x"
	put(l.lock, "linux/amd64", "linux/s390x")
	check("\n\n[linux/amd64]\nwith of 1\n\n[linux/arm64]\nwith of 0\n\n[linux/s390x]\nwith of x\n")
	must(t, os.WriteFile(l.lock+"/"+manifest.LockFile, []byte("{}"), 0o600))
	if err := l.merge(); err == nil {
		t.Error("no error")
	}
}
