package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/org/slimfile/cmd/slimfile/internal/build"
	"github.com/org/slimfile/cmd/slimfile/internal/builder"
)

func lockCommand(s streams) *cobra.Command {
	o := build.Options{Context: ".", Stdin: s.in, Stdout: s.out, Stderr: s.err}
	where := builder.Options{Notes: s.err}
	check := false
	cmd := &cobra.Command{
		Use:   "lock [flags] [DIR]",
		Short: "Write down what the slim image keeps, in a file to commit",
		Long: `Write down what the slim image keeps, in a file to commit.

It builds DIR (default: this folder) as slimfile build does, traces the app and
writes slim.lock, or the file that "# slim: lock FILE" names: every entry of the
slim image, on what grounds it is kept, and digests of what it was made from. Of
other platforms it keeps what it has. What changed is listed.

With --build-arg SLIM_LOCK=update what the lock has from other runs stays in it,
as far as the image still has it.

Builds with SLIM_LOCK=frozen then keep what the lock says without tracing, and
with "# slim: lock FILE" as long as nothing has changed that it was made from. An
image needs no copy of it: put slim.lock into .dockerignore.`,
		Example: `  # Make the lock of this folder, and commit it
  slimfile lock
  git add slim.lock

  # For all platforms that are shipped
  slimfile lock --platform linux/amd64,linux/arm64

  # In CI: fail if another keep set comes out than was committed
  slimfile lock --check app`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("slimfile lock takes one build context, flags may stand before or after it")
			}
			return nil
		},
		ValidArgsFunction: completeFolders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Context = args[0]
			}
			return runLock(cmd.Context(), o, where, check)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&check, "check", false, "write nothing, and exit with status 1 if what is kept would change")
	fileFlag(flags, &o)
	stepFlags(flags, &o)
	accessFlags(flags, &o)
	builderFlags(flags, &o, &where)
	return cmd
}

func runLock(ctx context.Context, o build.Options, where builder.Options, check bool) (err error) {
	l, err := build.NewLock(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return connected(ctx, o, where, func(ctx context.Context, bk *builder.Builder) error { return l.Run(ctx, bk, check) })
}
