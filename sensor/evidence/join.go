package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// Runs is what the runs of an image were seen to do.
type Runs struct {
	Traced   *manifest.RunReport // nil without a traced run
	Verified *manifest.RunReport // nil without a verifying run
	Touches  io.Reader           // a manifest.TouchFile of the traced run, if there was one
}

// Join writes the report that it reads, one of Write's, with what the runs
// were seen to do: in which phases each entry was touched and by which program,
// and with that each package. What a run does is no input of the step that calls
// Write, whose result it would make differ from build to build.
func Join(w io.Writer, report io.Reader, runs Runs) error {
	touches := func(func(manifest.Touch, error) bool) {}
	if runs.Touches != nil {
		touches = manifest.ReadTouches(runs.Touches)
	}
	next, stop := iter.Pull2(touches)
	defer stop()
	out := bufio.NewWriterSize(w, 64<<10)
	j := joiner{
		in: json.NewDecoder(bufio.NewReaderSize(report, 64<<10)), out: reporter{out: out},
		next: next, packages: map[string]map[int]bool{},
	}
	if err := j.join(runs); err != nil {
		return fmt.Errorf("%s: %w", manifest.ReportFile, err)
	}
	return out.Flush()
}

type joiner struct {
	in  *json.Decoder
	out reporter
	// touch is the first touch that is not before the last entry, until there
	// are no more.
	next    func() (manifest.Touch, error, bool)
	touch   manifest.Touch
	started bool
	ended   bool
	// packages has the phases in which something of a package was touched.
	packages map[string]map[int]bool
}

func (j *joiner) join(runs Runs) error {
	fmt.Fprintln(j.out.out, `{"kept":[`)
	if err := j.kept(); err != nil {
		return err
	}
	fmt.Fprint(j.out.out, "]")
	for j.in.More() {
		if err := j.field(); err != nil {
			return err
		}
	}
	if runs.Traced != nil {
		if err := j.write("traced", runs.Traced); err != nil {
			return err
		}
	}
	if runs.Verified != nil {
		if err := j.write("verified", runs.Verified); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(j.out.out, "}")
	return err
}

// Kept yields the entries of a report. An error ends the sequence.
func Kept(report io.Reader) iter.Seq2[manifest.Kept, error] {
	return keptOf(json.NewDecoder(bufio.NewReaderSize(report, 64<<10)))
}

// keptOf reads a report up to what comes after its entries.
func keptOf(in *json.Decoder) iter.Seq2[manifest.Kept, error] {
	return func(yield func(manifest.Kept, error) bool) {
		err := expect(in, json.Delim('{'), "kept", json.Delim('['))
		for err == nil && in.More() {
			var k manifest.Kept
			if err = in.Decode(&k); err == nil && !yield(k, nil) {
				return
			}
		}
		if err == nil {
			err = expect(in, json.Delim(']'))
		}
		if err != nil {
			yield(manifest.Kept{}, err)
		}
	}
}

// expect reads tokens.
func expect(in *json.Decoder, tokens ...json.Token) error {
	for _, want := range tokens {
		got, err := in.Token()
		if err == nil && got != want {
			err = fmt.Errorf("%v where %v should be", got, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kept copies the entries, each with its touch.
func (j *joiner) kept() error {
	for k, err := range keptOf(j.in) {
		if err != nil {
			return err
		}
		touch, err := j.seek(k.Path)
		if err != nil {
			return err
		}
		if k.Touched = touch; touch != nil && k.Package != "" {
			if j.packages[k.Package] == nil {
				j.packages[k.Package] = map[int]bool{}
			}
			for _, p := range touch.Phases {
				j.packages[k.Package][p] = true
			}
		}
		if err := j.out.write(k); err != nil {
			return err
		}
	}
	return nil
}

// seek finds the touch of a path, nil if there is none. Paths must come in
// order.
func (j *joiner) seek(path manifest.Path) (*manifest.Touched, error) {
	for !j.ended && (!j.started || rootfs.Compare(string(j.touch.Path), string(path)) < 0) {
		touch, err, ok := j.next()
		if err != nil {
			return nil, err
		}
		if ok && j.started && rootfs.Compare(string(j.touch.Path), string(touch.Path)) >= 0 {
			return nil, errors.New("touches are not in order")
		}
		j.touch, j.started, j.ended = touch, true, !ok
	}
	if j.ended || j.touch.Path != path {
		return nil, nil
	}
	return &manifest.Touched{Phases: j.touch.Phases, Program: j.touch.Program}, nil
}

// field copies one of the fields that come after the entries.
func (j *joiner) field() error {
	key, err := j.in.Token()
	if err != nil {
		return err
	}
	name, _ := key.(string)
	if name != "packages" {
		var value json.RawMessage
		if err := j.in.Decode(&value); err != nil {
			return err
		}
		return j.write(name, value)
	}
	var packages []manifest.Package
	if err := j.in.Decode(&packages); err != nil {
		return err
	}
	for i := range packages {
		packages[i].Phases = slices.Sorted(maps.Keys(j.packages[packages[i].Name]))
	}
	return j.write(name, packages)
}

func (j *joiner) write(name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.out.out, ",\n%s:%s", key, data)
	return err
}
