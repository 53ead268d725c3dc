// Package lint is slimfile lint: it finds Dockerfiles, judges them side by side
// with no daemon, mends them if asked to, and prints what was found. Imported by
// cmd/slimfile/internal/cli only.
package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/org/slimfile/frontend"
	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/format"
	"github.com/org/slimfile/frontend/lint/policy"
)

// Options are what the command line says.
type Options struct {
	// Paths are files, folders or - for Stdin; none for the working folder.
	Paths  []string
	Format string // of format.Names
	// Policy is a file that counts instead of those that Dockerfiles name.
	Policy  string
	Profile string
	Rules   []string // NAME=SEVERITY
	FailOn  string   // of FailOn
	Fix     bool

	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// FailOn lists the least severities that can fail.
func FailOn() []string { return []string{"error", "warn", "never"} }

// Result is how it went, from the best to the worst.
type Result int

// Results.
const (
	Passed Result = iota
	Failed        // something was found that fails
	Broken        // a file could not be judged, or cannot be built
)

// Run judges. An error means that nothing was judged.
func Run(ctx context.Context, o Options) (Result, error) {
	threshold, err := o.threshold()
	if err != nil {
		return Broken, err
	}
	j, err := newJudge(o)
	if err != nil {
		return Broken, err
	}
	if len(o.Paths) == 0 {
		o.Paths = []string{"."}
	}
	paths, err := find(o.Paths)
	if err != nil {
		return Broken, err
	}
	if o.Fix && slices.Contains(paths, stdin) {
		return Broken, errors.New("--fix mends files, stdin is none: name the file")
	}
	files, err := j.all(ctx, paths)
	if err != nil {
		return Broken, err
	}
	if err := format.Write(o.Stdout, o.Format, files); err != nil {
		return Broken, err
	}
	return result(files, threshold), nil
}

// threshold is the least severity that fails, above all of them for never.
func (o *Options) threshold() (lint.Severity, error) {
	switch {
	case !slices.Contains(format.Names(), o.Format):
		return 0, fmt.Errorf("unknown format %q, want one of %q", o.Format, format.Names())
	case !slices.Contains(FailOn(), o.FailOn):
		return 0, fmt.Errorf("unknown severity %q for --fail-on, want one of %q", o.FailOn, FailOn())
	case o.FailOn == "never":
		return lint.Error + 1, nil
	}
	var s lint.Severity
	return s, s.UnmarshalText([]byte(o.FailOn))
}

func result(files []format.File, threshold lint.Severity) Result {
	worst := Passed
	for _, f := range files {
		if f.Err != nil {
			return Broken
		}
		if slices.ContainsFunc(f.Findings, func(f lint.Finding) bool { return f.Severity >= threshold }) {
			worst = Failed
		}
	}
	return worst
}

// judge judges files. Its methods may run side by side.
type judge struct {
	Options
	policy *policy.Policy // of --policy; nil for those that the files name

	mu       sync.Mutex
	policies map[string]*policy.Policy // by file; "" is none
}

func newJudge(o Options) (*judge, error) {
	j := &judge{Options: o, policies: map[string]*policy.Policy{}}
	p, err := j.load(o.Policy)
	if err != nil {
		return nil, err
	}
	// What is wrong with the profile is wrong for all files.
	if _, err := p.Settings(policy.Profile(o.Profile), ""); err != nil {
		return nil, err
	}
	if o.Policy != "" {
		j.policy = p
	}
	return j, nil
}

// load reads a policy once; the empty name is that of no policy.
func (j *judge) load(name string) (*policy.Policy, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p, ok := j.policies[name]; ok {
		return p, nil
	}
	p := policy.New(lint.Rules())
	if name != "" {
		data, err := read(name, j.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read the policy: %w", err)
		}
		if p, err = policy.Parse(name, data, lint.Rules(), time.Now()); err != nil {
			return nil, err
		}
	}
	for _, rule := range j.Rules {
		if err := p.Override(rule); err != nil {
			return nil, fmt.Errorf("--rule: %w", err)
		}
	}
	j.policies[name] = p
	return p, nil
}

// all judges files, as many at a time as there are processors.
func (j *judge) all(ctx context.Context, paths []string) ([]format.File, error) {
	files := make([]format.File, len(paths))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		g.Go(func() error {
			files[i] = j.file(ctx, path)
			return ctx.Err()
		})
	}
	return files, g.Wait()
}

// file judges a file, after it was mended if that is wanted.
func (j *judge) file(ctx context.Context, path string) format.File {
	f := format.File{Filename: filepath.ToSlash(path)}
	if f.Data, f.Err = read(path, j.Stdin); f.Err != nil {
		return f
	}
	f.Findings, f.Err = j.findings(ctx, path, f.Data)
	if f.Err == nil && j.Fix {
		f = j.mend(ctx, path, f)
	}
	return f
}

// findings judges data as the Dockerfile at path.
func (j *judge) findings(ctx context.Context, path string, data []byte) ([]lint.Finding, error) {
	in := lint.Input{Filename: filepath.ToSlash(path), Data: data}
	var err error
	if in.Ignore, in.IgnoreKnown, err = dockerignore(path); err != nil {
		return nil, err
	}
	return frontend.Lint(ctx, in, func(named string) (lint.Settings, error) {
		p, err := j.policyOf(path, named)
		if err != nil {
			return lint.Settings{}, err
		}
		return p.Settings(policy.Profile(j.Profile), in.Filename)
	})
}

// policyOf is the policy for the Dockerfile at path, which names one in its
// build context.
func (j *judge) policyOf(path, named string) (*policy.Policy, error) {
	if j.policy != nil {
		return j.policy, nil
	}
	if named == "" || filepath.IsAbs(named) {
		return j.load(named)
	}
	for _, dir := range contexts(path) {
		file := filepath.Join(dir, named)
		if _, err := os.Stat(file); err == nil {
			return j.load(file)
		}
	}
	return nil, fmt.Errorf("the policy %s that the Dockerfile names is in none of the folders %q: name its place with --policy", named, contexts(path))
}
