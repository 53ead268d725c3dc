// Command runner builds the applications of hack/apps and examples fat and slim
// with `slimfile build`, holds their acceptance tests against both, and prints a
// table. hack/apps.sh sets up what it needs; hack/apps/README.md says what an
// application consists of.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/org/slimfile/sensor/manifest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := suite
	args := os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "bases":
			run, args = printBases, args[1:]
		case "spec":
			run, args = printSpec, args[1:]
		}
	}
	switch err := run(ctx, args); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "apps:", err)
		os.Exit(1)
	}
}

// suite runs the applications that args name, or all.
func suite(ctx context.Context, args []string) error {
	var (
		r             runner
		granularities string
		report        string
		document      string
		parallel      int
	)
	flags := flag.NewFlagSet("apps", flag.ContinueOnError)
	flags.StringVar(&r.repo, "repo", "", "`folder` of the repository")
	flags.StringVar(&r.slimfile, "slimfile", "", "`program` that builds")
	flags.StringVar(&r.modules, "modules", "", "`program` that installs a folder's npm modules and prints where")
	flags.StringVar(&r.runc, "runc", "", "`program` that runs containers")
	flags.StringVar(&granularities, "granularity", "file", "those to build with, separated by spaces")
	flags.StringVar(&report, "json", "", "`file` to write the results to")
	flags.StringVar(&document, "markdown", "", "`file` to write the table to")
	flags.IntVar(&parallel, "parallel", 2, "how many applications are built and tested at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r.self = self
	names, err := r.names(flags.Args())
	if err != nil {
		return err
	}
	results := make([][]result, len(names))
	t := newTable(os.Stdout)
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(parallel)
	for i, name := range names {
		eg.Go(func() (err error) {
			results[i], err = r.run(ctx, name, strings.Fields(granularities))
			t.add(results[i])
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	all := slices.Concat(results...)
	t.end(all)
	if report != "" {
		if err := writeJSON(report, all); err != nil {
			return err
		}
	}
	if document != "" {
		if err := os.WriteFile(document, []byte(markdown(all)), 0o644); err != nil {
			return err
		}
	}
	if n := len(failures(all)); n > 0 {
		return fmt.Errorf("%d of %d results are not as they should be", n, len(all))
	}
	return nil
}

// runner is what all applications share.
type runner struct {
	repo, slimfile, modules, runc, self string
}

// apps is the folder of those that have no other use.
func (r *runner) apps() string { return filepath.Join(r.repo, "hack/apps") }

// folder is that of an application: one of apps by its name, any other by its
// path in the repository.
func (r *runner) folder(name string) string {
	if strings.Contains(name, "/") {
		return filepath.Join(r.repo, name)
	}
	return filepath.Join(r.apps(), name)
}

// names are those given or else all folders' that have an acceptance test.
func (r *runner) names(given []string) ([]string, error) {
	if len(given) > 0 {
		return given, nil
	}
	var names []string
	for _, pattern := range []string{"hack/apps/*/accept.sh", "examples/*/accept.sh"} {
		found, err := fs.Glob(os.DirFS(r.repo), pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			names = append(names, strings.TrimPrefix(filepath.Dir(path), "hack/apps/"))
		}
	}
	return names, nil
}

// run builds one application in each way and tests it. The error is one of the
// suite, not of the application.
func (r *runner) run(ctx context.Context, name string, granularities []string) ([]result, error) {
	work, err := os.MkdirTemp("", "apps")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	app := &app{runner: r, name: name, folder: r.folder(name), work: work}
	base, err := baseImage(app.dockerfile())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	fat, failed := app.build(ctx, "fat", "", "--build-arg", "SLIM=off")
	if failed == nil {
		failed, err = app.accept(ctx, fat, fat)
	}
	if failed != nil || err != nil {
		return []result{{App: name, Base: base, Granularity: "fat", Failure: failed}}, err
	}
	var results []result
	for _, g := range granularities {
		res := result{App: name, Base: base, Granularity: g}
		slim, failed := app.build(ctx, g, g, "--no-cache-filter", "slim")
		if failed == nil {
			res.measure(slim)
		}
		if failed == nil && g != manifest.GranularityStrict {
			if failed, err = app.accept(ctx, slim, fat); err != nil {
				return nil, err
			}
			res.Checks = slim.checks
		}
		res.Failure = failed
		results = append(results, res)
	}
	return results, nil
}
