package keepset

import (
	"regexp"

	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/keepset/shellcmd"
	"github.com/org/slimfile/sensor/keepset/spawn"
)

// startFamilies are the app's own sources: a route that no probe took may start
// a program.
var startFamilies = []family{
	{rule: "started programs", name: regexp.MustCompile(`^[^.]+$|\.(py|[cm]?js|rb|ru|rake|php|phtml|pl|pm|psgi|f?cgi)$`), keep: keepStarts},
}

// ownSources are the app's sources in one language that may start programs.
type ownSources struct {
	wrappers spawn.Wrappers
	ids      []nodeID // of those that have been read
}

// keepStarts keeps the programs that a source starts by literal names. One that
// tells of a new function that starts what it is given makes the others be read
// again.
func keepStarts(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&(touched|Copied|runs) == 0 || !b.isOwn(f.path) {
		return nil
	}
	language, err := b.languageOf(f.path)
	if err != nil || language == nil {
		return err
	}
	text, err := b.readSource(f.path)
	if err != nil {
		return ignoreAbsent(err)
	}
	own := b.sources[language]
	if own == nil {
		own = &ownSources{wrappers: spawn.Wrappers{}}
		b.sources[language] = own
	}
	all, wrappers := language.Parse(text, own.wrappers)
	for name, shell := range wrappers {
		if _, ok := own.wrappers[name]; !ok && len(own.wrappers) < spawn.MaxWrappers {
			own.wrappers[name] = shell
			b.again, own.ids = append(b.again, own.ids...), nil
		}
	}
	own.ids = append(own.ids, f.id)
	for _, s := range all {
		if err := b.keepStart(s, f.id); err != nil {
			return err
		}
	}
	return nil
}

// languageOf is the language of a source, by its name or else by its first line;
// nil for one that is unknown.
func (b *builder) languageOf(path string) (*spawn.Language, error) {
	if language := spawn.ByName(path); language != nil {
		return language, nil
	}
	var head [program.MaxShebang]byte
	n, err := b.near.ReadHead(path, head[:])
	if err != nil {
		return nil, err
	}
	s, _ := program.ParseShebang(head[:n])
	if name, ok := s.Program(); ok {
		return spawn.ByInterpreter(name), nil
	}
	return spawn.ByInterpreter(s.Interpreter), nil
}

// keepStart keeps what a start needs.
func (b *builder) keepStart(s spawn.Start, via nodeID) error {
	if s.Script == "" {
		return b.keepNames(shellcmd.Line(s.Words), via)
	}
	named, err := shellcmd.Parse("", []byte(s.Script))
	if err != nil {
		return nil //nolint:nilerr // text that no shell can read starts nothing
	}
	if err := b.keepWord("/bin/sh", via); err != nil {
		return err
	}
	return b.keepNames(named, via)
}
