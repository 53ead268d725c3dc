package testenv

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"
)

// Build is one build of a Dockerfile.
type Build struct {
	// Dockerfile is the file's text; empty: the file Dockerfile in Context.
	Dockerfile string
	// Context is the build context's folder; empty: a context without files.
	Context string
	// InProcess is the frontend to run in this process, as slimfile build does;
	// nil: the Dockerfile's "# syntax=" line decides, as docker build does.
	InProcess gwclient.BuildFunc
	// Attrs are the frontend's options by their wire names: target, platform,
	// build-arg:NAME, context:NAME, no-cache…
	Attrs map[string]string
	// Rules holds the Dockerfile against the rules. The tests' own are about
	// something else.
	Rules bool
	// Insecure asks for security.insecure, as docker build --allow does.
	Insecure bool
	// Options, if set, changes the request just before it is sent: exports,
	// secrets, caches.
	Options func(*client.SolveOpt)
}

// Result is what the client got to see, also of a build that failed.
type Result struct {
	// Metadata is the exporter's response, as --metadata-file has it.
	Metadata map[string]string
	// Log is the progress display's plain text.
	Log string
	// Warnings are those that the frontend sent. The display shows some of
	// them only: not those of a step that it is done with.
	Warnings []string
}

// Build runs b without an output but what b.Options exports.
func (e *Env) Build(t testing.TB, b Build) (Result, error) {
	t.Helper()
	libexec, err := e.frontend()
	if err != nil {
		t.Fatal(err)
	}
	opt, err := b.solveOpt(t.TempDir(), libexec)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), buildTimeout)
	defer cancel()
	return e.solve(ctx, b.InProcess, opt)
}

// BuildImage runs b, which must succeed, and returns the image.
func (e *Env) BuildImage(t testing.TB, b Build) *Image {
	t.Helper()
	return e.BuildAs(t, b, "")
}

// BuildAs is BuildImage; from then on the daemon finds the image as ref, in FROM
// and "# syntax=" lines.
func (e *Env) BuildAs(t testing.TB, b Build, ref string) *Image {
	t.Helper()
	dir, err := os.MkdirTemp(e.images, "")
	if err != nil {
		t.Fatal(err)
	}
	also := b.Options
	b.Options = func(opt *client.SolveOpt) {
		opt.Exports = append(opt.Exports, ociLayout(dir, ref))
		if also != nil {
			also(opt)
		}
	}
	res, err := e.Build(t, b)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, res.Log)
	}
	return openImage(t, dir, res)
}

// ociLayout exports to an OCI layout, under a name if it is to have one.
func ociLayout(dir, name string) client.ExportEntry {
	attrs := map[string]string{"tar": "false", "compression": "uncompressed"} // gzip takes longer than all else
	if name != "" {
		attrs["name"] = name
	}
	return client.ExportEntry{Type: client.ExporterOCI, Attrs: attrs, OutputDir: dir}
}

// solveOpt translates b to the wire as buildx does. scratch is an empty folder.
func (b Build) solveOpt(scratch, libexec string) (client.SolveOpt, error) {
	opt := client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{},
		LocalMounts:   map[string]fsutil.FS{},
	}
	if !b.Rules {
		opt.FrontendAttrs["build-arg:BUILDKIT_DOCKERFILE_CHECK"] = "skip=all"
	}
	maps.Copy(opt.FrontendAttrs, b.Attrs)
	dirs := map[string]string{"context": b.Context, "dockerfile": b.Context, toolsLocal: libexec}
	if b.Context == "" {
		dirs["context"] = filepath.Join(scratch, "context")
	}
	if b.Dockerfile != "" || b.Context == "" {
		dirs["dockerfile"] = filepath.Join(scratch, "dockerfile")
		if err := os.Mkdir(dirs["dockerfile"], 0o755); err != nil {
			return opt, err
		}
		if err := os.WriteFile(filepath.Join(dirs["dockerfile"], "Dockerfile"), []byte(b.Dockerfile), 0o644); err != nil {
			return opt, err
		}
	}
	for name, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return opt, err
		}
		fs, err := fsutil.NewFS(dir)
		if err != nil {
			return opt, fmt.Errorf("local %s: %w", name, err)
		}
		opt.LocalMounts[name] = fs
	}
	if b.Insecure {
		opt.AllowedEntitlements = []string{"security.insecure"}
	}
	if b.Options != nil {
		b.Options(&opt)
	}
	return opt, nil
}

// solve sends a build and follows its progress to the end.
func (e *Env) solve(ctx context.Context, build gwclient.BuildFunc, opt client.SolveOpt) (Result, error) {
	log := new(strings.Builder)
	display, err := progressui.NewDisplay(log, progressui.PlainMode)
	if err != nil {
		return Result{}, err
	}
	var res Result
	status := make(chan *client.SolveStatus)
	eg, egCtx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		var resp *client.SolveResponse
		var err error
		if build == nil {
			resp, err = e.Client.Solve(egCtx, nil, opt, status)
		} else {
			resp, err = e.Client.Build(egCtx, opt, "", build, status)
		}
		if err != nil {
			return err
		}
		res.Metadata = resp.ExporterResponse
		return nil
	})
	eg.Go(func() error {
		// The display must drain the channel also after the build failed.
		warnings, err := display.UpdateFrom(context.WithoutCancel(ctx), status)
		for _, w := range warnings {
			res.Warnings = append(res.Warnings, string(w.Short))
		}
		return err
	})
	err = eg.Wait()
	res.Log = log.String()
	return res, err
}
