package lock

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	ones  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// example has what is the same for both platforms, what differs, and what only
// one has.
func example() File {
	common := []Entry{{Path: "/app/app.py", Reasons: []string{"opened"}}}
	amd := Section{
		Platform: "linux/amd64",
		Inputs:   []Input{{"/app", zeros}, {"/usr", zeros}, {"run", zeros}},
		Settings: []string{"granularity file", "probe http /hello match=\"[linux/amd64]\""},
		Entries: slices.Concat(common, []Entry{
			{Path: "/usr/lib/a b\xff\n", Reasons: []string{"opened", "mapped"}, Package: "libc6:i386"},
			{Path: "/usr/lib/ü", Reasons: []string{"checked"}},
			{Path: "/usr/lib/x86_64-linux-gnu/libc.so.6", Reasons: []string{"linked-library"}, Package: "libc6"},
		}),
	}
	arm := Section{
		Platform: "linux/arm64/v8",
		Inputs:   []Input{{"/app", zeros}, {"/usr", ones}, {"run", zeros}},
		Settings: []string{"granularity file"},
		Entries: slices.Concat(common, []Entry{
			{Path: "/usr/lib/aarch64-linux-gnu/libc.so.6", Reasons: []string{"linked-library"}, Package: "libc6"},
			{Path: "/usr/lib/ü", Reasons: []string{"opened"}, Rule: "program names"},
		}),
	}
	return File{Sections: []Section{amd, arm}}
}

const exampleText = `slimfile lock 1
# What the slim image keeps, and why. Written by "slimfile lock".

[linux/amd64 linux/arm64/v8]
from /app sha256:0000000000000000000000000000000000000000000000000000000000000000
from run sha256:0000000000000000000000000000000000000000000000000000000000000000
with granularity file
/app/app.py opened

[linux/amd64]
from /usr sha256:0000000000000000000000000000000000000000000000000000000000000000
with probe http /hello match="[linux/amd64]"
"/usr/lib/a b\xff\n" opened,mapped package=libc6:i386
/usr/lib/x86_64-linux-gnu/libc.so.6 linked-library package=libc6
/usr/lib/ü checked

[linux/arm64/v8]
from /usr sha256:1111111111111111111111111111111111111111111111111111111111111111
/usr/lib/aarch64-linux-gnu/libc.so.6 linked-library package=libc6
/usr/lib/ü opened rule="program names"
`

func encode(t testing.TB, f File) string {
	t.Helper()
	var out bytes.Buffer
	if err := f.Encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func decode(t testing.TB, text string) File {
	t.Helper()
	f, err := Decode("slim.lock", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestText(t *testing.T) {
	if got := encode(t, example()); got != exampleText {
		t.Errorf("got %s", got)
	}
	got, want := decode(t, exampleText), example()
	for _, s := range want.Sections {
		slices.SortFunc(s.Entries, byPath)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestMerge: a platform's new section takes the place of its old one, and those
// of others stay.
func TestMerge(t *testing.T) {
	all := example()
	fresh := Section{Platform: "linux/amd64", Entries: []Entry{{Path: "/new", Reasons: []string{"opened"}}}}
	merged := Merge(all, File{Sections: []Section{fresh}})
	if got, want := merged.Platforms(), []string{"linux/amd64", "linux/arm64/v8"}; !slices.Equal(got, want) {
		t.Errorf("platforms %q", got)
	}
	if amd, _ := merged.Section("linux/amd64"); !reflect.DeepEqual(amd, fresh) {
		t.Errorf("got %+v", amd)
	}
	if arm, _ := merged.Section("linux/arm64/v8"); !reflect.DeepEqual(arm, all.Sections[1]) {
		t.Errorf("got %+v", arm)
	}
	parts := Merge(File{Sections: all.Sections[1:]}, File{Sections: all.Sections[:1]})
	if encode(t, parts) != exampleText {
		t.Error("the order of merging shows")
	}
}

func TestDiff(t *testing.T) {
	entries := func(paths ...string) (list []Entry) {
		for _, p := range paths {
			list = append(list, Entry{Path: p})
		}
		return list
	}
	for _, tc := range []struct{ was, is, added, removed []Entry }{
		{nil, nil, nil, nil},
		{nil, entries("/a"), entries("/a"), nil},
		{entries("/a"), nil, nil, entries("/a")},
		{entries("/a", "/c", "/d"), entries("/b", "/c", "/e"), entries("/b", "/e"), entries("/a", "/d")},
	} {
		if added, removed := Diff(tc.was, tc.is); !reflect.DeepEqual(added, tc.added) || !reflect.DeepEqual(removed, tc.removed) {
			t.Errorf("%v, %v: got %v, %v", tc.was, tc.is, added, removed)
		}
	}
}

func TestChanged(t *testing.T) {
	was := Section{Inputs: []Input{{"/a", zeros}, {"/b", zeros}, {"/c", zeros}}}
	is := Section{Inputs: []Input{{"/a", zeros}, {"/b", ones}, {"/d", zeros}}}
	if got := Changed(was, is); !slices.Equal(got, []string{"/b", "/c", "/d"}) {
		t.Errorf("got %q", got)
	}
	if got := Changed(was, was); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const head = "slimfile lock 1\n# What the slim image keeps, and why. Written by \"slimfile lock\".\n"
	const top = head + "\n[linux/amd64]\n"
	for _, tc := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"nothing", "", 1, `ends where "slimfile lock 1" should be`},
		{"another file", "{}\n", 1, `"{}" where "slimfile lock 1" should be`},
		{"a newer version", "slimfile lock 2\n", 1, "version 2, and this slimfile reads version 1"},
		{"a version with zeros", "slimfile lock 01\n", 1, "bad version"},
		{"no remark", "slimfile lock 1\n\n", 2, "where"},
		{"cut off", top + "/a opened", 5, "does not end"},
		{"carriage returns", "slimfile lock 1\r\n", 1, "carriage return"},
		{"no heading", head + "\n/a opened\n", 4, "a heading such as [linux/amd64] should be"},
		{"no empty line", head + "[linux/amd64]\n", 3, "an empty line should be"},
		{"two empty lines", head + "\n\n[linux/amd64]\n", 4, "one empty line too many"},
		{"an empty line at the end", top + "\n", 5, "an empty line at the end"},
		{"a bad platform", head + "\n[linux]\n", 4, `bad platform "linux"`},
		{"unsorted platforms", head + "\n[linux/b linux/a]\n", 4, "not in order"},
		{"a heading twice", top + "\n[linux/amd64]\n", 6, "is twice there"},
		{"a conflict", top + "<<<<<<< HEAD\n", 5, "a merge left a conflict here"},
		{"something else", top + "keep /a\n", 5, "is no line of a lock"},
		{"unsorted entries", top + "/b opened\n/a opened\n", 6, "not where its order puts it"},
		{"an entry twice", top + "/a opened\n/a checked\n", 6, "is twice there"},
		{"an entry twice under two headings", head + "\n[linux/a linux/b]\n/a opened\n\n[linux/a]\n/a checked\n", 8, `"/a" is twice there for linux/a`},
		{"a setting behind entries", top + "/a opened\nwith granularity file\n", 6, "not where its order puts it"},
		{"the root", top + "/ opened\n", 5, "no path of an entry"},
		{"a path that climbs", top + "/a/../b opened\n", 5, "no path of an entry"},
		{"a relative path", top + "\"a b\" opened\n", 5, "no path of an entry"},
		{"a path with NUL", top + `"/\x00" opened` + "\n", 5, "no path of an entry"},
		{"needless quotes", top + `"/a" opened` + "\n", 5, "not how the name is written"},
		{"another escape", top + `"/a\x20b" opened` + "\n", 5, "not how the name is written"},
		{"missing quotes", top + "/\xff opened\n", 5, "not how the name is written"},
		{"quotes that do not end", top + `"/a opened` + "\n", 5, "bad quotes"},
		{"a name that shows as another", top + "/a\u202eb opened\n", 5, "not how the name is written"},
		{"no reason", top + "/a\n", 5, "bad reason"},
		{"an empty reason", top + "/a opened,\n", 5, "bad reason"},
		{"something more", top + "/a opened owner=root\n", 5, "does not belong"},
		{"two blanks", top + "/a  opened\n", 5, "bad reason"},
		{"an empty rule", top + "/a opened rule=\n", 5, "not how the name is written"},
		{"an empty package", top + "/a opened package=\n", 5, "not how the name is written"},
		{"a quoted empty package", top + `/a opened package=""` + "\n", 5, "is not written as"},
		{"a blank at the end", top + "/a opened package=x \n", 5, "is not written as"},
		{"a rule of two words", top + "/a opened rule=a b\n", 5, "does not belong"},
		{"a short digest", top + "from /a sha256:00\n", 5, "bad digest"},
		{"no blank behind quotes", top + `from "/a b"` + zeros + "\n", 5, "not how the name is written"},
		{"an empty setting", top + "with \n", 5, "bad setting"},
		{"a setting that hides something", top + "with keep /a\x1b[1A\n", 5, "bad setting"},
		{"an endless line", top + strings.Repeat("x", maxLine+1), 5, "longer than"},
		{"many platforms", head + manyPlatforms(), 4 + 2*maxPlatforms, "more than 64 platforms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode("slim.lock", strings.NewReader(tc.text))
			var at *SyntaxError
			if !errors.As(err, &at) || at.Line != tc.line || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), fmt.Sprintf("slim.lock:%d: ", tc.line)) {
				t.Errorf("got %v, want line %d: %s", err, tc.line, tc.want)
			}
		})
	}
}

func manyPlatforms() string {
	var text strings.Builder
	for i := range maxPlatforms + 1 {
		fmt.Fprintf(&text, "\n[linux/p%d]\n", i)
	}
	return text.String()
}

// TestDecodeIsBounded: an endless lock is not read to its end.
func TestDecodeIsBounded(t *testing.T) {
	in := &endless{line: []byte("slimfile lock 1\n")}
	if _, err := Decode("slim.lock", in); err == nil || in.read > 1<<20 {
		t.Errorf("read %d bytes: %v", in.read, err)
	}
	d := decoder{size: MaxSize}
	if _, _, err := d.split([]byte("x\n"), false); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v", err)
	}
}

type endless struct {
	line []byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.line)
	e.read += n
	return n, nil
}

func TestEncodeRefuses(t *testing.T) {
	for name, s := range map[string]Section{
		"a bad platform":         {Platform: "linux"},
		"a setting of two lines": {Platform: "linux/a", Settings: []string{"a\nb"}},
		"a relative path":        {Platform: "linux/a", Entries: []Entry{{Path: "a", Reasons: []string{"opened"}}}},
		"no reason":              {Platform: "linux/a", Entries: []Entry{{Path: "/a"}}},
		"a reason of two words":  {Platform: "linux/a", Entries: []Entry{{Path: "/a", Reasons: []string{"opened twice"}}}},
		"a bad digest":           {Platform: "linux/a", Inputs: []Input{{"/a", "md5:0"}}},
	} {
		if err := (File{Sections: []Section{s}}).Encode(&bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzDecode: what is read without an error is written in one form only, which
// reads the same.
func FuzzDecode(f *testing.F) {
	f.Add(exampleText)
	f.Add("slimfile lock 1\n# What the slim image keeps, and why. Written by \"slimfile lock\".\n\n[linux/a]\n\"/\\xff\" opened\n")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Decode("slim.lock", strings.NewReader(text))
		if err != nil {
			return
		}
		written := encode(t, first)
		second := decode(t, written)
		if len(first.Sections) != len(second.Sections) && !hasEmpty(first) {
			t.Fatalf("%d sections, then %d", len(first.Sections), len(second.Sections))
		}
		if again := encode(t, second); again != written {
			t.Fatalf("%s\nthen\n%s", written, again)
		}
	})
}

// hasEmpty says whether a section has nothing in it, which leaves no trace.
func hasEmpty(f File) bool {
	return slices.ContainsFunc(f.Sections, func(s Section) bool { return len(s.lines()) == 0 })
}
