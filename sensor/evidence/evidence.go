// Package evidence accounts for every entry of an image: what the slim image
// keeps and why, what it lacks, by folder and by package.
//
// slimfile-pack calls it with the Set of keepset, before anything is copied:
// its summary is what keepset's Refuse judges. It streams, so that memory does
// not grow with the image but for inodes that have several names.
package evidence

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// Write writes manifest.ReportFile, FactsFile, PackagesFile and SummaryFile into
// the folder dir and returns the summary. Equal images and sets give equal bytes.
// KeptFiles and KeptBytes count generated files too.
func Write(ctx context.Context, root *rootfs.Root, set *keepset.Set, dir string) (sum manifest.Summary, err error) {
	f, err := os.Create(filepath.Join(dir, manifest.ReportFile))
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 64<<10)
	facts, err := newFacts(root, set.Pack())
	if err != nil {
		return sum, err
	}
	packages, err := readInstalled(root, set.Packages())
	if err != nil {
		return sum, err
	}
	totals := newTotals(packages)
	if sum, err = report(ctx, root, set, facts, totals, out); err != nil {
		return sum, err
	}
	if err := out.Flush(); err != nil {
		return sum, err
	}
	return sum, errors.Join(
		writeJSON(filepath.Join(dir, manifest.FactsFile), facts.Facts),
		writeJSON(filepath.Join(dir, manifest.PackagesFile), totals.left()),
		writeJSON(filepath.Join(dir, manifest.SummaryFile), sum),
	)
}

// Inspect writes manifest.FactsFile of an image that was not run into the folder
// dir: without what is about a slim image.
func Inspect(ctx context.Context, root *rootfs.Root, pack manifest.Pack, dir string) error {
	facts, err := newFacts(root, pack)
	if err != nil {
		return err
	}
	if err := root.Walk("/", func(path string, info rootfs.Info) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return facts.entry(path, info)
	}); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, manifest.FactsFile), facts.Facts)
}

func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// report writes a manifest.Report to w; the summary's fields come last, for
// they are known last.
func report(ctx context.Context, root *rootfs.Root, set *keepset.Set, facts *facts, totals *totals, w io.Writer) (manifest.Summary, error) {
	r := reporter{out: w, totals: totals, facts: facts}
	next, stop := iter.Pull(shipped(set))
	defer stop()
	fmt.Fprintln(w, `{"kept":[`)
	ship, more := next()
	err := root.Walk("/", func(path string, info rootfs.Info) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := facts.entry(path, info); err != nil {
			return err
		}
		for more && rootfs.Compare(ship.path, path) < 0 {
			if err := r.generated(ship); err != nil {
				return err
			}
			ship, more = next()
		}
		if !more || ship.path != path {
			r.totals.removed(path, info)
			r.facts.removed(path, info)
			return nil
		}
		if err := r.kept(ship, info); err != nil {
			return err
		}
		ship, more = next()
		return nil
	})
	for ; err == nil && more; ship, more = next() {
		err = r.generated(ship)
	}
	if err != nil {
		return manifest.Summary{}, err
	}
	sum := r.totals.summary(set)
	return sum, r.end(sum)
}

// item is one entry of the slim image: copied, or generated.
type item struct {
	path string
	keepset.Entry
	file *keepset.File
}

// shipped merges the copied and the generated entries into one sequence in the
// order of rootfs.Walk.
func shipped(set *keepset.Set) iter.Seq[item] {
	return func(yield func(item) bool) {
		files := set.Generated()
		for e := range set.All() {
			for len(files) > 0 && rootfs.Compare(files[0].Path, e.Path) < 0 {
				if !yield(item{path: files[0].Path, file: &files[0]}) {
					return
				}
				files = files[1:]
			}
			if !yield(item{path: e.Path, Entry: e}) {
				return
			}
		}
		for i := range files {
			if !yield(item{path: files[i].Path, file: &files[i]}) {
				return
			}
		}
	}
}

// reporter writes the report.
type reporter struct {
	out    io.Writer
	totals *totals
	facts  *facts
	line   bytes.Buffer
	any    bool
}

// kept reports an entry that is in the image as info says.
func (r *reporter) kept(s item, info rootfs.Info) error {
	if s.file != nil {
		r.totals.replaced(info)
		return r.generated(s)
	}
	k := manifest.Kept{
		Path: manifest.Path(s.path), Type: info.Type(), Reasons: s.Reasons.Names(), Via: manifest.Path(s.Via), Rule: s.Rule,
	}
	if info.IsRegular() {
		k.Size = info.Size
	}
	k.Package = r.totals.kept(s.path, info)
	if err := r.facts.kept(s.Entry, info, k.Package != ""); err != nil {
		return err
	}
	return r.write(k)
}

// generated reports an entry that the image does not have.
func (r *reporter) generated(s item) error {
	if s.file == nil {
		return fmt.Errorf("kept entry %q is no longer in the image", s.path)
	}
	k := manifest.Kept{
		Path: manifest.Path(s.path), Type: rootfs.Info{Mode: s.file.Mode}.Type(),
		Size: int64(len(s.file.Data)), Reasons: keepset.PackageMetadata.Names(),
	}
	r.totals.generated(s.file)
	return r.write(k)
}

func (r *reporter) write(k manifest.Kept) error {
	r.line.Reset()
	if r.any {
		r.line.WriteByte(',')
	}
	r.any = true
	enc := json.NewEncoder(&r.line) // ends each entry with a newline
	enc.SetEscapeHTML(false)
	if err := enc.Encode(k); err != nil {
		return err
	}
	_, err := r.out.Write(r.line.Bytes())
	return err
}

// end writes what comes after the entries.
func (r *reporter) end(sum manifest.Summary) error {
	head, err := json.Marshal(sum)
	if err != nil {
		return err
	}
	removed, err := json.Marshal(r.totals.sums())
	if err != nil {
		return err
	}
	packages, err := json.Marshal(r.totals.packages())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.out, "],\n\"removed\":%s,\n\"packages\":%s,\n%s\n", removed, packages, head[1:])
	return err
}
