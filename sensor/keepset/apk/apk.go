// Package apk reads which packages of Alpine and its kin an image has, and which
// files they own: the database of apk-tools, lib/apk/db/installed.
//
// It streams: memory grows with the number of owned paths only. evidence imports
// it.
package apk

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// databases are where apk-tools 2 and 3 have the list of what is installed.
func databases() []string { return []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"} }

// Bounds on what an image may bring.
const (
	maxPackages = 1 << 16
	maxLine     = 1 << 20 // bytes; dependencies stand in one line
	maxPaths    = 1 << 22 // of all packages
)

// Package is one installed package.
type Package struct {
	Name    string
	Version string
	Arch    string
	// Origin is the package that it was built from.
	Origin string
}

// DB is the package database of one image.
type DB struct {
	// Packages is sorted by name.
	Packages []Package

	seed   maphash.Seed
	owners map[uint64]int32 // hash of a physical path to index of Packages
}

// Owner returns the index of the package that owns the physical path.
func (db *DB) Owner(path string) (int, bool) {
	i, ok := db.owners[maphash.String(db.seed, path)]
	return int(i), ok
}

// Read reads the database of the image; of one without apk it is empty. A
// database that is broken or beyond all measure is an error.
func Read(root *rootfs.Root) (*DB, error) {
	for _, name := range databases() {
		path, info, err := root.Resolve(name, func(string) {})
		if err := ignoreAbsent(err); err != nil {
			return nil, err
		}
		if !info.IsRegular() {
			continue // or not there
		}
		f, err := root.OpenFile(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return parse(f, func(dir string) (string, error) {
			physical, _, err := root.Resolve(dir, func(string) {})
			return physical, ignoreAbsent(err)
		})
	}
	return parse(bytes.NewReader(nil), nil)
}

// parse reads a database; physical resolves a folder, to "" if it is not there.
// The format is that of apk-tools, doc/apk-installed.5: stanzas of lines with a
// letter each, of which F is a folder, and R a file in the last one.
func parse(r io.Reader, physical func(dir string) (string, error)) (*DB, error) {
	p := parser{db: &DB{seed: maphash.MakeSeed(), owners: map[uint64]int32{}}, physical: physical}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		if err := p.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("apk: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("apk: %w", err)
	}
	p.sort()
	return p.db, nil
}

type parser struct {
	db       *DB
	physical func(string) (string, error)
	open     bool   // within a stanza
	folder   string // the last, physical; "" if it is not there
	paths    int
}

func (p *parser) line(line string) error {
	if strings.TrimSpace(line) == "" {
		p.open, p.folder = false, ""
		return nil
	}
	key, value, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("line %.80q is no field", line)
	}
	if !p.open {
		if len(p.db.Packages) == maxPackages {
			return fmt.Errorf("more than %d packages", maxPackages)
		}
		p.open = true
		p.db.Packages = append(p.db.Packages, Package{})
	}
	this := &p.db.Packages[len(p.db.Packages)-1]
	switch key {
	case "P":
		this.Name = value
	case "V":
		this.Version = value
	case "A":
		this.Arch = value
	case "o":
		this.Origin = value
	case "F":
		var err error
		p.folder, err = p.physical("/" + strings.Trim(value, "/"))
		return err
	case "R":
		return p.own(value)
	}
	return nil
}

// own notes a file of the last folder.
func (p *parser) own(name string) error {
	if p.paths++; p.paths > maxPaths {
		return fmt.Errorf("more than %d paths are listed", maxPaths)
	}
	if p.folder != "" {
		p.db.owners[maphash.String(p.db.seed, rootfs.Join(p.folder, name))] = int32(len(p.db.Packages) - 1)
	}
	return nil
}

// sort brings the packages into order and leaves out those without a name.
func (p *parser) sort() {
	order := make([]int, 0, len(p.db.Packages))
	for i, pkg := range p.db.Packages {
		if pkg.Name != "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(p.db.Packages[a].Name, p.db.Packages[b].Name)
	})
	moved := map[int32]int32{}
	sorted := make([]Package, len(order))
	for to, from := range order {
		moved[int32(from)], sorted[to] = int32(to), p.db.Packages[from]
	}
	for path, from := range p.db.owners {
		if to, ok := moved[from]; ok {
			p.db.owners[path] = to
		} else {
			delete(p.db.owners, path)
		}
	}
	p.db.Packages = sorted
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}
