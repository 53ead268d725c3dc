package manifest

// Run is the input of `slimfile-sensor trace` and `slimfile-sensor verify`.
type Run struct {
	Version int `json:"version"`
	// App is the image's own command, as production would start it.
	App Command `json:"app"`
	// Fanotify is one of the Fanotify* constants: whether the privileged
	// witness runs beside the seccomp recorder.
	Fanotify string `json:"fanotify"`
	// Privileged says that the step itself runs as security.insecure, so that
	// the app has to be confined to a sandbox's privileges.
	Privileged bool    `json:"privileged,omitempty"`
	Ready      Ready   `json:"ready"`
	Probes     []Probe `json:"probes,omitempty"`
	Stop       Stop    `json:"stop"`
	// Calls asks for the set of system calls of each phase, which costs the app
	// time.
	Calls bool `json:"calls,omitempty"`
	// ReadOnly says that the step's root is mounted read-only. A run that fails
	// after it has tried to write to it is then a result like a good one, with
	// RunReport.Failure.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Tentative says so of any run that fails.
	Tentative bool `json:"tentative,omitempty"`
	// TimeoutSeconds bounds the whole run.
	TimeoutSeconds float64 `json:"timeoutSeconds"`
}

// What the fanotify witness is asked for.
const (
	FanotifyOff    = "off"
	FanotifyAuto   = "auto"   // when the kernel lets this step; the report says so
	FanotifyDemand = "demand" // or the step fails
)

// Command is a program with the surroundings an OCI runtime would give it.
type Command struct {
	// Args is ENTRYPOINT and CMD combined; never empty. Args[0] without a
	// slash is looked up in PATH of Env.
	Args []string `json:"args"`
	// Env is the image's own environment and nothing else, as K=V.
	Env []string `json:"env,omitempty"`
	// Dir is WORKDIR; empty means /.
	Dir string `json:"dir,omitempty"`
	// User is USER as the image config has it: name, uid, name:group, uid:gid
	// or empty (root). Resolved in the image's /etc/passwd and /etc/group,
	// supplementary groups included when no group is given.
	User string `json:"user,omitempty"`
	// Stdin is fed to the program; nil means /dev/null.
	Stdin []byte `json:"stdin,omitempty"`
}

// Ready says when the app counts as up.
type Ready struct {
	Kind           string  `json:"kind"`              // one of the Ready* constants
	Ports          []int   `json:"ports,omitempty"`   // ReadyTCP: all of them listen, v4 or v6
	URL            string  `json:"url,omitempty"`     // ReadyHTTP: answers 2xx or 3xx
	Pattern        string  `json:"pattern,omitempty"` // ReadyLog: Go regexp on a log line
	TimeoutSeconds float64 `json:"timeoutSeconds"`
	// Source is the directive that asked for it, nil for a default.
	Source *Location `json:"source,omitempty"`
}

// Kinds of readiness.
const (
	ReadyTCP  = "tcp"
	ReadyHTTP = "http"
	ReadyLog  = "log"
	ReadyExit = "exit" // a command-line tool: ready when it has exited 0
)

// Stop says how the app is asked to end.
type Stop struct {
	Signal       string  `json:"signal"` // STOPSIGNAL: SIGTERM, TERM, 15, SIGRTMIN+3
	GraceSeconds float64 `json:"graceSeconds"`
}

// Probe is one request to the running app. Exactly one of HTTP, TCP and Exec
// is set.
type Probe struct {
	// Name is the probe as the user typed it, for messages:
	// "http /hello status=200".
	Name           string    `json:"name"`
	Source         *Location `json:"source,omitempty"`
	TimeoutSeconds float64   `json:"timeoutSeconds"`
	// Retries is how often a failed probe is tried again within its timeout.
	Retries int        `json:"retries,omitempty"`
	HTTP    *HTTPProbe `json:"http,omitempty"`
	TCP     *TCPProbe  `json:"tcp,omitempty"`
	Exec    *ExecProbe `json:"exec,omitempty"`
}

// HTTPProbe is a request; redirects are not followed.
type HTTPProbe struct {
	Method   string   `json:"method"`
	Scheme   string   `json:"scheme"` // http or https
	Port     int      `json:"port"`
	Path     string   `json:"path"`             // with query
	Header   []string `json:"header,omitempty"` // "Name: value"
	Body     []byte   `json:"body,omitempty"`
	User     string   `json:"user,omitempty"`     // basic authentication, NAME:PASSWORD
	Insecure bool     `json:"insecure,omitempty"` // accept any certificate
	// Status is the set of good codes: "200", "2xx", "200-299", joined by
	// commas; empty means 2xx and 3xx.
	Status string `json:"status,omitempty"`
	// Match is a Go regexp that the body (first 1 MiB) must match.
	Match string `json:"match,omitempty"`
}

// TCPProbe connects, optionally sends, optionally expects.
type TCPProbe struct {
	Port  int    `json:"port"`
	Send  []byte `json:"send,omitempty"`  // escapes already resolved
	Match string `json:"match,omitempty"` // Go regexp on what came back (first 64 KiB)
}

// ExecProbe runs a program in the app's container, under the recorder.
type ExecProbe struct {
	Command Command `json:"command"`
	// Exit is the expected exit code.
	Exit  int    `json:"exit,omitempty"`
	Match string `json:"match,omitempty"` // Go regexp on stdout and stderr (first 1 MiB)
}

// Failure is what a failed step leaves in FailureFile: one screen.
type Failure struct {
	Version int    `json:"version"`
	Phase   string `json:"phase"` // start, ready, probe, stop, record, keepset, copy
	// Message is one sentence: what went wrong.
	Message  string    `json:"message"`
	Probe    string    `json:"probe,omitempty"`
	Expected string    `json:"expected,omitempty"`
	Got      string    `json:"got,omitempty"`
	Log      []string  `json:"log,omitempty"` // the app's last lines, at most LogTail
	Remedy   string    `json:"remedy,omitempty"`
	Source   *Location `json:"source,omitempty"`
	// Missing is what a verifying run lacked, as in RunReport.
	Missing []Missing `json:"missing,omitempty"`
}

// LogTail bounds Failure.Log in lines, LogLine each line in bytes.
const (
	LogTail = 40
	LogLine = 1024
)

// Error makes a Failure usable as an error on the side where it happens.
func (f *Failure) Error() string { return f.Message }

// RunReport is what a run has to tell that must not feed a cache key.
type RunReport struct {
	Version   int      `json:"version"`
	Recorders []string `json:"recorders"` // "seccomp", "fanotify"
	Events    uint64   `json:"events"`
	Lost      uint64   `json:"lost"`
	// Witness lists what only fanotify saw, the first MaxWitness of it.
	Witness  []Sighting    `json:"witness,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
	StartMS  int64         `json:"startMs"` // start to ready
	StopMS   int64         `json:"stopMs"`
	TotalMS  int64         `json:"totalMs"`
	Probes   []ProbeResult `json:"probes,omitempty"`
	// Stopped says how the app ended: "exit 0", "signal 15", "killed".
	Stopped string `json:"stopped"`
	// Stop is nil for an app that had ended before it could be stopped.
	Stop *Stopping `json:"stop,omitempty"`

	// Phases are the parts of the run, which others name by index.
	Phases []Phase `json:"phases"`
	// AssumedCalls are the system calls that are not watched because programs
	// make them all the time, or that are seen only in part, sorted: a profile
	// allows them whatever Phase.Calls says. Nil without Run.Calls.
	AssumedCalls []string `json:"assumedCalls,omitempty"`
	// Programs are those that were executed, by first phase and path, at most
	// 1000. Main is what the image's command became in the end, in its first
	// process, such as the app behind an entrypoint script that ends in exec;
	// -1 if it is not listed.
	Programs []Program `json:"programs"`
	Main     int       `json:"main"`
	// LargestEUID is the largest effective user id of any process, Root whether
	// one had 0.
	LargestEUID uint32 `json:"largestEuid"`
	Root        bool   `json:"root"`
	// Listening and Outbound are at most 1000 addresses each, by protocol,
	// address and port. Outbound are attempts: connect(2), sendto(2). Whether
	// they succeeded is not known.
	Listening []Socket `json:"listening,omitempty"`
	Outbound  []Socket `json:"outbound,omitempty"`
	// Changes are at most 1000 paths that were made, written, renamed, removed
	// or given other metadata, in the order of TouchFile.
	Changes []Touch `json:"changes,omitempty"`
	// Zombies are the names of processes that nobody had waited for when the
	// probes were done, sorted, at most 20. Their parent is the app's first
	// process, or became it when theirs ended.
	Zombies []string `json:"zombies,omitempty"`
	// ReadOnly says that the root was mounted read-only.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Failure is why a tentative run failed; nil for a good one.
	Failure *Failure `json:"failure,omitempty"`
	// Complaints are the lines of the app's log that speak of something missing,
	// at most MaxComplaints of different forms.
	Complaints []Complaint `json:"complaints,omitempty"`
	// Output is what the app of a run with ReadyExit wrote.
	Output *Answer `json:"output,omitempty"`
	// Missing is what a verifying run asked for in vain that the image as built
	// has, at most MaxMissing, in the order of TouchFile.
	Missing []Missing `json:"missing,omitempty"`
	Omitted Omitted   `json:"omitted,omitzero"`
}

// Bounds of RunReport's lists.
const (
	MaxComplaints = 100
	MaxMissing    = 200
)

// MaxWitness bounds RunReport.Witness.
const MaxWitness = 1000

// Sighting is a file that only fanotify saw being opened.
type Sighting struct {
	Path Path `json:"path"`
	// Exe is the first program that opened it, empty if that had ended before
	// it could be told.
	Exe Path `json:"exe,omitempty"`
}

// ProbeResult is one probe's outcome.
type ProbeResult struct {
	Name string `json:"name"`
	Got  string `json:"got"` // "200 OK, 12 bytes"
	MS   int64  `json:"ms"`
	// Answer is nil for a probe whose answers cannot be compared.
	Answer *Answer `json:"answer,omitempty"`
}
