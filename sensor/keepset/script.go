package keepset

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/shellcmd"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// keepCommands keeps the programs of ENTRYPOINT, CMD and HEALTHCHECK, and what
// shell scripts among them name.
func (b *builder) keepCommands() error {
	img := b.pack.Image
	for _, args := range [][]string{slices.Concat(img.Entrypoint, img.Cmd), img.Healthcheck} {
		if err := b.keepCommand(args); err != nil {
			return err
		}
	}
	// An entrypoint that ends in exec "$@" starts CMD.
	if len(img.Entrypoint) > 0 && len(img.Cmd) > 0 {
		return b.keepCommand(img.Cmd)
	}
	return nil
}

func (b *builder) keepCommand(args []string) error {
	for _, line := range shellcmd.Chain(args) {
		if err := b.keepCommandLine(line); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) keepCommandLine(args []string) error {
	t, ok, err := b.keepProgram(args[0], Config, 0)
	if err != nil || !ok || !t.info.IsRegular() || !shellcmd.IsShell(args[0]) {
		return err // a script gets its turn as a node
	}
	script, operand := shellcmd.Arguments(args[1:])
	if script != "" {
		return b.keepWords("the image's command", []byte(script), t.id)
	}
	if operand == "" {
		return nil
	}
	s, ok, err := b.follow(b.abs(operand), Config, t.id)
	if err != nil || !ok || !s.info.IsRegular() {
		return err
	}
	return b.keepScript(s.path, s.id)
}

// maxScripts bounds how many scripts lead from one to the next.
const maxScripts = 256

// keepScript keeps what a script for a shell names.
func (b *builder) keepScript(path string, id nodeID) error {
	if b.scripts[path] || len(b.scripts) >= maxScripts || id == 0 {
		return nil
	}
	b.scripts[path] = true
	f, err := b.root.OpenFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, shellcmd.MaxSize+1))
	if err != nil {
		return err
	}
	return b.keepWords(path, data, id)
}

// keepWords keeps the programs that a shell script names, the files that it
// sources, and what is at the paths that it names. Scripts among the programs
// get their turn as nodes.
func (b *builder) keepWords(name string, script []byte, via nodeID) error {
	if b.pack.Granularity == manifest.GranularityStrict {
		return nil // what its branches not taken need
	}
	words, err := shellcmd.Parse(name, script)
	if err != nil {
		b.warn("what %s may start in branches that the run did not take is unknown: %v", name, err)
		return nil
	}
	return b.keepNames(words, via)
}

// keepNames keeps what a script names.
func (b *builder) keepNames(words shellcmd.Script, via nodeID) error {
	for _, command := range words.Commands {
		if err := b.keepWord(command, via); err != nil {
			return err
		}
	}
	for _, file := range words.Sourced {
		if err := b.keepSourced(file, via); err != nil {
			return err
		}
	}
	for _, path := range words.Paths {
		if err := b.keepScriptPath(path, via); err != nil {
			return err
		}
	}
	return nil
}

// keepSourced keeps a file that a script sources, and what that names in turn.
func (b *builder) keepSourced(file string, via nodeID) error {
	paths := []string{b.abs(file)}
	if strings.HasPrefix(file, "git-") { // git has the folder of its helpers in PATH
		folders, err := b.gitFolders()
		if err != nil {
			return err
		}
		for _, core := range folders {
			paths = append(paths, rootfs.Join(core, file))
		}
	}
	for _, path := range paths {
		t, ok, err := b.follow(path, Script, via)
		if err != nil {
			return err
		}
		if ok && t.info.IsRegular() {
			if err := b.keepScript(t.path, t.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// secrets matches what no script's word makes part of an image.
var secrets = regexp.MustCompile(`^/etc/g?shadow|/private(/|$)|\.key$`)

// keepScriptPath keeps what a script may read by a path that stands in it: a
// small file, or what the Dockerfile COPYed to there. Of another folder it keeps
// the folder alone, which may be a place to write to.
func (b *builder) keepScriptPath(path string, via nodeID) error {
	physical, info, err := b.root.Resolve(path, func(string) {})
	if err != nil {
		return ignoreAbsent(err)
	}
	if !info.IsDir() && !info.IsRegular() || info.IsRegular() && (info.Size > maxSmall || secrets.MatchString(physical)) {
		return nil
	}
	if _, _, err := b.follow(path, Script, via); err != nil || info.IsRegular() {
		return err
	}
	for _, c := range b.copied {
		if c.folder != physical || !c.whole {
			continue
		}
		if err := b.keepCopy(c, Script); err != nil {
			return err
		}
	}
	return nil
}

// keepWord keeps the program that a command word means.
func (b *builder) keepWord(command string, via nodeID) error {
	if strings.HasPrefix(command, "git-") {
		return b.keepGitCommand(command, via)
	}
	t, ok, err := b.keepProgram(command, Script, via)
	if ok && t.id != 0 && b.tree.at(t.id).reasons&^(Script|Traversed) == 0 {
		b.wordNodes[t.id] = true
	}
	return err
}

// namedPrograms are those that nothing but a word of a script or of the app's
// sources keeps, sorted.
func (b *builder) namedPrograms() (names []string) {
	for id := range b.wordNodes {
		if n := b.tree.at(id); n.reasons&^(Script|Traversed) == 0 && n.flags&dropped == 0 {
			names = append(names, b.tree.path(id))
		}
	}
	slices.Sort(names)
	return names
}

// maxNamed bounds how many entries a warning names.
const maxNamed = 20

// enumerate joins names for a warning: sorted, each once.
func enumerate(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}
