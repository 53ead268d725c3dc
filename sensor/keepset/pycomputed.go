package keepset

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/pymodule"
	"github.com/org/slimfile/sensor/rootfs"
)

// keepComputed keeps the modules that the names may lead to which a module
// computes: those that agree with what of a name is literal, such as
// "locale.*.formats". What stands for an asterisk at the beginning may be any
// package that the run loaded, or one that another pattern of the module matches.
func (m pythonModule) keepComputed(s pymodule.Source) error {
	var matched []string // folders of packages
	var open []string    // the patterns that begin with an asterisk
	for _, pattern := range s.Patterns {
		if pattern[0] == '*' {
			open = append(open, strings.TrimPrefix(pattern, "*."))
			continue
		}
		found, err := m.keepPattern(pattern)
		if err != nil {
			return err
		}
		matched = append(matched, found...)
	}
	if s.Walks {
		open = append(open, walked(s.Texts)...)
	}
	if len(open) == 0 {
		return nil
	}
	for _, dir := range slices.Concat(m.b.pythonPackages(), matched) {
		for _, pattern := range open {
			if _, err := m.keepMatching([]string{dir}, pattern); err != nil {
				return err
			}
		}
	}
	return nil
}

// walked are patterns for all modules in the folders that may be meant by the
// single words of a module that lists folders.
func walked(texts []string) []string {
	var patterns []string
	for _, text := range texts {
		if isIdentifier.MatchString(text) && !slices.Contains(commonWords, text) {
			patterns = append(patterns, text+".*")
		}
	}
	return patterns
}

// keepPattern keeps what a pattern with a literal beginning matches, and returns
// the folders of the packages.
func (m pythonModule) keepPattern(pattern string) ([]string, error) {
	if below, ok := strings.CutPrefix(pattern, "."); ok {
		return m.keepMatching([]string{m.dir}, below)
	}
	top, rest, dotted := strings.Cut(pattern, ".")
	if !dotted {
		return m.keepMatching([]string{m.dir}, pattern)
	}
	if strings.Contains(top, "*") || rest == "*" || m.isUnlikely(top, true) {
		return nil, nil // a top-level package has more than plugins
	}
	return m.keepMatching(m.b.pythonRoots(), pattern)
}

// keepMatching keeps the modules that a pattern matches below folders, unless it
// is too much, and returns the folders of the packages among them.
func (m pythonModule) keepMatching(dirs []string, pattern string) (packages []string, err error) {
	var files []string
	var size int64
	for _, dir := range dirs {
		if pattern == "*" && dir == m.root || !m.b.first("modules "+dir+" "+pattern) {
			continue
		}
		for _, name := range expand(m.b.tried, dir, strings.Split(pattern, ".")) {
			if isForDevelopers(name) {
				continue
			}
			found := pymodule.Find(m.b.tried, dir, name)
			if len(found) > 0 && rootfs.Base(found[len(found)-1]) == "__init__.py" {
				packages = append(packages, rootfs.Parent(found[len(found)-1]))
			}
			for _, file := range found {
				info, _ := m.b.tried.stat(file)
				size += info.Size
			}
			files = append(files, found...)
		}
	}
	if size > maxDataBytes {
		m.b.skipped = append(m.b.skipped, fmt.Sprintf("%q (modules %s)", m.file, pattern))
		return nil, nil
	}
	for _, file := range files {
		if err := m.b.keepModule(file, m.id); err != nil {
			return nil, err
		}
	}
	return packages, m.b.tried.err
}

// isForDevelopers says whether one of the parts of a name is a package for
// developers.
func isForDevelopers(parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool {
		return slices.Contains(developerParts, part) || strings.HasPrefix(part, "test_")
	})
}

// expand returns the dotted names, as their parts, that a pattern may stand for
// in a folder.
func expand(files pymodule.Files, dir string, pattern []string) [][]string {
	names := []string{pattern[0]}
	if strings.Contains(pattern[0], "*") {
		names = nil
		for _, name := range files.Names(dir) {
			name, _, _ = strings.Cut(name, ".")
			if name != "__init__" && name != "__pycache__" && matchGlob(pattern[0], name) {
				names = append(names, name)
			}
		}
		names = slices.Compact(names)
	}
	var all [][]string
	for _, name := range names {
		if len(pattern) == 1 {
			all = append(all, []string{name})
			continue
		}
		below := path.Join(dir, name)
		if files.Names(below) == nil {
			continue
		}
		for _, rest := range expand(files, below, pattern[1:]) {
			all = append(all, append([]string{name}, rest...))
		}
	}
	return all
}

// pythonPackages are the folders of the packages that the run loaded.
func (b *builder) pythonPackages() []string {
	if dirs, ok := b.found["python packages"]; ok {
		return dirs
	}
	var dirs []string
	for id := rootID + 1; uint32(id) < b.tree.count; id++ {
		if packageInit.Match(b.tree.name(id)) && b.isLoaded(id) {
			dirs = append(dirs, strings.TrimSuffix(rootfs.Parent(b.tree.path(id)), "/__pycache__"))
		}
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	b.found["python packages"] = dirs
	return dirs
}

// keepAsked keeps the data in those folders of a package, if the module is one,
// that the run asked for: a program that looks there for what may be there finds
// the same with other input.
func (m pythonModule) keepAsked() error {
	if !m.loaded || rootfs.Base(m.file) != "__init__.py" {
		return nil
	}
	for _, dir := range m.b.dataFoldersIn(m.dir) {
		id := m.b.tree.find(dir)
		if id == 0 || m.b.tree.at(id).reasons&(Checked|Listed) == 0 {
			continue
		}
		if err := m.b.keepDataFolder(dir, dir, m.id); err != nil {
			return err
		}
	}
	return nil
}

// dataFolders are the folders without modules in those packages within the
// package top that the run loaded, by name.
func (b *builder) dataFolders(top string) map[string][]string {
	if known, ok := b.data[top]; ok {
		return known
	}
	byName := map[string][]string{}
	all := b.pythonPackages()
	from, _ := slices.BinarySearch(all, top)
	for _, dir := range all[from:] {
		if dir != top && !strings.HasPrefix(dir, top) {
			break
		}
		if dir != top && !strings.HasPrefix(dir, top+"/") {
			continue
		}
		for _, folder := range b.dataFoldersIn(dir) {
			if name := rootfs.Base(folder); !slices.Contains(commonWords, name) {
				byName[name] = append(byName[name], folder)
			}
		}
	}
	b.data[top] = byName
	return byName
}

// dataFoldersIn are the folders in a package that are no packages.
func (b *builder) dataFoldersIn(dir string) []string {
	var found []string
	for _, name := range b.tried.Names(dir) {
		folder := rootfs.Join(dir, name)
		if !strings.Contains(name, ".") && name != "__pycache__" && b.tried.IsDir(folder) && !hasModules(b.tried.Names(folder)) {
			found = append(found, folder)
		}
	}
	return found
}

// hasModules says whether a folder with these names may be a package.
func hasModules(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		ext := path.Ext(name)
		return ext == ".py" || ext == ".pyc" || ext == ".so"
	})
}
