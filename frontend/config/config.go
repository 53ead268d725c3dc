// Package config turns what a user said about slimming into one validated
// Config: the `# slim:` directives of a Dockerfile, SLIM_* build arguments,
// the arguments on its `# syntax=` line and the frontend image's environment.
//
// It comes first in a build, before anything is solved. It is pure: it reads
// no file, and files that the user names are read by the caller. Config.Run
// and Config.Pack then turn the Config and a built image's config into the
// inputs of the build steps. Only frontend and llbgen may import it.
package config

import (
	"time"

	"github.com/org/slimfile/sensor/manifest"
)

// Input is everything a Config is made from.
type Input struct {
	// Filename is how messages call the Dockerfile.
	Filename string
	// Dockerfile is its text.
	Dockerfile []byte
	// Target is the name of the stage to build; empty means the last.
	Target string
	// BuildArgs are all build arguments of the client. Those named SLIM and
	// SLIM_* are settings; the others matter where a FROM uses them, so that
	// the caller may add the platform's (TARGETARCH and so on).
	BuildArgs map[string]string
	// Syntax is the value of the `# syntax=` line as BuildKit's option
	// "cmdline" carries it: the frontend's ref, then settings as NAME=VALUE.
	// Empty means the Dockerfile's own line, which BuildKit need not have
	// followed to get here.
	Syntax string
	// ImageEnv is the environment of the frontend's own image, as K=V; all
	// but SLIM and SLIM_* is left alone.
	ImageEnv []string
}

// Mode is the value of the setting SLIM.
type Mode string

// Modes.
const (
	ModeOn   Mode = "on"
	ModeLint Mode = "lint" // the rules alone, and the stock build
	ModeOff  Mode = "off"  // exactly the stock build: no directive is even looked at
)

// Sensor says which recorders watch the traced run.
type Sensor string

// Sensors.
const (
	SensorAuto     Sensor = "auto"     // seccomp, and fanotify where its entitlement is granted
	SensorSeccomp  Sensor = "seccomp"  // never ask for the entitlement
	SensorFanotify Sensor = "fanotify" // demand both
)

// Verify says what the second run, that of the slim image, is for.
type Verify string

// What it is for.
const (
	VerifyOn     Verify = "on"     // the build fails if the slim image lacks something
	VerifyRepair Verify = "repair" // what it lacks is added
	VerifyOff    Verify = "off"    // it does not take place
)

// Lock says what the lock file is for.
type Lock string

// What it is for.
const (
	LockOff    Lock = "off"    // nothing
	LockAuto   Lock = "auto"   // it stands in for the traced run while its inputs are unchanged
	LockFrozen Lock = "frozen" // it stands in for the traced run, or the build fails
	LockUpdate Lock = "update" // what it says is kept as well
)

// DefaultLockFile is the lock file's name where none is given.
const DefaultLockFile = "slim.lock"

// Output is what the build hands over.
type Output string

// Outputs.
const (
	OutputImage  Output = "image"  // the slim image
	OutputFat    Output = "fat"    // the image as the Dockerfile built it
	OutputReport Output = "report" // a folder of reports
	OutputRootfs Output = "rootfs" // the slim image's files alone
	OutputLock   Output = "lock"   // the lock file
)

// Network is the traced run's network.
type Network string

// Networks.
const (
	NetworkNone    Network = "none"    // private, with a loopback interface only
	NetworkDefault Network = "default" // the one the build's own RUN steps have
)

// Defaults for what the user left open.
const (
	DefaultTimeout      = 5 * time.Minute  // of a whole run
	DefaultReadyTimeout = 2 * time.Minute  // until the app is up
	DefaultProbeTimeout = 30 * time.Second // of one probe, retries included
	DefaultRefresh      = 24 * time.Hour   // of steps that apply updates
	StopGrace           = 10 * time.Second // between STOPSIGNAL and SIGKILL, as docker stop has it
)

// Config is the user's will, validated: every value in it is usable.
type Config struct {
	Mode Mode
	// Slim says that the target is to be slimmed: it is the last stage or
	// carries `# slim: on`. False when Mode is ModeOff.
	Slim    bool
	Sensor  Sensor
	Output  Output
	Timeout time.Duration // bounds one run of the app, traced or verifying
	Verify  Verify
	Network Network
	Start   Start
	// Ready is nil when the user left it open.
	Ready *Ready
	// Probes are the declared ones, in the order they run: global ones, then
	// those of each stage from the bottom of the FROM chain to the target.
	Probes []Probe
	// Rules are keep and drop directives, in the same order.
	Rules []manifest.Rule
	// Granularity says what one touched file keeps: one of
	// manifest.Granularity*; empty is file.
	Granularity string
	// Refresh is how old the cached result of a step that applies OS updates
	// may be; 0 for any age.
	Refresh time.Duration
	// Overrides are the severities that the Dockerfile gives to rules, of all
	// its stages.
	Overrides []Override
	// Policy is the policy file: in the build context, or where the frontend
	// runs if it is absolute; empty for none.
	Policy string
	// Lock says what LockFile, a file of the build context, is for.
	Lock     Lock
	LockFile string
	// FailOn is the least severity that fails the build: error or warn; never
	// for none.
	FailOn string
	// Warnings are about lines that look like directives and are none.
	Warnings []*Error

	file   file
	from   manifest.Location            // the target's FROM
	places map[string]manifest.Location // of the directives that count, by verb
	stage  int                          // that a directive being applied stands in
}

// Override is what a Dockerfile says of one rule.
type Override struct {
	Rule     string // name or alias, not checked
	Severity string // off, info, warn or error
	Reason   string
	Until    time.Time // the last day it counts; zero for ever
	// Stage is the number of the stage that it is about, with those built from
	// it; -1 for the whole file.
	Stage int
	At    manifest.Location
}

// Fail makes an error about a place of the Dockerfile, as Parse's own.
func (c *Config) Fail(at manifest.Location, format string, args ...any) error {
	return Errors{c.file.fail(at, format, args...)}.located()
}

// Place is where the directive with a verb stands, the last one of several; zero
// if there is none that counts for the target.
func (c *Config) Place(verb string) manifest.Location { return c.places[verb] }

// Start changes how the app is started for the run.
type Start struct {
	// Env overrides the image's environment, as K=V.
	Env []string
	// Cmd, when not empty, replaces the image's CMD; ENTRYPOINT stays, as in
	// `docker run IMAGE CMD…`.
	Cmd []string
}

// Ready says when the app counts as up.
type Ready struct {
	Kind    string        // one of manifest.Ready*; empty: the default, only Timeout was given
	Ports   []int         // manifest.ReadyTCP
	Path    string        // manifest.ReadyHTTP
	Port    int           // manifest.ReadyHTTP; 0: the EXPOSEd one
	Pattern string        // manifest.ReadyLog: Go regexp
	Timeout time.Duration // never 0
	Source  manifest.Location
}

// Probe is a declared probe: the manifest's, with what only the image config
// or the build context can tell still open.
type Probe struct {
	// Probe lacks the image's surroundings of an exec command, and its HTTP
	// port is 0 when the EXPOSEd one is meant: Config.Run fills both in.
	manifest.Probe
	// BodyFile names a file of the build context that the caller reads into
	// HTTP.Body; empty means none.
	BodyFile string
}
