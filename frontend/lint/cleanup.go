package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/org/slimfile/frontend/lint/shell"
)

// cleanupRules are about files in the image's layers that are of no use there.
func cleanupRules() []*Rule {
	return []*Rule{
		{
			Name:    "AptRemoveLists",
			Summary: "The package lists of apt stay in the layer",
			Why:     "They are tens of megabytes, of no use in the image and stale tomorrow. A later RUN cannot take them out of the layer.",
			Remedy:  "End the RUN with rm -rf /var/lib/apt/lists/*, or mount a cache there.",
			Bad:     "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl\n",
			Good:    "FROM debian:12.9-slim\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
			Default: Error,
			Aliases: []string{"DL3009", "DKL-DI-0005"},
			Safe:    true,
			check:   checkAptRemoveLists,
		},
		{
			Name:    "ApkNoCache",
			Summary: "The package index of apk stays in the layer",
			Why:     "It is of no use in the image and stale tomorrow.",
			Remedy:  "Add --no-cache, which makes apk update needless as well.",
			Bad:     "FROM alpine:3.21\nRUN apk add curl\n",
			Good:    "FROM alpine:3.21\nRUN apk add --no-cache curl\n",
			Default: Error,
			Aliases: []string{"DL3019", "DS-0025", "DKL-DI-0004"},
			Safe:    true,
			check:   checkApkNoCache,
		},
		{
			Name:    "RpmCleanAll",
			Summary: "The caches of dnf, microdnf or yum stay in the layer",
			Why:     "They are up to hundreds of megabytes of no use in the image. A later RUN cannot take them out of the layer.",
			Remedy:  "End the RUN with dnf clean all, or mount a cache there.",
			Bad:     "FROM fedora:41\nRUN dnf install -y httpd\n",
			Good:    "FROM fedora:41\nRUN dnf install -y httpd && dnf clean all\n",
			Default: Error,
			Aliases: []string{"DL3032", "DL3040", "DS-0015", "DS-0019", "DS-0027"},
			Safe:    true,
			check:   checkRpmCleanAll,
		},
		{
			Name:    "ZypperClean",
			Summary: "The caches of zypper stay in the layer",
			Why:     "They are tens of megabytes of no use in the image. A later RUN cannot take them out of the layer.",
			Remedy:  "End the RUN with zypper clean, or mount a cache there.",
			Bad:     "FROM opensuse/leap:15.6\nRUN zypper --non-interactive install httpd\n",
			Good:    "FROM opensuse/leap:15.6\nRUN zypper --non-interactive install httpd && zypper clean\n",
			Default: Error,
			Aliases: []string{"DL3036", "DS-0020"},
			Safe:    true,
			check:   checkZypperClean,
		},
		{
			Name:    "PipNoCacheDir",
			Summary: "The download cache of pip stays in the layer",
			Why:     "It holds every wheel a second time.",
			Remedy:  "Add --no-cache-dir, set PIP_NO_CACHE_DIR=1, or mount a cache at /root/.cache/pip.",
			Bad:     "FROM python:3.13.1-slim\nRUN pip install flask==3.1.0\n",
			Good:    "FROM python:3.13.1-slim\nRUN pip install --no-cache-dir flask==3.1.0\n",
			Default: Error,
			Aliases: []string{"DL3042"},
			Safe:    true,
			check:   checkPipNoCacheDir,
		},
		{
			Name:    "NodeCacheClean",
			Summary: "The download cache of npm, yarn or pnpm stays in the layer",
			Why:     "It holds every package a second time.",
			Remedy:  "End the RUN with npm cache clean --force, yarn cache clean or pnpm store prune, or mount a cache there.",
			Bad:     "FROM node:22.13-slim\nRUN npm ci\n",
			Good:    "FROM node:22.13-slim\nRUN npm ci && npm cache clean --force\n",
			Default: Info,
			Aliases: []string{"DL3060"},
			check:   checkNodeCacheClean,
		},
		{
			Name:    "RemoveInLaterLayer",
			Summary: "A RUN removes what an earlier layer has added",
			Why:     "Layers only add: the file is hidden, its bytes (and secrets) are still in the image.",
			Remedy:  "Remove it in the RUN that makes it, or bring it in with RUN --mount=type=bind instead of COPY.",
			Bad:     "FROM debian:12.9-slim\nCOPY app.tar /tmp/\nRUN tar -xf /tmp/app.tar && rm /tmp/app.tar\n",
			Good:    "FROM debian:12.9-slim\nRUN --mount=type=bind,source=app.tar,target=/tmp/app.tar tar -xf /tmp/app.tar\n",
			Default: Warn,
			Aliases: []string{"ID.20021"},
			check:   checkRemoveInLaterLayer,
		},
	}
}

// leftover describes what a package manager leaves in a layer.
type leftover struct {
	leaves  func(shell.Call) bool
	cleans  func(shell.Call) bool
	paths   []string // each of them cleaned is enough
	message string   // behind the call's name and sub-command
	remedy  func(shell.Call) string
}

// checkLeftover reports the last call of a RUN that leaves something, if no
// later one removes it.
func checkLeftover(p *pass, l leftover) {
	for _, r := range p.shippedRuns() {
		last := -1
		for i, c := range r.calls {
			switch {
			case l.leaves(c):
				last = i
			case last >= 0 && (l.cleans(c) || mayClean(c, l.paths)):
				last = -1
			}
		}
		if last < 0 || slices.ContainsFunc(l.paths, r.mounted) {
			continue
		}
		c := r.calls[last]
		at := c
		for _, later := range r.calls[last:] { // the fix goes behind the last call of this package manager
			if later.Name == c.Name {
				at = later
			}
		}
		p.reportRange(c.Range, c.Name+" "+c.Sub+" "+l.message+": add "+l.remedy(c)+" to this RUN", follow(at, l.remedy(c))...)
	}
}

// mayClean tells whether a command removes one of the paths, or may, by its
// name.
func mayClean(c shell.Call, paths []string) bool {
	return strings.Contains(strings.ToLower(c.Name), "clean") || slices.ContainsFunc(paths, func(path string) bool { return removes(c, path) })
}

func checkAptRemoveLists(p *pass) {
	checkLeftover(p, leftover{
		leaves:  func(c shell.Call) bool { return aptCall(c, "update") },
		cleans:  func(c shell.Call) bool { return aptCall(c, "dist-clean", "distclean") },
		paths:   []string{"/var/lib/apt/lists"},
		message: "leaves the package lists in the layer",
		remedy:  func(shell.Call) string { return "rm -rf /var/lib/apt/lists/*" },
	})
}

func checkApkNoCache(p *pass) {
	const cache = "/var/cache/apk"
	for _, r := range p.shippedRuns() {
		if r.mounted(cache) || slices.ContainsFunc(r.calls, func(c shell.Call) bool { return mayClean(c, []string{cache}) }) {
			continue
		}
		for _, c := range r.calls {
			if c.Is("apk", "add") && c.Lacks("--no-cache", "--cache-dir", "--simulate", "-s") {
				p.reportRange(c.Range, "apk add leaves the package index in the layer: add --no-cache", insert(c, c.SubWord, "--no-cache")...)
			}
		}
	}
}

func checkRpmCleanAll(p *pass) {
	checkLeftover(p, leftover{
		leaves: func(c shell.Call) bool {
			return rpmCall(c, "install", "in", "groupinstall", "localinstall", "reinstall", "update", "upgrade", "up", "builddep", "swap", "distro-sync")
		},
		cleans:  cleansRpm,
		paths:   []string{"/var/cache/yum", "/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/tdnf"},
		message: "leaves caches in the layer",
		remedy:  func(c shell.Call) string { return c.Name + " clean all" },
	})
}

// cleansRpm tells whether a call removes all caches: without the lists of
// packages, the largest of them stays.
func cleansRpm(c shell.Call) bool {
	return rpmCall(c, "clean") && slices.ContainsFunc(c.Operands, func(w shell.Word) bool { return !w.Known || w.Text == "all" })
}

func checkZypperClean(p *pass) {
	checkLeftover(p, leftover{
		leaves: func(c shell.Call) bool {
			return c.Is("zypper", "install", "in", "update", "up", "patch", "dist-upgrade", "dup", "source-install", "si", "remove", "rm")
		},
		cleans:  func(c shell.Call) bool { return c.Is("zypper", "clean", "cc") },
		paths:   []string{"/var/cache/zypp"},
		message: "leaves caches in the layer",
		remedy:  func(shell.Call) string { return "zypper clean --all" },
	})
}

func checkPipNoCacheDir(p *pass) {
	for _, r := range p.shippedRuns() {
		if r.mountedLike("/.cache", "/pip") || slices.ContainsFunc(r.calls, cleansPip) {
			continue
		}
		for _, c := range r.calls {
			if !c.Is("pip", "install") || !c.Lacks("--no-cache-dir", "--no-cache", "--cache-dir", "--dry-run") {
				continue
			}
			// pip takes even PIP_NO_CACHE_DIR=off for a yes, to stay as it was.
			value, set := c.Env("PIP_NO_CACHE_DIR")
			cache, other := c.Env("PIP_CACHE_DIR")
			if set && (value != "" || !r.knows("PIP_NO_CACHE_DIR")) || other && r.mounted(strings.TrimSuffix(cache, "/")) || r.configuredPip() {
				continue
			}
			p.reportRange(c.Range, "pip install leaves its downloads in the layer: add --no-cache-dir", insert(c, c.SubWord, "--no-cache-dir")...)
		}
	}
}

// knows tells whether the value of a variable that is set before the run is
// certain.
func (r *run) knows(name string) bool {
	_, ok := r.before.env[name]
	return ok
}

// cleansPip tells whether a command removes the cache of pip, in whosever home.
func cleansPip(c shell.Call) bool {
	return c.Is("pip", "cache") || c.Tool == "rm" && slices.ContainsFunc(c.Operands, func(w shell.Word) bool {
		return !w.Known || strings.Contains(w.Text, ".cache")
	})
}

// configuredPip tells whether pip was configured by the time of the run, in a
// way that may turn its cache off.
func (r *run) configuredPip() bool {
	for _, s := range r.stage.chain() {
		for _, in := range s.instructions {
			if dest, ok := destination(in.cmd); ok && in.node.StartLine < r.node.StartLine && strings.HasSuffix(dest, "pip.conf") {
				return true
			}
		}
		for _, earlier := range s.runs {
			if earlier.node.StartLine > r.node.StartLine {
				continue
			}
			if slices.ContainsFunc(earlier.calls, func(c shell.Call) bool {
				return c.Is("pip", "config") && slices.ContainsFunc(c.Operands, func(w shell.Word) bool { return strings.HasSuffix(w.Text, "no-cache-dir") })
			}) || strings.Contains(earlier.script.Text, "no-cache-dir") && strings.Contains(earlier.script.Text, "pip.conf") {
				return true
			}
		}
	}
	return false
}

func checkNodeCacheClean(p *pass) {
	for _, r := range p.shippedRuns() {
		if r.mountedLike("/.npm", "/.cache", "/npm", "yarn", "pnpm") || slices.ContainsFunc(r.calls, cleansNode) {
			continue
		}
		for _, c := range r.calls {
			if remedy, ok := nodeInstall(c); ok && c.Lacks("--cache", "--cache-folder", "--store-dir") {
				p.reportRange(c.Range, strings.TrimSpace(c.Name+" "+c.Sub)+" leaves its downloads in the layer: add "+remedy+" to this RUN", follow(c, remedy)...)
				break
			}
		}
	}
}

// nodeInstall returns what removes the cache that a call of a package manager of
// Node.js fills.
func nodeInstall(c shell.Call) (remedy string, ok bool) {
	switch c.Tool {
	case "npm":
		return "npm cache clean --force", slices.Contains([]string{"install", "i", "ci", "add", "clean-install"}, c.Sub)
	case "yarn", "yarnpkg":
		return "yarn cache clean", slices.Contains([]string{"", "install", "add", "global"}, c.Sub) && !c.Has("--version", "-v", "--help")
	case "pnpm":
		return "pnpm store prune", slices.Contains([]string{"install", "i", "add"}, c.Sub)
	}
	return "", false
}

func cleansNode(c shell.Call) bool {
	switch c.Tool {
	case "npm", "yarn", "yarnpkg":
		return c.Sub == "cache"
	case "pnpm":
		return c.Sub == "store"
	case "rm":
		return slices.ContainsFunc(c.Operands, func(w shell.Word) bool {
			return !w.Known || strings.Contains(w.Text, ".npm") || strings.Contains(w.Text, ".cache") || strings.Contains(w.Text, "yarn") || strings.Contains(w.Text, "pnpm")
		})
	}
	return false
}

func checkRemoveInLaterLayer(p *pass) {
	var added []string // by instructions before, as far as known
	for _, s := range p.shipped.chain() {
		for _, in := range s.instructions {
			added = append(added, copied(in)...)
			i := slices.IndexFunc(s.runs, func(r *run) bool { return r.instruction == in })
			if i < 0 {
				continue
			}
			r := s.runs[i]
			var own []string
			for _, c := range r.calls {
				own = append(own, fetched(r, c)...)
				if c.Tool != "rm" {
					continue
				}
				if file, ok := removesAny(r, c, added); ok && !slices.Contains(own, file) {
					p.reportRange(c.Range, file+" stays in the layer that added it: remove it there, or mount it for this RUN only")
				}
			}
			added = append(added, downloaded(r)...)
		}
	}
}

// removesAny returns the first of the files that a call of rm removes.
func removesAny(r *run, c shell.Call, files []string) (string, bool) {
	for _, w := range c.Operands {
		target := strings.TrimSuffix(strings.TrimSuffix(w.Text, "*"), "/")
		if !w.Known || !strings.HasPrefix(target, "/") || r.mounted(target) {
			continue
		}
		for _, f := range files {
			if f == target || strings.HasPrefix(f, target+"/") {
				return f, true
			}
		}
	}
	return "", false
}

// copied are the files that an instruction copies to a known place.
func copied(in *instruction) []string {
	var data instructions.SourcesAndDest
	switch c := in.cmd.(type) {
	case *instructions.CopyCommand:
		data = c.SourcesAndDest
	case *instructions.AddCommand:
		data = c.SourcesAndDest
	default:
		return nil
	}
	dest := data.DestPath
	if in.onbuild || strings.Contains(dest, "$") {
		return nil
	}
	directory := strings.HasSuffix(dest, "/") || dest == "." || len(data.SourcePaths)+len(data.SourceContents) > 1
	if !strings.HasPrefix(dest, "/") {
		if !strings.HasPrefix(in.before.workdir, "/") {
			return nil
		}
		dest = path.Join(in.before.workdir, dest)
	}
	if !directory {
		return []string{path.Clean(dest)}
	}
	var files []string
	for _, source := range data.SourcePaths {
		if base := path.Base(source); !strings.ContainsAny(base, "*?[$") && base != "." && base != "/" {
			files = append(files, path.Join(dest, base))
		}
	}
	return files
}

// downloaded are the files that a RUN downloads to a known place and keeps.
func downloaded(r *run) []string {
	var files []string
	for _, c := range r.calls {
		if c.Tool == "rm" {
			files = slices.DeleteFunc(files, func(f string) bool {
				_, removed := removesAny(r, c, []string{f})
				return removed
			})
		}
		files = append(files, fetched(r, c)...)
	}
	return files
}

// fetched are the files that a call downloads to a known place.
func fetched(r *run, c shell.Call) []string {
	output := []string{"-o", "--output"}
	switch {
	case aptCall(c, "update") && !r.mounted("/var/lib/apt/lists"):
		return []string{"/var/lib/apt/lists"}
	case c.Tool == "wget":
		output = []string{"-O", "--output-document"}
	case c.Tool != "curl":
		return nil
	}
	var files []string
	for _, o := range c.Options {
		if slices.Contains(output, o.Name) && o.Known && strings.HasPrefix(o.Value, "/") && !strings.HasPrefix(o.Value, "/dev/") {
			files = append(files, path.Clean(o.Value))
		}
	}
	return files
}
