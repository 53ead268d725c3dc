package keepset

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/keepset/shellcmd"
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
	if len(args) == 0 || args[0] == "" {
		return nil
	}
	t, ok, err := b.keepProgram(args[0], Config, 0)
	if err != nil || !ok || !t.info.IsRegular() {
		return err
	}
	if !program.IsShell(args[0]) {
		return b.keepScript(t, nil)
	}
	script, operand := program.ShellArguments(args[1:])
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
	return b.keepScript(s, &program.Shebang{Interpreter: args[0]})
}

// maxScripts bounds how many scripts lead from one to the next.
const maxScripts = 256

// keepScript keeps what a shell script names; other programs are none of its
// business. by is the interpreter when the script does not say it itself.
func (b *builder) keepScript(t target, by *program.Shebang) error {
	if b.scripts[t.path] || len(b.scripts) >= maxScripts || t.id == 0 {
		return nil
	}
	if by == nil {
		s, err := b.keepInterpreter(t.id, t.path)
		if err != nil {
			return err
		}
		if name, ok := s.Program(); ok {
			s.Interpreter = name
		}
		by = &s
	}
	if !program.IsShell(by.Interpreter) {
		return nil
	}
	b.scripts[t.path] = true
	f, err := b.root.OpenFile(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, shellcmd.MaxSize+1))
	if err != nil {
		return err
	}
	return b.keepWords(t.path, data, t.id)
}

// keepWords keeps the programs that a shell script names and the files that it
// sources, and goes on in those that are shell scripts in turn.
func (b *builder) keepWords(name string, script []byte, via nodeID) error {
	words, err := shellcmd.Parse(name, script)
	if err != nil {
		b.warn("what %s may start in branches that the run did not take is unknown: %v", name, err)
		return nil
	}
	for _, command := range words.Commands {
		t, ok, err := b.keepWord(command, via)
		if err != nil {
			return err
		}
		if ok && t.info.IsRegular() {
			if err := b.keepScript(t, nil); err != nil {
				return err
			}
		}
	}
	for _, file := range words.Sourced {
		t, ok, err := b.follow(b.abs(file), Script, via)
		if err != nil {
			return err
		}
		if ok && t.info.IsRegular() {
			if err := b.keepScript(t, &program.Shebang{Interpreter: "sh"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepWord keeps the program that a command word means.
func (b *builder) keepWord(command string, via nodeID) (target, bool, error) {
	t, ok, err := b.keepProgram(command, Script, via)
	if ok && t.id != 0 && b.tree.at(t.id).reasons&^(Script|Traversed) == 0 {
		b.wordNodes[t.id] = true
	}
	return t, ok, err
}

// warnOfWords names the programs that nothing but a word of a script keeps.
func (b *builder) warnOfWords() {
	var names []string
	for id := range b.wordNodes {
		if n := b.tree.at(id); n.reasons&^(Script|Traversed) == 0 && n.flags&dropped == 0 {
			names = append(names, fmt.Sprintf("%q", b.tree.path(id)))
		}
	}
	if len(names) == 0 {
		return
	}
	b.warn("kept only because the entrypoint's shell script names them, though the run did not use them: %s", enumerate(names))
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
