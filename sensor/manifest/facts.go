package manifest

// Facts is what the rules ask about the image's files. slimfile-pack finds it on
// its way through the image. Lists are sorted and have at most MaxFacts elements.
type Facts struct {
	Version int `json:"version"`
	// OS is what os-release(5) says.
	OS OS `json:"os"`
	// PackagesAt is when the package database was last written, in seconds
	// since 1970; 0 if there is none.
	PackagesAt int64 `json:"packagesAt,omitempty"`
	// UID is the id that USER stands for; nil if the image does not tell.
	UID *uint32 `json:"uid,omitempty"`

	// Obstacles are what keeps programs of the image's config from starting.
	Obstacles []Obstacle `json:"obstacles,omitempty"`
	// CompiledHere tells, in an image with musl, what was compiled for want of
	// ready-made packages; GlibcOnly are files that need glibc.
	CompiledHere []Path `json:"compiledHere,omitempty"`
	GlibcOnly    []Path `json:"glibcOnly,omitempty"`
	// Copied is what each of Pack.Copied brought.
	Copied []Copied `json:"copied,omitempty"`

	// Of what the slim image keeps:

	// Setuid are files with setuid, setgid or file capabilities.
	Setuid []Path `json:"setuid,omitempty"`
	// WorldWritable may be written by everybody: files, and folders without
	// the sticky bit.
	WorldWritable []Path `json:"worldWritable,omitempty"`
	// WritableCode was executed or loaded by the run, and its user may write it.
	WritableCode []Path `json:"writableCode,omitempty"`
	// Unreadable was opened or executed by the run, and its user may not read it.
	Unreadable []Path `json:"unreadable,omitempty"`
	// Secrets are files that hold a credential.
	Secrets []Secret `json:"secrets,omitempty"`
	// Shells and PackageManagers were not executed by the run.
	Shells          []Path `json:"shells,omitempty"`
	PackageManagers []Path `json:"packageManagers,omitempty"`
	// TLS is a library for TLS that is kept, empty for none; CA says whether a
	// bundle of certificates is kept too.
	TLS Path `json:"tls,omitempty"`
	CA  bool `json:"ca,omitempty"`

	// Of what it lacks:

	// DevTools are programs and packages for development.
	DevTools []Path `json:"devTools,omitempty"`

	// Of both:

	// Hidden are the VOLUMEs below which the image has files.
	Hidden []Path `json:"hidden,omitempty"`

	// Omitted counts what the lists had no room for.
	Omitted int64 `json:"omitted,omitempty"`
}

// MaxFacts bounds each list of Facts.
const MaxFacts = 100

// OS identifies a distribution by the fields of os-release(5).
type OS struct {
	ID        string `json:"id,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Name      string `json:"name,omitempty"` // PRETTY_NAME
}

// Copied counts the files of a COPY, and what the slim image has of them.
type Copied struct {
	Copy
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
	Kept  int64 `json:"kept"` // files
}

// Secret is a file that holds a credential.
type Secret struct {
	Path Path   `json:"path"`
	Kind string `json:"kind"` // "private key"
}

// Obstacle is what keeps a program from starting.
type Obstacle struct {
	Command string `json:"command"` // one of the Command* constants
	Kind    string `json:"kind"`    // one of the Obstacle* constants
	// Program is its path, or its name if it is not in PATH.
	Program Path `json:"program"`
	// Needs is the interpreter, the loader, the library or the machine that it
	// is made for; By the file that needs the library.
	Needs Path `json:"needs,omitempty"`
	By    Path `json:"by,omitempty"`
}

// Commands whose programs are looked at.
const (
	CommandMain        = "main" // ENTRYPOINT and CMD
	CommandHealthcheck = "healthcheck"
	CommandKept        = "kept" // a program that a keep directive names
)

// Kinds of obstacles.
const (
	ObstacleMissing     = "missing"     // the program is not there
	ObstacleRights      = "rights"      // USER may not execute it, or it is a folder
	ObstacleFormat      = "format"      // neither ELF nor a script with a first line
	ObstacleCRLF        = "crlf"        // the script's first line ends as on Windows
	ObstacleInterpreter = "interpreter" // of a script
	ObstacleMachine     = "machine"     // it is made for another processor
	ObstacleLoader      = "loader"      // PT_INTERP of elf(5)
	ObstacleLibrary     = "library"     // DT_NEEDED
)
