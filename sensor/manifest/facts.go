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

// Secret is a file that holds a credential.
type Secret struct {
	Path Path   `json:"path"`
	Kind string `json:"kind"` // "private key"
}
