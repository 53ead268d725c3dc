// Command slimfile-pack is the program of the build's pack, lock and report
// steps (llbgen.Pack, llbgen.Lock, llbgen.Report). Package manifest says where its files are.
//
//	slimfile-pack          read what the traced run touched, work out the keep set,
//	                       write the evidence and copy the slim image's root
//	slimfile-pack inspect  look at an image that is not run
//	slimfile-pack lock     say what is kept, in the section of a lock
//	slimfile-pack merge    make one lock of several sections
//	slimfile-pack report   join the evidence with what the runs were seen to do
//
// Exit code 0 is good; 1 is a failure, told on stderr and, by the pack step, in
// failure.json; 2 is a wrong command line.
package main

import (
	"context"
	"errors"
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
		lock:   manifest.LockDir,
		source: manifest.SourceDir,
		root:   manifest.RootDir,
		output: manifest.OutputDir,
		stdout: os.Stdout,
	}
	os.Exit(do(ctx, step, os.Args[1:]))
}

// do does what the arguments ask for and returns the exit code.
func do(ctx context.Context, s step, args []string) int {
	l := locker{
		input: s.input, source: s.source, packed: manifest.PackedDir, lock: s.lock, sections: manifest.SectionsDir, output: s.output,
	}
	var err error
	switch {
	case len(args) == 0:
		if failure := s.run(ctx); failure != nil {
			err = errors.New(line(failure))
		}
	case len(args) == 1 && args[0] == "inspect":
		err = s.inspect(ctx)
	case len(args) == 1 && args[0] == "lock":
		err = l.section(ctx)
	case len(args) == 1 && args[0] == "merge":
		err = l.merge()
	case len(args) == 1 && args[0] == "report":
		err = report{trace: manifest.TraceDir, verify: manifest.VerifyDir, packed: manifest.PackedDir, output: manifest.OutputDir}.run()
	default:
		fmt.Fprintln(os.Stderr, "usage: slimfile-pack [inspect | lock | merge | report]")
		return 2
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "slimfile:", err)
		return 1
	}
	return 0
}
