// Package build runs one build: it turns the options of the command line into a
// BuildKit request, runs slimfile's frontend in-process and writes the results.
//
// In the order of a build: source.go finds the Dockerfile and the context,
// options.go and its neighbours fill the request, build.go solves it, syntax.go
// stands in for BuildKit's handling of `# syntax=`, progress.go shows it.
// Imported by cmd/slimfile/internal/cli.
package build

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/moby/buildkit/client"
	bkbuild "github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
)

// Options are those of `slimfile build`, as the user wrote them.
type Options struct {
	Context string // a folder, a URL, or "-"; may be empty with Image
	File    string // the Dockerfile, or "-"; empty: Dockerfile in Context

	Image      string   // an image to slim instead of a Dockerfile's
	Directives []string // with Image: what `# slim:` lines would say

	Tags          []string
	Outputs       []string
	BuildArgs     []string
	BuildContexts []string
	Labels        []string
	Target        string
	Platforms     []string
	NoCache       bool
	NoCacheFilter []string
	CacheFrom     []string
	CacheTo       []string
	Secrets       []string
	SSH           []string
	Allow         []string
	Attests       []string
	SBOM          string
	Provenance    string
	Pull          bool
	Push          bool
	MetadataFile  string
	Progress      string

	Stdin          io.Reader
	Stdout, Stderr *os.File
}

// Build is a build that is ready to run.
type Build struct {
	opt     client.SolveOpt
	exports []export
	source  *source
	o       Options
}

// New checks the options and opens what they name on this machine. The caller
// must Close the build.
func New(o Options) (*Build, error) {
	b := &Build{o: o}
	if err := b.init(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close removes the build's temporary files.
func (b *Build) Close() error {
	if b.source == nil {
		return nil
	}
	return b.source.close()
}

func (b *Build) init() error {
	var err error
	if b.exports, err = parseExports(b.o); err != nil {
		return err
	}
	if b.opt.FrontendAttrs, err = attrs(b.o); err != nil {
		return err
	}
	if b.opt.CacheExports, err = bkbuild.ParseExportCache(b.o.CacheTo); err != nil {
		return fmt.Errorf("--cache-to: %w", err)
	}
	if b.opt.CacheImports, err = bkbuild.ParseImportCache(b.o.CacheFrom); err != nil {
		return fmt.Errorf("--cache-from: %w", err)
	}
	if err := bkbuild.ValidateAllow(b.o.Allow); err != nil {
		return fmt.Errorf("--allow: %w", err)
	}
	b.opt.AllowedEntitlements = b.o.Allow
	if b.opt.Session, err = attachables(b.o); err != nil {
		return err
	}
	if err := b.addContexts(); err != nil {
		return err
	}
	if b.source, err = openSource(b.o); err != nil {
		return err
	}
	return b.source.apply(&b.opt)
}

// optFailOn says which findings of the rules fail the build.
const optFailOn = "build-arg:SLIM_FAIL_ON"

// attrs are the options of the Dockerfile frontend.
func attrs(o Options) (map[string]string, error) {
	var args []string
	for _, arg := range o.BuildArgs {
		args = append(args, "build-arg:"+arg)
	}
	m, err := bkbuild.ParseOpt(args)
	if err != nil {
		return nil, fmt.Errorf("--build-arg: %w", err)
	}
	// An image that is finished cannot be written any better: what rules say of
	// it is good to know.
	if _, given := m[optFailOn]; o.Image != "" && !given {
		m[optFailOn] = "never"
	}
	for _, label := range o.Labels {
		k, v, _ := strings.Cut(label, "=")
		m["label:"+k] = v
	}
	if o.Target != "" {
		m["target"] = o.Target
	}
	if len(o.Platforms) > 0 {
		m["platform"] = strings.Join(o.Platforms, ",")
	}
	if o.Pull {
		m["image-resolve-mode"] = "pull"
	}
	switch {
	case o.NoCache && len(o.NoCacheFilter) > 0:
		return nil, errors.New("--no-cache already covers what --no-cache-filter names: give one of them")
	case o.NoCache:
		m["no-cache"] = ""
	case len(o.NoCacheFilter) > 0:
		m["no-cache"] = strings.Join(o.NoCacheFilter, ",")
	}
	return m, addAttests(m, o)
}

// attachables are what the build may ask this machine for.
func attachables(o Options) ([]session.Attachable, error) {
	list := []session.Attachable{authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: authprovider.LoadAuthConfig(config.LoadDefaultConfigFile(o.Stderr)),
	})}
	if len(o.Secrets) > 0 {
		secrets, err := bkbuild.ParseSecret(o.Secrets)
		if err != nil {
			return nil, fmt.Errorf("--secret: %w", err)
		}
		list = append(list, secrets)
	}
	if len(o.SSH) > 0 {
		configs, err := bkbuild.ParseSSH(o.SSH)
		if err != nil {
			return nil, fmt.Errorf("--ssh: %w", err)
		}
		agents, err := sshprovider.NewSSHAgentProvider(configs)
		if err != nil {
			return nil, fmt.Errorf("--ssh: %w", err)
		}
		list = append(list, agents)
	}
	return list, nil
}
