package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/regular"
)

// output is the folder of a step's results. It is opened before the app
// starts, so that an app which moves folders about cannot redirect it.
type output struct{ root *os.Root }

func openOutput(dir string) (*output, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	return &output{root}, nil
}

func (o *output) close() { _ = o.root.Close() } // nothing was written through it

// succeed writes the results of a good run.
func (o *output) succeed(res outcome) error {
	err := o.clear()
	if err == nil && res.trace != nil {
		err = o.writeTrace(res)
	}
	if err == nil {
		err = o.writeJSON(manifest.SidecarFile, res.report)
	}
	if err != nil {
		return o.fail(&manifest.Failure{
			Phase:   phaseRecord,
			Message: fmt.Sprintf("cannot write the results: %s", plain(err)),
			Remedy:  remedyDisk(err),
		})
	}
	return nil
}

// fail leaves nothing but f, and returns it; or another error when that
// cannot be written.
func (o *output) fail(f *manifest.Failure) error {
	f.Version = manifest.Version
	if err := errors.Join(o.clear(), o.writeJSON(manifest.FailureFile, f)); err != nil {
		return fmt.Errorf("%s; and the report of this failure cannot be written: %s (%s)", f.Message, plain(err), remedyDisk(err))
	}
	return f
}

// clear removes all that is in the folder.
func (o *output) clear() error {
	entries, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := o.root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) writeTrace(res outcome) error {
	if err := o.root.Mkdir(manifest.TraceSubdir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		o.write(path.Join(manifest.TraceSubdir, manifest.TraceFile), func(w io.Writer) error {
			return manifest.WriteTrace(w, len(res.report.Probes), res.trace.N, res.trace.Entries)
		}),
		o.write(manifest.TouchFile, func(w io.Writer) error {
			return manifest.WriteTouches(w, res.trace.N, res.trace.Touches)
		}),
	)
}

func (o *output) writeJSON(name string, v any) error {
	return o.write(name, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	})
}

// write makes a new file and fills it.
func (o *output) write(name string, fill func(io.Writer) error) (err error) {
	f, err := o.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := bufio.NewWriter(f)
	if err := fill(buf); err != nil {
		return err
	}
	return buf.Flush()
}

// plain is the text of an error on one line.
func plain(err error) string {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return "the disk is full"
	}
	return err.Error()
}

func remedyDisk(err error) string {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return "make room on the machine that runs BuildKit: `docker buildx prune` removes old build cache"
	}
	return "look at the log of the machine that runs BuildKit"
}

// readRegular reads a regular file of at most limit bytes.
func readRegular(name string, limit int64) ([]byte, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return data, nil
}
