package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/org/slimfile/cmd/slimfile/internal/build"
	"github.com/org/slimfile/cmd/slimfile/internal/builder"
)

func buildCommand(s streams) *cobra.Command {
	o := build.Options{Stdin: s.in, Stdout: s.out, Stderr: s.err}
	where := builder.Options{Notes: s.err}
	cmd := &cobra.Command{
		Use:   "build [flags] DIR | URL | -",
		Short: "Build a Dockerfile, or take a finished image, and slim it",
		Long: `Build a Dockerfile, or take a finished image, and slim it.

What is probed, kept and how is said by "# slim:" lines of the Dockerfile and by
SLIM_* build arguments; SLIM_* variables of the environment are their defaults.
With --build-arg SLIM=off it is an ordinary build.

It runs on the BuildKit that --addr, --builder or BUILDKIT_HOST names; without
one, on a Docker daemon that runs here; else on a private buildkitd that is
started for it (as root, on Linux) and ended after it. The private one keeps its
cache in ${XDG_DATA_HOME:-~/.local/share}/slimfile/buildkitd and takes settings
such as registry mirrors from ${XDG_CONFIG_HOME:-~/.config}/slimfile/buildkitd.toml,
else from /etc/buildkit/buildkitd.toml.`,
		Example: `  # Build ./Dockerfile and write an image that docker load takes
  slimfile build -t app -o type=docker,dest=app.tar .

  # Slim an image that exists, and tell how to exercise it
  slimfile build --image nginx:1.25 --slim 'probe http /' -t registry.example.com/nginx:slim --push

  # See the files of the slim image, or why each of them is there
  slimfile build -o rootfs .
  slimfile build --build-arg SLIM_OUTPUT=report -o report .

  # Let the second witness, fanotify, watch too
  slimfile build --allow security.insecure -t app -o type=oci,dest=app.tar .`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return errors.New("slimfile build takes one build context, flags may stand before or after it")
			case len(args) == 0 && o.Image == "":
				return errors.New("slimfile build needs the build context, such as . for this folder, or --image REF; see slimfile build --help")
			}
			return nil
		},
		ValidArgsFunction: completeFolders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Context = args[0]
			}
			return runBuild(cmd.Context(), o, where)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	sourceFlags(flags, &o)
	resultFlags(flags, &o)
	accessFlags(flags, &o)
	builderFlags(flags, &o, &where)
	return cmd
}

// sourceFlags say what is built.
func sourceFlags(f *pflag.FlagSet, o *build.Options) {
	fileFlag(f, o)
	f.StringVar(&o.Image, "image", "", "slim this image instead of a Dockerfile's: a `reference`, or oci-layout://DIR[:TAG]")
	f.StringArrayVar(&o.Directives, "slim", nil, "with --image: a `directive`, as a \"# slim:\" line has it")
	f.StringArrayVar(&o.Labels, "label", nil, "label of the image, `NAME=VALUE`")
	stepFlags(f, o)
}

// stepFlags say how it is built.
func stepFlags(f *pflag.FlagSet, o *build.Options) {
	f.StringVar(&o.Target, "target", "", "stage to build")
	f.StringSliceVar(&o.Platforms, "platform", nil, "platforms to build for")
	f.StringArrayVar(&o.BuildArgs, "build-arg", nil, "build argument, `NAME=VALUE` or the NAME of a variable here")
	f.StringArrayVar(&o.BuildContexts, "build-context", nil, "named context, `NAME=SOURCE`: a folder, oci-layout://DIR[:TAG], docker-image://REF or a URL")
	f.BoolVar(&o.Pull, "pull", false, "look for newer base images")
	f.BoolVar(&o.NoCache, "no-cache", false, "build every step again")
	f.StringSliceVar(&o.NoCacheFilter, "no-cache-filter", nil, "stages to build again; slim stands for slimfile's own steps")
}

func fileFlag(f *pflag.FlagSet, o *build.Options) {
	f.StringVarP(&o.File, "file", "f", "", "Dockerfile, or - for stdin (default: Dockerfile in the build context)")
}

// resultFlags say what comes out and where it goes.
func resultFlags(f *pflag.FlagSet, o *build.Options) {
	f.StringArrayVarP(&o.Tags, "tag", "t", nil, "`name` of the image")
	f.StringArrayVarP(&o.Outputs, "output", "o", nil, "`result`: type=docker|oci|tar|local,dest=PATH, type=image|registry, a folder, or - for a tar file on stdout")
	f.BoolVar(&o.Push, "push", false, "push the image to its registry")
	f.StringArrayVar(&o.CacheFrom, "cache-from", nil, "cache to use, such as type=registry,ref=REF or type=local,src=DIR")
	f.StringArrayVar(&o.CacheTo, "cache-to", nil, "where to write the cache, such as type=inline or type=local,dest=DIR")
	f.StringArrayVar(&o.Attests, "attest", nil, "attestation, `type=sbom|provenance[,KEY=VALUE]`")
	f.StringVar(&o.SBOM, "sbom", "", "short for --attest type=sbom: true, false or KEY=VALUE")
	f.StringVar(&o.Provenance, "provenance", "", "short for --attest type=provenance: true, false or KEY=VALUE")
	f.StringVar(&o.MetadataFile, "metadata-file", "", "JSON `file` to write the result's metadata to")
}

// accessFlags say what the build may use.
func accessFlags(f *pflag.FlagSet, o *build.Options) {
	f.StringArrayVar(&o.Secrets, "secret", nil, "secret for the build, `id=ID[,src=FILE|,env=NAME]`")
	f.StringArrayVar(&o.SSH, "ssh", nil, "SSH agent or keys for the build, `default|ID[=SOCKET|KEY]`")
	f.StringSliceVar(&o.Allow, "allow", nil, "entitlement to grant, such as security.insecure")
}

// builderFlags say where it is built and how that is shown.
func builderFlags(f *pflag.FlagSet, o *build.Options, where *builder.Options) {
	f.StringVar(&where.Addr, "addr", "", "BuildKit `address` such as unix:///run/buildkit/buildkitd.sock, or docker, or private")
	f.StringVar(&where.Name, "builder", "", "builder of docker buildx to build with")
	f.StringVar(&o.Progress, "progress", "auto", "how to show the build: auto, plain, tty, quiet or rawjson")
}

// runBuild checks everything that can be checked here before it looks for a
// BuildKit, which may mean to start one.
func runBuild(ctx context.Context, o build.Options, where builder.Options) (err error) {
	b, err := build.New(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return connected(ctx, o, where, b.Run)
}

// connected does something with a BuildKit.
func connected(ctx context.Context, o build.Options, where builder.Options, do func(context.Context, *builder.Builder) error) (err error) {
	if o.Progress == "quiet" {
		where.Notes = io.Discard
	}
	bk, err := builder.Connect(ctx, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bk.Close()) }()
	return do(ctx, bk)
}

// completeFolders has the shell complete a build context.
func completeFolders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}
