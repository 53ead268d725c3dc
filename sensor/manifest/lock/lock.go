// Package lock is the form of slim.lock, a file that is committed beside a
// Dockerfile: what the slim image keeps of the image as built, on what grounds,
// and what that was found out from.
//
// slimfile-pack writes it and keeps what it says, the frontend holds it against
// the build, and the command line tells what changed in it. As part of the wire
// types it depends on the standard library and manifest only.
//
// A lock is text, one fact a line, that reads well as a diff:
//
//	slimfile lock 1
//	# What the slim image keeps, and why. Written by "slimfile lock".
//
//	[linux/amd64 linux/arm64]
//	from /app sha256:…
//	with probe http /hello
//	/app/app.py opened
//	/usr/lib/libz.so.1 linked-library package=zlib1g
//
// What a heading names several platforms for is true of each of them. Within a
// heading come inputs, settings and entries, each kind in bytewise order.
package lock

import (
	"cmp"
	"slices"
)

// File is a lock: a section for each platform, in bytewise order.
type File struct {
	Sections []Section
}

// Section is what was found out about one platform.
type Section struct {
	// Platform is os/arch[/variant].
	Platform string
	// Inputs are digests of what it was found out from, by name: Run, or a
	// folder of the image. Sorted by name.
	Inputs []Input
	// Settings are what the user had asked for, as directives have it: "probe
	// http /hello". Sorted, each once.
	Settings []string
	// Entries are what is kept, sorted by path. Folders that are there only for
	// what is in them are left out.
	Entries []Entry
}

// Run is the name of the input that is how the app is run and probed.
const Run = "run"

// Input is the digest of something that a section was made from.
type Input struct {
	Name   string
	Digest string // "sha256:" and 64 hexadecimal digits
}

// Entry is one kept entry of the image.
type Entry struct {
	Path string // absolute, physical, raw bytes
	// Reasons are the grounds, as in manifest.Kept; never empty.
	Reasons []string
	// Rule is the runtime rule that brought it in, Package the OS package that
	// owns it; empty for none.
	Rule, Package string
}

// Section returns what is known of a platform.
func (f File) Section(platform string) (Section, bool) {
	for _, s := range f.Sections {
		if s.Platform == platform {
			return s, true
		}
	}
	return Section{}, false
}

// Platforms lists the platforms that it has sections for.
func (f File) Platforms() []string {
	var names []string
	for _, s := range f.Sections {
		names = append(names, s.Platform)
	}
	return names
}

// Entries are those of all platforms, sorted by path, each path once.
func (f File) Entries() []Entry {
	var all []Entry
	for _, s := range f.Sections {
		all = append(all, s.Entries...)
	}
	slices.SortStableFunc(all, byPath)
	return slices.CompactFunc(all, func(a, b Entry) bool { return a.Path == b.Path })
}

func byPath(a, b Entry) int { return cmp.Compare(a.Path, b.Path) }

// Diff tells which paths are only in the second of two lists of entries, and
// which only in the first. Both are sorted by path.
func Diff(was, is []Entry) (added, removed []Entry) {
	for len(was) > 0 && len(is) > 0 {
		switch order := byPath(was[0], is[0]); {
		case order < 0:
			removed, was = append(removed, was[0]), was[1:]
		case order > 0:
			added, is = append(added, is[0]), is[1:]
		default:
			was, is = was[1:], is[1:]
		}
	}
	return append(added, is...), append(removed, was...)
}

// Changed names the inputs that are not the same in both sections.
func Changed(was, is Section) (names []string) {
	digests := map[string]string{}
	for _, in := range was.Inputs {
		digests[in.Name] = in.Digest
	}
	for _, in := range is.Inputs {
		if digests[in.Name] != in.Digest {
			names = append(names, in.Name)
		}
		delete(digests, in.Name)
	}
	for name := range digests {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
