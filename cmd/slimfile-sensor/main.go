// Command slimfile-sensor runs inside a build step, as process 1 in the root of
// the image that is being slimmed.
//
//	slimfile-sensor trace    run the app under the recorder, write what it touched
//	slimfile-sensor verify   run the slim image under the same conditions
//	slimfile-sensor check    can the recorders work here? what is to change?
//
// Exit code 0 is good. 1 is a failure, which trace and verify have explained in
// failure.json; 2 is one that could not be written.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/record"
	"github.com/org/slimfile/sensor/trace"
)

func main() {
	if launch.IsStub(os.Args) {
		launch.StubMain()
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) (code int) {
	if len(args) != 1 {
		return usage()
	}
	switch args[0] {
	case "trace":
		return supervise(trace.Trace)
	case "verify":
		return supervise(trace.Verify)
	case "check":
		if err := trace.Check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			var unavailable *record.UnavailableError
			if errors.As(err, &unavailable) {
				fmt.Fprintln(os.Stderr, unavailable.Remedy)
			}
			return 1
		}
		return 0
	default:
		return usage()
	}
}

func usage() int {
	fmt.Fprintln(os.Stderr, "usage: slimfile-sensor trace | verify | check")
	return 2
}

func supervise(mode trace.Mode) (code int) {
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer cancel()
	dirs := trace.Dirs{Input: manifest.InputDir, Output: manifest.OutputDir, Source: manifest.SourceDir}
	err := trace.Run(ctx, dirs, mode, os.Stdout)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "slimfile:", err)
	var failure *manifest.Failure
	if errors.As(err, &failure) {
		return 1
	}
	return 2
}
