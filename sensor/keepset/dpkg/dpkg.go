// Package dpkg reads which Debian packages an image has and which files they
// own: /var/lib/dpkg/status with info/*.list, and /var/lib/dpkg/status.d of
// images that are distroless already.
//
// It streams: memory grows with the number of owned paths only, by some 25
// bytes each. keepset and evidence import it.
package dpkg

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// Where things stand (dpkg(1), FILES).
const (
	Dir       = "/var/lib/dpkg"
	StatusDir = "status.d" // in Dir
)

// Bounds on what an image may bring.
const (
	maxPackages = 1 << 16
	maxStanza   = 1 << 20 // bytes
	maxLine     = 1 << 16 // bytes of a line that is looked at
	maxPaths    = 1 << 22 // paths of all packages
)

// Package is one installed package.
type Package struct {
	Name    string
	Version string
	Arch    string
	// Source and SourceVersion are of the source package; empty if they are the
	// package's own.
	Source, SourceVersion string
	// Listed says that the image tells which files the package owns.
	Listed bool

	file   string // that holds the stanza
	offset int64
	size   int64
	list   string // file that lists its paths
}

// ID returns the name, with the architecture when another architecture of the
// same package is installed too.
func (db *DB) ID(i int) string {
	p := &db.Packages[i]
	same := func(j int) bool {
		return j >= 0 && j < len(db.Packages) && db.Packages[j].Name == p.Name
	}
	if same(i-1) || same(i+1) {
		return p.Name + ":" + p.Arch
	}
	return p.Name
}

// DB is the package database of one image.
type DB struct {
	// Packages is sorted by name and architecture.
	Packages []Package

	root   *rootfs.Root
	dir    string // physical
	seed   maphash.Seed
	owners map[uint64]uint32 // hash of a physical path to index of Packages
}

// Read reads the database of the image; of one without dpkg it is empty. A
// database that is broken or beyond all measure is an error: what scanners
// would be told of the slim image could not be trusted.
func Read(root *rootfs.Root) (*DB, error) {
	db := &DB{root: root, seed: maphash.MakeSeed(), owners: map[uint64]uint32{}}
	dir, info, err := root.Resolve(Dir, func(string) {})
	if err != nil || !info.IsDir() {
		return db, ignoreAbsent(err)
	}
	db.dir = dir
	if err := db.readStatus(dir+"/status", ""); err != nil {
		return nil, err
	}
	if err := db.readStatusDir(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(db.Packages, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch))
	})
	db.Packages = slices.CompactFunc(db.Packages, func(a, b Package) bool {
		return a.Name == b.Name && a.Arch == b.Arch
	})
	divs, err := readDiversions(root, dir+"/diversions")
	if err != nil {
		return nil, err
	}
	lists := lister{db: db, diversions: divs, parents: map[string]string{}}
	for i := range db.Packages {
		if err := lists.read(i); err != nil {
			return nil, fmt.Errorf("dpkg: package %s: %w", db.Packages[i].Name, err)
		}
	}
	return db, nil
}

// IsStatus says whether path is, or is below, a file that tells which packages
// are installed: it must not be copied, for it tells of what is gone too.
func (db *DB) IsStatus(path string) bool {
	rest, ok := strings.CutPrefix(path, db.dir+"/")
	return ok && db.dir != "" && (rest == "status" || rest == "status-old" || rest == "available" ||
		rest == "available-old" || rest == "status.d" || strings.HasPrefix(rest, "status.d/"))
}

// Dir returns the physical path of the folder of the database; "" when the
// image has none.
func (db *DB) Dir() string { return db.dir }

// Owner returns the index of the package that owns the physical path.
func (db *DB) Owner(path string) (int, bool) {
	i, ok := db.owners[maphash.String(db.seed, path)]
	return int(i), ok
}

// Find returns the indices of the packages of that name; "name:arch" is
// understood as well.
func (db *DB) Find(name string) []int {
	name, arch, hasArch := strings.Cut(name, ":")
	var found []int
	for i, p := range db.Packages {
		if p.Name == name && (!hasArch || p.Arch == arch) {
			found = append(found, i)
		}
	}
	return found
}

// Stanza returns the control data of a package as it is written.
func (db *DB) Stanza(i int) ([]byte, error) {
	p := &db.Packages[i]
	f, err := db.root.OpenFile(p.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, p.size)
	if _, err := f.ReadAt(data, p.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return append(bytes.TrimRight(data, "\n"), '\n'), nil
}

// Files calls visit with each path that the package owns, directories too, as
// it is written: not necessarily physical.
func (db *DB) Files(i int, visit func(path string) error) error {
	p := &db.Packages[i]
	if !p.Listed {
		return nil
	}
	return db.eachLine(p.list, func(line []byte) error {
		if path, _ := parseListed(line, p.list); path != "" {
			return visit(path)
		}
		return nil
	})
}

// Checksums calls visit with each line of the package's md5sums and the path
// it is about.
func (db *DB) Checksums(i int, visit func(path string, line []byte) error) error {
	p := &db.Packages[i]
	file := strings.TrimSuffix(p.list, ".list") + ".md5sums"
	if strings.HasSuffix(p.list, ".md5sums") {
		file = p.list
	}
	if !p.Listed {
		return nil
	}
	return db.eachLine(file, func(line []byte) error {
		if path, ok := parseListed(line, file); ok {
			return visit(path, line)
		}
		return nil
	})
}

// readStatus reads a file of stanzas. list is the file that lists the paths of
// its packages, "" when that depends on their names.
func (db *DB) readStatus(file, list string) error {
	f, err := open(db.root, file)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	return eachStanza(f, func(s stanza) error {
		if s.name == "" || !s.installed() {
			return nil
		}
		if !validName(s.name) || s.arch != "" && !validName(s.arch) {
			return fmt.Errorf("dpkg: %s: bad package name %q of architecture %q", file, s.name, s.arch)
		}
		if len(db.Packages) == maxPackages {
			return fmt.Errorf("dpkg: %s: more than %d packages", file, maxPackages)
		}
		db.Packages = append(db.Packages, Package{
			Name: s.name, Version: s.version, Arch: s.arch, Source: s.source, SourceVersion: s.sourceVersion,
			file: file, offset: s.offset, size: s.size, list: list,
		})
		return nil
	})
}

func (db *DB) readStatusDir() error {
	dir := rootfs.Join(db.dir, StatusDir)
	names, err := db.root.ReadDirNames(dir)
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".md5sums") {
			continue
		}
		file := rootfs.Join(dir, name)
		if err := db.readStatus(file, file+".md5sums"); err != nil {
			return err
		}
	}
	return nil
}

// validName says whether s may be a package name or an architecture (Debian
// Policy 5.6.7) and so a file name.
func validName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._"
	return s != "" && len(s) < 200 && !strings.HasPrefix(s, ".") && strings.Trim(s, letters) == ""
}

// stanza is what is looked at of one paragraph of control data.
type stanza struct {
	name, version, arch, status string
	source, sourceVersion       string
	offset, size                int64
}

// installed says whether the package's files are there (dpkg(1), "Package
// states"). Stanzas of status.d have no such field.
func (s stanza) installed() bool {
	words := strings.Fields(s.status)
	if len(words) < 3 {
		return s.status == ""
	}
	return words[2] != "not-installed" && words[2] != "config-files"
}

// eachStanza calls visit for each paragraph of r.
func eachStanza(r io.Reader, visit func(stanza) error) error {
	in := bufio.NewReaderSize(r, maxLine)
	var s stanza
	var at int64
	continued := false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		at += int64(len(line))
		blank := !continued && len(bytes.TrimSpace(line)) == 0
		if blank && s.size > 0 {
			if err := visit(s); err != nil {
				return err
			}
		}
		if blank {
			s = stanza{offset: at}
		} else {
			if s.size = at - s.offset; s.size > maxStanza {
				return fmt.Errorf("dpkg: stanza of package %q is larger than %d bytes", s.name, maxStanza)
			}
			if !continued {
				s.field(line)
			}
		}
		if errors.Is(err, io.EOF) {
			if s.size > 0 {
				return visit(s)
			}
			return nil
		}
		continued = errors.Is(err, bufio.ErrBufferFull)
	}
}

func (s *stanza) field(line []byte) {
	key, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return
	}
	switch string(key) {
	case "Package":
		s.name = string(bytes.TrimSpace(value))
	case "Version":
		s.version = string(bytes.TrimSpace(value))
	case "Architecture":
		s.arch = string(bytes.TrimSpace(value))
	case "Source": // "openssl (3.0.11-1)"; the version is there if it differs
		source, version, _ := strings.Cut(string(bytes.TrimSpace(value)), " ")
		s.source, s.sourceVersion = source, strings.Trim(version, "()")
	case "Status":
		s.status = string(bytes.TrimSpace(value))
	}
}

// open opens a regular file; nil when there is none.
func open(root *rootfs.Root, path string) (*os.File, error) {
	info, err := root.Lstat(path)
	if err != nil || !info.IsRegular() {
		return nil, ignoreAbsent(err)
	}
	return root.OpenFile(path)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}

// eachLine calls visit for each line of a file, without the newline, until it
// fails; no file is no lines. Lines longer than any path are an error.
func (db *DB) eachLine(file string, visit func([]byte) error) error {
	f, err := open(db.root, file)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(make([]byte, 0, 4096), maxLine)
	for sc.Scan() {
		if err := visit(sc.Bytes()); err != nil {
			return err
		}
	}
	return sc.Err()
}
