package manifest

// Pack is the input of `slimfile-pack`.
type Pack struct {
	Version int `json:"version"`
	// Image is what the keep set needs of the image config.
	Image Image `json:"image"`
	// Platform is the image's, as os/arch[/variant].
	Platform string `json:"platform"`
	// Rules are the user's own, in the order of the Dockerfile.
	Rules []Rule `json:"rules,omitempty"`
	// Granularity is one of the Granularity* constants; empty is file.
	Granularity string `json:"granularity,omitempty"`
	// Copied are the places that the Dockerfile's COPY and ADD filled.
	Copied []Copy `json:"copied,omitempty"`
	// Added are paths that verifying found missing, sorted. Of a folder it is the
	// folder alone, unless a slash follows: then with all that is in it.
	Added []Path `json:"added,omitempty"`
	// Lock is one of the Lock* constants; empty for no lock.
	Lock string `json:"lock,omitempty"`
	// LockName is the lock's name among the files of the build context: one that
	// a COPY brought into the image is no part of the app. Empty for no lock.
	LockName string `json:"lockName,omitempty"`
	// Epoch is SOURCE_DATE_EPOCH in seconds: no mtime in the slim root is
	// later. Nil means unset.
	Epoch *int64 `json:"epoch,omitempty"`
}

// What a lock is for.
const (
	// LockFrozen: its entries are what is kept, and nothing else. There is no
	// trace, and Rules and Granularity do not count: the lock was made by them.
	LockFrozen = "frozen"
	// LockUpdate: what runs touched by it is kept as if this one had, as far as
	// the image has it.
	LockUpdate = "update"
)

// Section is the input of `slimfile-pack lock`: what the section of a lock says
// that the image does not tell.
type Section struct {
	Version  int    `json:"version"`
	Platform string `json:"platform"`
	// LockName is as in Pack.
	LockName string `json:"lockName"`
	// Run is the digest of how the app is run and probed.
	Run      string   `json:"run"`
	Settings []string `json:"settings"`
}

// Image is the part of the image config that decides what is kept.
type Image struct {
	Entrypoint  []string `json:"entrypoint,omitempty"`
	Cmd         []string `json:"cmd,omitempty"`
	Healthcheck []string `json:"healthcheck,omitempty"` // CMD form, without the CMD word; CMD-SHELL as shell -c
	Env         []string `json:"env,omitempty"`
	WorkingDir  string   `json:"workingDir,omitempty"`
	User        string   `json:"user,omitempty"`
	Volumes     []string `json:"volumes,omitempty"`
	Shell       []string `json:"shell,omitempty"`
}

// Copy is one source of a COPY or ADD. A source that is a folder leaves its
// content in the destination, so that which of the two forms it has is seen in
// the image.
type Copy struct {
	Dest string `json:"dest"` // absolute, clean
	// Name is the source's last name, by which a file is found in a destination
	// that is a folder; empty for a pattern, and for the whole of the context.
	Name string `json:"name,omitempty"`
}

// Rule is one keep/drop directive.
type Rule struct {
	Kind   string    `json:"kind"` // one of the Rule* constants
	Args   []string  `json:"args"`
	Reason string    `json:"reason,omitempty"`
	Source *Location `json:"source,omitempty"`
}

// Granularities: what one touched file keeps.
const (
	GranularityStrict  = "strict"  // itself, and what it cannot be loaded without
	GranularityFile    = "file"    // also what branches not taken load, and what was COPYed with it
	GranularityPackage = "package" // also its language package, and what was listed with it
	GranularityApp     = "app"     // also all that was COPYed
)

// Kinds of rules. Globs are doublestar patterns on absolute paths.
const (
	RuleKeep        = "keep"         // globs; one that matches nothing is a Failure
	RuleDrop        = "drop"         // globs; wins over everything but RuleKeep
	RuleKeepExe     = "keep-exe"     // programs by name or path, with closure
	RuleKeepPackage = "keep-package" // OS packages by name
	RuleKeepShell   = "keep-shell"   // a working sh
	// RuleKeepStageCopy keeps all of Pack.Copied.
	RuleKeepStageCopy = "keep-stage-copy"
)

// Summary is what the frontend's one line and labels are made of. It holds
// nothing that differs between two equal builds.
type Summary struct {
	Version       int   `json:"version"`
	KeptFiles     int64 `json:"keptFiles"` // everything but directories
	TotalFiles    int64 `json:"totalFiles"`
	KeptBytes     int64 `json:"keptBytes"` // apparent sizes of regular files, hard links once
	TotalBytes    int64 `json:"totalBytes"`
	KeptPackages  int   `json:"keptPackages"`
	TotalPackages int   `json:"totalPackages"`
	Probes        int   `json:"probes"`
	// Lock is one of the Lock* constants if a lock had a say in what is kept. With
	// LockFrozen there was no traced run to compare the verifying one with.
	Lock string `json:"lock,omitempty"`
	// Listed counts the directories that the app listed and that have lost
	// entries: what it found there it may miss.
	Listed int `json:"listed,omitempty"`
	// Levels are the KeptBytes, about, that other granularities would have.
	Levels map[string]int64 `json:"levels,omitempty"`
	// Warnings are sentences for the user.
	Warnings []string `json:"warnings,omitempty"`
}

// Report is report.json: the summary, every kept entry with its reasons, and
// what was removed. It is streamed: Kept may have a million elements. What
// depends on the runs, and may differ between two equal builds, is only in the
// one of the report step: Traced, nil with LockFrozen, Verified, Kept.Touched and Package.Phases.
type Report struct {
	Summary
	Kept     []Kept     `json:"kept"`
	Removed  Removed    `json:"removed"`
	Packages []Package  `json:"packages,omitempty"`
	Traced   *RunReport `json:"traced,omitempty"`
	Verified *RunReport `json:"verified,omitempty"`
}

// Kept is one entry of the slim root.
type Kept struct {
	Path    Path     `json:"path"`
	Type    string   `json:"type"` // file, dir, link, fifo, char, block
	Size    int64    `json:"size,omitempty"`
	Reasons []string `json:"reasons"`
	// Via names what led here, for closures: the ELF file that needs the
	// library, the script that names the interpreter.
	Via Path `json:"via,omitempty"`
	// Rule names the runtime rule that brought it in, if one did: "python".
	Rule    string `json:"rule,omitempty"`
	Package string `json:"package,omitempty"` // owning OS package
	// Touched is nil for what no run touched but something kept needs.
	Touched *Touched `json:"touched,omitempty"`
}

// Touched is when and by whom a path was touched; see Touch.
type Touched struct {
	Phases  []int `json:"phases"`  // indexes into Report.Traced.Phases, ascending
	Program int   `json:"program"` // the first, an index into Report.Traced.Programs, or -1
}

// Removed sums up what the slim image lacks.
type Removed struct {
	Folders  []Total `json:"folders"`  // by top folder, largest first
	Packages []Total `json:"packages"` // by owning OS package, largest first
	// Listed are the folders that the app listed and that have lost most
	// entries, which are Files, without Bytes.
	Listed []Total `json:"listed,omitempty"`
}

// Total counts files and bytes under a name.
type Total struct {
	Name  Path  `json:"name"`
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Packages is what is left of the image's OS packages.
type Packages struct {
	Version int `json:"version"`
	// Total counts those that the image has; none means that it does not tell.
	Total int `json:"total"`
	// Kept are those of which something remains.
	Kept []Package `json:"kept,omitempty"`
}

// Package is one OS package found in the image.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"`
	// Source is what it was built from, which advisories speak of, and its version.
	Source        string `json:"source"`
	SourceVersion string `json:"sourceVersion"`
	Files         int64  `json:"files"` // regular files and links it owns in the image
	Kept          int64  `json:"kept"`  // of which remain
	// Phases are those in which the traced run touched something of it: a
	// package with [3] alone is needed by probe 3 alone.
	Phases []int `json:"phases,omitempty"`
}
