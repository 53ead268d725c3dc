package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/manifest"
)

// report joins the pack step's report with what the runs were seen to do, in
// the folders that manifest names.
type report struct {
	trace, verify, packed, output string
}

func (r report) run() (err error) {
	var runs evidence.Runs
	if err := read(filepath.Join(r.trace, manifest.SidecarFile), &runs.Traced, &runs.Traced.Version); err != nil {
		return err
	}
	var verified manifest.RunReport
	switch err := read(filepath.Join(r.verify, manifest.SidecarFile), &verified, &verified.Version); {
	case err == nil:
		runs.Verified = &verified
	case !errors.Is(err, fs.ErrNotExist): // not asked for
		return err
	}
	touches, err := os.Open(filepath.Join(r.trace, manifest.TouchFile))
	if err != nil {
		return err
	}
	defer touches.Close()
	runs.Touches = touches
	packed, err := os.Open(filepath.Join(r.packed, manifest.ReportFile))
	if err != nil {
		return err
	}
	defer packed.Close()
	out, err := os.Create(filepath.Join(r.output, manifest.ReportFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return evidence.Join(out, packed, runs)
}

// maxInput bounds a document in bytes: an image config and a Dockerfile's
// directives, or what a run did.
const maxInput = 16 << 20

// read reads a document of the present version. version points into it.
func read(name string, document any, version *int) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err != nil {
		return err
	}
	if len(data) > maxInput {
		return fmt.Errorf("%s: more than %d bytes", name, maxInput)
	}
	if err := manifest.Decode(data, document); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if *version != manifest.Version {
		return fmt.Errorf("%s: version %d, want %d", name, *version, manifest.Version)
	}
	return nil
}
