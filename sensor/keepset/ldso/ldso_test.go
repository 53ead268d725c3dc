package ldso

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/internal/elftest"
	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

// cacheLine is one entry of a cache to be made.
type cacheLine struct {
	name, path string
	hwcap      uint64
}

// makeCache writes ld.so.cache, in the new format or after an old one.
func makeCache(order binary.AppendByteOrder, flag byte, old bool, lines ...cacheLine) []byte {
	var entries, strs []byte
	base := uint32(cacheHeader + cacheEntry*len(lines))
	str := func(s string) uint32 {
		at := base + uint32(len(strs))
		strs = append(append(strs, s...), 0)
		return at
	}
	for _, l := range lines {
		entries = order.AppendUint32(entries, 0x0303)
		entries = order.AppendUint32(entries, str(l.name))
		entries = order.AppendUint32(entries, str(l.path))
		entries = order.AppendUint32(entries, 0)
		entries = order.AppendUint64(entries, l.hwcap)
	}
	out := []byte(cacheMagic)
	out = order.AppendUint32(out, uint32(len(lines)))
	out = order.AppendUint32(out, uint32(len(strs)))
	out = append(out, flag, 0, 0, 0)
	out = append(out, make([]byte, cacheHeader-len(out))...)
	out = slices.Concat(out, entries, strs)
	if old {
		head := append([]byte(oldMagic), 0)
		head = order.AppendUint32(head, 3)
		head = append(head, make([]byte, 3*oldEntry)...)
		head = append(head, make([]byte, -len(head)&7)...)
		out = append(head, out...)
	}
	return out
}

func TestCache(t *testing.T) {
	lines := []cacheLine{{"liba.so", "/x/v3/liba.so", 1 << 62}, {"liba.so", "/x/liba.so", 0}, {"libb.so", "/x/libb.so", 0}, {"libbad.so", "relative", 0}}
	for name, data := range map[string][]byte{
		"little endian":            makeCache(binary.LittleEndian, 2, false, lines...),
		"before the flag":          makeCache(binary.LittleEndian, 0, false, lines...),
		"big endian":               makeCache(binary.BigEndian, 3, false, lines...),
		"big, before the flag":     makeCache(binary.BigEndian, 0, false, lines...),
		"after the old format":     makeCache(binary.LittleEndian, 2, true, lines...),
		"big after the old format": makeCache(binary.BigEndian, 3, true, lines...),
	} {
		t.Run(name, func(t *testing.T) {
			c := parseCache(data)
			want := []cached{{"/x/v3/liba.so", true}, {"/x/liba.so", false}}
			if got := slices.Collect(c.lookup("liba.so")); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			for _, name := range []string{"liba", "iba.so", "libbad.so", "", "libz.so"} {
				if got := slices.Collect(c.lookup(name)); got != nil {
					t.Errorf("%q: got %v, want none", name, got)
				}
			}
		})
	}
}

func TestHostileCache(t *testing.T) {
	good := makeCache(binary.LittleEndian, 2, false, cacheLine{"liba.so", "/x/liba.so", 0})
	many := bytes.Clone(good)
	binary.LittleEndian.PutUint32(many[20:], 1<<31)
	far := bytes.Clone(good)
	binary.LittleEndian.PutUint32(far[cacheHeader+8:], 1<<31)
	old := makeCache(binary.LittleEndian, 2, true, cacheLine{"liba.so", "/x/liba.so", 0})
	binary.LittleEndian.PutUint32(old[12:], 1<<31)
	for name, data := range map[string][]byte{
		"empty": nil, "magic only": []byte(cacheMagic), "old magic only": []byte(oldMagic), "too many entries": many,
		"string beyond the end": far, "unterminated": good[:len(good)-1], "old entries beyond the end": old,
	} {
		if got := slices.Collect(parseCache(data).lookup("liba.so")); got != nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestCacheAgainstLdconfig compares with what ldconfig says of this machine.
func TestCacheAgainstLdconfig(t *testing.T) {
	out, err := exec.Command("/sbin/ldconfig", "-p").Output()
	data, readErr := os.ReadFile(cacheFile)
	if err != nil || readErr != nil {
		if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
			t.Fatal("ldconfig or its cache is missing", err, readErr)
		}
		t.Skip("ldconfig or its cache is missing", err, readErr)
	}
	c := parseCache(data)
	compared := 0
	for line := range strings.Lines(string(out)) {
		name, path, ok := strings.Cut(strings.TrimSpace(line), " => ")
		name, _, named := strings.Cut(name, " (")
		if !ok || !named {
			continue
		}
		compared++
		if !slices.ContainsFunc(slices.Collect(c.lookup(name)), func(e cached) bool { return e.path == path }) {
			t.Errorf("%s: %s is not found", name, path)
		}
	}
	if compared == 0 {
		t.Error("ldconfig -p lists nothing")
	}
}

func TestFindInCache(t *testing.T) {
	elf := rootfstest.Data{B: elftest.Spec{}.Bytes()}
	cacheData := makeCache(binary.LittleEndian, 2, false,
		cacheLine{"liba.so", "/opt/v3/liba.so", 1 << 62}, cacheLine{"liba.so", "/gone/liba.so", 0}, cacheLine{"liba.so", "/opt/liba.so", 0},
		cacheLine{"liba.so", "/other/liba.so", 0}, cacheLine{"libstale.so", "/gone/libstale.so", 0})
	root := rootfstest.Make(t, rootfstest.Image{
		"/etc/ld.so.cache": string(cacheData), "/opt/v3/liba.so": elf, "/opt/liba.so": elf, "/other/liba.so": elf, "/usr/lib/liba.so": elf,
		"/usr/lib/libstale.so": elf,
	})
	l, err := New(root, "", "/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elfdyn.Read(bytes.NewReader(elf.B))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		for name, want := range map[string][]string{
			"liba.so": {"/opt/v3/liba.so", "/opt/liba.so"}, "libstale.so": {"/usr/lib/libstale.so"}, "libnone.so": nil, "": nil, "/opt/../opt/liba.so": {"/opt/../opt/liba.so"},
		} {
			got, err := l.Find(name, l.Object("/app/run", f, nil))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
			}
		}
	}
	f.NoDefaultLib = true
	if got, err := l.Find("liba.so", l.Object("/app/run", f, nil)); err != nil || got != nil {
		t.Errorf("without default libraries: got %q, %v", got, err)
	}
}

func TestParseConf(t *testing.T) {
	got := parseConf([]byte("# c\n /a/ \n/b=libc6\ninclude x/*.conf /y # z\nhwcap 1 tls\nrelative\n\n/c d\n\t/e\r\n"))
	want := []confLine{{folder: "/a"}, {folder: "/b"}, {include: "x/*.conf"}, {include: "/y"}, {folder: "/c d"}, {folder: "/e"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConfigOrderAndBounds(t *testing.T) {
	image := rootfstest.Image{
		"/etc/ld.so.conf": "/first\ninclude sub/*/x.conf\n/last\n", "/etc/sub/b/x.conf": "/b\n", "/etc/sub/a/x.conf": "/a\ninclude /etc/ld.so.conf\n",
		"/etc/sub/.hidden/x.conf": "/hidden\n", "/etc/sub/c": rootfstest.Link("/etc/sub"), "/etc/sub/d/x.conf": rootfstest.FIFO{},
		"/etc/sub/e/x.conf": rootfstest.Link("../../../../../../etc/ld.so.conf"),
	}
	l, err := New(rootfstest.Make(t, image), "", "/")
	if err != nil {
		t.Fatal(err)
	}
	dirs := slices.Compact(slices.Clone(l.glibc))
	if dirs[0] != "/first" || dirs[len(dirs)-1] != "/last" || !slices.Contains(dirs, "/b") || slices.Contains(dirs, "/hidden") {
		t.Errorf("got %q", dirs)
	}
	if l.includes > maxIncludes+maxDepth || len(l.config) > maxFiles {
		t.Errorf("%d includes, %d files", l.includes, len(l.config))
	}
}

func TestExpand(t *testing.T) {
	l := &Loader{workdir: "/work"}
	f := elfdyn.Arch{Machine: 62}
	tests := map[string][]string{
		"":                     nil,
		"/a:/b":                {"/a", "/b"},
		"$ORIGIN/x:${ORIGIN}":  {"/o/x", "/o"},
		"rel:":                 {"/work/rel", "/work/"},
		"/q/$LIB":              {"/q/lib64", "/q/lib", "/q/lib/x86_64-linux-gnu"},
		"/q/$PLATFORM/$ORIGIN": {"/q/x86_64//o", "/q/haswell//o", "/q/xeon_phi//o"},
	}
	for _, path := range slices.Sorted(maps.Keys(tests)) {
		if got := l.expand(path, "/o", f.Machine); !slices.Equal(got, tests[path]) {
			t.Errorf("%q: got %q, want %q", path, got, tests[path])
		}
	}
}

func FuzzCache(f *testing.F) {
	line := cacheLine{"liba.so", "/x/liba.so", 1}
	f.Add(makeCache(binary.LittleEndian, 2, false, line), "liba.so")
	f.Add(makeCache(binary.BigEndian, 3, true, line), "liba.so")
	f.Add([]byte(cacheMagic), "")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		for e := range parseCache(data).lookup(name) {
			if !strings.HasPrefix(e.path, "/") || strings.Contains(e.path, "\x00") {
				t.Errorf("path %q", e.path)
			}
		}
	})
}

func FuzzConf(f *testing.F) {
	f.Add([]byte("include ld.so.conf.d/*.conf\n/usr/local/lib # x\n/opt=libc6\nhwcap 0 nosegneg\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range parseConf(data) {
			if (l.folder == "") == (l.include == "") && l.folder != "" {
				t.Errorf("%q", l)
			}
		}
	})
}
