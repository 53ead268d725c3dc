// Package builder finds the BuildKit that a build runs on: an address, a
// builder of docker buildx, a Docker daemon, or a private buildkitd. Imported
// by cmd/slimfile/internal/cli.
package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/moby/buildkit/client"
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer" // docker-container:// addresses
	_ "github.com/moby/buildkit/client/connhelper/kubepod"         // kube-pod://
	_ "github.com/moby/buildkit/client/connhelper/nerdctlcontainer"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"

	"github.com/org/slimfile/cmd/slimfile/internal/daemon"
)

// connectTimeout bounds the wait for the first answer of a BuildKit; a
// connection helper may start a program or a session over the network.
const connectTimeout = 30 * time.Second

// Options say which BuildKit is wanted.
type Options struct {
	// Addr is a BuildKit address, or AddrDocker or AddrPrivate; empty means
	// BUILDKIT_HOST, else a running Docker daemon, else a private buildkitd.
	Addr string
	// Name is a builder of docker buildx; it excludes Addr.
	Name string
	// Notes takes lines that tell what the user waits for.
	Notes io.Writer
}

// Values of Options.Addr that are no address.
const (
	AddrDocker  = "docker"
	AddrPrivate = "private"
)

// Builder is a BuildKit that answers.
type Builder struct {
	*client.Client
	// Worker is its first worker, the one that runs builds.
	Worker *client.WorkerInfo
	// Docker says that it is inside a Docker daemon, whose image store is
	// where results go by default.
	Docker bool

	release func() error
}

// Close ends the connection, and the private daemon when nobody else uses it.
func (b *Builder) Close() error { return errors.Join(b.Client.Close(), b.release()) }

// Connect finds the BuildKit and waits until it answers.
func Connect(ctx context.Context, o Options) (*Builder, error) {
	addr, err := o.addr()
	if err != nil {
		return nil, err
	}
	switch addr {
	case AddrDocker:
		host, err := dockerHost()
		if err != nil {
			return nil, err
		}
		return connect(ctx, "the Docker daemon at "+host.String(), &Builder{Docker: true}, host.options())
	case AddrPrivate:
		return private(ctx, o.Notes)
	case "":
		return o.automatic(ctx)
	default:
		return connect(ctx, "BuildKit at "+addr, &Builder{}, options{addr: addr})
	}
}

// addr is what the flags and the environment say; empty when they do not.
func (o Options) addr() (string, error) {
	switch {
	case o.Addr != "" && o.Name != "":
		return "", errors.New("--addr and --builder both say where to build: give one of them")
	case o.Addr != "":
		return o.Addr, nil
	case o.Name != "":
		return buildxAddr(o.Name)
	default:
		return os.Getenv("BUILDKIT_HOST"), nil
	}
}

// automatic takes a Docker daemon that answers, else a private one.
func (o Options) automatic(ctx context.Context) (*Builder, error) {
	host, err := dockerHost()
	if err != nil {
		return nil, err
	}
	dockerErr := host.ping(ctx)
	if dockerErr == nil {
		return connect(ctx, "the Docker daemon at "+host.String(), &Builder{Docker: true}, host.options())
	}
	if host.wanted {
		return nil, fmt.Errorf("the Docker daemon that DOCKER_HOST names: %w: start it, or build without it by --addr %s", dockerErr, AddrPrivate)
	}
	b, err := private(ctx, o.Notes)
	if errors.Is(err, daemon.ErrUnavailable) {
		return nil, fmt.Errorf("no BuildKit to build with: BUILDKIT_HOST is not set; no Docker daemon: %w; %w", dockerErr, err)
	}
	return b, err
}

func private(ctx context.Context, notes io.Writer) (*Builder, error) {
	cfg, err := daemon.Find(notes)
	if err != nil {
		return nil, err
	}
	lease, err := daemon.Acquire(ctx, cfg)
	if err != nil {
		return nil, err
	}
	b, err := connect(ctx, "the private buildkitd", &Builder{release: lease.Release}, options{addr: lease.Addr()})
	if err != nil {
		return nil, errors.Join(err, lease.Release())
	}
	return b, nil
}

// options are those of client.New.
type options struct {
	addr string
	opts []client.ClientOpt
}

// connect fills in b once the BuildKit answers.
func connect(ctx context.Context, what string, b *Builder, o options) (*Builder, error) {
	if b.release == nil {
		b.release = func() error { return nil }
	}
	c, err := client.New(ctx, o.addr, o.opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	workers, err := c.ListWorkers(ctx)
	if err == nil && (len(workers) == 0 || len(workers[0].Platforms) == 0) {
		err = errors.New("it has no worker")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", what, err), c.Close())
	}
	b.Client, b.Worker = c, workers[0]
	return b, nil
}
