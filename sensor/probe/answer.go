package probe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/org/slimfile/sensor/manifest"
)

// Result is a good answer.
type Result struct {
	Got string // in a few words: "200 OK, 12 bytes"
	// Answer is what can be compared with that of another run; nil if nothing
	// can.
	Answer *manifest.Answer
}

// maxPieces bounds the text of an Answer's pieces, in bytes.
const maxPieces = 16 << 10

// NewAnswer makes what comes back comparable. contentType is that of an HTTP
// body, or empty.
func NewAnswer(code int, contentType string, body []byte) *manifest.Answer {
	a := &manifest.Answer{Code: code}
	if kind, _, err := mime.ParseMediaType(contentType); err == nil {
		a.Type = kind
	}
	all := pieces(body)
	sum := sha256.New()
	room := maxPieces
	for _, p := range all {
		sum.Write(append([]byte(p), '\n')) // a hash takes all
		if room -= len(p); room >= 0 {
			a.Pieces = append(a.Pieces, p)
		}
	}
	a.Cut = len(a.Pieces) < len(all)
	a.Digest = hex.EncodeToString(sum.Sum(nil))
	return a
}

// pieces are the different pieces of a text in its stable form, sorted, so that
// neither order nor number of equal things counts: rows of a table, keys of an
// object. Of what is no text only the kind is stable, which its first bytes
// tell: compressors and encoders put times in.
func pieces(body []byte) []string {
	if !isText(body) {
		return []string{fmt.Sprintf("binary data that begins with %x", body[:min(len(body), 4)])}
	}
	var all []string
	for p := range strings.FieldsFuncSeq(Stable(body), func(r rune) bool { return strings.ContainsRune("\n\r,{}[]<>", r) }) {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isText tells text by its having no NUL and being UTF-8, but for a character
// that the end has cut.
func isText(body []byte) bool {
	if bytes.IndexByte(body, 0) >= 0 {
		return false
	}
	for range utf8.UTFMax - 1 {
		if utf8.Valid(body) {
			return true
		}
		if r, size := utf8.DecodeLastRune(body); r != utf8.RuneError || size != 1 {
			return false
		}
		body = body[:len(body)-1]
	}
	return utf8.Valid(body)
}

// mark stands for what differs from run to run.
const mark = '#'

// Stable is a text with a mark in the place of all that differs between two runs
// of one program: words with a digit in them (numbers, dates, ports, sizes,
// durations with their unit, hexadecimal), identifiers such as UUIDs and tokens,
// names of days and months. What separates two marks goes with them.
func Stable(text []byte) string {
	var out []byte
	judged := 0 // up to where it is known that there is no token
	for at := 0; at < len(text); {
		rest := text[at:]
		if at >= judged {
			end, isToken := token(rest)
			if isToken {
				out, at = appendMark(out), at+end
				continue
			}
			judged = at + end
		}
		end := wordEnd(rest)
		if end == 0 {
			out, at = append(out, rest[0]), at+1
			continue
		}
		word := rest[:end]
		at += end
		switch {
		case bytes.ContainsAny(word, "0123456789"), isCalendar(word), isIDPart(out, word, text[at:]):
			out = appendMark(out)
		case isUnit(word) && afterMark(out):
			out = bytes.TrimRight(out, " ")
		default:
			out = append(out, word...)
		}
	}
	return string(out)
}

// isWord tells the bytes of words: letters, digits, what is not ASCII.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= utf8.RuneSelf
}

func wordEnd(text []byte) int {
	end := 0
	for end < len(text) && isWord(text[end]) {
		end++
	}
	return end
}

// minToken is the least length of a token: 96 bits in base64.
const minToken = 16

// token finds the end of what may be a token at the beginning of text, and tells
// whether it is one: base64 or the like, with capitals, small letters and digits.
func token(text []byte) (end int, ok bool) {
	var upper, lower, digit bool
	for ; end < len(text); end++ {
		c := text[end]
		if !isWord(c) && c != '-' && c != '+' && c != '=' {
			break
		}
		upper, lower, digit = upper || c >= 'A' && c <= 'Z', lower || c >= 'a' && c <= 'z', digit || c >= '0' && c <= '9'
	}
	return end, end >= minToken && upper && lower && digit
}

// appendMark adds a mark, and takes it together with one before.
func appendMark(out []byte) []byte {
	head := bytes.TrimRight(out, " .:,+-/")
	if len(head) > 0 && head[len(head)-1] == mark {
		return head
	}
	return append(out, mark)
}

func afterMark(out []byte) bool {
	out = bytes.TrimRight(out, " ")
	return len(out) > 0 && out[len(out)-1] == mark
}

// isIDPart tells the groups of a UUID that happen to have no digit.
func isIDPart(before, word, after []byte) bool {
	if len(word) < 4 || strings.Trim(string(word), "abcdefABCDEF") != "" {
		return false
	}
	return len(after) > 0 && after[0] == '-' || bytes.HasSuffix(before, []byte("-"))
}

func isCalendar(word []byte) bool {
	switch string(word) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		"January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December",
		"AM", "PM":
		return true
	}
	return false
}

func isUnit(word []byte) bool {
	switch string(word) {
	case "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "h", "hour", "hours",
		"B", "b", "byte", "bytes", "k", "K", "KB", "kB", "KiB", "M", "MB", "MiB", "G", "GB", "GiB":
		return true
	}
	return false
}
