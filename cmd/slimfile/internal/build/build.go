package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/tonistiigi/fsutil"

	"github.com/org/slimfile/cmd/slimfile/internal/builder"
	"github.com/org/slimfile/cmd/slimfile/internal/tools"
	"github.com/org/slimfile/frontend"
)

// Keys of BuildKit's answer.
const (
	keySummary = "frontend.result.inlinemessage" // what the frontend says in one line
	keyDigest  = "containerimage.digest"
)

// labelSnapshotter is a worker's label that a Docker daemon has when its images
// are in containerd's store; only from there can a build push.
const labelSnapshotter = "org.mobyproject.buildkit.worker.snapshotter"

// Run builds and writes the results. Of an error, PrintSource shows where in
// the Dockerfile it comes from.
func (b *Build) Run(ctx context.Context, bk *builder.Builder) (err error) {
	exports := b.exports
	if bk.Docker {
		exports = forDocker(exports, b.o.Tags)
		if err := checkDocker(exports, bk.Worker); err != nil {
			return err
		}
	}
	var files results
	defer func() { err = errors.Join(err, files.discard()) }()
	if b.opt.Exports, err = files.entries(exports, b.o.Stdout); err != nil {
		return err
	}
	if err := b.addTools(bk.Worker); err != nil {
		return err
	}
	display, err := startProgress(b.o.Stderr, b.o.Progress)
	if err != nil {
		return err
	}
	response, err := b.solve(ctx, bk.Client, display)
	if err := errors.Join(err, display.close()); err != nil {
		return err
	}
	display.printWarnings(b.o.Stderr)
	if err := files.commit(); err != nil {
		return err
	}
	if b.o.MetadataFile != "" {
		if err := writeMetadata(b.o.MetadataFile, response); err != nil {
			return err
		}
	}
	b.report(response, display.mode, files.usesStdout)
	return nil
}

// checkDocker refuses what a Docker daemon's builder would leave undone.
func checkDocker(exports []export, worker *client.WorkerInfo) error {
	if _, ok := worker.Labels[labelSnapshotter]; ok {
		return nil
	}
	for _, e := range exports {
		if e.pushes() {
			return errors.New("this Docker daemon cannot push from a build, because its image store is not containerd's: " +
				"build with -t alone and docker push the image, or build with --addr " + builder.AddrPrivate)
		}
	}
	return nil
}

// addTools offers the build the programs of slimfile's steps.
func (b *Build) addTools(worker *client.WorkerInfo) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find slimfile's own folder: %w", err)
	}
	b.opt.LocalMounts = maps.Clone(b.opt.LocalMounts)
	if b.opt.LocalMounts == nil {
		b.opt.LocalMounts = map[string]fsutil.FS{}
	}
	b.opt.LocalMounts[frontend.ToolsLocal] = tools.Find(exe, worker.Platforms[0].Architecture)
	return nil
}

func (b *Build) solve(ctx context.Context, c *client.Client, display *progress) (map[string]string, error) {
	for _, part := range b.opt.Session {
		display.attach(part)
	}
	status, drained := display.channel()
	f := frontend.Frontend{Env: os.Environ()}
	resp, err := c.Build(ctx, b.opt, "slimfile", followSyntax(f.Build), status)
	<-drained
	if err != nil {
		return nil, err
	}
	return resp.ExporterResponse, nil
}

// report tells what came out of the build.
func (b *Build) report(response map[string]string, mode progressui.DisplayMode, usesStdout bool) {
	if mode == progressui.QuietMode {
		if dgst := response[keyDigest]; dgst != "" && !usesStdout {
			fmt.Fprintln(b.o.Stdout, dgst)
		}
		return
	}
	if summary := response[keySummary]; summary != "" {
		fmt.Fprintln(b.o.Stderr, summary)
	}
	if len(b.opt.Exports) == 0 {
		fmt.Fprintln(b.o.Stderr, "WARNING: no output was asked for: the result stays in the build cache. "+
			"Write it with -o type=docker,dest=image.tar (or type=oci, or a folder), or push it with -t NAME --push")
	}
}

// PrintSource shows the lines of the Dockerfile that err is about.
func PrintSource(w *os.File, err error) {
	for _, src := range errdefs.Sources(err) {
		printSource(w, src)
	}
}
