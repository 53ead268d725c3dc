package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint/shell"
)

// orderRules are about what is copied before which RUN.
func orderRules() []*Rule {
	return []*Rule{
		{
			Name:    "ManifestBeforeSources",
			Summary: "Dependencies are installed after the sources were copied",
			Why:     "Each change of a source file installs all dependencies again, though the file that lists them is the same.",
			Remedy:  "Copy the files that list the dependencies, install those, and copy the sources then.",
			Bad:     "FROM node:22.12-slim\nWORKDIR /srv\nCOPY . .\nRUN npm ci\n",
			Good:    "FROM node:22.12-slim\nWORKDIR /srv\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
			Default: Warn,
			check:   checkManifestBeforeSources,
		},
		{
			Name:    "CopyChown",
			Summary: "Files are copied and given to their owner in a RUN of its own",
			Why:     "Changing the owner stores each file a second time, in another layer.",
			Remedy:  "Write COPY --chown, and let a RUN that makes more files run as their owner.",
			Bad:     "FROM node:22.12-slim\nCOPY src /srv\nRUN chown -R node:node /srv\n",
			Good:    "FROM node:22.12-slim\nCOPY --chown=node:node src /srv\n",
			Default: Warn,
			Safe:    true,
			check:   checkCopyChown,
		},
		{
			Name:    "AddForArchives",
			Summary: "An archive is copied and unpacked by a RUN",
			Why:     "The archive stays in its layer, beside the files that were in it.",
			Remedy:  "Let ADD unpack it, or mount it into the RUN.",
			Bad:     "FROM debian:12.9-slim\nCOPY app.tar.gz /tmp/\nRUN tar -xzf /tmp/app.tar.gz -C /opt\n",
			Good:    "FROM debian:12.9-slim\nADD app.tar.gz /opt/\n",
			Default: Off,
			Aliases: []string{"DL3010"},
			check:   checkAddForArchives,
		},
	}
}

// installsListed says of which tool a call installs the dependencies that a file
// lists, if it does.
func installsListed(c shell.Call) (tool string, ok bool) {
	operand := func(i int) string {
		if i < len(c.Operands) && c.Operands[i].Known {
			return c.Operands[i].Text
		}
		return ""
	}
	switch c.Tool {
	case "npm", "pnpm":
		named := len(c.Operands) > 0 || c.Opaque || c.Has("-g", "--global")
		return c.Tool, c.Is(c.Tool, "ci", "clean-install", "install", "i") && !named
	case "yarn":
		return c.Tool, c.Is(c.Tool, "", "install") && len(c.Operands) == 0 && !c.Opaque && !c.Has("--version", "-v", "--help")
	case "pip":
		return c.Tool, c.Sub == "install" && c.Has("-r", "--requirement")
	case "go":
		return c.Tool, c.Sub == "mod" && operand(0) == "download"
	case "bundle", "composer", "pipenv", "poetry":
		return c.Tool, slices.Contains([]string{"install", "sync"}, operand(0))
	case "dotnet":
		return c.Tool, operand(0) == "restore"
	case "cargo":
		return c.Tool, operand(0) == "fetch"
	case "mix":
		return c.Tool, operand(0) == "deps.get"
	case "mvn":
		return c.Tool, slices.ContainsFunc(c.Operands, func(w shell.Word) bool { return strings.HasPrefix(w.Text, "dependency:") })
	}
	return "", false
}

func checkManifestBeforeSources(p *pass) {
	for _, st := range p.stages {
		transfers := st.transfers()
		i := slices.IndexFunc(transfers, func(t transfer) bool { _, whole := t.wholeContext(); return whole })
		if i < 0 {
			continue
		}
		done := map[string]bool{} // the tools whose dependencies were installed
		for _, r := range st.runs {
			for _, c := range r.calls {
				tool, ok := installsListed(c)
				if !ok || done[tool] {
					continue
				}
				done[tool] = true
				if r.node.StartLine > transfers[i].node.StartLine && !r.caches() {
					p.reportRange(c.Range, "each change of a source file installs the dependencies again: copy what lists them first, and the sources after this")
				}
			}
		}
	}
}

// caches tells whether the RUN keeps files from one build to the next.
func (r *run) caches() bool {
	return slices.ContainsFunc(instructions.GetMounts(r.cmd.(*instructions.RunCommand)), func(m *instructions.Mount) bool {
		return m.Type == instructions.MountTypeCache
	})
}

// destination is the path that a transfer goes to; false if it is not known.
func (t transfer) destination(doc *document) (string, bool) {
	dest, known := doc.expand(t.DestPath, t.before.env)
	if !known {
		return "", false
	}
	return absolutePath(dest, t.before.workdir)
}

func absolutePath(name, workdir string) (string, bool) {
	if !path.IsAbs(name) {
		name = path.Join(workdir, name)
	}
	return path.Clean(name), path.IsAbs(name)
}

func checkCopyChown(p *pass) {
	for _, st := range p.stages {
		copies := p.copies(st)
		for _, r := range st.runs {
			if slices.ContainsFunc(r.calls, func(c shell.Call) bool { return c.Tool == "cd" }) {
				continue
			}
			for _, c := range r.calls {
				if c.Tool != "chown" || !c.Has("-R", "--recursive") || len(c.Operands) < 2 || r.onbuild {
					continue
				}
				for _, dir := range c.Operands[1:] {
					name, ok := absolutePath(dir.Text, r.before.workdir)
					if !ok || !dir.Known {
						continue
					}
					if copied := copiedTo(copies, name, r.instruction); len(copied) > 0 {
						p.reportRange(c.Range, "the files of "+name+" are stored twice: write --chown in the COPY that puts them there", p.chownFix(st, r, c, name, copied)...)
						break
					}
				}
			}
		}
	}
}

// ownerless is a transfer that leaves its files to root.
type ownerless struct {
	transfer
	dest string
}

// copies are the transfers of a stage that leave their files to root.
func (doc *document) copies(st *stage) []ownerless {
	var all []ownerless
	for _, t := range st.transfers() {
		if dest, ok := t.destination(doc); ok && !t.onbuild && t.chown() == "" {
			all = append(all, ownerless{t, dest})
		}
	}
	return all
}

// copiedTo are those to a directory, and what is below it, before an instruction.
func copiedTo(copies []ownerless, dir string, until *instruction) []ownerless {
	var all []ownerless
	for _, c := range copies {
		if c.node.StartLine < until.node.StartLine && isBelow(c.dest, strings.TrimSuffix(dir, "/")) {
			all = append(all, c)
		}
	}
	return all
}

func (t transfer) chown() string {
	switch cmd := t.cmd.(type) {
	case *instructions.CopyCommand:
		return cmd.Chown
	case *instructions.AddCommand:
		return cmd.Chown
	}
	return ""
}

// chownFix gives the files their owner while they are copied. The directory
// itself is left to the RUN, as COPY does not change one that is there. Nothing
// else may have put files there, and the RUN must do nothing else.
func (p *pass) chownFix(st *stage, r *run, c shell.Call, dir string, copied []ownerless) []Edit {
	owner := c.Operands[0]
	user, group, ok := strings.Cut(owner.Text, ":")
	if !ok || user == "" || group == "" || strings.Contains(owner.Text, ".") || !owner.Known || !owner.Literal {
		return nil
	}
	recursive := c.Options[0].Word
	alone := len(r.script.Commands) == 1 && len(c.Options) == 1 && len(c.Operands) == 2 && c.Wrapper == nil && len(c.Redirects) == 0
	if !alone || !recursive.Literal || recursive.Text != "-R" && recursive.Text != "--recursive" || isBelow(dir, systemDirs()...) || dir == "/" {
		return nil
	}
	if !precedes(recursive.Range.Start, owner.Range.Start) {
		return nil
	}
	for _, part := range st.chain() {
		for _, other := range part.runs {
			between := other.stage == st && other.node.StartLine > copied[0].node.StartLine
			if other.instruction != r.instruction && (between || strings.Contains(other.script.Text, dir) || isBelow(other.before.workdir, dir) || other.script.Err != nil) {
				return nil
			}
		}
	}
	edits := []Edit{{parser.Range{Start: recursive.Range.Start, End: owner.Range.Start}, ""}}
	for _, t := range copied {
		src := p.source(t.at)
		_, to := t.keyword(src)
		end := src.span(to-1, to).End
		edits = append(edits, Edit{parser.Range{Start: end, End: end}, " --chown=" + owner.Text})
	}
	return edits
}

// systemDirs are directories that base images have files in.
func systemDirs() []string {
	return []string{"/bin", "/boot", "/etc", "/lib", "/lib64", "/root", "/run", "/sbin", "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/usr/share", "/var"}
}

func precedes(a, b parser.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}

func checkAddForArchives(p *pass) {
	for _, t := range p.transfers() {
		if t.add || t.from != "" {
			continue
		}
		for _, source := range t.SourcePaths {
			name, _ := p.expand(source, t.before.env)
			zip := strings.HasSuffix(strings.ToLower(name), ".zip")
			switch {
			case !zip && !archiveSource.MatchString(name) || !p.unpacked(t, path.Base(name)):
			case zip:
				p.report(p.locate(t.at, source), name+" is unpacked later: mount it into the RUN, as ADD unpacks no zip")
			default:
				p.report(p.locate(t.at, source), name+" is unpacked later: let ADD do that, or mount it into the RUN")
			}
		}
	}
}

// unpacked tells whether a later RUN of the stage unpacks an archive that is
// copied under its name or the destination's.
func (p *pass) unpacked(t transfer, name string) bool {
	names := []string{name, path.Base(t.DestPath)}
	for _, r := range t.stage.runs {
		for _, c := range r.calls {
			if r.node.StartLine < t.node.StartLine || !unpacks(c) {
				continue
			}
			if slices.ContainsFunc(c.Args, func(w shell.Word) bool {
				_, file, ok := strings.Cut(w.Text, "=") // --file=NAME
				return slices.Contains(names, path.Base(w.Text)) || ok && slices.Contains(names, path.Base(file))
			}) {
				return true
			}
		}
	}
	return false
}

// unpacks tells whether a call takes an archive apart.
func unpacks(c shell.Call) bool {
	switch c.Tool {
	case "tar", "bsdtar":
		return c.Has("-x", "--extract", "--get") || len(c.Args) > 0 && !strings.HasPrefix(c.Args[0].Text, "-") && strings.Contains(c.Args[0].Text, "x")
	case "gunzip", "bunzip2", "unxz", "unlzma", "uncompress", "unzstd", "zcat", "gzcat", "unzip":
		return true
	}
	return false
}
