package lock

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what Decode reads.
const (
	// MaxSize of a lock in bytes: some 700,000 entries.
	MaxSize = 64 << 20
	// maxLine in bytes: a path of PATH_MAX (4096) bytes that is all escapes, or
	// a long directive.
	maxLine = 64 << 10
	// maxPlatforms bounds the sections.
	maxPlatforms = 64
)

// SyntaxError is a place in a lock that is not as it has to be.
type SyntaxError struct {
	File    string
	Line    int // from 1
	Message string
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// Decode reads a lock; name is what errors call it. Everything in it has to be
// as Encode writes it, but for lines that several platforms could share. Its
// errors are *SyntaxError, or r's own.
func Decode(name string, r io.Reader) (File, error) {
	d := decoder{name: name, sections: map[string]*Section{}}
	in := bufio.NewScanner(io.LimitReader(r, MaxSize+1))
	in.Buffer(make([]byte, 0, 4096), maxLine)
	in.Split(d.split)
	for in.Scan() {
		d.line++
		if err := d.read(in.Text()); err != nil {
			return File{}, d.fail("%s", err)
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		d.line++
		return File{}, d.fail("longer than %d bytes", maxLine)
	case errors.Is(err, errTooLarge), errors.Is(err, errCut):
		d.line++
		return File{}, d.fail("%s", err)
	case err != nil:
		return File{}, err
	case d.line < 2:
		d.line++
		return File{}, d.fail("ends where %q should be", []string{Magic + strconv.Itoa(format), remark}[d.line-1])
	}
	return d.file()
}

var (
	errTooLarge = fmt.Errorf("the file is larger than %d bytes", MaxSize)
	errCut      = errors.New("the last line does not end: the file is not whole")
)

// decoder is a lock while it is read.
type decoder struct {
	name     string
	line     int
	size     int
	blank    bool     // the last line was empty
	heading  []string // platforms of the group that is being read
	before   *line    // in the group
	seen     []string // headings
	sections map[string]*Section
}

// split is bufio.ScanLines for lines that end in a newline alone.
func (d *decoder) split(data []byte, atEOF bool) (int, []byte, error) {
	n, token, err := bufio.ScanLines(data, false)
	if n > 0 {
		if d.size += n; d.size > MaxSize {
			return 0, nil, errTooLarge
		}
		return n, data[:n-1], err
	}
	if atEOF && len(data) > 0 {
		if d.size+len(data) > MaxSize {
			return 0, nil, errTooLarge
		}
		return 0, nil, errCut
	}
	return n, token, err
}

func (d *decoder) fail(message string, args ...any) error {
	return &SyntaxError{File: d.name, Line: max(d.line, 1), Message: fmt.Sprintf(message, args...)}
}

func (d *decoder) read(text string) error {
	switch {
	case strings.HasSuffix(text, "\r"):
		return errors.New("ends in a carriage return: keep git from adding them, with \"*.lock text eol=lf\" in .gitattributes")
	case d.line == 1:
		return checkVersion(text)
	case d.line == 2:
		if text != remark {
			return fmt.Errorf("%q where %q should be", clip(text), remark)
		}
		return nil
	case text == "":
		if d.blank {
			return errors.New("one empty line too many")
		}
		d.blank = true
		return nil
	case d.blank:
		d.blank = false
		return d.readHeading(text)
	case d.heading == nil:
		return fmt.Errorf("%q where an empty line should be", clip(text))
	}
	l, err := parseLine(text)
	if err != nil {
		return err
	}
	if d.before != nil && compareLines(*d.before, l.line) >= 0 {
		return fmt.Errorf("%q is twice there, or not where its order puts it", clip(l.key))
	}
	d.before = &l.line
	for _, p := range d.heading {
		l.add(d.sections[p])
	}
	return nil
}

func checkVersion(text string) error {
	version, ok := strings.CutPrefix(text, Magic)
	switch n, err := strconv.Atoi(version); {
	case !ok || err != nil:
		return fmt.Errorf("%q where %q should be", clip(text), Magic+strconv.Itoa(format))
	case n != format:
		return fmt.Errorf("a lock of version %d, and this slimfile reads version %d: make it anew with this one, or use the other", n, format)
	case version != strconv.Itoa(n):
		return fmt.Errorf("bad version %q", version)
	}
	return nil
}

// readHeading reads "[linux/amd64 linux/arm64]".
func (d *decoder) readHeading(text string) error {
	inner, open := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !open || !closed {
		return fmt.Errorf("%q where a heading such as [linux/amd64] should be", clip(text))
	}
	names := strings.Split(inner, " ")
	for _, name := range names {
		if !isPlatform(name) {
			return fmt.Errorf("bad platform %q", clip(name))
		}
		if d.sections[name] == nil {
			d.sections[name] = &Section{Platform: name}
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) < len(names) {
		return fmt.Errorf("the platforms of %q are not in order", clip(text))
	}
	if slices.Contains(d.seen, text) {
		return fmt.Errorf("%q is twice there", clip(text))
	}
	if len(d.sections) > maxPlatforms || len(d.seen) >= 4*maxPlatforms {
		return fmt.Errorf("more than %d platforms", maxPlatforms)
	}
	d.seen, d.heading, d.before = append(d.seen, text), names, nil
	return nil
}

// file puts the sections in order.
func (d *decoder) file() (File, error) {
	if d.blank {
		return File{}, d.fail("an empty line at the end")
	}
	var f File
	for _, s := range d.sections {
		slices.SortFunc(s.Inputs, func(a, b Input) int { return cmp.Compare(a.Name, b.Name) })
		slices.Sort(s.Settings)
		slices.SortFunc(s.Entries, byPath)
		if twice := s.twice(); twice != "" {
			return File{}, d.fail("%q is twice there for %s, under different headings", clip(twice), s.Platform)
		}
		f.Sections = append(f.Sections, *s)
	}
	slices.SortFunc(f.Sections, func(a, b Section) int { return cmp.Compare(a.Platform, b.Platform) })
	return f, nil
}

// twice is something that stands in a sorted section more than once; empty for
// nothing.
func (s *Section) twice() string {
	keys := make([]line, 0, len(s.Inputs)+len(s.Settings)+len(s.Entries))
	for _, in := range s.Inputs {
		keys = append(keys, line{kind: kindInput, key: in.Name})
	}
	for _, text := range s.Settings {
		keys = append(keys, line{kind: kindSetting, key: text})
	}
	for _, e := range s.Entries {
		keys = append(keys, line{kind: kindEntry, key: e.Path})
	}
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return keys[i].key
		}
	}
	return ""
}

// parsed is a line and what it adds to a section.
type parsed struct {
	line
	add func(*Section)
}

func parseLine(text string) (parsed, error) {
	switch {
	case strings.HasPrefix(text, wordInput):
		return parseInput(text)
	case strings.HasPrefix(text, wordSetting):
		return parseSetting(text)
	case strings.HasPrefix(text, "/") || strings.HasPrefix(text, `"`):
		return parseEntry(text)
	}
	for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>"} {
		if strings.HasPrefix(text, mark) {
			return parsed{}, errors.New("a merge left a conflict here: take either side and make the lock anew")
		}
	}
	return parsed{}, fmt.Errorf("%q is no line of a lock", clip(text))
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func parseInput(text string) (parsed, error) {
	name, rest, err := cutName(text[len(wordInput):])
	if err != nil {
		return parsed{}, err
	}
	if !digestForm.MatchString(rest) {
		return parsed{}, fmt.Errorf("bad digest %q", clip(rest))
	}
	in := Input{Name: name, Digest: rest}
	return parsed{line{kindInput, name, text}, func(s *Section) { s.Inputs = append(s.Inputs, in) }}, nil
}

func parseSetting(text string) (parsed, error) {
	value := text[len(wordSetting):]
	isControl := func(r rune) bool { return !strconv.IsPrint(r) }
	if value == "" || strings.TrimSpace(value) != value || !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
		return parsed{}, fmt.Errorf("bad setting %q", clip(value))
	}
	return parsed{line{kindSetting, value, text}, func(s *Section) { s.Settings = append(s.Settings, value) }}, nil
}

var reasonForm = regexp.MustCompile(`^[a-z-]+$`)

func parseEntry(text string) (parsed, error) {
	var e Entry
	name, rest, err := cutName(text)
	if err != nil {
		return parsed{}, err
	}
	e.Path = name
	if !path.IsAbs(name) || path.Clean(name) != name || name == "/" || strings.ContainsRune(name, 0) {
		return parsed{}, fmt.Errorf("%q is no path of an entry", clip(name))
	}
	reasons, rest, _ := strings.Cut(rest, " ")
	e.Reasons = strings.Split(reasons, ",")
	for _, reason := range e.Reasons {
		if !reasonForm.MatchString(reason) {
			return parsed{}, fmt.Errorf("bad reason %q for %q", clip(reason), clip(name))
		}
	}
	for _, more := range []struct {
		key string
		to  *string
	}{{keyRule, &e.Rule}, {keyPackage, &e.Package}} {
		value, ok := strings.CutPrefix(rest, more.key)
		if !ok {
			continue
		}
		if *more.to, rest, err = cutName(value); err != nil {
			return parsed{}, err
		}
	}
	if rest != "" {
		return parsed{}, fmt.Errorf("%q does not belong to the entry %q", clip(rest), clip(name))
	}
	if e.String() != text {
		return parsed{}, fmt.Errorf("the entry %q is not written as %q", clip(name), clip(e.String()))
	}
	return parsed{line{kindEntry, name, text}, func(s *Section) { s.Entries = append(s.Entries, e) }}, nil
}

// cutName reads a name as Quote writes it, and the blank after it.
func cutName(text string) (name, rest string, err error) {
	word, rest, _ := strings.Cut(text, " ")
	name = word
	if strings.HasPrefix(text, `"`) {
		if word, err = strconv.QuotedPrefix(text); err == nil {
			name, err = strconv.Unquote(word)
		}
		if err != nil {
			return "", "", fmt.Errorf("bad quotes in %q", clip(text))
		}
		rest, _ = strings.CutPrefix(text[len(word):], " ")
	}
	if Quote(name) != word || rest != "" && word+" "+rest != text {
		return "", "", fmt.Errorf("%q is not how the name is written", clip(word))
	}
	return name, rest, nil
}

func isPlatform(name string) bool {
	return platformForm.MatchString(name)
}

var platformForm = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-zA-Z0-9._-]+)?$`)

// clip shortens what a message quotes.
func clip(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
