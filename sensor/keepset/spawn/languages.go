package spawn

import (
	"path"
	"regexp"
	"strings"
)

// Language is how sources of a language start programs.
type Language struct {
	Name string // of the program that runs it
	// call matches up to the first argument; its group, if there, says that a
	// shell reads it.
	call *regexp.Regexp
	// quoted matches commands in quotes of their own: the first group that
	// is there is the command.
	quoted *regexp.Regexp
	// needs are texts of which a source has one that may start programs: others
	// have functions of these names too. None, for every source.
	needs []string
	// simple says that a shell is used only for commands with its characters.
	simple bool
	// open stands between the name of a function and its arguments.
	open string
	// define matches the begin of a function: its name, and its parameters in
	// the first further group that is there.
	define *regexp.Regexp
	// imports matches a list of names that are taken from a library; assigned,
	// a name that a function of the library is given, and the function.
	imports, assigned *regexp.Regexp
	// functions are the library's that may be imported or assigned, with
	// whether a shell reads their argument.
	functions map[string]bool
}

// backticks matches commands in backticks where they are a value or a
// statement; elsewhere they quote the names of SQL.
const backticks = "(?m)(?:=|#\\{|[{(]|^|\\b(?:return|echo|print|puts|scalar)[ \\t(])[ \\t]*`([^`\\n]+)`[ \\t]*(?:[.;)}]|[!=]=|$)"

// quotes are those of Ruby and Perl, after their operator.
const quotes = `[ \t]*(?:\(([^)\n]*)\)|\{([^}\n]*)\}|\[([^\]\n]*)\]|\|([^|\n]*)\||/([^/\n]*)/)`

var python = Language{
	Name: "python",
	open: `\(`,
	call: regexp.MustCompile(`\b(?:(os\.system|os\.popen|create_subprocess_shell|getoutput|getstatusoutput)` +
		`|(?:subprocess|sp)\.(?:run|call)|Popen|check_output|check_call|create_subprocess_exec|os\.(?:exec|spawn|posix_spawn)\w*|pty\.spawn|shutil\.which)\(`),
	define:    regexp.MustCompile(`\bdef\s+(\w+)\s*\(([^)]*)`),
	imports:   regexp.MustCompile(`\bfrom\s+(?:subprocess|os|shutil)\s+import\s+(?:\(([^)]*)\)|([^\n]*))`),
	functions: map[string]bool{"run": false, "call": false, "check_call": false, "check_output": false, "Popen": false, "which": false, "system": true, "popen": true},
}

var node = Language{
	Name:      "node",
	open:      `\(`,
	needs:     []string{"child_process", "execa", "cross-spawn", "shelljs", "zx"},
	call:      regexp.MustCompile(`\b(?:(exec|execSync|execaCommand|execaCommandSync)|execFile|execFileSync|spawn|spawnSync|spawn\.sync|execa|execa\.sync|execaSync)\(`),
	quoted:    regexp.MustCompile("\\$(?:\\([^()\\n]*\\))?`([^`]+)`"),
	define:    regexp.MustCompile(`\bfunction\s*\*?\s*(\w+)\s*\(([^)]*)|\b(\w+)\s*[=:]\s*(?:async\s+)?(?:function\s*\w*\s*\(([^)]*)|\(([^)]*)\)\s*=>|(\w+)\s*=>)|(?m:^)\s*(?:static\s+|async\s+)*(\w+)\s*\(([^)]*)\)\s*\{`),
	imports:   regexp.MustCompile(`\{([^{}]*)\}\s*(?:=\s*require\(\s*|from\s*)["'](?:node:)?child_process["']`),
	assigned:  regexp.MustCompile(`\b(\w+)\s*=\s*(?:[\w.$]*promisify\(\s*)?(?:[\w$]+\.|require\([^)]*\)\.)?(exec|execFile|execSync|execFileSync|spawn|spawnSync)\s*(?:\)|;|\n)`),
	functions: map[string]bool{"exec": true, "execSync": true, "execFile": false, "execFileSync": false, "spawn": false, "spawnSync": false},
}

var ruby = Language{
	Name:   "ruby",
	open:   `[ \t(]`,
	simple: true,
	call:   regexp.MustCompile(`\b(?:system|exec|spawn|IO\.popen|Open3\.\w+)[ \t(]`),
	quoted: regexp.MustCompile(backticks + `|%x` + quotes),
	define: regexp.MustCompile(`\bdef\s+(?:self\.)?(\w+)[ \t(]+([^)\n]*)`),
}

var php = Language{
	Name:   "php",
	open:   `\(`,
	call:   regexp.MustCompile(`\b(?:((?:shell_)?exec|system|passthru|popen|proc_open|fromShellCommandline)|new\s+Process)\(`),
	quoted: regexp.MustCompile(backticks),
	define: regexp.MustCompile(`\bfunction\s+&?(\w+)\s*\(([^)]*)`),
}

var perl = Language{
	Name:   "perl",
	open:   `[ \t(]`,
	simple: true,
	call:   regexp.MustCompile(`\b(?:system|exec|IPC::Run::run|capture|capturex|systemx)[ \t(]|\bopen\b[^;\n]*["'](?:-\||\|-)["'][ \t]*,`),
	quoted: regexp.MustCompile(backticks + `|\bqx` + quotes + `|\bopen\b[^;\n"']*,[ \t]*(?:"[ \t]*\|([^"\n-][^"\n]*)"|'[ \t]*\|([^'\n-][^'\n]*)'|"([^"\n-][^"\n]*)\|[ \t]*"|'([^'\n-][^'\n]*)\|[ \t]*')`),
	define: regexp.MustCompile(`\bsub\s+(\w+)\s*(?:\(([^)]*)\)\s*)?\{(?:\s*my\s*\(([^)]*)\)\s*=\s*@_|(?:\s*my\s+\$(?:self|class)\s*=\s*shift;)?\s*my\s+(\$\w+)\s*=\s*shift)?`),
}

// languages are by the suffix of a source, and by what runs it.
var (
	languages = map[string]*Language{
		".py": &python, ".js": &node, ".mjs": &node, ".cjs": &node,
		".rb": &ruby, ".ru": &ruby, ".rake": &ruby, ".php": &php, ".phtml": &php,
		".pl": &perl, ".pm": &perl, ".psgi": &perl, ".cgi": &perl, ".fcgi": &perl,
	}
	interpreters = regexp.MustCompile(`^(?:(python)|(node|nodejs)|(ruby)|(php)|(perl))[\d.]*$`)
)

// ByName is the language of a file, by its suffix; nil for one that is unknown.
func ByName(file string) *Language { return languages[path.Ext(file)] }

// ByInterpreter is the language that a program runs; nil for one that is unknown.
func ByInterpreter(program string) *Language {
	m := interpreters.FindStringSubmatch(path.Base(program))
	for i, l := range []*Language{&python, &node, &ruby, &php, &perl} {
		if m != nil && m[i+1] != "" {
			return l
		}
	}
	return nil
}

// receivers are the names of the object that a method is called for.
var receivers = map[string]bool{"self": true, "cls": true, "class": true, "this": true}

// parameter is the name of a function's first parameter, without a sign or a
// type.
func parameter(list string) string {
	for p := range strings.SplitSeq(list, ",") {
		if i := strings.LastIndexByte(p, '$'); i >= 0 {
			p = p[i:]
		}
		if name := identifier.FindString(p); name != "" && !receivers[name] {
			return name
		}
	}
	return ""
}

var identifier = regexp.MustCompile(`[A-Za-z_]\w*`)
