package shell

import (
	"slices"
	"strings"
)

// started runs what a command starts in turn.
func (f *frame) started(c *Command) error {
	switch {
	case isShell(c.Name):
		return f.shellCommand(c)
	case c.Name == "eval":
		return f.eval(c)
	case c.Name == "find":
		return f.find(c)
	case c.Name == "su", c.Name == "runuser":
		if script, ok := commandOption(c.Args); ok {
			return f.nestedScript(script, c, shellState{name: "sh"})
		}
	}
	w, ok := wrappers[c.Name]
	if !ok {
		return nil
	}
	words, assigns := w.wrapped(c.Args)
	e := c.env
	for _, a := range assigns {
		name, value, _ := isAssignment(a.Text)
		f.out.Assigns = append(f.out.Assigns, Assign{Name: name, Value: Word{Text: value, Known: a.Known, Range: a.Range}, Range: a.Range})
		e = e.set(assignment{name: name, value: value, known: a.Known, exported: true})
	}
	return f.run(words, e, c, c.heredoc)
}

// wrapper describes a program that starts the program named by its arguments.
type wrapper struct {
	operands int      // that come before the program
	values   string   // letters of options that take a value
	long     []string // long options that take a value as a word of its own
	assigns  bool     // NAME=VALUE before the program sets its environment
	none     string   // letters of options with which nothing is started
}

// wrappers are the usual ones: their manual pages.
var wrappers = map[string]wrapper{
	"busybox":          {},
	"builtin":          {},
	"chroot":           {operands: 1},
	"chrt":             {operands: 1, values: "TPD"},
	"command":          {none: "vV"},
	"doas":             {values: "Cu"},
	"dumb-init":        {values: "r"},
	"env":              {values: "uC", long: []string{"unset", "chdir"}, assigns: true, none: "S"},
	"exec":             {values: "a"},
	"fakeroot":         {values: "lsib"},
	"flock":            {operands: 1, values: "wE"},
	"gosu":             {operands: 1},
	"ionice":           {values: "cn", none: "pPu"},
	"linux32":          {},
	"linux64":          {},
	"nice":             {values: "n", long: []string{"adjustment"}},
	"nohup":            {},
	"proot":            {values: "rbqwk"},
	"runuser":          {values: "ugGs", long: []string{"user", "group", "supp-group", "shell"}, none: "c"},
	"setarch":          {operands: 1},
	"setpriv":          {long: []string{"reuid", "ruid", "euid", "regid", "rgid", "egid", "groups", "inh-caps", "ambient-caps", "bounding-set", "securebits", "pdeathsig"}},
	"setsid":           {},
	"stdbuf":           {values: "ioe", long: []string{"input", "output", "error"}},
	"su-exec":          {operands: 1},
	"sudo":             {values: "ugpCThrtRDU", long: []string{"user", "group", "prompt", "host", "chdir", "chroot"}, assigns: true, none: "lvkKe"},
	"time":             {values: "fo", long: []string{"format", "output"}},
	"timeout":          {operands: 1, values: "ks", long: []string{"kill-after", "signal"}},
	"tini":             {values: "epg"},
	"tini-static":      {values: "epg"},
	"unshare":          {},
	"xargs":            {values: "adEILnPs", long: []string{"arg-file", "delimiter", "max-lines", "max-args", "max-procs", "max-chars"}},
	"xvfb-run":         {values: "efnpsw", long: []string{"error-file", "auth-file", "server-num", "server-args", "xauth-protocol"}},
	"catchsegv":        {},
	"dbus-run-session": {},
}

// wrapped are the words of the program that is started, and the assignments in
// front of it.
func (w wrapper) wrapped(args []Word) (words, assigns []Word) {
	operands := w.operands
	for i := 0; i < len(args); i++ {
		arg := args[i]
		_, _, assignment := isAssignment(arg.Text)
		switch {
		case arg.Known && arg.Text == "--":
			if operands < len(args[i+1:]) {
				return args[i+1+operands:], assigns
			}
			return nil, nil
		case arg.MayBeOption() && (arg.Many || arg.Text != ""):
			takes, starts := w.option(arg.Text)
			if !starts {
				return nil, nil
			}
			if takes {
				i++
			}
		case w.assigns && assignment:
			assigns = append(assigns, arg)
		case operands > 0:
			operands--
		default:
			return args[i:], assigns
		}
	}
	return nil, nil
}

// option tells whether an option takes the next word as its value, and whether
// the program is still started with it.
func (w wrapper) option(arg string) (takes, starts bool) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		return slices.Contains(w.long, long), true
	}
	for i, letter := range strings.TrimPrefix(arg, "-") {
		if strings.ContainsRune(w.none, letter) {
			return false, false
		}
		if strings.ContainsRune(w.values, letter) {
			return i == len(arg)-2, true
		}
	}
	return false, true
}

// nestedScript reads a script that c starts in a shell of its own.
func (f *frame) nestedScript(src text, c *Command, shell shellState) error {
	n := frame{
		walker: f.walker, env: c.env.exports(), shell: shell, wrapper: c,
		redirects: slices.Clip(f.redirects), nested: f.nested + 1, branch: f.branch,
	}
	return n.script(src)
}

// shellCommand runs a shell: the script behind -c, or the one that it reads.
func (f *frame) shellCommand(c *Command) error {
	state := shellState{name: c.Name}
	script, reads := false, true
	for i := 0; i < len(c.Args); i++ {
		arg := c.Args[i]
		if !arg.Known && arg.MayBeOption() {
			return nil
		}
		long := strings.HasPrefix(arg.Text, "--")
		if len(arg.Text) < 2 || arg.Text[0] != '-' && arg.Text[0] != '+' {
			if script {
				return f.nestedScript(arg.whole, c, state)
			}
			reads = false
			break
		}
		switch {
		case arg.Text == "--rcfile" || arg.Text == "--init-file":
			i++
		case long:
		default:
			script = script || strings.Contains(arg.Text, "c")
			if strings.HasSuffix(arg.Text, "o") && i+1 < len(c.Args) {
				i++
				state.pipefail = state.pipefail || c.Args[i].Text == "pipefail"
			}
		}
	}
	if reads && !script && c.heredoc != nil {
		return f.nestedScript(*c.heredoc, c, state)
	}
	return nil
}

// commandOption is the script behind -c of su and runuser.
func commandOption(args []Word) (script text, ok bool) {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg.Text, "--command="); ok && arg.Known {
			return arg.whole.slice(len(arg.Text)-len(value), len(arg.Text)), true
		}
		short := strings.HasPrefix(arg.Text, "-") && !strings.HasPrefix(arg.Text, "--") && strings.HasSuffix(arg.Text, "c")
		if (short || arg.Text == "--command") && i+1 < len(args) {
			return args[i+1].whole, true
		}
	}
	return text{}, false
}

// eval reads its words as a script, in the same shell.
func (f *frame) eval(c *Command) error {
	var script strings.Builder
	var at []int
	for _, arg := range c.Args {
		script.WriteString(arg.whole.s)
		at = append(at, arg.whole.at...)
		if len(at) == 0 {
			continue
		}
		script.WriteByte(' ')
		at = append(at, at[len(at)-1])
	}
	n := *f
	n.wrapper, n.nested = c, f.nested+1
	return n.script(text{script.String(), at})
}

// find runs the commands of -exec and its kind.
func (f *frame) find(c *Command) error {
	for i := 0; i < len(c.Args); i++ {
		if !slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir"}, c.Args[i].Text) {
			continue
		}
		rest := c.Args[i+1:]
		end := slices.IndexFunc(rest, func(w Word) bool { return w.Text == ";" || w.Text == "+" })
		if end < 0 {
			return nil
		}
		if err := f.run(rest[:end], c.env, c, nil); err != nil {
			return err
		}
		i += end + 1
	}
	return nil
}
