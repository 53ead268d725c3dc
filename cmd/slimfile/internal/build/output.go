package build

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/console"
	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/go-csvvalue"
)

const (
	stdout = "-"
	// exporterMoby puts the image into the store of the Docker daemon.
	exporterMoby = "moby"
	attrName     = "name"
	attrPush     = "push"
)

// export is one of the build's results and where it goes.
type export struct {
	client.ExportEntry
	dest string // file or folder on this machine; empty: not given
}

// parseExports reads --output, --tag and --push.
func parseExports(o Options) ([]export, error) {
	var list []export
	for _, value := range o.Outputs {
		e, err := parseExport(value)
		if err != nil {
			return nil, fmt.Errorf("--output %s: %w", value, err)
		}
		list = append(list, e)
	}
	if o.Push {
		list = addPush(list)
	}
	for _, e := range list {
		switch e.Type {
		case client.ExporterImage, client.ExporterDocker, client.ExporterOCI:
		default:
			continue
		}
		if _, ok := e.Attrs[attrName]; !ok && len(o.Tags) > 0 {
			e.Attrs[attrName] = strings.Join(o.Tags, ",")
		}
		if e.pushes() && e.Attrs[attrName] == "" {
			return nil, errors.New("a push needs the image's name: give it with -t REGISTRY/NAME:TAG")
		}
	}
	return list, nil
}

// parseExport reads one --output: type=TYPE,KEY=VALUE…, or a folder, or "-".
func parseExport(value string) (export, error) {
	e := export{ExportEntry: client.ExportEntry{Attrs: map[string]string{}}}
	fields, err := csvvalue.Fields(value, nil)
	if err != nil {
		return e, err
	}
	if len(fields) == 1 && !strings.HasPrefix(fields[0], "type=") {
		e.Type, e.dest = client.ExporterLocal, fields[0]
		if e.dest == stdout {
			e.Type = client.ExporterTar
		}
		return e, e.check()
	}
	for _, field := range fields {
		k, v, ok := strings.Cut(field, "=")
		if !ok {
			return e, fmt.Errorf("%q is not KEY=VALUE", field)
		}
		switch k = strings.ToLower(k); k {
		case "type":
			e.Type = v
		case "dest":
			e.dest = v
		default:
			e.Attrs[k] = v
		}
	}
	return e, e.check()
}

// check completes the type and refuses what it cannot have.
func (e *export) check() error {
	switch e.Type {
	case "registry":
		e.Type, e.Attrs[attrPush] = client.ExporterImage, "true"
		fallthrough
	case client.ExporterImage:
		if e.dest != "" {
			return errors.New("an image goes to a registry, not to a file: use type=oci or type=docker, or leave dest= out")
		}
	case client.ExporterLocal:
		if e.dest == "" || e.dest == stdout {
			return errors.New("type=local needs dest=FOLDER")
		}
	case client.ExporterTar, client.ExporterOCI, client.ExporterDocker:
		if e.isFolder() && (e.dest == "" || e.dest == stdout) {
			return errors.New("tar=false needs dest=FOLDER")
		}
	case "":
		return errors.New("type= is missing: it is local, tar, oci, docker, image or registry")
	default:
		return fmt.Errorf("there is no type %q: it is local, tar, oci, docker, image or registry", e.Type)
	}
	return nil
}

func (e *export) pushes() bool {
	push, err := strconv.ParseBool(e.Attrs[attrPush])
	return err == nil && push
}

// isFolder says that the result is a folder, not a stream.
func (e *export) isFolder() bool {
	switch e.Type {
	case client.ExporterLocal:
		return true
	case client.ExporterOCI, client.ExporterDocker:
		tar, err := strconv.ParseBool(e.Attrs["tar"])
		return err == nil && !tar
	default:
		return false
	}
}

// addPush makes the image exports push, or adds one.
func addPush(list []export) []export {
	found := false
	for _, e := range list {
		if e.Type == client.ExporterImage {
			e.Attrs[attrPush], found = "true", true
		}
	}
	if found {
		return list
	}
	return append(list, export{ExportEntry: client.ExportEntry{
		Type: client.ExporterImage, Attrs: map[string]string{attrPush: "true"},
	}})
}

// forDocker sends images to the Docker daemon's own store, which is also where
// a build without --output leaves its result.
func forDocker(list []export, tags []string) []export {
	if len(list) == 0 {
		e := export{ExportEntry: client.ExportEntry{Type: exporterMoby, Attrs: map[string]string{}}}
		if len(tags) > 0 {
			e.Attrs[attrName] = strings.Join(tags, ",")
		}
		return []export{e}
	}
	for i, e := range list {
		if e.Type == client.ExporterImage || e.Type == client.ExporterDocker && e.dest == "" {
			list[i].Type = exporterMoby
		}
	}
	return list
}

// results are the files that a build writes. They appear under their names only
// when the build has succeeded, so that a failed one spoils no earlier result.
type results struct {
	files      []*resultFile
	usesStdout bool
}

// entries are the exports as BuildKit's client takes them.
func (r *results) entries(list []export, out *os.File) ([]client.ExportEntry, error) {
	var entries []client.ExportEntry
	for _, e := range list {
		switch e.Type {
		case client.ExporterImage, exporterMoby:
		case client.ExporterLocal, client.ExporterTar, client.ExporterOCI, client.ExporterDocker:
			if err := r.add(&e, out); err != nil {
				return nil, fmt.Errorf("--output type=%s: %w", e.Type, err)
			}
		}
		entries = append(entries, e.ExportEntry)
	}
	return entries, nil
}

func (r *results) add(e *export, out *os.File) error {
	switch {
	case e.isFolder():
		e.OutputDir = e.dest
	case e.dest == "" || e.dest == stdout:
		if _, err := console.ConsoleFromFile(out); err == nil {
			return errors.New("a terminal cannot take it: add dest=FILE or redirect the output")
		}
		if r.usesStdout {
			return errors.New("another result already goes to stdout: add dest=FILE")
		}
		r.usesStdout = true
		e.Output = func(map[string]string) (io.WriteCloser, error) { return unclosed{out}, nil }
	default:
		f, err := newResultFile(e.dest)
		if err != nil {
			return err
		}
		r.files = append(r.files, f)
		e.Output = f.open
	}
	return nil
}

// commit gives the files their names.
func (r *results) commit() error {
	for _, f := range r.files {
		if err := f.commit(); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	return nil
}

// discard removes what is not committed.
func (r *results) discard() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.discard())
	}
	return errors.Join(errs...)
}

// unclosed leaves stdout open for others.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// resultFile is one file of the build's results.
type resultFile struct {
	path   string
	direct bool // a pipe or a device: there is nothing to rename
	temp   string
}

func newResultFile(path string) (*resultFile, error) {
	f := &resultFile{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		_, err := os.Stat(filepath.Dir(path))
		return f, err
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	}
	f.direct = !info.Mode().IsRegular()
	if !f.direct {
		f.path, err = filepath.EvalSymlinks(path)
	}
	return f, err
}

func (f *resultFile) open(map[string]string) (io.WriteCloser, error) {
	if f.direct {
		return os.OpenFile(f.path, os.O_WRONLY, 0)
	}
	temp, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".*")
	if err != nil {
		return nil, err
	}
	f.temp = temp.Name()
	return temp, temp.Chmod(0o644)
}

func (f *resultFile) commit() error {
	if f.temp == "" {
		return nil
	}
	if err := os.Rename(f.temp, f.path); err != nil {
		return err
	}
	f.temp = ""
	return nil
}

func (f *resultFile) discard() error {
	if f.temp == "" {
		return nil
	}
	return os.Remove(f.temp)
}

// writeFile replaces a file as a whole, or not at all.
func writeFile(path string, data []byte) (err error) {
	f, err := newResultFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.discard()) }()
	w, err := f.open(nil)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return f.commit()
}
