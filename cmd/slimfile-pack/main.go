// Command slimfile-pack is the program of the build's pack step (llbgen.Pack):
// it reads what the traced run touched, works out the keep set, writes the
// evidence and copies the slim image's root. It takes no arguments; package
// manifest says where its files are.
//
// Exit code 0 is good; 1 is a failure, told on stderr and in failure.json.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/org/slimfile/sensor/manifest"
)

// gcPercent makes the garbage collector run twice as often as by default. At
// 1,000,000 paths this takes the process from 118 to 90 MB, of which there
// must not be more than 128; the trees have no pointers, so that it costs
// little time.
const gcPercent = 50

func main() {
	debug.SetGCPercent(gcPercent)
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
		fmt.Fprintln(os.Stderr, "slimfile:", line(failure))
		os.Exit(1)
	}
}
