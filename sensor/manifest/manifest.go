// Package manifest holds the versioned wire types of everything that crosses
// from the frontend into a build step and back: what to run, what the run
// touched, what to pack, and how a step failed.
//
// It is the one package that both sides (frontend, llbgen; sensor/...) import,
// so it depends on the standard library only. What feeds BuildKit's cache keys
// carries no time, process id or network address, and nothing that depends on
// which of two processes was faster; RunReport and TouchFile feed none.
package manifest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Version is the version of every type in this package. A reader refuses any
// other: both sides come out of the same frontend image.
const Version = 1

// Where the steps find their files. /dev is a tmpfs in every exec, so mounting
// there leaves no mount points behind in the traced image's own root.
const (
	// Dir holds all that a step mounts into the app's root.
	Dir = "/dev/.slimfile"
	// BinDir holds slimfile-sensor and slimfile-pack, read-only.
	BinDir = Dir + "/bin"
	// InputDir holds RunFile, PackFile or SectionFile, read-only.
	InputDir = Dir + "/in"
	// OutputDir is the step's output mount.
	OutputDir = Dir + "/out"
	// SourceDir is the read-only image as built, for slimfile-pack and for the
	// verifying run.
	SourceDir = Dir + "/src"
	// TraceDir is what the traced run left, for slimfile-pack: TraceSubdir of it
	// to pack, all of it to report.
	TraceDir = Dir + "/trace"
	// VerifyDir is what the verifying run left, for slimfile-pack report.
	VerifyDir = Dir + "/verify"
	// PackedDir is what the pack step left, for slimfile-pack report and lock.
	PackedDir = Dir + "/packed"
	// LockDir holds LockFile, the lock as it was committed.
	LockDir = Dir + "/lock"
	// SectionsDir holds folders of which each holds a LockFile, for slimfile-pack
	// merge.
	SectionsDir = Dir + "/sections"
	// RootDir is the mount that becomes the slim image's root.
	RootDir = Dir + "/root"
	// RefreshDir is where a dated step of the Dockerfile finds its date.
	RefreshDir = Dir + "/refresh"
)

// File names within the folders above.
const (
	RunFile      = "run.json"        // InputDir: Run
	PackFile     = "pack.json"       // InputDir: Pack
	SectionFile  = "section.json"    // InputDir: Section
	LockFile     = "slim.lock"       // LockDir, OutputDir of lock and merge: lock.File
	TraceFile    = "trace.jsonl"     // OutputDir/TraceSubdir: Header, then one Entry a line
	TraceSubdir  = "trace"           // OutputDir: what feeds slimfile-pack's cache key
	SidecarFile  = "run-report.json" // OutputDir: RunReport; timings and log, feeds no cache key
	TouchFile    = "touched.jsonl"   // OutputDir: TouchHeader, then one Touch a line; feeds no cache key
	FailureFile  = "failure.json"    // OutputDir: Failure, when the step exits non-zero
	ReportFile   = "report.json"     // OutputDir of pack, and of report: Report, streamed
	SummaryFile  = "summary.json"    // OutputDir of pack: Summary
	FactsFile    = "facts.json"      // OutputDir of pack: Facts
	PackagesFile = "packages.json"   // OutputDir of pack: Packages
)

// Path is a path inside the image, as the raw bytes the kernel knows it by.
// In JSON it is a plain string when it is valid UTF-8, otherwise NUL followed
// by its standard base64: NUL cannot occur in a path (path_resolution(7)).
type Path string

const base64Mark = "\x00"

// MarshalText implements encoding.TextMarshaler.
func (p Path) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(p)) {
		return []byte(p), nil
	}
	return []byte(base64Mark + base64.StdEncoding.EncodeToString([]byte(p))), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Path) UnmarshalText(text []byte) error {
	s := string(text)
	rest, marked := strings.CutPrefix(s, base64Mark)
	if !marked {
		*p = Path(s)
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return fmt.Errorf("path: %w", err)
	}
	*p = Path(raw)
	return nil
}

// Location is where in the user's Dockerfile something was asked for.
// Lines count from 1, columns from 0, as in BuildKit's parser.Range.
type Location struct {
	Line      int `json:"line"`
	EndLine   int `json:"endLine,omitempty"`
	Column    int `json:"column,omitempty"`
	EndColumn int `json:"endColumn,omitempty"`
}

// Decode reads one JSON document strictly: unknown fields are an error.
func Decode(data []byte, v any) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("manifest: trailing data")
	}
	return nil
}
