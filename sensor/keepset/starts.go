package keepset

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/keepset/shellcmd"
)

// startFamilies are the app's own sources: a route that no probe took may start
// a program.
var startFamilies = []family{
	{rule: "started programs", name: regexp.MustCompile(`\.(py|[cm]?js|rb|ru|rake|php|phtml|pl|pm|psgi|cgi)$`), keep: keepStarts},
}

// packaged matches the folders of libraries, which start programs for cases
// that an app need not come to.
var packaged = regexp.MustCompile(`^/usr/(lib\w*|share|local/lib|local/share)/|/(node_modules|site-packages|dist-packages|vendor|vendor_ruby|gems)/`)

// keepStarts keeps the programs that a source starts by literal names.
func keepStarts(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&(touched|Copied) == 0 || packaged.MatchString(f.path) {
		return nil
	}
	source, err := b.readSource(f.path)
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, s := range parseStarts(path.Ext(f.path), source) {
		if err := b.keepStart(s, f.id); err != nil {
			return err
		}
	}
	return nil
}

// start is a program that a source starts: as a command line for a shell, or
// else as the literal words that its arguments begin with.
type start struct {
	script string
	words  []string
}

// keepStart keeps what a start needs.
func (b *builder) keepStart(s start, via nodeID) error {
	if s.script != "" {
		named, ok := shellNames(s.script)
		if !ok {
			return nil
		}
		if err := b.keepWord("/bin/sh", via); err != nil {
			return err
		}
		return b.keepNames(named, via)
	}
	return b.keepNames(shellcmd.Line(s.words), via)
}

// shellNames is what a script names; of text that no shell can read, nothing.
func shellNames(script string) (shellcmd.Script, bool) {
	named, err := shellcmd.Parse("", []byte(script))
	return named, err == nil
}

// starter is how sources of a language start programs.
type starter struct {
	// call matches up to the first argument; its group, if there, says that a
	// shell reads it.
	call *regexp.Regexp
	// quoted matches commands in quotes of their own: the first group that
	// is there is the command.
	quoted *regexp.Regexp
	// needs is what a source has that may start programs: others have functions
	// of these names too.
	needs string
	// simple says that a shell is used only for commands with its characters.
	simple bool
}

// backticks matches commands in backticks where they are a value or a
// statement; elsewhere they quote the names of SQL.
const backticks = "(?m)(?:=|#\\{|\\{|^|\\b(?:return|echo|print|puts|scalar)[ \\t(])[ \\t]*`([^`\\n]+)`[ \\t]*(?:[.;)}]|$)"

// quotes are those of Ruby and Perl, after their operator.
const quotes = `[ \t]*(?:\(([^)\n]*)\)|\{([^}\n]*)\}|\[([^\]\n]*)\]|\|([^|\n]*)\||/([^/\n]*)/)`

var (
	pythonStarter = starter{
		call: regexp.MustCompile(`\b(?:(os\.system|os\.popen|create_subprocess_shell|getoutput|getstatusoutput)` +
			`|(?:subprocess|sp)\.(?:run|call)|Popen|check_output|check_call|create_subprocess_exec|os\.(?:exec|spawn|posix_spawn)\w*)\(`),
	}
	nodeStarter = starter{needs: "child_process", call: regexp.MustCompile(`\b(?:(exec|execSync)|execFile|execFileSync|spawn|spawnSync)\(`)}
	rubyStarter = starter{
		simple: true,
		call:   regexp.MustCompile(`\b(?:system|exec|spawn|IO\.popen|Open3\.\w+)[ \t(]`),
		quoted: regexp.MustCompile(backticks + `|%x` + quotes),
	}
	phpStarter = starter{
		call:   regexp.MustCompile(`\b((?:shell_)?exec|system|passthru|popen|proc_open)\(`),
		quoted: regexp.MustCompile(backticks),
	}
	perlStarter = starter{
		simple: true,
		call:   regexp.MustCompile(`\b(?:system|exec)[ \t(]|\bopen\b[^;\n]*["'](?:-\||\|-)["'][ \t]*,`),
		quoted: regexp.MustCompile(backticks + `|\bqx` + quotes),
	}
)

// starters are by the suffix of a source.
var starters = map[string]*starter{
	".py": &pythonStarter, ".js": &nodeStarter, ".mjs": &nodeStarter, ".cjs": &nodeStarter,
	".rb": &rubyStarter, ".ru": &rubyStarter, ".rake": &rubyStarter, ".php": &phpStarter, ".phtml": &phpStarter,
	".pl": &perlStarter, ".pm": &perlStarter, ".psgi": &perlStarter, ".cgi": &perlStarter,
}

var (
	// commentLine matches lines that are comments in one of the languages.
	commentLine = regexp.MustCompile(`(?m)^[ \t]*(?:#|//|\*).*$`)
	// beforeLiteral is what may stand before the first literal: a list's begin,
	// how os.spawnl starts the program, the environment.
	beforeLiteral = regexp.MustCompile(`^\s*(?:os\.P_\w+,\s*|\{[^{}\n]*\},\s*)?(\[|array\(|\()?\s*`)
	literalText   = regexp.MustCompile("^[bfru]{0,2}(?:\"((?:[^\"\\\\\\n]|\\\\.)*)\"|'((?:[^'\\\\\\n]|\\\\.)*)'|`([^`\\n]*)`)")
	nextLiteral   = regexp.MustCompile(`^\s*,\s*\[?\s*`)
	inserted      = regexp.MustCompile(`[#$]?\{[^{}]*\}`) // a value in a literal
	shellOption   = regexp.MustCompile(`^[^;]{0,200}?\bshell\s*[:=]\s*[Tt]rue\b`)
)

// Bounds of one source and of one command.
const (
	maxStarts     = 1024
	maxStartWords = 64
)

// shellCharacters make Ruby and Perl leave a command to the shell.
const shellCharacters = "*?{}[]<>()~&|\\$;'`\"\n"

// parseStarts returns what a source, of which ext is the suffix, starts.
func parseStarts(ext string, source []byte) []start {
	s := starters[ext]
	if s == nil || !bytes.Contains(source, []byte(s.needs)) {
		return nil
	}
	source = commentLine.ReplaceAll(source, nil)
	var all []start
	for _, m := range s.call.FindAllSubmatchIndex(source, maxStarts) {
		shell := len(m) > 2 && m[2] >= 0
		if found, ok := s.started(source[m[1]:], shell); ok {
			all = append(all, found)
		}
	}
	if s.quoted == nil {
		return all
	}
	for _, m := range s.quoted.FindAllSubmatch(source, maxStarts) {
		if found, ok := s.command(string(bytes.Join(m[1:], nil)), true); ok {
			all = append(all, found)
		}
	}
	return all
}

// started reads the literals that the arguments of a call begin with.
func (s *starter) started(args []byte, shell bool) (start, bool) {
	before := beforeLiteral.FindSubmatch(args)
	list := len(before[1]) > 0 && before[1][0] != '('
	args = args[len(before[0]):]
	var words []string
	for len(words) < maxStartWords {
		m := literalText.FindSubmatch(args)
		if m == nil {
			break
		}
		words = append(words, string(bytes.Join(m[1:], nil)))
		args = args[len(m[0]):]
		next := nextLiteral.Find(args)
		if next == nil {
			break
		}
		args = args[len(next):]
	}
	switch {
	case len(words) == 0 || words[0] == "":
		return start{}, false
	case list || len(words) > 1 && !shell && !strings.Contains(words[0], " "):
		return start{words: words}, true
	}
	return s.command(words[0], shell || shellOption.Match(args))
}

// command reads a command line in one literal. Without a shell even its builtins
// are programs.
func (s *starter) command(line string, shell bool) (start, bool) {
	if s.simple {
		shell = strings.ContainsAny(line, shellCharacters)
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return start{}, false
	case shell:
		return start{script: inserted.ReplaceAllString(line, "$$x")}, true
	}
	return start{words: words[:min(len(words), maxStartWords)]}, true
}
