package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint/shell"
)

// run is a RUN instruction with what its shell does.
type run struct {
	*instruction
	script shell.Script
	// calls are the script's commands.
	calls []shell.Call
	// mounts are the targets of mounts, whose changes are not in the image.
	mounts []string
}

// readRuns reads the RUN instructions of a stage.
func (doc *document) readRuns(s *stage) {
	for _, in := range s.instructions {
		cmd, ok := in.cmd.(*instructions.RunCommand)
		if !ok {
			continue
		}
		first, last := in.node.StartLine, in.node.EndLine
		src := shell.Source{Lines: doc.lines[first-1 : last], Line: first, Escape: doc.escape, Shell: in.before.shell, Env: in.before.env}
		if image, _ := s.image(); src.Shell == nil && isWindows(image) {
			src.Shell = []string{"cmd"}
		}
		r := &run{instruction: in, script: shell.Parse(src)}
		for _, c := range r.script.Commands {
			r.calls = append(r.calls, c.Call())
		}
		r.mounts = doc.mounts(cmd, in)
		s.runs = append(s.runs, r)
	}
}

// mounts are the targets of a RUN's mounts that hold files.
func (doc *document) mounts(cmd *instructions.RunCommand, in *instruction) []string {
	err := cmd.Expand(func(word string) (string, error) {
		value, _ := doc.expand(word, in.before.env) // what has no value stays as it is
		return value, nil
	})
	if err != nil {
		return nil // the build fails with it
	}
	var targets []string
	for _, m := range instructions.GetMounts(cmd) {
		switch m.Type {
		case instructions.MountTypeCache, instructions.MountTypeTmpfs, instructions.MountTypeBind:
			target := m.Target
			if !path.IsAbs(target) {
				target = path.Join("/", in.before.workdir, target)
			}
			targets = append(targets, path.Clean(target))
		}
	}
	return targets
}

// isWindows tells whether an image is one of Windows.
func isWindows(image string) bool {
	return strings.Contains(image, "windows") || strings.Contains(image, "nanoserver")
}

// runs are the RUN instructions of all stages.
func (p *pass) runs() []*run { return runsOf(p.stages) }

// shippedRuns are those whose layers are in the image.
func (p *pass) shippedRuns() []*run { return runsOf(p.shipped.chain()) }

func runsOf(stages []*stage) []*run {
	var all []*run
	for _, s := range stages {
		all = append(all, s.runs...)
	}
	return all
}

// reportRange notes a violation in a part of an instruction.
func (p *pass) reportRange(at parser.Range, message string, fix ...Edit) {
	p.report([]parser.Range{at}, message, fix...)
}

// mounted tells whether path is not part of the layer, as something is mounted
// there or above it.
func (r *run) mounted(path string) bool {
	return slices.ContainsFunc(r.mounts, func(m string) bool { return m == path || strings.HasPrefix(path, m+"/") })
}

// mountedLike is the same for a path that depends on the user and the version:
// one that contains one of these.
func (r *run) mountedLike(parts ...string) bool {
	return slices.ContainsFunc(r.mounts, func(m string) bool {
		return slices.ContainsFunc(parts, func(s string) bool { return strings.Contains(m, s) })
	})
}

// removes tells whether a call deletes path, or may: with unknown arguments.
func removes(c shell.Call, path string) bool {
	switch {
	case c.Tool == "rm":
		return slices.ContainsFunc(c.Operands, func(w shell.Word) bool {
			if !w.Known && !strings.HasPrefix(w.Text, "/") {
				return true
			}
			return slices.ContainsFunc(braces(w.Text, 0), func(target string) bool { return under(path, target) })
		})
	case c.Tool == "find" && (c.Has("-delete", "-exec")):
		return len(c.Operands) > 0 && under(path, c.Operands[0].Text)
	}
	return false
}

// under tells whether target, which may end in a glob, is path, in it or around it.
func under(path, target string) bool {
	target = strings.TrimRight(target, "/*")
	return target != "" && (target == path || strings.HasPrefix(path, target+"/") || strings.HasPrefix(target, path+"/"))
}

// braces expands a{b,c} as bash does, to a bounded depth.
func braces(s string, depth int) []string {
	open := strings.LastIndexByte(s, '{')
	if open < 0 || depth > 3 {
		return []string{s}
	}
	length := strings.IndexByte(s[open:], '}')
	if length < 0 {
		return []string{s}
	}
	var all []string
	for part := range strings.SplitSeq(s[open+1:open+length], ",") {
		all = append(all, braces(s[:open]+part+s[open+length+1:], depth+1)...)
	}
	return all
}

// writes tells whether the script writes a file whose path has the prefix.
func (r *run) writes(prefix string) bool {
	in := func(w shell.Word) bool { return strings.HasPrefix(w.Text, prefix) }
	return slices.ContainsFunc(r.calls, func(c shell.Call) bool {
		if (c.Tool == "tee" || c.Tool == "sed") && slices.ContainsFunc(c.Operands, in) {
			return true
		}
		return slices.ContainsFunc(c.Redirects, func(to shell.Redirect) bool { return to.Writes() && in(to.Target) })
	})
}

// configured tells whether a file under prefix, which makes flags needless, was
// copied into the stage before the run, or written by then with such a setting.
func (r *run) configured(prefix string, setting *regexp.Regexp) bool {
	for _, s := range r.stage.chain() {
		for _, in := range s.instructions {
			if dest, ok := destination(in.cmd); ok && in.node.StartLine < r.node.StartLine && strings.HasPrefix(dest, prefix) {
				return true
			}
		}
		for _, earlier := range s.runs {
			if earlier.node.StartLine <= r.node.StartLine && earlier.writes(prefix) && setting.MatchString(earlier.script.Text) {
				return true
			}
		}
	}
	return false
}

// destination is where COPY or ADD puts files.
func destination(cmd instructions.Command) (string, bool) {
	switch c := cmd.(type) {
	case *instructions.CopyCommand:
		return c.DestPath, true
	case *instructions.AddCommand:
		return c.DestPath, true
	}
	return "", false
}

// insert adds an argument behind a word, as far as the word is not out of a
// variable.
func insert(c shell.Call, after shell.Word, argument string) []Edit {
	if !after.Literal {
		return nil
	}
	text := " " + argument
	if c.Exec {
		text = `, "` + argument + `"`
	}
	return []Edit{{Range: parser.Range{Start: after.Range.End, End: after.Range.End}, Text: text}}
}

// replace puts a text in place of a word.
func replace(c shell.Call, word shell.Word, text string) []Edit {
	if !word.Literal {
		return nil
	}
	if c.Exec {
		text = `"` + text + `"`
	}
	return []Edit{{Range: word.Range, Text: text}}
}

// follow adds a command behind a call, in the same && chain.
func follow(c shell.Call, command string) []Edit {
	if c.Exec || c.Branch || c.Wrapper != nil || len(c.Redirects) > 0 {
		return nil
	}
	return []Edit{{Range: parser.Range{Start: c.Range.End, End: c.Range.End}, Text: " && " + command}}
}

// aptCall tells whether the call is one of apt-get, apt or aptitude with one of
// the sub-commands.
func aptCall(c shell.Call, subs ...string) bool {
	return c.Is("apt-get", subs...) || c.Is("apt", subs...) || c.Is("aptitude", subs...)
}

// rpmCall is the same for dnf and those like it.
func rpmCall(c shell.Call, subs ...string) bool {
	return slices.ContainsFunc(rpmTools(), func(tool string) bool { return c.Is(tool, subs...) })
}

func rpmTools() []string { return []string{"dnf", "dnf5", "microdnf", "yum", "tdnf"} }

// installs tells whether a call installs packages that it names, or that xargs
// gives it.
func installs(c shell.Call) bool {
	return len(c.Operands) > 0 || c.Wrapper != nil && c.Wrapper.Name == "xargs"
}
