package keepset

import (
	"math/bits"
	"slices"

	"github.com/org/slimfile/sensor/manifest"
)

// Reasons is the set of grounds on which an entry is kept.
type Reasons uint32

// Reasons. A kept entry has at least one.
const (
	Opened          Reasons = 1 << iota // read or written by the run
	Executed                            // run as a program, or loaded by the kernel as an interpreter
	Mapped                              // mapped into memory
	Checked                             // stat, access and the like only
	Listed                              // read as a directory
	Traversed                           // a folder on the way to something kept
	Link                                // a symbolic link on the way
	LinkedLibrary                       // needed by a kept ELF file
	Interpreter                         // shebang, PT_INTERP
	Config                              // entrypoint, HEALTHCHECK, WORKDIR, VOLUME, USER's home
	System                              // always there if the image has it
	PackageMetadata                     // tells scanners what remains
	RuntimeRule                         // a rule about a language runtime
	User                                // a keep directive
	Verify                              // added by repair
	Lock                                // named by the lock file
	Script                              // a command word of a shell entrypoint
	Copied                              // the app's own, COPYed together with what the run touched
	Package                             // of the language package of what the run touched
	Plugin                              // beside what the run found by listing a folder
)

// reasonNames are the names in report.json, in the order of the bits.
var reasonNames = [...]string{
	"opened", "executed", "mapped", "checked", "listed", "traversed", "link",
	"linked-library", "interpreter", "config", "system", "package-metadata",
	"runtime-rule", "user", "verify", "lock", "script", "copied", "package", "plugin",
}

// reasonsNamed is the set of the reasons with these names. Unknown ones, of
// another version, count as none.
func reasonsNamed(names []string) Reasons {
	var r Reasons
	for i, name := range reasonNames {
		if slices.Contains(names, name) {
			r |= 1 << i
		}
	}
	return r
}

// Names returns the names of the reasons, in the order of the constants.
func (r Reasons) Names() []string {
	names := make([]string, 0, bits.OnesCount32(uint32(r)))
	for i, name := range reasonNames {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// touched are the reasons that come from the run itself.
const touched = Opened | Executed | Mapped | Checked | Listed

// reasonsOf says on what ground a path is kept that the run did ops with. What
// the run wrote, replaced or deleted was needed as it stood before.
func reasonsOf(ops manifest.Ops) Reasons {
	var r Reasons
	for _, m := range [...]struct {
		ops     manifest.Ops
		reasons Reasons
	}{
		{manifest.Opened | manifest.Written | manifest.Created | manifest.Deleted | manifest.Witnessed, Opened},
		{manifest.Executed, Executed},
		{manifest.Mapped, Mapped},
		{manifest.Checked | manifest.Changed | manifest.Failures, Checked},
		{manifest.Listed, Listed},
		{manifest.Linked, Link},
		{manifest.Entered, Traversed},
	} {
		if ops&m.ops != 0 {
			r |= m.reasons
		}
	}
	return r
}
