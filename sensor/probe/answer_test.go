package probe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestStable: what two runs of one program write is the same once it is stable.
func TestStable(t *testing.T) {
	for _, tt := range []struct{ name, first, second, want string }{
		{"nothing to change", "Hello, world!", "Hello, world!", "Hello, world!"},
		{"number", "visits: 9", "visits: 10", "visits: #"},
		{"RFC 1123", "Date: Sun, 22 Nov 2026 09:05:43 GMT", "Date: Mon, 1 Feb 2027 10:00:00 GMT", "Date: # GMT"},
		{"RFC 3339", "at 2026-11-22T09:05:43.123Z", "at 2027-01-01T00:00:00Z", "at #"},
		{"log's date", "[22/Nov/2026:09:05:43 +0000]", "[1/Dec/2026:09:05:44 +0000]", "[#]"},
		{"twelve hours", "9:05 AM", "10:30 PM", "#"},
		{"duration", "took 980µs", "took 1.2 ms", "took #"},
		{"size", "12 KiB of 3.5GB free", "900 bytes of 4 GB free", "# of # free"},
		{"address", "http://127.0.0.1:40123/x", "http://127.0.0.1:8/x", "http://#/x"},
		{"hexadecimal", "commit 3f9a77c", "commit 0badf00", "commit #"},
		{"UUID", "id 550e8400-e29b-41d4-a716-446655440000", "id 7d444840-beef-4dce-fade-deadbeefcafe", "id #"},
		{"token", `csrf="Zm9vYmFyMTIzNDU2Nzg5MA=="`, `csrf="qRt7hWQmmZzKpLxVbYcDew"`, `csrf="#"`},
		{"pointer", "<object at 0x7f12>", "<object at 0xdead>", "<object at #>"},
		{"unit without a number", "ms and bytes", "ms and bytes", "ms and bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, text := range []string{tt.first, tt.second} {
				if got := Stable([]byte(text)); got != tt.want {
					t.Errorf("%q is %q, want %q", text, got, tt.want)
				}
			}
		})
	}
}

func TestStableTellsApart(t *testing.T) {
	for _, tt := range [][2]string{
		{"Hello", "Bye"},
		{"mon", "Mon"},
		{"/static/app.css", "/static/main.css"},
		{"", "0"},
		{"<li>de</li><li>en</li>", "<li>en</li>"},
	} {
		if a, b := NewAnswer(200, "", []byte(tt[0])), NewAnswer(200, "", []byte(tt[1])); a.Digest == b.Digest {
			t.Errorf("%q and %q count as the same", tt[0], tt[1])
		}
	}
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, first, second string
		want                             []string
		kind                             string
	}{
		{"order", "application/json; charset=utf-8", `{"a": 1, "b": "x"}`, `{"b": "x", "a": 22}`, []string{`"a": #`, `"b": "x"`}, "application/json"},
		{"repetition", "text/html", "<td>1</td><td>22</td>", "<td>3</td>", []string{"#", "/td", "td"}, "text/html"},
		{"lines", "", "b\r\na\n", "a\nb\nb", []string{"a", "b"}, ""},
		{"image", "image/png", "\x89PNG\x00\x01", "\x89PNG\x00\x02\x03", []string{"binary data that begins with 89504e47"}, "image/png"},
		{"nothing", "not a type;;", "", "\n", nil, ""},
		{"cut in a character", "", "\xe2\x82", "\xe2\x82", []string{"\xe2\x82"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := NewAnswer(200, tt.contentType, []byte(tt.first)), NewAnswer(200, tt.contentType, []byte(tt.second))
			if a.Digest != b.Digest || a.Cut || !slices.Equal(a.Pieces, tt.want) || a.Type != tt.kind || a.Code != 200 {
				t.Errorf("%+v and %+v, want pieces %q", a, b, tt.want)
			}
		})
	}
}

func TestAnswerIsBounded(t *testing.T) {
	var body strings.Builder
	for i := range 20_000 {
		fmt.Fprintln(&body, strings.Repeat(string(rune('a'+i%26)), 1+i/26%300))
	}
	a := NewAnswer(0, "", []byte(body.String()))
	if !a.Cut || len(strings.Join(a.Pieces, "")) > maxPieces {
		t.Errorf("cut %t, %d pieces", a.Cut, len(a.Pieces))
	}
	if b := NewAnswer(0, "", []byte(body.String()+"one more")); a.Digest == b.Digest {
		t.Error("what is cut does not count")
	}
}

// BenchmarkStable: the time grows with the text, whatever is in it.
func BenchmarkStable(b *testing.B) {
	for name, part := range map[string]string{"page": "<li><a href=\"/a\">item 12</a>\n", "joined": "a-", "marks": "1.", "spaces": " ", "units": "1 ms "} {
		b.Run(name, func(b *testing.B) {
			text := []byte(strings.Repeat(part, 1<<20/len(part)))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Stable(text)
			}
		})
	}
}

// FuzzStable: the stable form is its own, and stays text.
func FuzzStable(f *testing.F) {
	for _, seed := range []string{"Sun, 22 Nov 2026", "id abcd-12", "1 ms", "Zm9vYmFyMTIzNDU2Nzg5MA==", "a- 1 -b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		stable := Stable(text)
		if len(stable) > len(text) {
			t.Errorf("%q grew to %q", text, stable)
		}
		if utf8.Valid(text) && !utf8.ValidString(stable) {
			t.Errorf("%q became %q", text, stable)
		}
		if bytes.ContainsAny([]byte(stable), "0123456789") {
			t.Errorf("%q has a digit left in %q", text, stable)
		}
		NewAnswer(0, "", text)
	})
}
