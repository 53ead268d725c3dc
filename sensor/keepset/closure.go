package keepset

import (
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/keepset/shellcmd"
	"github.com/org/slimfile/sensor/rootfs"
)

// runs are the reasons that say that a file is started as a program, so that
// its shebang counts.
const runs = Executed | Interpreter | Config | User | Script

// close inspects every kept file that it has not yet, and what that adds, until
// nothing is added.
func (b *builder) close() error {
	for {
		var id nodeID
		switch {
		case len(b.again) > 0:
			id = b.again[len(b.again)-1]
			b.again = b.again[:len(b.again)-1]
		case uint32(b.cursor) < b.tree.count:
			id = b.cursor
			b.cursor++
		default:
			return nil
		}
		if err := b.inspect(id); err != nil {
			return err
		}
		if b.tree.full() {
			return nil
		}
	}
}

// inspect keeps what the file of a node needs.
func (b *builder) inspect(id nodeID) error {
	n := b.tree.at(id)
	if n.kind != regular || n.flags&(dropped|pinned) == dropped {
		return nil
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	path := b.tree.path(id)
	if err := b.keepFamilies(id, path); err != nil {
		return err
	}
	var head [4]byte
	if _, err := b.near.ReadHead(path, head[:]); err != nil {
		return err
	}
	switch {
	case string(head[:]) == elf.ELFMAG && n.flags&(inheriting|plain) == inheriting && n.reasons&^(LinkedLibrary|Traversed) == 0:
		return nil // keepLinked has done it
	case string(head[:]) == elf.ELFMAG:
		return b.keepLinked(object{path: path, physical: path, id: id})
	case string(head[:2]) == "#!" && n.reasons&runs != 0 && !(n.reasons&(runs|touched) == Script && sample.MatchString(path)):
		return b.keepShebang(id, path)
	}
	return nil
}

// sample matches scripts that are there to be copied, not run: git's hooks, for
// some.
var sample = regexp.MustCompile(`\.(sample|example|dist)$`)

// keepShebang keeps what a script needs to be started and, if it is a shell's,
// what it names.
func (b *builder) keepShebang(id nodeID, path string) error {
	s, err := b.keepInterpreter(id, path)
	if err != nil {
		return err
	}
	interpreter := s.Interpreter
	if name, ok := s.Program(); ok {
		interpreter = name
	}
	if !shellcmd.IsShell(interpreter) {
		return nil
	}
	return b.keepScript(path, id)
}

// object is an ELF file to be loaded: by which path, and with which inherited
// search folders.
type object struct {
	path      string // by which the loader found it: $ORIGIN
	physical  string
	id        nodeID
	inherited []string
}

// maxInherited bounds the ways in which libraries are reached with different
// inherited folders; a real image has some hundreds.
const maxInherited = 1 << 14

// keepLinked keeps the interpreter and the libraries of an ELF file. Those
// that depend on who loads them are followed at once with what they inherit;
// the others get their turn as nodes.
func (b *builder) keepLinked(first object) error {
	todo := []object{first}
	for len(todo) > 0 {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		file, err := b.readELF(o.physical)
		if err != nil {
			return err
		}
		if file == nil || !file.Arch.RunsOn(b.pack.Platform) {
			continue
		}
		more, err := b.keepNeeded(o, file)
		if err != nil {
			return err
		}
		todo = append(todo, more...)
	}
	return nil
}

// maxParsed bounds the ELF files that are remembered.
const maxParsed = 1 << 12

// readELF reads the ELF file at the physical path. It is nil for one that is
// broken, which is shipped as it is.
func (b *builder) readELF(path string) (*elfdyn.File, error) {
	if file, ok := b.parsed[path]; ok {
		return file, nil
	}
	f, err := b.root.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := elfdyn.Read(f)
	if err != nil {
		return nil, realError(err)
	}
	if len(b.parsed) >= maxParsed {
		clear(b.parsed)
	}
	b.parsed[path] = file
	return file, nil
}

func (b *builder) keepNeeded(o object, file *elfdyn.File) (more []object, err error) {
	if file.Interp != "" {
		if _, _, err := b.follow(b.abs(file.Interp), Interpreter, o.id); err != nil {
			return nil, err
		}
	}
	loaded := b.loader.Object(o.path, file, o.inherited)
	for _, name := range file.Needed {
		paths, err := b.loader.Find(name, loaded)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			next, err := b.keepLibrary(path, o.id, loaded.Inherited())
			if err != nil {
				return nil, err
			}
			more = append(more, next...)
		}
	}
	return more, nil
}

// keepLibrary keeps one library and returns it when its own libraries depend
// on how it was reached.
func (b *builder) keepLibrary(path string, via nodeID, inherited []string) ([]object, error) {
	t, ok, err := b.follow(path, LinkedLibrary, via)
	if err != nil || !ok || t.id == 0 {
		return nil, err
	}
	n := b.tree.at(t.id)
	if len(inherited) == 0 && rootfs.Parent(path) == rootfs.Parent(t.path) {
		if n.flags&(inheriting|plain) == inheriting && t.id < b.cursor {
			b.again = append(b.again, t.id)
		}
		n.flags |= plain
		return nil, nil
	}
	n.flags |= inheriting
	key := sha256.Sum256([]byte(strings.Join(append([]string{t.path, rootfs.Parent(path)}, inherited...), "\x00")))
	if b.objects[key] {
		return nil, nil
	}
	if len(inherited) > 0 {
		b.inherited++
	}
	if b.inherited > maxInherited {
		return nil, fmt.Errorf("libraries of %q: more than %d ways to reach a library", b.tree.path(via), maxInherited)
	}
	b.objects[key] = true
	return []object{{path: path, physical: t.path, id: t.id, inherited: inherited}}, nil
}

// realError drops the errors that are about a file's content.
func realError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return nil
}

// keepInterpreter keeps what runs the script at the physical path and returns its shebang.
func (b *builder) keepInterpreter(id nodeID, path string) (program.Shebang, error) {
	var head [program.MaxShebang]byte
	n, err := b.near.ReadHead(path, head[:])
	if err != nil {
		return program.Shebang{}, err
	}
	s, ok := program.ParseShebang(head[:n])
	if !ok {
		return s, nil
	}
	if _, _, err := b.follow(b.abs(s.Interpreter), Interpreter, id); err != nil {
		return s, err
	}
	if name, ok := s.Program(); ok {
		_, _, err = b.keepProgram(name, Interpreter, id)
		return s, err
	}
	return s, nil
}

// keepProgram keeps a program given by name, as a shell would find it.
func (b *builder) keepProgram(name string, why Reasons, via nodeID) (target, bool, error) {
	path, err := b.finder.Look(name)
	if err != nil || path == "" {
		return target{}, false, err
	}
	return b.follow(path, why, via)
}
