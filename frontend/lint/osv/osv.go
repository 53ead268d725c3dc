// Package osv matches the packages of an image with security advisories in the
// OSV format (https://ossf.github.io/osv-schema/).
//
// A Matcher reads advisories one by one and remembers only what concerns its
// packages, so that memory does not grow with their number but by a word for each
// severity. The frontend reads the files, the rule VulnerabilityBudget judges
// what is found.
package osv

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/slimfile/sensor/manifest"
)

// Bounds on what advisories may bring. All of Debian's, of all releases, are
// some 50,000; the largest have 1 MB.
const (
	maxAdvisory   = 16 << 20 // bytes
	maxAdvisories = 1 << 20
)

// Vulnerability is one that is known of a package.
type Vulnerability struct {
	ID       string // CVE-2024-1, or the advisory's own where it names none
	Advisory string // the id of the advisory that tells of it
	// Package is one that remains of those that the source package made.
	Package, Source, Installed string
	// Fixed is the version without it; empty if there is none.
	Fixed    string
	Severity Severity
}

// String is a line about it.
func (v Vulnerability) String() string {
	text := v.Package + " " + v.Installed
	if v.Source != v.Package {
		text += " (" + v.Source + ")"
	}
	text += ": " + v.ID
	if v.Advisory != v.ID {
		text += " (" + v.Advisory + ")"
	}
	text += ", " + v.Severity.String()
	if v.Fixed == "" {
		return text + ", not fixed yet"
	}
	return text + ", fixed in " + v.Fixed
}

// Result is what the advisories say of an image.
type Result struct {
	// Found is sorted: the worst first.
	Found []Vulnerability
	// Advisories counts those that were read, Relevant those that are about the
	// image's distribution.
	Advisories, Relevant int
	// Newest is when the last of them was changed.
	Newest time.Time
}

// Age says how old the advisories are.
func (r Result) Age(now time.Time) string {
	if r.Newest.IsZero() {
		return "advisories of an unknown day"
	}
	days := int(now.Sub(r.Newest).Hours() / 24)
	age := fmt.Sprintf("%d days old", days)
	switch days {
	case 0:
		age = "today's"
	case 1:
		age = "1 day old"
	}
	return fmt.Sprintf("advisories of %s, %s", r.Newest.UTC().Format(time.DateOnly), age)
}

// Matcher looks for advisories about packages. Its methods may be called side by
// side.
type Matcher struct {
	system   system
	packages map[string][]manifest.Package // by source

	mu     sync.Mutex
	result Result
	found  map[finding]Vulnerability
	rated  map[string]Severity // of advisories, by id
	// linked are the advisories whose severity may stand in for that of a
	// vulnerability without one.
	linked map[finding][]string
}

// finding tells vulnerabilities apart: DSA-1 and CVE-2024-1 are one.
type finding struct{ id, source, version string }

// NewMatcher prepares to look for advisories about the packages of an image. It
// fails for a distribution whose advisories it cannot match.
func NewMatcher(os manifest.OS, packages manifest.Packages) (*Matcher, error) {
	m := &Matcher{
		packages: map[string][]manifest.Package{}, found: map[finding]Vulnerability{},
		rated: map[string]Severity{}, linked: map[finding][]string{},
	}
	if os.ID == "" && packages.Total == 0 {
		return m, nil // of no distribution: there is nothing that they could be about
	}
	var err error
	if m.system, err = systemOf(os); err != nil {
		return nil, err
	}
	if packages.Total == 0 {
		return nil, fmt.Errorf("the image says that it is %s, and does not say which packages it has", cmp.Or(os.Name, os.ID))
	}
	for _, p := range packages.Kept {
		m.packages[p.Source] = append(m.packages[p.Source], p)
	}
	return m, nil
}

// Ecosystem is what the advisories of the image's distribution are found by;
// empty if it is of none.
func (m *Matcher) Ecosystem() string {
	if len(m.system.ecosystems) == 0 {
		return ""
	}
	return m.system.ecosystems[0]
}

// errTooLarge says that a file has an advisory larger than maxAdvisory.
var errTooLarge = fmt.Errorf("an advisory is larger than %d bytes", maxAdvisory)

// Read reads a file of advisories: a list of them, or one or more in a row.
func (m *Matcher) Read(r io.Reader) error {
	in := &bounded{r: bufio.NewReader(r), left: maxAdvisory}
	list, err := in.startsList()
	if err != nil {
		return ignoreEnd(err)
	}
	dec := json.NewDecoder(in)
	if list {
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	for in.left = maxAdvisory; dec.More(); in.left = maxAdvisory {
		var a advisory
		if err := dec.Decode(&a); err != nil {
			return err
		}
		if err := m.add(a); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the list's end, or the file's
	if list && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return ignoreEnd(err)
}

// ignoreEnd drops the error that says that a file is over.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// add takes one advisory.
func (m *Matcher) add(a advisory) error {
	if a.ID == "" {
		return errors.New("an advisory has no id: this is not the OSV format")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.result.Advisories++; m.result.Advisories > maxAdvisories {
		return fmt.Errorf("more than %d advisories", maxAdvisories)
	}
	if a.Modified.After(m.result.Newest) {
		m.result.Newest = a.Modified
	}
	if s := a.severity(); s != Unknown {
		m.rated[a.ID] = s
	}
	if !a.Withdrawn.IsZero() {
		return nil
	}
	relevant := false
	for _, about := range a.Affected {
		if !slices.Contains(m.system.ecosystems, about.Package.Ecosystem) {
			continue
		}
		relevant = true
		for _, p := range m.packages[about.Package.Name] {
			if hit, fixed := m.system.affects(about, p.SourceVersion); hit {
				m.note(a, about, p, fixed)
			}
		}
	}
	if relevant {
		m.result.Relevant++
	}
	return nil
}

// note remembers that an advisory is about an installed package.
func (m *Matcher) note(a advisory, about affected, p manifest.Package, fixed string) {
	ids := a.vulnerabilities()
	for _, id := range ids {
		key := finding{id, p.Source, p.SourceVersion}
		this := Vulnerability{
			ID: id, Advisory: a.ID, Package: p.Name, Source: p.Source, Installed: p.SourceVersion, Fixed: fixed,
			Severity: cmp.Or(about.severity(), a.severity()),
		}
		for _, other := range slices.Concat(a.Aliases, a.Upstream, []string{id}) {
			if len(ids) == 1 || strings.HasSuffix(other, id) { // DEBIAN-CVE-2024-1
				m.linked[key] = append(m.linked[key], other)
			}
		}
		before, seen := m.found[key]
		if !seen {
			m.found[key] = this
			continue
		}
		// Which advisory was read first must not matter.
		worst := max(before.Severity, this.Severity)
		if cmp.Or(preferFixed(this, before), strings.Compare(this.Advisory, before.Advisory), strings.Compare(this.Package, before.Package)) < 0 {
			before = this
		}
		before.Severity = worst
		m.found[key] = before
	}
}

// preferFixed is less than 0 if only the first tells of a version without the
// vulnerability.
func preferFixed(a, b Vulnerability) int {
	switch {
	case a.Fixed != "" && b.Fixed == "":
		return -1
	case a.Fixed == "" && b.Fixed != "":
		return 1
	}
	return 0
}

// Result is what was found in all that was read.
func (m *Matcher) Result() Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	res := m.result
	for _, key := range slices.SortedFunc(maps.Keys(m.found), func(a, b finding) int { return strings.Compare(a.id+a.source, b.id+b.source) }) {
		v := m.found[key]
		if v.Severity == Unknown {
			for _, id := range m.linked[key] {
				v.Severity = max(v.Severity, m.rated[id])
			}
		}
		res.Found = append(res.Found, v)
	}
	slices.SortStableFunc(res.Found, func(a, b Vulnerability) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID), strings.Compare(a.Installed, b.Installed))
	})
	return res
}

// bounded is a reader of at most left bytes more.
type bounded struct {
	r    *bufio.Reader
	left int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// startsList reads up to the first character and tells whether it opens a list.
func (b *bounded) startsList() (bool, error) {
	for ; b.left > 0; b.left-- {
		c, err := b.r.ReadByte()
		if err != nil {
			return false, err
		}
		if strings.IndexByte(" \t\r\n", c) < 0 {
			return c == '[', b.r.UnreadByte()
		}
	}
	return false, errTooLarge
}
