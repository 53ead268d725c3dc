// Package llbgen turns decisions into BuildKit's low-level build graph: each
// function takes states and wire types and returns the state of one more step.
//
// The functions are pure: no I/O, no Solve, no clock, and the same arguments
// marshal to the same ops, which is what makes the steps cacheable. Imported by
// frontend only.
package llbgen

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/sensor/manifest"
)

// The steps' programs, as their command lines begin.
const (
	Sensor = manifest.BinDir + "/slimfile-sensor"
	Packer = manifest.BinDir + "/slimfile-pack"
)

// Tools is where the steps' own programs come from.
type Tools struct {
	// State holds a folder per platform below Dir: linux-amd64/slimfile-sensor.
	State llb.State
	Dir   string
	// Platform is that of the worker, not of the image: the programs never run
	// under emulation, where seccomp notification does not exist. Emulated
	// programs that they start are the kernel's business (binfmt_misc).
	Platform ocispecs.Platform
}

// Steps makes the steps that slim one image.
type Steps struct {
	Tools Tools
	// Name is put before each step's number: "linux/arm64", or nothing.
	Name string
	// IgnoreCache runs the steps even when their inputs are unchanged.
	IgnoreCache bool
	// Network is the traced run's: pb.NetMode_NONE is a network namespace of
	// its own with nothing but loopback.
	Network pb.NetMode
	// Security is the traced run's; insecure gives the fanotify witness.
	Security pb.SecurityMode
}

// Traced is what the traced run leaves.
type Traced struct {
	// Output holds TraceSubdir/TraceFile, SidecarFile and, after a failure,
	// FailureFile.
	Output llb.State
}

// Packed is what packing leaves.
type Packed struct {
	// Root is the slim image's root, one layer.
	Root llb.State
	// Output holds ReportFile, SummaryFile and, after a failure, FailureFile.
	Output llb.State
}

// WithVolumes is an image's root with the folders of its VOLUMEs, those that the
// image lacks empty and root's, as container runtimes make them before they mount
// the volumes there.
func WithVolumes(fat llb.State, volumes []string) llb.State {
	var folders *llb.FileAction
	for _, volume := range volumes {
		dir := path.Join("/", volume)
		if folders == nil {
			folders = llb.Mkdir(dir, 0o755, llb.WithParents(true))
		} else {
			folders = folders.Mkdir(dir, 0o755, llb.WithParents(true))
		}
	}
	if folders == nil {
		return fat
	}
	return fat.File(folders, llb.WithCustomName("[internal] make the folders of VOLUMEs"))
}

// Trace runs the image under the recorder.
func (s Steps) Trace(fat llb.State, run manifest.Run) (Traced, error) {
	input, err := s.input(manifest.RunFile, run)
	if err != nil {
		return Traced{}, err
	}
	ex := files(fat).Run(s.options("1/3", "trace", Sensor, input,
		llb.Args([]string{Sensor, "trace"}),
		llb.Network(s.Network),
		llb.Security(s.Security),
	)...)
	return Traced{Output: ex.AddMount(manifest.OutputDir, llb.Scratch())}, nil
}

// Pack copies what the run needed, or what a lock names, out of the image as it
// was built: fat is the state before the run, whatever the run did to its own
// root. traced is nil with manifest.LockFrozen; locked, which holds LockFile, is
// nil without pack.Lock.
func (s Steps) Pack(fat llb.State, traced *Traced, locked *llb.State, pack manifest.Pack) (Packed, error) {
	input, err := s.input(manifest.PackFile, pack)
	if err != nil {
		return Packed{}, err
	}
	verb := "pack"
	if pack.Lock == manifest.LockFrozen {
		verb += " what " + pack.LockName + " names"
	}
	if n := len(pack.Added); n > 0 {
		verb += fmt.Sprintf(" with %d more", n)
	}
	var from []llb.RunOption
	if traced != nil {
		// The trace is hashed: one that finds the same files again leaves this
		// step cached.
		from = append(from, llb.AddMount(manifest.TraceDir, traced.Output, llb.Readonly, llb.SourcePath(manifest.TraceSubdir)))
	}
	if locked != nil {
		from = append(from, llb.AddMount(manifest.LockDir, *locked, llb.Readonly))
	}
	ex := llb.Scratch().Run(s.options("2/3", verb, Packer, append(from, input,
		llb.Args([]string{Packer}),
		// Hashing the whole image would cost more than the copy; the image is
		// already identified by the ops that made it.
		llb.AddMount(manifest.SourceDir, files(fat), llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)),
		llb.Network(pb.NetMode_NONE),
	)...)...)
	return Packed{
		Root:   ex.AddMount(manifest.RootDir, llb.Scratch()),
		Output: ex.AddMount(manifest.OutputDir, llb.Scratch()),
	}, nil
}

// Lock says what is kept of the image as it was built, in the section of a lock:
// what was packed, or if that is nil, what the lock locked names. The state holds
// LockFile.
func (s Steps) Lock(fat llb.State, packed *Packed, locked *llb.State, section manifest.Section) (llb.State, error) {
	input, err := s.input(manifest.SectionFile, section)
	if err != nil {
		return llb.State{}, err
	}
	var verb string
	var from llb.RunOption
	if packed != nil {
		verb, from = "lock", llb.AddMount(manifest.PackedDir, packed.Output, llb.Readonly)
	} else {
		verb, from = "hold the image against "+section.LockName, llb.AddMount(manifest.LockDir, *locked, llb.Readonly)
	}
	ex := llb.Scratch().Run(s.options("", verb, Packer, input, from,
		llb.Args([]string{Packer, "lock"}),
		llb.AddMount(manifest.SourceDir, files(fat), llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)),
		llb.Network(pb.NetMode_NONE),
	)...)
	return ex.AddMount(manifest.OutputDir, llb.Scratch()), nil
}

// MergeLocks makes one lock of sections, and of what the lock locked, which may
// be nil, has for other platforms. The state holds it as name.
func (s Steps) MergeLocks(sections []llb.State, locked *llb.State, name string) llb.State {
	mounts := []llb.RunOption{llb.Args([]string{Packer, "merge"}), llb.Network(pb.NetMode_NONE)}
	if locked != nil {
		mounts = append(mounts, llb.AddMount(manifest.LockDir, *locked, llb.Readonly))
	}
	for i, section := range sections {
		mounts = append(mounts, llb.AddMount(fmt.Sprintf("%s/%d", manifest.SectionsDir, i), section, llb.Readonly))
	}
	merged := llb.Scratch().Run(s.options("", "merge sections", Packer, mounts...)...).AddMount(manifest.OutputDir, llb.Scratch())
	return llb.Scratch().File(llb.Copy(merged, manifest.LockFile, path.Join("/", name), &llb.CopyInfo{CreateDestPath: true}),
		llb.WithCustomName("[internal] write "+name))
}

// Inspect looks at the image without running it. The state holds FactsFile.
func (s Steps) Inspect(fat llb.State, pack manifest.Pack) (llb.State, error) {
	input, err := s.input(manifest.PackFile, pack)
	if err != nil {
		return llb.State{}, err
	}
	ex := llb.Scratch().Run(s.options("", "inspect", Packer, input,
		llb.Args([]string{Packer, "inspect"}),
		llb.AddMount(manifest.SourceDir, files(fat), llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)),
		llb.Network(pb.NetMode_NONE),
	)...)
	return ex.AddMount(manifest.OutputDir, llb.Scratch()), nil
}

// Verify runs the slim root as Trace ran the image, without any privilege. It is
// the run to observe the system calls of: the traced one is slower already. What
// it does not find it looks for in fat, the image as it was built. If the run is
// to have a read-only root, writable are the folders of it that are not, as a
// runtime makes them with a volume: with the content that the image has there.
func (s Steps) Verify(fat llb.State, packed Packed, run manifest.Run, writable []string) (Traced, error) {
	run.Privileged, run.Fanotify, run.Calls = false, manifest.FanotifyOff, true
	input, err := s.input(manifest.RunFile, run)
	if err != nil {
		return Traced{}, err
	}
	var root []llb.RunOption
	if run.ReadOnly {
		root = append(root, llb.ReadonlyRootFS())
		for _, dir := range writable {
			root = append(root, llb.AddMount(dir, files(packed.Root), llb.SourcePath(dir), llb.ForceNoOutput,
				llb.ContentCache(llb.MountContentCacheOff)))
		}
	}
	ex := files(packed.Root).Run(s.options("3/3", "verify", Sensor, append(root, input,
		llb.Args([]string{Sensor, "verify"}),
		// The root is identified by the ops that made it, the image among them.
		llb.AddMount(manifest.SourceDir, files(fat), llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)),
		llb.Network(s.Network),
	)...)...)
	return Traced{Output: ex.AddMount(manifest.OutputDir, llb.Scratch())}, nil
}

// Names of a run's SidecarFile where the reports of several steps are gathered.
const (
	TraceReport  = "trace-" + manifest.SidecarFile
	VerifyReport = "verify-" + manifest.SidecarFile
)

// Outcome is what the frontend reads of the steps, in one folder, so that one
// solve runs them: TraceReport; SummaryFile, FactsFile and PackagesFile;
// VerifyReport. Those that are nil are not run.
func (s Steps) Outcome(traced *Traced, packed *Packed, verified *Traced) llb.State {
	from := []fileOf{}
	if traced != nil {
		from = append(from, fileOf{traced.Output, manifest.SidecarFile, TraceReport})
	}
	if packed != nil {
		from = append(from, fileOf{packed.Output, manifest.SummaryFile, manifest.SummaryFile},
			fileOf{packed.Output, manifest.FactsFile, manifest.FactsFile}, fileOf{packed.Output, manifest.PackagesFile, manifest.PackagesFile})
	}
	if verified != nil {
		from = append(from, fileOf{verified.Output, manifest.SidecarFile, VerifyReport})
	}
	return llb.Scratch().File(gather(from...), llb.WithCustomName("[internal] read the steps' reports"))
}

// fileOf is a file of a state, and its name where files are gathered.
type fileOf struct {
	state    llb.State
	path, as string
}

func gather(files ...fileOf) *llb.FileAction {
	var all *llb.FileAction
	for _, f := range files {
		if all == nil {
			all = llb.Copy(f.state, f.path, "/"+f.as)
		} else {
			all = all.Copy(f.state, f.path, "/"+f.as)
		}
	}
	return all
}

// Report gathers the evidence of all steps in one folder, and joins what the
// runs were seen to do with the pack step's report, which must not depend on it.
// traced and verified may be nil. lock is what Lock made.
func (s Steps) Report(traced *Traced, packed Packed, verified *Traced, lock llb.State) llb.State {
	mounts := []llb.RunOption{
		llb.Args([]string{Packer, "report"}),
		llb.AddMount(manifest.PackedDir, packed.Output, llb.Readonly),
		llb.Network(pb.NetMode_NONE),
	}
	if traced != nil {
		mounts = append(mounts, llb.AddMount(manifest.TraceDir, traced.Output, llb.Readonly))
	}
	if verified != nil {
		mounts = append(mounts, llb.AddMount(manifest.VerifyDir, verified.Output, llb.Readonly))
	}
	joined := llb.Scratch().Run(s.options("", "join reports", Packer, mounts...)...).AddMount(manifest.OutputDir, llb.Scratch())
	from := []fileOf{
		{joined, manifest.ReportFile, manifest.ReportFile},
		{packed.Output, manifest.SummaryFile, manifest.SummaryFile},
		{lock, manifest.LockFile, manifest.LockFile},
	}
	if traced != nil {
		from = append(from, fileOf{traced.Output, path.Join(manifest.TraceSubdir, manifest.TraceFile), manifest.TraceFile},
			fileOf{traced.Output, manifest.TouchFile, manifest.TouchFile}, fileOf{traced.Output, manifest.SidecarFile, TraceReport})
	}
	if verified != nil {
		from = append(from, fileOf{verified.Output, manifest.SidecarFile, VerifyReport})
	}
	return llb.Scratch().File(gather(from...), llb.WithCustomName(s.title("", "report")))
}

// input mounts a folder with one JSON file. Only root may read it: it holds the
// probes, and the app has no business with those.
func (s Steps) input(name string, v any) (llb.RunOption, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	folder := llb.Scratch().File(
		llb.Mkfile("/"+name, 0o400, data),
		llb.WithCustomName("[internal] write "+name),
	)
	return llb.AddMount(manifest.InputDir, folder, llb.Readonly), nil
}

// options are those that every step of our own has.
func (s Steps) options(number, verb, program string, more ...llb.RunOption) []llb.RunOption {
	folder := fmt.Sprintf("%s-%s", s.Tools.Platform.OS, s.Tools.Platform.Architecture)
	opts := []llb.RunOption{
		llb.Dir("/"),
		llb.Platform(s.Tools.Platform),
		llb.WithCustomName(s.title(number, verb)),
		llb.AddMount(program, s.Tools.State, llb.Readonly,
			llb.SourcePath(path.Join(s.Tools.Dir, folder, path.Base(program)))),
	}
	if s.IgnoreCache {
		opts = append(opts, llb.IgnoreCache)
	}
	return append(opts, more...)
}

// title is a step's name in the build's progress: "[slim 1/3] trace".
func (s Steps) title(number, verb string) string {
	words := []string{}
	for _, word := range []string{s.Name, "slim", number} {
		if word != "" {
			words = append(words, word)
		}
	}
	return "[" + strings.Join(words, " ") + "] " + verb
}

// files strips a state of the environment, user, folder and platform that its
// Dockerfile gave it: they are the app's, not our steps'.
func files(st llb.State) llb.State { return llb.NewState(st.Output()) }
