package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/frontend/lint/shell"
)

// packageRules are about how the system's package managers are used.
func packageRules() []*Rule {
	return []*Rule{
		{
			Name:    "ApplyOSUpdates",
			Summary: "The image does not apply the updates of its operating system",
			Why: "A base image is only as fresh as its last build: fixes that the distribution has released since " +
				"are missing until a step installs them.",
			Remedy:  "Upgrade the packages in a RUN of the image: apt-get upgrade, apk upgrade, dnf upgrade or zypper patch.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get upgrade -y && apt-get install -y curl\n",
			Default: Warn,
			check:   checkApplyOSUpdates,
		},
		{
			Name:    "NoReleaseUpgrade",
			Summary: "A step upgrades to another release, or adds and removes packages on its own",
			Why: "dist-upgrade and its kind may remove packages and change to what no longer is the base image's release: " +
				"the image is then not what its FROM says.",
			Remedy:  "Upgrade within the release, and take another base image for another release.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update && apt-get dist-upgrade -y\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get upgrade -y\n",
			Default: Warn,
			Aliases: []string{"DL3005", "DL3035", "DS-0024", "DKL-DI-0003"},
			check:   checkNoReleaseUpgrade,
		},
		{
			Name:    "UpdateNotAlone",
			Summary: "The package index is updated in a RUN that installs nothing",
			Why: "The step stays in the cache while the index ages: a later RUN that installs from it gets old packages, " +
				"or fails as they are gone.",
			Remedy:  "Update and install in the same RUN.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update\nRUN apt-get install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl\n",
			Default: Error,
			Aliases: []string{"DS-0017", "CIS-4.7", "CIS-DI-0007", "CKV_DOCKER_5"},
			check:   checkUpdateNotAlone,
		},
		{
			Name:    "AptNoInstallRecommends",
			Summary: "apt installs recommended packages that nobody asked for",
			Why:     "Recommended packages are for desktops and servers; in an image they are dead weight with vulnerabilities of their own.",
			Remedy:  "Add --no-install-recommends, and name the recommended packages that are needed.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n",
			Default: Error,
			Aliases: []string{"DL3015", "DS-0029"},
			Safe:    true,
			check:   checkAptNoInstallRecommends,
		},
		{
			Name:    "RpmNoWeakDeps",
			Summary: "dnf installs weak dependencies that nobody asked for",
			Why:     "What a package recommends is for desktops and servers; in an image it is dead weight with vulnerabilities of its own.",
			Remedy:  "Add --setopt=install_weak_deps=False, and --nodocs where the documentation is not needed.",
			Bad:     "FROM fedora:41\nRUN dnf install -y httpd\n",
			Good:    "FROM fedora:41\nRUN dnf install -y --setopt=install_weak_deps=False --nodocs httpd\n",
			Default: Warn,
			Safe:    true,
			check:   checkRpmNoWeakDeps,
		},
		{
			Name:    "AssumeYes",
			Summary: "A package manager would ask a question that nobody can answer",
			Why:     "A build has no terminal: the package manager takes no answer for a no, and the build fails.",
			Remedy:  "Add -y (zypper: --non-interactive in front of the sub-command).",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update && apt-get install curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl\n",
			Default: Error,
			Aliases: []string{"DL3014", "DL3030", "DL3034", "DL3038", "DS-0021"},
			Safe:    true,
			check:   checkAssumeYes,
		},
		{
			Name:    "AptGetNotApt",
			Summary: "apt is made for people, its output and options may change",
			Why:     "apt(8) says of itself that it is no interface for scripts; apt-get and apt-cache are.",
			Remedy:  "Write apt-get, or apt-cache for searches.",
			Bad:     "FROM debian:12.9-slim\nRUN apt install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get install -y curl\n",
			Default: Info,
			Aliases: []string{"DL3027", "CKV_DOCKER_9"},
			Safe:    true,
			check:   checkAptGetNotApt,
		},
		{
			Name:    "NoUnauthenticatedPackages",
			Summary: "Packages are installed without a look at their signatures",
			Why:     "Whoever stands between the build and the mirror can then put any program into the image.",
			Remedy:  "Remove the option; add the key of the repository instead.",
			Bad:     "FROM alpine:3.21\nRUN apk add --no-cache --allow-untrusted curl\n",
			Good:    "FROM alpine:3.21\nRUN apk add --no-cache curl\n",
			Default: Error,
			Aliases: []string{"CIS-4.11", "CKV2_DOCKER_7", "CKV2_DOCKER_8", "CKV2_DOCKER_9", "CKV2_DOCKER_10", "CKV2_DOCKER_11"},
			check:   checkNoUnauthenticatedPackages,
		},
	}
}

func checkApplyOSUpdates(p *pass) {
	image, known := p.shipped.image()
	update, ok := updateCommand(image)
	if !known || !ok {
		return
	}
	for _, r := range p.shippedRuns() {
		if r.script.Err != nil || slices.ContainsFunc(r.script.Commands, (*shell.Command).UpdatesOS) {
			return
		}
	}
	p.report(p.shipped.at, "updates of the operating system are not applied: RUN "+update)
}

// updateCommand is what applies updates on an image that is an operating system
// and nothing more.
func updateCommand(image string) (string, bool) {
	name, _, _ := strings.Cut(image, "@")
	name, _, _ = strings.Cut(path.Base(name), ":")
	switch name {
	case "debian", "ubuntu":
		return "apt-get update && apt-get upgrade -y", true
	case "alpine":
		return "apk --no-cache upgrade", true
	case "ubi8-minimal", "ubi9-minimal", "ubi10-minimal", "ubi-minimal":
		return "microdnf upgrade -y", true
	case "fedora", "centos", "rockylinux", "almalinux", "oraclelinux", "amazonlinux", "ubi8", "ubi9", "ubi10", "ubi":
		return "dnf upgrade -y", true
	case "leap", "tumbleweed", "opensuse", "bci-base":
		return "zypper --non-interactive patch", true
	case "archlinux":
		return "pacman -Syu --noconfirm", true
	}
	return "", false
}

func checkNoReleaseUpgrade(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			switch {
			case aptCall(c, "dist-upgrade", "full-upgrade"):
				p.reportRange(c.Range, c.Name+" "+c.Sub+" may remove packages: use "+c.Name+" upgrade", replace(c, c.SubWord, "upgrade")...)
			case c.Is("zypper", "dist-upgrade", "dup"):
				p.reportRange(c.Range, "zypper "+c.Sub+" upgrades to another release: use zypper update", replace(c, c.SubWord, "update")...)
			case c.Is("dnf", "system-upgrade"), c.Is("do-release-upgrade"):
				p.reportRange(c.Range, c.Name+" upgrades to another release: change FROM instead")
			}
		}
	}
}

func checkUpdateNotAlone(p *pass) {
	for _, r := range p.runs() {
		for i, c := range r.calls {
			after := r.calls[i+1:]
			if c.Branch { // it may run before what is above it
				after = r.calls
			}
			if r.updatesIndex(c) && !slices.ContainsFunc(after, func(next shell.Call) bool { return servedBy(c, next) }) {
				p.reportRange(c.Range, fmt.Sprintf("%s %s is followed by no install and stays cached: put it into the RUN that installs", c.Name, c.Sub))
				break
			}
		}
	}
}

// updatesIndex tells whether a call gets a new package index into the layer.
func (r *run) updatesIndex(c shell.Call) bool {
	switch {
	case aptCall(c, "update"):
		return !r.mounted("/var/lib/apt/lists")
	case c.Is("apk", "update"):
		return !r.mounted("/var/cache/apk")
	case c.Is("zypper", "refresh", "ref"):
		return !r.mounted("/var/cache/zypp")
	case c.Tool == "pacman":
		return c.Has("-S", "--sync") && c.Has("-y", "--refresh") && !c.Has("-u", "--sysupgrade") && len(c.Operands) == 0 && !r.mounted("/var/lib/pacman/sync")
	case rpmCall(c, "makecache", "check-update"):
		return !r.mounted("/var/cache/dnf") && !r.mounted("/var/cache/libdnf5") && !r.mounted("/var/cache/yum")
	}
	return false
}

// servedBy tells whether an update of the index may be for a later command: one
// of another package manager has an index of its own.
func servedBy(update, next shell.Call) bool {
	a, b := packageManager(update), packageManager(next)
	return (b == "" || a == b) && mayInstall(next)
}

// packageManager is the family of package managers that a call is of, if any.
func packageManager(c shell.Call) string {
	switch {
	case aptCall(c):
		return "apt"
	case rpmCall(c):
		return "rpm"
	case c.Tool == "apk", c.Tool == "zypper", c.Tool == "pacman":
		return c.Tool
	}
	return ""
}

// mayInstall tells whether a command may be what an update of the index was for:
// any that is not known to be something else.
func mayInstall(c shell.Call) bool {
	switch {
	case aptCall(c):
		return !slices.Contains([]string{"update", "clean", "autoclean", "autoremove", "remove", "purge"}, c.Sub)
	case c.Tool == "apk":
		return c.Sub != "update" && c.Sub != "del"
	case c.Tool == "zypper":
		return !slices.Contains([]string{"refresh", "ref", "clean", "cc", "addrepo", "ar", "remove", "rm"}, c.Sub)
	case rpmCall(c):
		return !slices.Contains([]string{"makecache", "check-update", "clean", "remove", "erase"}, c.Sub)
	case c.Tool == "pacman":
		return c.Has("-S", "--sync") && (c.Has("-u", "--sysupgrade") || len(c.Operands) > 0)
	case (c.Name == "sh" || c.Name == "bash") && c.Has("-c"): // its own commands are looked at
		return false
	}
	harmless := []string{"add-apt-repository", "apt-key", "awk", "cat", "cd", "chmod", "chown", "command", "cp", "curl", "date", "dpkg",
		"echo", "env", "exit", "export", "false", "gpg", "grep", "install", "ln", "locale-gen", "ls", "mkdir", "mv", "printf", "rm", "sed", "set",
		"sleep", "sudo", "tar", "tee", "test", "touch", "true", "wget", "[", ":"}
	return !slices.Contains(harmless, c.Name)
}

func recommendsOff() *regexp.Regexp {
	return regexp.MustCompile(`(?i)Install-Recommends\W+(0|false|no)\b`)
}

func checkAptNoInstallRecommends(p *pass) {
	for _, r := range p.shippedRuns() {
		for _, c := range r.calls {
			if !aptCall(c, "install") || !installs(c) || !c.Lacks("--no-install-recommends", "--without-recommends", "-R", "--download-only", "-d", "--dry-run") || recommendsAreOff(c) {
				continue
			}
			if _, set := c.Env("APT_CONFIG"); set || r.configured("/etc/apt/apt.conf", recommendsOff()) {
				continue
			}
			p.reportRange(c.Range, c.Name+" install also installs what packages recommend: add --no-install-recommends",
				insert(c, c.SubWord, "--no-install-recommends")...)
		}
	}
}

// recommendsAreOff tells whether an option of apt says so in another spelling.
func recommendsAreOff(c shell.Call) bool {
	return slices.ContainsFunc(c.Options, func(o shell.Option) bool {
		switch o.Name {
		case "--install-recommends":
			return isFalse(o.Value)
		case "-o", "--option":
			return !o.Known || recommendsOff().MatchString(o.Value)
		}
		return false
	})
}

func checkRpmNoWeakDeps(p *pass) {
	weakDepsOff := regexp.MustCompile(`(?i)install_weak_deps\s*=\s*(0|false|no)\b`)
	image, _ := p.shipped.image()
	for _, r := range p.shippedRuns() {
		for _, c := range r.calls {
			if !c.Is("dnf", "install") && !c.Is("dnf5", "install") && !c.Is("microdnf", "install") || !installs(c) || c.Opaque {
				continue
			}
			set := slices.ContainsFunc(c.Options, func(o shell.Option) bool {
				return o.Name == "--setopt" && (!o.Known || weakDepsOff.MatchString(o.Value))
			})
			// ubi-minimal's own configuration turns them off.
			if set || strings.Contains(image, "-minimal") || r.configured("/etc/dnf/", weakDepsOff) || r.savesOption(weakDepsOff) {
				continue
			}
			p.reportRange(c.Range, c.Name+" install also installs weak dependencies: add --setopt=install_weak_deps=False",
				insert(c, c.SubWord, "--setopt=install_weak_deps=False")...)
		}
	}
}

// savesOption tells whether dnf config-manager --save has put an option into the
// configuration by the time of the run.
func (r *run) savesOption(setting *regexp.Regexp) bool {
	return slices.ContainsFunc(runsOf(r.stage.chain()), func(earlier *run) bool {
		return earlier.node.StartLine <= r.node.StartLine && slices.ContainsFunc(earlier.calls, func(c shell.Call) bool {
			return c.Has("--save") && slices.ContainsFunc(c.Options, func(o shell.Option) bool { return setting.MatchString(o.Value) })
		})
	})
}

func checkAssumeYes(p *pass) {
	for _, r := range p.runs() {
		if slices.ContainsFunc(r.calls, answers) {
			continue
		}
		for _, c := range r.calls {
			switch {
			case asksApt(c) && !r.configured("/etc/apt/apt.conf", regexp.MustCompile(`(?i)Assume-Yes\W+(1|true|yes)\b`)):
				if _, set := c.Env("APT_CONFIG"); !set {
					p.reportRange(c.Range, c.Name+" "+c.Sub+" would ask: add -y", insert(c, c.SubWord, "-y")...)
				}
			case asksRpm(c) && !r.configured("/etc/dnf/", assumeYes()) && !r.configured("/etc/yum", assumeYes()):
				p.reportRange(c.Range, c.Name+" "+c.Sub+" would ask: add -y", insert(c, c.SubWord, "-y")...)
			case asksZypper(c):
				p.reportRange(c.Range, "zypper "+c.Sub+" would ask: add --non-interactive", insert(c, c.Word, "--non-interactive")...)
			}
		}
	}
}

func assumeYes() *regexp.Regexp { return regexp.MustCompile(`(?i)assumeyes\s*=\s*(1|true|yes)\b`) }

// answers tells whether a command is there to answer questions.
func answers(c shell.Call) bool {
	return c.Name == "yes" || c.Name == "expect" || (c.Name == "echo" || c.Name == "printf") && len(c.Operands) > 0 && strings.EqualFold(strings.Trim(c.Operands[0].Text, "es\\n"), "y")
}

func asksApt(c shell.Call) bool {
	switch {
	case aptCall(c, "install", "remove", "purge", "build-dep"):
		if !installs(c) {
			return false
		}
	case !aptCall(c, "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "autoremove"):
		return false
	}
	if !c.Lacks("-y", "--yes", "--assume-yes", "--force-yes", "-s", "--simulate", "--dry-run", "--just-print", "-d", "--download-only", "--print-uris") {
		return false
	}
	quiet := 0 // "-qq" implies -y, apt-get(8)
	for _, o := range c.Options {
		switch {
		case (o.Name == "-q" || o.Name == "--quiet") && o.Value == "2":
			return false
		case o.Name == "-q" || o.Name == "--quiet":
			quiet++
		case (o.Name == "-o" || o.Name == "--option") && (!o.Known || strings.HasPrefix(strings.ToLower(o.Value), "apt::get::assume-yes=")):
			return false
		}
	}
	return quiet < 2
}

func asksRpm(c shell.Call) bool {
	subs := []string{"install", "in", "groupinstall", "localinstall", "reinstall", "update", "upgrade", "up", "remove", "erase", "autoremove",
		"downgrade", "distro-sync", "swap", "builddep", "upgrade-minimal", "update-minimal"}
	if !rpmCall(c, subs...) || !c.Lacks("-y", "--assumeyes", "--assumeno", "--downloadonly") {
		return false
	}
	return !slices.ContainsFunc(c.Options, func(o shell.Option) bool {
		return o.Name == "--setopt" && (!o.Known || assumeYes().MatchString(o.Value))
	})
}

func asksZypper(c shell.Call) bool {
	return c.Is("zypper", "install", "in", "remove", "rm", "update", "up", "patch", "dist-upgrade", "dup", "source-install", "si") &&
		c.Lacks("-n", "--non-interactive", "-y", "--no-confirm", "--dry-run", "-D")
}

func checkAptGetNotApt(p *pass) {
	same := []string{"install", "update", "upgrade", "remove", "purge", "autoremove", "build-dep", "source", "download"}
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if c.Tool != "apt" {
				continue
			}
			var fix []Edit
			if slices.Contains(same, c.Sub) && c.Word.Text == "apt" {
				fix = replace(c, c.Word, "apt-get")
			}
			p.reportRange(c.Range, "apt has no stable interface for scripts: use apt-get or apt-cache", fix...)
		}
	}
}

func checkNoUnauthenticatedPackages(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			for _, o := range c.Options {
				if unauthenticated(c, o) {
					p.reportRange(o.Word.Range, c.Name+" "+o.Word.Text+" installs packages that nobody has signed: remove it")
					break
				}
			}
		}
	}
}

func unauthenticated(c shell.Call, o shell.Option) bool {
	value := strings.ToLower(o.Value)
	switch {
	case aptCall(c):
		if o.Name == "-o" || o.Name == "--option" {
			name, value, _ := strings.Cut(value, "=")
			insecure := []string{"apt::get::allowunauthenticated", "acquire::allowinsecurerepositories", "apt::get::force-yes"}
			return slices.Contains(insecure, name) && isTrue(strings.Trim(value, `"'`))
		}
		return slices.Contains([]string{"--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"}, o.Name) && !isFalse(value)
	case c.Tool == "apk":
		return o.Name == "--allow-untrusted"
	case rpmCall(c), c.Tool == "yum-config-manager":
		name, value, _ := strings.Cut(value, "=")
		return o.Name == "--nogpgcheck" || o.Name == "--no-gpgchecks" ||
			o.Name == "--setopt" && (name == "gpgcheck" || strings.HasSuffix(name, ".gpgcheck")) && isFalse(value)
	case c.Tool == "rpm":
		return slices.Contains([]string{"--nodigest", "--nosignature", "--noverify", "--nofiledigest", "--nogpgcheck"}, o.Name)
	case c.Tool == "zypper":
		return o.Name == "--no-gpg-checks" || o.Name == "--allow-unsigned-rpm"
	}
	return false
}

func isTrue(s string) bool {
	return slices.Contains([]string{"1", "true", "yes", "on"}, strings.ToLower(s))
}

func isFalse(s string) bool {
	return slices.Contains([]string{"0", "false", "no", "off"}, strings.ToLower(s))
}
