package dpkg

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// lister records who owns what.
type lister struct {
	db         *DB
	diversions map[string]diversion
	parents    map[string]string // folder as listed to physical; bounded memo
	paths      int
}

// maxParents bounds lister.parents.
const maxParents = 1 << 13

// read records the paths of package i.
func (l *lister) read(i int) error {
	p := &l.db.Packages[i]
	lists := []string{p.list}
	if p.list == "" {
		info := l.db.dir + "/info/" + p.Name
		lists = []string{info + ":" + p.Arch + ".list", info + ".list"}
	}
	for _, list := range lists {
		info, err := l.db.root.Lstat(list)
		if err := ignoreAbsent(err); err != nil {
			return err
		}
		if err == nil && info.IsRegular() {
			p.Listed, p.list = true, list
			break
		}
	}
	last := ""
	err := l.db.Files(i, func(path string) error {
		// A folder is followed by what is in it, and owned by many.
		if last != "" && !strings.HasPrefix(path, last+"/") {
			if err := l.own(i, last); err != nil {
				return err
			}
		}
		last = path
		return nil
	})
	if err != nil || last == "" {
		return err
	}
	return l.own(i, last)
}

func (l *lister) own(i int, path string) error {
	if l.paths++; l.paths > maxPaths {
		return fmt.Errorf("more than %d paths are listed", maxPaths)
	}
	if d, ok := l.diversions[path]; ok && d.by != l.db.Packages[i].Name {
		path = d.to
	}
	parent, err := l.physical(rootfs.Parent(path))
	if err != nil || parent == "" {
		return err
	}
	l.db.owners[maphash.String(l.db.seed, rootfs.Join(parent, rootfs.Base(path)))] = uint32(i)
	return nil
}

// physical resolves a folder; lists name files by paths that may go through
// linked folders (merged /usr). It is "" for one that is not there.
func (l *lister) physical(dir string) (string, error) {
	if physical, ok := l.parents[dir]; ok {
		return physical, nil
	}
	physical, _, err := l.db.root.Resolve(dir, func(string) {})
	if err := ignoreAbsent(err); err != nil {
		return "", err
	}
	if len(l.parents) >= maxParents {
		clear(l.parents)
	}
	l.parents[dir] = physical
	return physical, nil
}

// parseListed returns the absolute path of a line of a .list or .md5sums file.
func parseListed(line []byte, file string) (string, bool) {
	if strings.HasSuffix(file, ".md5sums") {
		_, path, ok := bytes.Cut(line, []byte("  ")) // "checksum  path/without/slash"
		path = bytes.TrimPrefix(path, []byte("./"))
		if !ok || len(path) == 0 {
			return "", false
		}
		return "/" + strings.TrimPrefix(string(path), "/"), true
	}
	if len(line) < 2 || line[0] != '/' || string(line) == "/." {
		return "", false
	}
	return string(line), true
}

// diversion is one entry of dpkg-divert(1): to is where another package's file
// goes because of the package by.
type diversion struct {
	to, by string
}

// maxDiversions bounds the diversions of an image; a Debian system has some
// dozens.
const maxDiversions = 1 << 14

func readDiversions(root *rootfs.Root, file string) (map[string]diversion, error) {
	data, err := root.ReadFile(file, 1<<22)
	if errors.Is(err, rootfs.ErrTooLarge) {
		return nil, fmt.Errorf("dpkg: %w", err)
	}
	if err := ignoreAbsent(err); err != nil {
		return nil, err
	}
	return parseDiversions(data), nil
}

// parseDiversions reads groups of three lines: from, to, package; the package
// ":" is a diversion by the administrator, which concerns all packages.
func parseDiversions(data []byte) map[string]diversion {
	lines := strings.Split(string(data), "\n")
	divs := map[string]diversion{}
	for ; len(lines) >= 3 && len(divs) < maxDiversions; lines = lines[3:] {
		divs[lines[0]] = diversion{to: lines[1], by: lines[2]}
	}
	return divs
}
