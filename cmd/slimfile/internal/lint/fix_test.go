package lint

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixable is what --fix mends safely, fixed what it makes of it.
const (
	fixable = "FROM debian:12.9-slim\nRUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nADD app.py ./\nUSER 65534:65534\nCMD [\"./app\"]\n"
	fixed   = "FROM debian:12.9-slim\nRUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY app.py ./\nUSER 65534:65534\nCMD [\"./app\"]\n"
)

func TestFix(t *testing.T) {
	inside(t, map[string]string{"real/Dockerfile": fixable, "good": good, "bad": bad})
	if err := os.Chmod("real/Dockerfile", 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real/Dockerfile", "Dockerfile"); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat("good")
	if err != nil {
		t.Fatal(err)
	}
	result, out, notes, err := run(t, Options{Paths: []string{"Dockerfile", "good", "bad"}, Fix: true}, "")
	if err != nil || result != Failed || strings.Contains(out, "CopyNotAdd") || !strings.Contains(out, "NonRootUser") {
		t.Errorf("result %d, %v:\n%s", result, err, out)
	}
	if notes != "Dockerfile: fixed 1\n" {
		t.Errorf("notes %q", notes)
	}
	if text, err := os.ReadFile("real/Dockerfile"); err != nil || string(text) != fixed {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err := os.Lstat("Dockerfile"); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat("real/Dockerfile"); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	if after, err := os.Stat("good"); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file with nothing to mend was written, %v", err)
	}
	if left, err := filepath.Glob("real/.*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// All that the rules' test data lets --fix mend can be judged after, and holds
// nothing more to mend.
func TestFixCorpus(t *testing.T) {
	samples, err := filepath.Glob("../../../../frontend/lint/testdata/*/*.Dockerfile")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	mended := 0
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
		o := Options{Paths: []string{name}}
		first, _, _, err := run(t, o, "")
		if err != nil {
			t.Fatal(err)
		}
		o.Fix = true
		result, out, notes, err := run(t, o, "")
		if err != nil || (result == Broken) != (first == Broken) {
			t.Errorf("%s: %v, the fixes break it:\n%s", sample, err, out)
		}
		if notes != "" {
			mended++
		}
		if _, _, again, err := run(t, o, ""); err != nil || again != "" {
			t.Errorf("%s: %v, mended once more: %s", sample, err, again)
		}
	}
	if mended == 0 {
		t.Error("nothing was mended")
	}
}

func TestReplaceFails(t *testing.T) {
	inside(t, nil)
	if err := replace("nope", nil); err == nil {
		t.Error("a file that is not there was replaced")
	}
}
