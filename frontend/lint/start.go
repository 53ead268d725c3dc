package lint

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/sensor/manifest"
)

// startRules are about what keeps the image's programs from starting.
func startRules() []*Rule {
	return []*Rule{
		{
			Name: "EntrypointMissing", Summary: "What ENTRYPOINT or CMD runs is not there, or cannot be executed",
			Why:    "The container ends as soon as it is started.",
			Remedy: "Bring the program into the shipped stage, executable for its USER, or correct the name.", Default: Error, image: checkEntrypoint,
		},
		{
			Name: "HealthcheckBinaryMissing", Summary: "What HEALTHCHECK runs is not there, or cannot be executed",
			Why:     "The container never gets healthy: it is started again and again, or gets no traffic.",
			Remedy:  "Install the program, or let the app check itself: by a subcommand, or in the language that it is written in.",
			Default: Error, image: checkHealthcheck,
		},
		{
			Name: "LoaderOrLibMissing", Summary: "A program needs a loader, a library or a processor that the image does not have",
			Why: "It does not start: \"no such file or directory\" though it is there, \"exec format error\", \"error while loading shared libraries\". " +
				"Programs that were built on Alpine need musl, those from nearly everywhere else glibc.",
			Remedy:  "Build it on the base that it is shipped on, for the image's platform, or link it statically; install the packages of its libraries in the shipped stage.",
			Default: Error, image: checkLibraries,
		},
	}
}

// Obstructions are the findings of the rules about what keeps programs from
// starting, whatever settings and comments say: why a run failed.
func Obstructions(in Input, built Built) ([]Finding, error) {
	doc, err := newDocument(in)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, rule := range startRules() {
		rule.image(&pass{document: doc, rule: rule, add: func(f Finding) { found = append(found, f) }}, &built)
	}
	return found, nil
}

func checkEntrypoint(p *pass, b *Built) { p.reportObstacles(b, manifest.CommandMain) }

func checkHealthcheck(p *pass, b *Built) { p.reportObstacles(b, manifest.CommandHealthcheck) }

// reportObstacles reports what is wrong with the program of a command itself.
func (p *pass) reportObstacles(b *Built, command string) {
	at := p.commandAt(b, command)
	for _, o := range b.Facts.Obstacles {
		if o.Command != command {
			continue
		}
		file := p.broughtAt(string(o.Program), at)
		switch o.Kind {
		case manifest.ObstacleMissing:
			where := "which is not in the image"
			if !strings.Contains(string(o.Program), "/") {
				where = "which is not in PATH"
			}
			p.report(at, fmt.Sprintf("%s runs %s, %s: COPY or install it in this stage, or correct the name", commandName(b, command), o.Program, where))
		case manifest.ObstacleRights:
			p.report(file, fmt.Sprintf("%s runs %s, which %s may not execute: COPY --chmod=755, or RUN chmod 755", commandName(b, command), o.Program, userName(b)))
		case manifest.ObstacleFormat:
			p.report(file, fmt.Sprintf("%s runs %s, which is neither a program nor a script that says what runs it: begin it with #!/bin/sh", commandName(b, command), o.Program))
		case manifest.ObstacleCRLF:
			p.report(file, fmt.Sprintf("%s runs %s, whose first line ends as on Windows, so that its interpreter is not found: save it with LF (*.sh text eol=lf in .gitattributes)",
				commandName(b, command), o.Program))
		case manifest.ObstacleInterpreter:
			p.report(file, fmt.Sprintf("%s runs %s, a script for %s, which is not in the image: install it, or correct the script's first line", commandName(b, command), o.Program, o.Needs))
		}
	}
}

func checkLibraries(p *pass, b *Built) {
	for _, o := range b.Facts.Obstacles {
		at := p.broughtAt(string(o.Program), p.commandAt(b, o.Command))
		switch o.Kind {
		case manifest.ObstacleMachine:
			p.report(at, fmt.Sprintf("%s is made for %s, and the image is for %s (exec format error): build it for the image's platform, with TARGETARCH",
				o.Program, o.Needs, platformName(b)))
		case manifest.ObstacleLoader:
			p.report(at, fmt.Sprintf("%s needs the loader %s, which is not in the image: %s", o.Program, o.Needs, loaderRemedy(b, string(o.Needs))))
		case manifest.ObstacleLibrary:
			whose := ""
			if o.By != o.Program {
				whose = fmt.Sprintf(" (for %s)", o.By)
			}
			p.report(at, fmt.Sprintf("%s needs the library %s%s, which is not in the image: install the package that has it in this stage", o.Program, o.Needs, whose))
		}
	}
}

// loaderRemedy says what to do about a program whose loader is missing.
func loaderRemedy(b *Built, loader string) string {
	image := b.Facts.OS.Name
	if image == "" {
		image = "this image"
	}
	switch base := path.Base(loader); {
	case strings.HasPrefix(base, "ld-musl-"):
		return fmt.Sprintf("it was built on Alpine, for musl, and %s does not have that: build it on the base that it is shipped on, or link it statically", image)
	case strings.HasPrefix(base, "ld-linux"), strings.HasPrefix(base, "ld64."):
		return fmt.Sprintf("it was built for glibc, and %s does not have that: build it on the base that it is shipped on, link it statically (CGO_ENABLED=0 for Go), or ship it on a base with glibc", image)
	}
	return "build it on the base that it is shipped on, or link it statically"
}

// commandAt is the instruction that gives a command.
func (p *pass) commandAt(b *Built, command string) []parser.Range {
	switch {
	case command == manifest.CommandHealthcheck:
		return instructionOf[*instructions.HealthCheckCommand](p)
	case command == manifest.CommandMain && len(b.Image.Config.Entrypoint) > 0:
		return instructionOf[*instructions.EntrypointCommand](p)
	case command == manifest.CommandMain:
		return instructionOf[*instructions.CmdCommand](p)
	}
	return p.shipped.at
}

// commandName is what that instruction is called.
func commandName(b *Built, command string) string {
	switch {
	case command == manifest.CommandHealthcheck:
		return "HEALTHCHECK"
	case len(b.Image.Config.Entrypoint) > 0:
		return "ENTRYPOINT"
	}
	return "CMD"
}

func userName(b *Built) string {
	if user := b.Image.Config.User; user != "" {
		return "USER " + user
	}
	return "root"
}

func platformName(b *Built) string { return b.Image.OS + "/" + b.Image.Architecture }
