package lint

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/org/slimfile/sensor/manifest"
)

// fileRules are about the files of the image, most of them those that the slim
// image keeps.
func fileRules() []*Rule {
	return []*Rule{
		{
			Name: "SecretFilesInImage", Summary: "The image holds a credential",
			Why:    "Everybody who can pull the image has it, whatever later layers delete.",
			Remedy: "Mount it at run time, or give it to a RUN with --mount=type=secret.", Default: Error, built: checkSecretFiles,
		},
		{
			Name: "SetuidOrFileCaps", Summary: "The slim image keeps programs that run with more rights than their user",
			Why: "They are the way up for somebody who got in as an unprivileged user.", Remedy: "Take the bit away (chmod a-s, setcap -r), or `drop` them.",
			Default: Warn, built: checkSetuid,
		},
		{
			Name: "WorldWritable", Summary: "The slim image keeps files that everybody may write",
			Why: "Any process of the container can change what others run or read.", Remedy: "chmod o-w.", Default: Warn, built: checkWorldWritable,
		},
		{
			Name: "AppWritableByUser", Summary: "The program's user may write the code that it runs",
			Why:    "A flaw that lets somebody write a file lets him run code as well.",
			Remedy: "Leave code to root: COPY without --chown, or --chmod that gives only reading.", Default: Warn, built: checkWritableCode,
		},
		{
			Name: "AppUnreadableByUser", Summary: "The run opened files that its user may not read",
			Why: "Something that the program tries does not work.", Remedy: "Give the user the right (COPY --chmod), or take the attempt out.",
			Default: Warn, built: checkUnreadable,
		},
		{
			Name: "VolumeHidesContent", Summary: "The image has files below a VOLUME",
			Why: "A volume that is mounted there hides them, and they never change again in one that was made before.", Remedy: "Put them elsewhere, or do without VOLUME.",
			Default: Info, image: checkHidden,
		},
		{
			Name: "PackageManagerLeft", Summary: "The slim image keeps a package manager that the run did not need",
			Why: "It is a tool for whoever gets in.", Remedy: "`drop` it, or see in the report what keeps it.", Default: Warn, built: checkPackageManagers,
		},
		{
			Name: "ShellLeft", Summary: "The slim image keeps a shell that the run did not need",
			Why: "Most ways in need a shell to go on.", Remedy: "`drop` it, or see in the report what keeps it.", Default: Warn, built: checkShells,
		},
		{
			Name: "TLSWithoutCA", Summary: "A TLS library is kept and there are no certificates to check with",
			Why: "Every connection that the program opens will fail, or is not checked.", Remedy: "Install ca-certificates.", Default: Warn, built: checkCertificates,
		},
		{
			Name: "UnusedPackages", Summary: "OS packages are installed of which the run touched no file",
			Why: "They cost build time, and updates.", Remedy: "Leave them out of the Dockerfile, or probe what needs them.", Default: Info, built: checkUnused,
		},
		{
			Name: "CopiedButUnused", Summary: "Nothing of what a COPY brings was used",
			Why: "It makes the context and the build larger, and every change of it builds anew what follows.", Remedy: "Take the COPY out, list the files in .dockerignore, or probe what needs them.",
			Default: Info, built: checkCopied,
		},
		{
			Name: "MuslEvidence", Summary: "A base with musl made the build compile what comes ready-made for glibc",
			Why:    "Compiling takes minutes instead of seconds, needs compilers, and gives programs that fewer people test; modules that were made for glibc do not load at all.",
			Remedy: "Build on a Debian base (-slim): slimming makes it as small.", Default: Info, image: checkMusl,
		},
		{
			Name: "DevDepsInFinal", Summary: "Tools for development are in the shipped stage",
			Why: "They cost build time; slimming has removed them.", Remedy: "Install them in a stage of their own, or leave them out (npm ci --omit=dev).",
			Default: Info, built: checkDevTools,
		},
	}
}

// few lists the first of some paths.
func few(paths []manifest.Path) string {
	const shown = 3
	var names []string
	for _, p := range paths[:min(len(paths), shown)] {
		names = append(names, string(p))
	}
	if more := len(paths) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ")
}

// reportPaths reports paths at the shipped stage's FROM.
func (p *pass) reportPaths(paths []manifest.Path, format string) {
	if len(paths) > 0 {
		p.report(p.shipped.at, fmt.Sprintf(format, few(paths)))
	}
}

func checkSecretFiles(p *pass, b *Built) {
	for _, s := range b.Facts.Secrets {
		p.report(p.shipped.at, fmt.Sprintf("%s holds a %s: mount it at run time, and make a new one", s.Path, s.Kind))
	}
}

func checkSetuid(p *pass, b *Built) {
	p.reportPaths(b.Facts.Setuid, "%s: setuid, setgid or file capabilities: take them away, or drop the file")
}

func checkWorldWritable(p *pass, b *Built) {
	p.reportPaths(b.Facts.WorldWritable, "%s: everybody may write: chmod o-w")
}

func checkWritableCode(p *pass, b *Built) {
	p.reportPaths(b.Facts.WritableCode, "%s: the program's user may write code that it runs: leave it to root")
}

func checkUnreadable(p *pass, b *Built) {
	p.reportPaths(b.Facts.Unreadable, "%s: opened by the run, but its user may not read it")
}

func checkHidden(p *pass, b *Built) {
	if len(b.Facts.Hidden) > 0 {
		p.report(instructionOf[*instructions.VolumeCommand](p), few(b.Facts.Hidden)+": has files in the image, which a volume may hide")
	}
}

func checkPackageManagers(p *pass, b *Built) {
	p.reportPaths(b.Facts.PackageManagers, "%s: kept though the run did not execute it: drop it")
}

func checkShells(p *pass, b *Built) {
	p.reportPaths(b.Facts.Shells, "%s: kept though the run did not execute it: drop it, or keep-shell if it is meant to be there")
}

func checkCertificates(p *pass, b *Built) {
	if b.Facts.TLS != "" && !b.Facts.CA {
		p.report(p.shipped.at, fmt.Sprintf("%s is kept, but no certificates of authorities: install ca-certificates", b.Facts.TLS))
	}
}

func checkUnused(p *pass, b *Built) {
	if unused := b.Summary.TotalPackages - b.Summary.KeptPackages; unused > 0 {
		p.report(p.shipped.at, fmt.Sprintf("%d of %d packages are not needed: `SLIM_OUTPUT=report` lists them", unused, b.Summary.TotalPackages))
	}
}

func checkCopied(p *pass, b *Built) {
	for _, copied := range p.bringings() {
		if c, known := copied.used(&b.Facts); known && c.Files > 0 && c.Kept == 0 {
			p.report(copied.at, fmt.Sprintf("%d files, %.1f MB, of which the run used none: leave them out, or probe what needs them", c.Files, float64(c.Bytes)/1e6))
		}
	}
}

func checkMusl(p *pass, b *Built) {
	p.reportPaths(b.Facts.GlibcOnly, "%s: needs glibc, and the base has musl: it will not load; use a Debian base (-slim)")
	p.reportPaths(b.Facts.CompiledHere, "%s: was compiled, or compiles, because nothing ready-made is for musl: a Debian base (-slim) saves that")
}

func checkDevTools(p *pass, b *Built) {
	if len(b.Facts.DevTools) > 0 {
		p.report(instructionOf[*instructions.RunCommand](p), few(b.Facts.DevTools)+": for development only: leave them out of this stage")
	}
}
