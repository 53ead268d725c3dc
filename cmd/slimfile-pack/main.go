// Command slimfile-pack is the program of the build's pack and report steps
// (llbgen.Pack, llbgen.Report). Package manifest says where its files are.
//
//	slimfile-pack          read what the traced run touched, work out the keep set,
//	                       write the evidence and copy the slim image's root
//	slimfile-pack report   join the evidence with what the runs were seen to do
//
// Exit code 0 is good; 1 is a failure, told on stderr and, by the pack step, in
// failure.json; 2 is a wrong command line.
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
	if len(os.Args) > 1 {
		os.Exit(other(os.Args[1:]))
	}
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

// other is what is asked for by arguments.
func other(args []string) (code int) {
	if len(args) != 1 || args[0] != "report" {
		fmt.Fprintln(os.Stderr, "usage: slimfile-pack [report]")
		return 2
	}
	r := report{trace: manifest.TraceDir, verify: manifest.VerifyDir, packed: manifest.PackedDir, output: manifest.OutputDir}
	if err := r.run(); err != nil {
		fmt.Fprintln(os.Stderr, "slimfile:", err)
		return 1
	}
	return 0
}
