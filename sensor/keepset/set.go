package keepset

import (
	"iter"

	"github.com/org/slimfile/sensor/keepset/dpkg"
	"github.com/org/slimfile/sensor/manifest"
)

// Set is what the slim image ships.
type Set struct {
	tree      *arena
	generated []File
	warnings  []string
	named     []string
	pack      manifest.Pack
	probes    int
	listed    []lostEntries
	levels    map[string]int64
	db        *dpkg.DB
}

// Entry is one kept entry of the image.
type Entry struct {
	Path    string // absolute, physical, raw bytes
	Reasons Reasons
	// Via is the path of what led here: the ELF file that needs the library,
	// the script that names the interpreter; empty for what the run touched.
	Via string
	// Rule names the runtime rule that brought it in, if one did.
	Rule string
}

// File is an entry of the slim image that the image as built does not have in
// this form.
type File struct {
	Path  string
	Mode  uint32 // st_mode, with the type: a regular file or a directory
	UID   uint32
	GID   uint32
	Mtime int64 // seconds since the epoch
	Data  []byte
}

// All yields the kept entries: depth-first, names in bytewise order, a folder
// before its content, every folder on the way included, the root first.
func (s *Set) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		s.visit(rootID, nil, yield)
	}
}

func (s *Set) visit(id nodeID, prefix []byte, yield func(Entry) bool) bool {
	n := s.tree.at(id)
	if n.flags&(dropped|pinned) == dropped {
		return true
	}
	path := prefix
	if id != rootID {
		path = append(append(prefix, '/'), s.tree.name(id)...)
	}
	e := Entry{Path: string(path), Reasons: n.reasons, Rule: n.rule.name()}
	if id == rootID {
		e.Path = "/"
	}
	if n.via != 0 {
		e.Via = s.tree.path(n.via)
	}
	if !yield(e) {
		return false
	}
	for c := n.child; c != 0; c = s.tree.at(c).sibling {
		if !s.visit(c, path, yield) {
			return false
		}
	}
	return true
}

// Generated returns the entries that are made rather than copied, sorted by
// path, parents before children. None of them is in All.
func (s *Set) Generated() []File { return s.generated }

// Warnings returns sentences for the user.
func (s *Set) Warnings() []string { return s.warnings }

// Named returns the programs that nothing but a word of a script or of the app's
// sources keeps: the run used none of them.
func (s *Set) Named() []string { return s.named }

// Probes returns the number of probes that the traced run made.
func (s *Set) Probes() int { return s.probes }

// Levels returns how many bytes, about, other granularities would add; strict
// takes some away.
func (s *Set) Levels() map[string]int64 { return s.levels }

// Listed returns the number of kept directories that the run listed and that
// the slim image has fewer entries of than the run saw.
func (s *Set) Listed() int { return len(s.listed) }

// maxWorst bounds the folders that Worst names.
const maxWorst = 20

// Worst names those of the folders that Listed counts which have lost most, and
// how many entries.
func (s *Set) Worst() []manifest.Total {
	var worst []manifest.Total
	for _, l := range s.listed[:min(len(s.listed), maxWorst)] {
		worst = append(worst, manifest.Total{Name: manifest.Path(s.tree.path(l.folder)), Files: int64(l.entries)})
	}
	return worst
}

// Pack returns what the set was made for.
func (s *Set) Pack() manifest.Pack { return s.pack }

// Packages returns the image's packages and what they own.
func (s *Set) Packages() *dpkg.DB { return s.db }
