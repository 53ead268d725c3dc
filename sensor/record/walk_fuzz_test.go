package record

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// FuzzWalk compares the walker with the kernel on trees of folders, files and
// links: both must come to the same file, or give up for the same reason, and
// the walker must not leave the process' root on its way.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		"da;dab;fabc|||ab/c",
		"da;lb:a;fac||!|b/../b/c",
		"la:b;lb:a|||a",
		"da;lab:/../../c;fc|a||/b/c",
		"da;lab:../../..;dc||a|b/c/.",
		"fa;lb:a/|||b/",
		"lb:none/x;da||a|../b",
		"da;dab;labc:/a|ab||c//./..",
		"la:.;lb:./a/../a;|||b/a/",
		"lc:/;lca:b|||c/c/c/c/",
		"da;dab;labc:..;fabd||a|^b/c/b/d",
		"da;lab:../..|||^a/b",
		"da;lab:/|||^a/b/a",
		"da;lab:.;fac|||~a/b/c",
		"da;lab:.;fac||a|!^~b",
		"fa||a|^b/../..",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parsePuzzle(text)
		if !ok {
			return
		}
		compareWalks(t, p)
	})
}

// TestWalkRandom does the same with trees that are full of links.
func TestWalkRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	outcomes, failures := map[what]int{}, manifest.Ops(0)
	for range 2000 {
		p := randomPuzzle(rng)
		f := compareWalks(t, p)
		outcomes[f.what]++
		failures |= f.failed
		if t.Failed() {
			t.Fatalf("%+v", p)
		}
	}
	t.Log(outcomes)
	for _, kind := range []what{unknown, missing, directory, link, file} {
		if outcomes[kind] == 0 {
			t.Errorf("no look-up ended at kind %d", kind)
		}
	}
	if want := manifest.NotDirectory | manifest.Looped | manifest.Confined; failures != want {
		t.Errorf("look-ups failed as %s, want %s", failures, want)
	}
}

func randomPuzzle(rng *rand.Rand) puzzle {
	pick := func(from string, most int) string {
		var b strings.Builder
		for range 1 + rng.IntN(most) {
			b.WriteByte(from[rng.IntN(len(from))])
		}
		return b.String()
	}
	path := func(most int) string {
		elements := []string{"a", "b", "c", "a", "b", "c", "..", "..", ".", ""}
		var names []string
		for range 1 + rng.IntN(most) {
			names = append(names, elements[rng.IntN(len(elements))])
		}
		if p := strings.Join(names, "/"); p != "" {
			return p
		}
		return "/"
	}
	p := puzzle{root: pick("abc", 2), base: pick("abc", 3), path: path(7), follow: rng.IntN(4) > 0}
	if rng.IntN(3) == 0 {
		p.look |= beneathDir
	}
	if rng.IntN(6) == 0 {
		p.look |= noLinks
	}
	for _, kind := range "ddddddddllllllllllff" {
		p.items = append(p.items, item{kind: byte(kind), name: pick("abc", 3), target: path(4)})
	}
	return p
}

// compareWalks looks a path up by the walker and by the kernel.
func compareWalks(t *testing.T, p puzzle) found {
	t.Helper()
	top := t.TempDir()
	dirs := p.build(t, top)
	root := dirs.within(top, p.root)
	base := dirs.within(root, p.base)
	if !strings.HasPrefix(base+"/", root+"/") {
		base = root
	}
	expect := kernelWalk(t, root, base, p)
	pl := place{root: []byte(root), base: []byte(base)}
	if p.look&beneathDir != 0 { // which the kernel does not combine with what stands for a root
		root, pl.root = base, nil
	}
	w := &walker{set: newSet(), folders: newFolders(), generation: 1}
	defer w.folders.close()
	for again := range 1 + usesToOpen {
		got, err := w.walk(pl, []byte(p.path), want{ops: manifest.Checked, look: p.look, follow: p.follow})
		if err != nil {
			t.Fatal(err)
		}
		if got.what != expect.what || got.failed != expect.failed || len(expect.path) > 0 && !bytes.Equal(got.path, expect.path) {
			t.Errorf("%q (%#x) from %q in %q, the time %d: %v at %q (%s), the kernel says %v at %q (%s)",
				p.path, p.look, base, root, again, got.what, got.path, got.failed, expect.what, expect.path, expect.failed)
		}
	}
	for e := range newList(w.set, nothing).entries {
		if e.Path != manifest.Path(root) && !strings.HasPrefix(string(e.Path), root+"/") {
			t.Errorf("%q is recorded, which is not in %q", e.Path, root)
		}
	}
	return expect
}

// puzzle is a tree and a look-up in it, written as ITEM;ITEM|ROOT|BASE|PATH:
// folders (dPATH), files (fPATH) and links (lPATH:TARGET), each PATH a sequence
// of one-letter names. Before PATH a "!" leaves a last link unfollowed, and "^"
// and "~" are RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS.
type puzzle struct {
	items      []item
	root, base string
	path       string
	follow     bool
	look       look
}

type item struct {
	kind         byte
	name, target string
}

// maxItems keeps trees small: what goes wrong does so in small ones.
const maxItems = 32

func parsePuzzle(text string) (puzzle, bool) {
	parts := strings.Split(text, "|")
	if len(parts) != 4 || len(parts[3]) > 200 || strings.Contains(parts[3], "\x00") {
		return puzzle{}, false
	}
	p := puzzle{root: parts[1], base: parts[2], follow: true}
	p.path = strings.TrimLeft(parts[3], "!^~")
	for _, flag := range parts[3][:len(parts[3])-len(p.path)] {
		switch flag {
		case '!':
			p.follow = false
		case '^':
			p.look |= beneathDir
		case '~':
			p.look |= noLinks
		}
	}
	if p.path == "" {
		return p, false
	}
	for _, text := range strings.Split(parts[0], ";") {
		if text == "" {
			continue
		}
		name, target, isLink := strings.Cut(text[1:], ":")
		i := item{kind: text[0], name: name, target: target}
		if !strings.ContainsRune("dfl", rune(i.kind)) || name == "" || len(name) > 8 || isLink != (i.kind == 'l') ||
			len(target) > 100 || isLink && target == "" || strings.Contains(target, "\x00") {
			return p, false
		}
		p.items = append(p.items, i)
	}
	return p, len(p.items) <= maxItems
}

// tree is the folders that a puzzle made.
type tree []string

// build makes what can be made; what collides is left out.
func (p puzzle) build(t *testing.T, top string) tree {
	t.Helper()
	dirs := tree{top}
	for _, i := range p.items {
		path, ok := spell(top, i.name)
		if !ok || !slices.Contains(dirs, filepath.Dir(path)) {
			continue
		}
		switch i.kind {
		case 'd':
			if os.Mkdir(path, 0o755) == nil {
				dirs = append(dirs, path)
			}
		case 'f':
			_ = unix.Mknod(path, unix.S_IFREG|0o644, 0)
		case 'l':
			_ = os.Symlink(i.target, path)
		}
	}
	return dirs
}

// spell makes "abc" a/b/c in dir.
func spell(dir, letters string) (string, bool) {
	for _, c := range []byte(letters) {
		if c <= ' ' || c == '/' || c == '.' || c > '~' {
			return "", false
		}
		dir += "/" + string(c)
	}
	return dir, true
}

// within is the folder that letters spell in dir, or dir.
func (d tree) within(dir, letters string) string {
	if path, ok := spell(dir, letters); ok && slices.Contains(d, path) {
		return path
	}
	return dir
}

// kernelWalk asks the kernel. RESOLVE_IN_ROOT has the meaning of a chroot
// (openat2(2)).
func kernelWalk(t *testing.T, root, base string, p puzzle) found {
	t.Helper()
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	from, path := root, p.path
	switch {
	case p.look&beneathDir != 0:
		from, how.Resolve = base, unix.RESOLVE_BENEATH
	case !strings.HasPrefix(path, "/"):
		path = "./" + strings.TrimPrefix(base, root) + "/" + path
	}
	if p.look&noLinks != 0 {
		how.Resolve |= unix.RESOLVE_NO_SYMLINKS
	}
	if !p.follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	dir, err := unix.Open(from, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(dir) }()
	fd, err := unix.Openat2(dir, path, &how)
	for errors.Is(err, unix.EAGAIN) { // something was renamed elsewhere
		fd, err = unix.Openat2(dir, path, &how)
	}
	switch {
	case errors.Is(err, unix.ENOENT):
		return found{what: missing}
	case errors.Is(err, unix.ENOTDIR):
		return found{failed: manifest.NotDirectory}
	case errors.Is(err, unix.ELOOP):
		return found{failed: manifest.Looped}
	case errors.Is(err, unix.ENAMETOOLONG):
		return found{failed: manifest.TooLong}
	case errors.Is(err, unix.EXDEV):
		return found{failed: manifest.Confined}
	case err != nil:
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	kinds := map[uint32]what{unix.S_IFDIR: directory, unix.S_IFLNK: link, unix.S_IFREG: file}
	return found{what: kinds[st.Mode&unix.S_IFMT], path: []byte(name)}
}
