package program

import (
	"debug/elf"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/keepset/ldso"
	"github.com/org/slimfile/sensor/keepset/shellcmd"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// Checker says what keeps the programs of an image from starting. It speaks of
// what is certain only: what a script does further on is not.
type Checker struct {
	root     *rootfs.Root
	finder   *Finder
	loader   *ldso.Loader
	account  Account
	platform string
}

// NewChecker prepares to check the programs of an image of the platform
// (os/arch[/variant]), which account runs.
func NewChecker(root *rootfs.Root, image manifest.Image, account Account, platform string) (*Checker, error) {
	libraries, _ := Getenv(image.Env, "LD_LIBRARY_PATH")
	loader, err := ldso.New(root, libraries, image.WorkingDir)
	if err != nil {
		return nil, err
	}
	return &Checker{root: root, finder: NewFinder(root, image), loader: loader, account: account, platform: platform}, nil
}

// Command checks a command line: its program, and what that starts at once if
// it is a shell. It is nil if nothing is known to be in the way.
func (c *Checker) Command(args []string) (*manifest.Obstacle, error) {
	if len(args) == 0 || args[0] == "" {
		return nil, nil
	}
	if o, err := c.named(args[0]); o != nil || err != nil {
		return o, err
	}
	if !shellcmd.IsShell(args[0]) {
		return nil, nil
	}
	script, file := shellcmd.Arguments(args[1:])
	if file != "" {
		return c.present(c.finder.Abs(file))
	}
	first, err := shellcmd.First("command", []byte(script))
	if err != nil {
		return nil, nil //nolint:nilerr // what cannot be read is not judged
	}
	for _, name := range first {
		o, err := c.named(name)
		if err != nil || o != nil && o.Kind != manifest.ObstacleFormat { // which a shell runs itself
			return o, err
		}
	}
	return nil, nil
}

// present checks that a file is there, which a shell reads.
func (c *Checker) present(path string) (*manifest.Obstacle, error) {
	_, _, err := c.root.Resolve(path, func(string) {})
	if err == nil {
		return nil, nil
	}
	return &manifest.Obstacle{Kind: manifest.ObstacleMissing, Program: manifest.Path(path)}, ignoreAbsent(err)
}

// named checks a program by its name.
func (c *Checker) named(name string) (*manifest.Obstacle, error) {
	path, err := c.finder.Look(name)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return &manifest.Obstacle{Kind: manifest.ObstacleMissing, Program: manifest.Path(name)}, nil
	}
	return c.file(path, 0)
}

// maxInterpreters bounds the scripts that are run by scripts (execve(2): 4).
const maxInterpreters = 4

// file checks the program at an absolute path.
func (c *Checker) file(path string, depth int) (*manifest.Obstacle, error) {
	obstacle := func(kind, needs string) (*manifest.Obstacle, error) {
		return &manifest.Obstacle{Kind: kind, Program: manifest.Path(path), Needs: manifest.Path(needs)}, nil
	}
	physical, info, err := c.root.Resolve(path, func(string) {})
	if err != nil {
		return &manifest.Obstacle{Kind: manifest.ObstacleMissing, Program: manifest.Path(path)}, ignoreAbsent(err)
	}
	may, err := c.mayExecute(physical, info)
	if err != nil {
		return nil, err
	}
	if !info.IsRegular() || !may {
		return obstacle(manifest.ObstacleRights, "")
	}
	f, err := c.root.OpenFile(physical)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, MaxShebang)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	script, isScript := ParseShebang(head[:n])
	switch {
	case strings.HasPrefix(string(head[:n]), elf.ELFMAG):
		return c.elf(path, physical)
	case !isScript:
		return obstacle(manifest.ObstacleFormat, "")
	case script.CRLF:
		return obstacle(manifest.ObstacleCRLF, "")
	case depth >= maxInterpreters:
		return nil, nil
	}
	return c.interpreter(path, script, depth)
}

// interpreter checks what runs the script at path.
func (c *Checker) interpreter(path string, script Shebang, depth int) (*manifest.Obstacle, error) {
	o, err := c.file(c.finder.Abs(script.Interpreter), depth+1)
	if name, ok := script.Program(); o == nil && err == nil && ok {
		o, err = c.named(name)
	}
	if o != nil && o.Kind == manifest.ObstacleMissing {
		o = &manifest.Obstacle{Kind: manifest.ObstacleInterpreter, Program: manifest.Path(path), Needs: o.Program}
	}
	return o, err
}

// mayExecute tells whether the account may execute a file, by what its mode and
// those of its folders say.
func (c *Checker) mayExecute(physical string, info rootfs.Info) (bool, error) {
	for dir := rootfs.Parent(physical); dir != "/"; dir = rootfs.Parent(dir) {
		above, err := c.root.Lstat(dir)
		if err != nil || !c.account.May(above, 1) {
			return false, err
		}
	}
	return c.account.May(info, 1), nil
}

// Program checks the loader and the libraries of an ELF file that is to be run.
// It is nil for a file that is none.
func (c *Checker) Program(physical string) (*manifest.Obstacle, error) {
	file, err := c.read(physical)
	if err != nil || file == nil || file.Interp == "" {
		return nil, err
	}
	return c.elf(physical, physical)
}

// read reads an ELF file; it is nil for one that is none, or broken.
func (c *Checker) read(physical string) (*elfdyn.File, error) {
	f, err := c.root.OpenFile(physical)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := elfdyn.Read(f)
	if err != nil {
		return nil, nil // the kernel is the judge of what is broken
	}
	return file, nil
}

// elf checks an ELF program that was found at path.
func (c *Checker) elf(path, physical string) (*manifest.Obstacle, error) {
	file, err := c.read(physical)
	if err != nil || file == nil {
		return nil, err
	}
	o := &manifest.Obstacle{Program: manifest.Path(path)}
	if !file.Arch.RunsOn(c.platform) {
		o.Kind, o.Needs = manifest.ObstacleMachine, manifest.Path(strings.TrimPrefix(file.Arch.Machine.String(), "EM_"))
		return o, nil
	}
	if file.Interp == "" {
		return nil, nil
	}
	if _, _, err := c.root.Resolve(c.finder.Abs(file.Interp), func(string) {}); err != nil {
		o.Kind, o.Needs = manifest.ObstacleLoader, manifest.Path(file.Interp)
		return o, ignoreAbsent(err)
	}
	return c.libraries(o, physical, file)
}

// maxLibraries bounds the libraries of one program that are looked at.
const maxLibraries = 4096

// object is an ELF file that the loader loads.
type object struct {
	path string
	file *elfdyn.File
	// inherited are the folders of those that need it.
	inherited []string
}

// libraries looks for the libraries of the program at a physical path as its
// loader would, and notes the first that is missing in o. $ORIGIN of a program
// is where the kernel found it, behind all links (glibc,
// sysdeps/unix/sysv/linux/dl-origin.c); that of a library is where it was looked
// for.
func (c *Checker) libraries(o *manifest.Obstacle, physical string, program *elfdyn.File) (*manifest.Obstacle, error) {
	loaded := map[string]bool{rootfs.Base(program.Interp): true}
	type lack struct{ name, by string }
	var missing []lack
	todo := []object{{path: physical, file: program}}
	for seen := 0; len(todo) > 0 && seen < maxLibraries; seen++ {
		this := todo[0]
		todo = todo[1:]
		loaded[this.file.Soname] = true
		at := c.loader.Object(this.path, this.file, this.inherited)
		for _, name := range this.file.Needed {
			if loaded[name] || provided(name) {
				continue
			}
			paths, err := c.loader.Find(name, at)
			if err != nil {
				return nil, err
			}
			if len(paths) == 0 {
				missing = append(missing, lack{name, this.path})
				continue
			}
			loaded[name] = true
			path := paths[len(paths)-1]
			physical, _, err := c.root.Resolve(path, func(string) {})
			if err != nil {
				return nil, err
			}
			file, err := c.read(physical)
			if err != nil {
				return nil, err
			}
			if file != nil {
				todo = append(todo, object{path, file, at.Inherited()})
			}
		}
	}
	// One that was loaded later under this name is found without a search.
	i := slices.IndexFunc(missing, func(l lack) bool { return !loaded[l.name] })
	if i < 0 {
		return nil, nil
	}
	o.Kind, o.Needs, o.By = manifest.ObstacleLibrary, manifest.Path(missing[i].name), manifest.Path(missing[i].by)
	return o, nil
}

// provided tells whether no file is looked for: the kernel's own library, and
// those that musl's loader is itself (ldso/dynlink.c, load_library).
func provided(name string) bool {
	return regexp.MustCompile(`^(linux-(vdso|gate)|libc\.(so$|musl-)|lib(pthread|rt|m|dl|util|xnet)\.so$)`).MatchString(name)
}
