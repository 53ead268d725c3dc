package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"github.com/org/slimfile/frontend"
	"github.com/org/slimfile/sensor/manifest"
)

// daemon is a BuildKit that is built on, by frontends in-process.
type daemon struct {
	client *client.Client
	tools  string // folder of the steps' programs
}

// connect reaches the daemon that BUILDKIT_HOST names.
func connect(ctx context.Context, tools string) (*daemon, error) {
	address := os.Getenv("BUILDKIT_HOST")
	if address == "" {
		return nil, errors.New("BUILDKIT_HOST is not set: run hack/bench.sh")
	}
	c, err := client.New(ctx, address)
	if err != nil {
		return nil, err
	}
	return &daemon{client: c, tools: tools}, nil
}

func (d *daemon) close() { _ = d.client.Close() } // every build has ended

// build is one build.
type build struct {
	context    string
	dockerfile string // its text; empty: the context's
	args       map[string]string
	stock      bool // docker/dockerfile instead of slimfile
	allow      bool // security.insecure
	noCache    string
	dest       string // export there; empty: nowhere
}

// result is what a build gave.
type result struct {
	seconds float64
	summary manifest.Summary
	timer   float64 // seconds, by the program timer
}

// timeout bounds one build, cold.
const timeout = 15 * time.Minute

// run does a build. Times are the client's, from the request to the result.
func (d *daemon) run(ctx context.Context, b build) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	opt, err := d.solveOpt(b, dir)
	if err != nil {
		return result{}, err
	}
	do := frontend.Frontend{}.Build
	if b.stock {
		do = stock
	}
	var res result
	log := new(strings.Builder)
	status := make(chan *client.SolveStatus)
	eg, egCtx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		begin := time.Now()
		resp, err := d.client.Build(egCtx, opt, "", do, status)
		res.seconds = time.Since(begin).Seconds()
		if err != nil || b.stock || resp.ExporterResponse["frontend.slim.report"] == "" {
			return err
		}
		return manifest.Decode([]byte(resp.ExporterResponse["frontend.slim.report"]), &res.summary)
	})
	eg.Go(func() error {
		for s := range status {
			for _, l := range s.Logs {
				log.Write(l.Data)
			}
		}
		return nil
	})
	if err := eg.Wait(); err != nil {
		return result{}, fmt.Errorf("build %s: %w\n%s", b.context, err, log)
	}
	if m := timerLine.FindStringSubmatch(log.String()); m != nil {
		ns, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return result{}, err
		}
		res.timer = ns / 1e9
	}
	return res, nil
}

// timerLine is what the program timer prints.
var timerLine = regexp.MustCompile(`timer: (\d+) ns`)

// stock is docker/dockerfile; the option keeps it from following "# syntax=".
func stock(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
	return builder.Build(ctx, unforwarded{c})
}

// unforwarded looks like a build whose "# syntax=" line was followed already.
type unforwarded struct{ gwclient.Client }

// BuildOpts implements gwclient.Client.
func (c unforwarded) BuildOpts() gwclient.BuildOpts {
	opts := c.Client.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	opts.Opts["cmdline"] = ""
	return opts
}

// solveOpt translates b to the wire. scratch is an empty folder.
func (d *daemon) solveOpt(b build, scratch string) (client.SolveOpt, error) {
	opt := client.SolveOpt{FrontendAttrs: map[string]string{}, LocalMounts: map[string]fsutil.FS{}}
	if b.noCache != "" {
		opt.FrontendAttrs["no-cache"] = b.noCache
	}
	if b.dockerfile != "" { // a program to be timed, not an image to be shipped
		opt.FrontendAttrs["build-arg:BUILDKIT_DOCKERFILE_CHECK"] = "skip=all"
	}
	for name, value := range b.args {
		opt.FrontendAttrs["build-arg:"+name] = value
	}
	if b.allow {
		opt.AllowedEntitlements = []string{"security.insecure"}
	}
	if b.dest != "" {
		opt.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: b.dest}}
	}
	dirs := map[string]string{"context": b.context, "dockerfile": b.context, frontend.ToolsLocal: d.tools}
	if b.dockerfile != "" {
		dirs["dockerfile"] = scratch
		if err := os.WriteFile(filepath.Join(scratch, "Dockerfile"), []byte(b.dockerfile), 0o644); err != nil {
			return opt, err
		}
	}
	for name, dir := range dirs {
		files, err := fsutil.NewFS(dir)
		if err != nil {
			return opt, fmt.Errorf("local %s: %w", name, err)
		}
		opt.LocalMounts[name] = files
	}
	return opt, nil
}

func readRunReport(name string) (manifest.RunReport, error) {
	var run manifest.RunReport
	data, err := os.ReadFile(filepath.Clean(name))
	if err == nil {
		err = json.Unmarshal(data, &run)
	}
	return run, err
}
