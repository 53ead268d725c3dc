// Package cli is the command line of slimfile: its commands, their flags and
// help, and how errors are shown. Imported by cmd/slimfile only.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/containerd/log"
	"github.com/spf13/cobra"

	"github.com/org/slimfile/cmd/slimfile/internal/build"
)

// Main runs the command and returns its exit status. A signal that asks to end
// cancels the command, which then cleans up after itself in bounded time.
func Main(args []string, stdin io.Reader, stdout, stderr *os.File) int {
	// What libraries log of their own accord is not for the user.
	if err := log.SetLevel("error"); err != nil {
		fmt.Fprintln(stderr, "ERROR:", err)
		return 1
	}
	// SIGPIPE is here because it would end the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	cmd := root(streams{stdin, stdout, stderr})
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	exit := &exitError{1, err}
	errors.As(err, &exit)
	if exit.err != nil {
		build.PrintSource(stderr, exit.err)
		fmt.Fprintln(stderr, "ERROR:", exit.err)
	}
	return exit.status
}

// exitError ends the command with a status; err is nil if all was said.
type exitError struct {
	status int
	err    error
}

// Error implements error.
func (e *exitError) Error() string { return fmt.Sprintf("exit status %d: %v", e.status, e.err) }

// Unwrap gives what happened.
func (e *exitError) Unwrap() error { return e.err }

// streams are what the process was started with.
type streams struct {
	in       io.Reader
	out, err *os.File
}

func root(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "slimfile",
		Short: "Build Dockerfiles into slim images",
		Long: `slimfile builds an ordinary Dockerfile, runs the image under a file-access
sensor while probes exercise it, and keeps only the files that were needed.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetIn(s.in)
	cmd.SetOut(s.out)
	cmd.SetErr(s.err)
	cmd.AddCommand(buildCommand(s), lockCommand(s), lintCommand(s), versionCommand())
	return cmd
}
