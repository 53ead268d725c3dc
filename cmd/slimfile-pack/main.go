// slimfile-pack makes the slim image's root: it reads what the traced run
// needed, works out the keep set, copies it and writes the evidence. It is
// the program of the build's pack step (llbgen.Pack); nothing imports it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/org/slimfile/sensor/manifest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	step := step{
		input:  manifest.InputDir,
		trace:  manifest.TraceDir,
		source: manifest.SourceDir,
		root:   manifest.RootDir,
		output: manifest.OutputDir,
		stdout: os.Stdout,
	}
	if failure := step.run(ctx); failure != nil {
		fmt.Fprintln(os.Stderr, "slimfile-pack:", line(failure))
		os.Exit(1)
	}
}
