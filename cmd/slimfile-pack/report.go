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
	if runs.Traced, err = readRun(r.trace); err != nil {
		return err
	}
	if runs.Verified, err = readRun(r.verify); err != nil {
		return err
	}
	if runs.Traced != nil {
		touches, err := os.Open(filepath.Join(r.trace, manifest.TouchFile))
		if err != nil {
			return err
		}
		defer touches.Close()
		runs.Touches = touches
	}
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

// readRun reads a run's report in a folder of its own; nil for a run that did not
// take place, and has none.
func readRun(dir string) (*manifest.RunReport, error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	report := new(manifest.RunReport)
	if err := read(filepath.Join(dir, manifest.SidecarFile), report, &report.Version); err != nil {
		return nil, err
	}
	return report, nil
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
