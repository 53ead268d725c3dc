package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/org/slimfile/frontend/lint/shell"
)

// pinRules are about versions of what RUN installs.
func pinRules() []*Rule {
	const moving = "The distribution keeps only the latest version of a package: a pinned one disappears with the next fix, " +
		"and until then the fix is missing. Turn this on for repositories that keep old versions, such as snapshots."
	const latest = "Without a version every build may install another program, and nobody knows which one was tested."
	return []*Rule{
		{
			Name: "PinAptVersions", Summary: "apt installs a package without a version", Why: moving, Remedy: "Write package=version.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get install -y curl=7.88.1-10+deb12u8\n",
			Aliases: []string{"DL3008"},
			check: func(p *pass) {
				checkPins(p, "=version", func(c shell.Call) bool { return aptCall(c, "install") }, pinnedApt)
			},
		},
		{
			Name: "PinApkVersions", Summary: "apk adds a package without a version", Why: moving, Remedy: "Write package=version, or package~version.",
			Bad:     "FROM alpine:3.21\nRUN apk add --no-cache curl\n",
			Good:    "FROM alpine:3.21\nRUN apk add --no-cache curl=8.11.1-r0\n",
			Aliases: []string{"DL3018"},
			check: func(p *pass) {
				checkPins(p, "=version", func(c shell.Call) bool { return c.Is("apk", "add") }, pinnedApk)
			},
		},
		{
			Name: "PinRpmVersions", Summary: "dnf or yum installs a package without a version", Why: moving, Remedy: "Write package-version.",
			Bad:     "FROM fedora:41\nRUN dnf install -y httpd\n",
			Good:    "FROM fedora:41\nRUN dnf install -y httpd-2.4.62\n",
			Aliases: []string{"DL3033", "DL3041"},
			check: func(p *pass) {
				checkPins(p, "-version", func(c shell.Call) bool { return rpmCall(c, "install", "localinstall", "in") }, pinnedRpm)
				checkPins(p, ":stream", moduleInstall, func(name string) bool { return name == "install" || strings.Contains(name, ":") })
			},
		},
		{
			Name: "PinZypperVersions", Summary: "zypper installs a package without a version", Why: moving, Remedy: "Write package=version.",
			Bad:     "FROM opensuse/leap:15.6\nRUN zypper -n install httpd\n",
			Good:    "FROM opensuse/leap:15.6\nRUN zypper -n install httpd=2.4.58\n",
			Aliases: []string{"DL3037"},
			check: func(p *pass) {
				checkPins(p, "=version", func(c shell.Call) bool { return c.Is("zypper", "install", "in") && !c.Has("-t", "--type") }, pinnedZypper)
			},
		},
		{
			Name: "PinPipVersions", Summary: "pip installs a package without a version", Why: latest,
			Remedy:  "Write package==version, or install from a file of requirements or under constraints.",
			Bad:     "FROM python:3.13.1-slim\nRUN pip install --no-cache-dir flask\n",
			Good:    "FROM python:3.13.1-slim\nRUN pip install --no-cache-dir flask==3.1.0\n",
			Default: Warn,
			Aliases: []string{"DL3013"},
			check:   func(p *pass) { checkPins(p, "==version", pipInstall, pinnedPip) },
		},
		{
			Name: "PinNpmVersions", Summary: "npm, yarn or pnpm installs a package without a version", Why: latest, Remedy: "Write package@version.",
			Bad:     "FROM node:22.13-slim\nRUN npm install -g typescript\n",
			Good:    "FROM node:22.13-slim\nRUN npm install -g typescript@5.7.3\n",
			Default: Warn,
			Aliases: []string{"DL3016"},
			check:   func(p *pass) { checkPins(p, "@version", npmInstall, pinnedNpm) },
		},
		{
			Name: "PinGemVersions", Summary: "gem installs a package without a version", Why: latest, Remedy: "Write gem:version, or add --version.",
			Bad:     "FROM ruby:3.4.1-slim\nRUN gem install rake\n",
			Good:    "FROM ruby:3.4.1-slim\nRUN gem install rake:13.2.1\n",
			Default: Warn,
			Aliases: []string{"DL3028"},
			check: func(p *pass) {
				checkPins(p, ":version", func(c shell.Call) bool {
					return c.Is("gem", "install", "i") && c.Lacks("-v", "--version", "-g", "--file")
				}, pinnedGem)
			},
		},
		{
			Name: "PinGoInstallVersions", Summary: "go installs a program without a version", Why: latest, Remedy: "Write package@version.",
			Bad:     "FROM golang:1.24.0\nRUN go install golang.org/x/tools/cmd/stringer@latest\n",
			Good:    "FROM golang:1.24.0\nRUN go install golang.org/x/tools/cmd/stringer@v0.29.0\n",
			Default: Warn,
			Aliases: []string{"DL3062"},
			check:   checkPinGoInstallVersions,
		},
	}
}

// checkPins reports the calls that install something without a version: the
// first such word of each, as all are of one command.
func checkPins(p *pass, how string, install func(shell.Call) bool, pinned func(string) bool) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if !install(c) {
				continue
			}
			i := slices.IndexFunc(c.Operands, func(w shell.Word) bool { return w.Known && w.Text != "" && !pinned(w.Text) })
			if i >= 0 {
				p.reportRange(c.Operands[i].Range, c.Name+" "+c.Sub+" takes any version of "+c.Operands[i].Text+": write "+c.Operands[i].Text+how)
			}
		}
	}
}

func pinnedApt(name string) bool {
	// A directory in front: a file. Behind a slash stands a release. A dash
	// behind the name removes it.
	return strings.ContainsAny(name, "=/") || strings.HasSuffix(name, ".deb") || strings.HasSuffix(name, "-")
}

func pinnedApk(name string) bool {
	return strings.ContainsAny(name, "=~") || strings.HasSuffix(name, ".apk") || strings.HasPrefix(name, "!")
}

func pinnedRpm(name string) bool {
	if name[0] == '@' || strings.HasSuffix(name, ".rpm") || strings.Contains(name, "=") {
		return true
	}
	for i := range len(name) - 1 {
		if name[i] == '-' && name[i+1] >= '0' && name[i+1] <= '9' {
			return true
		}
	}
	return false
}

// moduleInstall tells whether a call installs modules.
func moduleInstall(c shell.Call) bool {
	return rpmCall(c, "module") && len(c.Operands) > 0 && c.Operands[0].Text == "install"
}

func pinnedZypper(name string) bool {
	return strings.ContainsAny(name, "=<>") || strings.HasSuffix(name, ".rpm") || name[0] == '-'
}

// pipInstall tells whether a call of pip installs what its words name: not from
// files of requirements or constraints, which hold the versions.
func pipInstall(c shell.Call) bool {
	_, constrained := c.Env("PIP_CONSTRAINT")
	return c.Is("pip", "install") && !constrained && !c.Has("-r", "--requirement", "-c", "--constraint", "--group", "--require-hashes", "--no-index")
}

func pinnedPip(name string) bool {
	lower := strings.ToLower(name)
	for _, suffix := range []string{".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz"} {
		if strings.HasSuffix(lower, suffix) {
			return true
		}
	}
	if strings.Contains(name, "://") {
		_, file, _ := strings.Cut(name, "://")
		vcs := strings.HasPrefix(lower, "git+") || strings.HasPrefix(lower, "hg+") || strings.HasPrefix(lower, "svn+") || strings.HasPrefix(lower, "bzr+")
		if at := strings.Index(file, "/"); vcs && at >= 0 { // an @ before the path is the user's
			return strings.Contains(file[at:], "@")
		}
		return !vcs
	}
	name, _, _ = strings.Cut(name, ";") // conditions
	return strings.ContainsAny(name, "=<>@!") || strings.Contains(name, "~=") || strings.HasPrefix(name, ".") || strings.Contains(name, "/")
}

func npmInstall(c shell.Call) bool {
	switch c.Tool {
	case "npm":
		return slices.Contains([]string{"install", "i", "add"}, c.Sub)
	case "yarn", "pnpm":
		return c.Sub == "add" || c.Sub == "global" || c.Tool == "pnpm" && (c.Sub == "install" || c.Sub == "i")
	}
	return false
}

func pinnedNpm(name string) bool {
	if name == "add" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~") || strings.HasPrefix(name, "file:") ||
		strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tar") {
		return true
	}
	rest := strings.TrimPrefix(name, "@") // a scope
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.Contains(rest, ":") && !strings.Contains(name, "@npm:") || rest == name && strings.Contains(name, "/") {
		return strings.Contains(name, "#") // a repository
	}
	_, version, _ := strings.Cut(rest, "@")
	return version != "" && !slices.Contains([]string{"latest", "next", "*", "x"}, version)
}

func pinnedGem(name string) bool {
	return strings.Contains(name, ":") || strings.HasSuffix(name, ".gem")
}

// checkPinGoInstallVersions reports programs of other modules. Without "@" the
// version is the one in go.mod, if there is one: only where nothing was copied
// yet there cannot be.
func checkPinGoInstallVersions(p *pass) {
	remote := regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+/`)
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if !c.Is("go", "install", "get", "run") || len(c.Operands) == 0 {
				continue
			}
			if c.Sub == "run" {
				c.Operands = c.Operands[:1] // the others are the program's
			}
			for _, w := range c.Operands {
				name, version, has := strings.Cut(w.Text, "@")
				floats := has && slices.Contains([]string{"latest", "upgrade", "patch", "master", "main", "HEAD"}, version)
				if w.Known && remote.MatchString(name) && (floats || !has && !r.hasFiles()) {
					p.reportRange(w.Range, "go "+c.Sub+" takes any version of "+name+": write "+name+"@version")
					break
				}
			}
		}
	}
}

// hasFiles tells whether files of the build context, or out of a repository, are
// in the stage by the time of the run.
func (r *run) hasFiles() bool {
	if len(r.mounts) > 0 || slices.ContainsFunc(r.calls, func(c shell.Call) bool { return c.Is("git", "clone") || c.Is("go", "mod") }) {
		return true
	}
	for _, s := range r.stage.chain() {
		for _, in := range s.instructions {
			if in.node.StartLine >= r.node.StartLine {
				continue
			}
			if _, ok := destination(in.cmd); ok {
				return true
			}
			if cmd, ok := in.cmd.(*instructions.RunCommand); ok && strings.Contains(cmd.String(), "git ") {
				return true
			}
		}
	}
	return false
}
