package manifest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestPathJSON(t *testing.T) {
	for _, tc := range []struct{ name, path, want string }{
		{"plain", "/usr/bin/python3", `"/usr/bin/python3"`},
		{"space, bracket, newline", "/a b/[\n", `"/a b/[\n"`},
		{"unicode", "/ü", `"/ü"`},
		{"not UTF-8", "/\xff", `"\u0000L/8="`},
		{"empty", "", `""`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(Path(tc.path))
			if err != nil || string(data) != tc.want {
				t.Fatalf("Marshal = %s, %v, want %s", data, err, tc.want)
			}
			var back Path
			if err := json.Unmarshal(data, &back); err != nil || string(back) != tc.path {
				t.Fatalf("Unmarshal = %q, %v, want %q", back, err, tc.path)
			}
		})
	}
}

func TestDecodeIsStrict(t *testing.T) {
	for _, tc := range []struct{ name, data string }{
		{"unknown field", `{"version":1,"surprise":2}`},
		{"trailing data", `{"version":1} {}`},
		{"trailing brace", `{"version":1}}`},
		{"not JSON", `version: 1`},
		{"empty", ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var run Run
			if err := Decode([]byte(tc.data), &run); err == nil {
				t.Fatal("no error")
			}
		})
	}
}

func TestTraceRoundTrip(t *testing.T) {
	want := []Entry{
		{"/", Checked},
		{"/a\xfe\n", Opened | Executed},
		{"/b", Absent},
		{"/c/d", Written | Created | Deleted | Witnessed},
	}
	var file bytes.Buffer
	if err := WriteTrace(&file, 3, len(want), slices.Values(want)); err != nil {
		t.Fatal(err)
	}
	var got []Entry
	h, err := ReadTrace(&file, func(e Entry) error { got = append(got, e); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if h.Probes != 3 || !slices.Equal(got, want) {
		t.Fatalf("header %+v, entries %v, want %v", h, got, want)
	}
}

func TestWriteTraceRefusesWrongCount(t *testing.T) {
	if err := WriteTrace(&bytes.Buffer{}, 0, 2, slices.Values([]Entry{{"/a", Opened}})); err == nil {
		t.Fatal("no error")
	}
}

func TestReadTraceRefuses(t *testing.T) {
	const header = `{"version":1,"probes":0,"entries":1}` + "\n"
	for _, tc := range []struct{ name, file, want string }{
		{"nothing", "", "no header"},
		{"another version", `{"version":2,"probes":0,"entries":0}`, "version 2"},
		{"cut off", header, "1 entries announced, 0 found"},
		{"too many", header + `{"path":"/a","ops":"opened"}` + "\n" + `{"path":"/b","ops":"opened"}`, "2 found"},
		{"relative path", header + `{"path":"a","ops":"opened"}`, "bad entry"},
		{"path that climbs", header + `{"path":"/a/../b","ops":"opened"}`, "bad entry"},
		{"path with a folder's slash", header + `{"path":"/a/","ops":"opened"}`, "bad entry"},
		{"path with NUL", header + `{"path":"/a\u0000b","ops":"opened"}`, "bad entry"},
		{"no operation", header + `{"path":"/a"}`, "bad entry"},
		{"unknown operation", header + `{"path":"/a","ops":"eaten"}`, `unknown operation "eaten"`},
		{"twice", header + `{"path":"/a","ops":"opened"}` + "\n" + `{"path":"/a","ops":"opened"}`, "bad entry"},
		{"unsorted", header + `{"path":"/b","ops":"opened"}` + "\n" + `{"path":"/a","ops":"opened"}`, "bad entry"},
		{"bad base64", header + `{"path":"\u0000!","ops":"opened"}`, "path"},
		{"endless line", header + strings.Repeat("x", maxLine+1), "too long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ReadTrace(strings.NewReader(tc.file), func(Entry) error { return nil })
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// FuzzReadTrace: whatever is read without an error can be written again and
// reads the same.
func FuzzReadTrace(f *testing.F) {
	f.Add([]byte(`{"version":1,"probes":1,"entries":1}` + "\n" + `{"path":"/a","ops":"opened,checked"}`))
	f.Add([]byte(`{"version":1,"probes":0,"entries":1}` + "\n" + `{"path":"\u0000/w==","ops":"absent"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		collect := func(into *[]Entry) func(Entry) error {
			return func(e Entry) error { *into = append(*into, e); return nil }
		}
		var first, second []Entry
		h, err := ReadTrace(bytes.NewReader(file), collect(&first))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteTrace(&again, h.Probes, len(first), slices.Values(first)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTrace(&again, collect(&second)); err != nil || !slices.Equal(first, second) {
			t.Fatalf("second reading: %v, %v, want %v", second, err, first)
		}
	})
}
