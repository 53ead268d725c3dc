package manifest

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func readAll(file string) (all []Touch, err error) {
	for touch, err := range ReadTouches(strings.NewReader(file)) {
		if err != nil {
			return all, err
		}
		all = append(all, touch)
	}
	return all, nil
}

func TestTouchesRoundTrip(t *testing.T) {
	want := []Touch{
		{"/", Checked, []int{0}, -1},
		{"/a\xfe\n", Opened | Mapped, []int{0, 3, 70}, 0},
		{"/a\xfe\n/b", Absent, []int{2}, 12},
		{"/a-", Renamed | Deleted, []int{1}, 1},
	}
	var file bytes.Buffer
	if err := WriteTouches(&file, len(want), slices.Values(want)); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(file.String())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v, want %v", got, err, want)
	}
	if err := WriteTouches(&file, len(want)+1, slices.Values(want)); err == nil {
		t.Error("a wrong count is written")
	}
}

func TestReadTouchesRefuses(t *testing.T) {
	const header = `{"version":1,"entries":1}` + "\n"
	for _, tc := range []struct{ name, file, want string }{
		{"nothing", "", "no header"},
		{"another version", `{"version":2,"entries":0}`, "version 2"},
		{"cut off", header, "1 entries announced, 0 found"},
		{"too many", header + `{"path":"/a","ops":"opened","phases":[0]}` + "\n" + `{"path":"/b","ops":"opened","phases":[0]}`, "2 found"},
		{"relative path", header + `{"path":"a","ops":"opened","phases":[0]}`, "bad entry"},
		{"no operation", header + `{"path":"/a","phases":[0]}`, "bad entry"},
		{"no phase", header + `{"path":"/a","ops":"opened"}`, "bad entry"},
		{"phase below 0", header + `{"path":"/a","ops":"opened","phases":[-1]}`, "bad entry"},
		{"phase twice", header + `{"path":"/a","ops":"opened","phases":[1,1]}`, "bad entry"},
		{"unsorted phases", header + `{"path":"/a","ops":"opened","phases":[2,1]}`, "bad entry"},
		{"bad program", header + `{"path":"/a","ops":"opened","phases":[0],"program":-2}`, "bad entry"},
		{"unknown field", header + `{"path":"/a","ops":"opened","phases":[0],"x":1}`, "unknown field"},
		{"endless line", header + strings.Repeat("x", maxTouchLine+1), "too long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := readAll(tc.file); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// FuzzReadTouches: whatever is read without an error can be written again and
// reads the same.
func FuzzReadTouches(f *testing.F) {
	f.Add(`{"version":1,"entries":1}` + "\n" + `{"path":"/a","ops":"opened,checked","phases":[0,2],"program":3}`)
	f.Add(`{"version":1,"entries":1}` + "\n" + `{"path":"\u0000/w==","ops":"absent","phases":[1],"program":-1}`)
	f.Fuzz(func(t *testing.T, file string) {
		first, err := readAll(file)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteTouches(&again, len(first), slices.Values(first)); err != nil {
			t.Fatal(err)
		}
		if second, err := readAll(again.String()); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("second reading: %v, %v, want %v", second, err, first)
		}
	})
}
