package lint

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// copyRules are about COPY and ADD.
func copyRules() []*Rule {
	return []*Rule{
		{
			Name:    "CopyNotAdd",
			Summary: "ADD takes local files, which COPY does without surprises",
			Why:     "ADD unpacks what looks like an archive and downloads what looks like an address: a renamed file changes what the image holds.",
			Remedy:  "Write COPY. ADD is for archives to unpack and for remote files with a checksum.",
			Bad:     "FROM debian:12.9-slim\nADD app.conf /etc/app.conf\n",
			Good:    "FROM debian:12.9-slim\nCOPY app.conf /etc/app.conf\nADD rootfs.tar.xz /\n",
			Default: Error,
			Safe:    true,
			Aliases: []string{"DL3020", "DS-0005", "CIS-4.9", "CIS-DI-0009", "CKV_DOCKER_4"},
			check:   checkCopyNotAdd,
		},
		{
			Name:    "AddRemoteChecksum",
			Summary: "ADD downloads a file without a checksum",
			Why:     "Whoever controls the server, or the connection to a mirror, decides what runs in the image; and a cached layer hides that the file changed.",
			Remedy:  "Add --checksum=sha256:..., or the tag or commit if it is a Git repository.",
			Bad:     "FROM debian:12.9-slim\nADD https://example.com/tool /usr/local/bin/tool\n",
			Good: "FROM debian:12.9-slim\n" +
				"ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/tool /usr/local/bin/tool\n",
			Default: Error,
			check:   checkAddRemoteChecksum,
		},
		{
			Name:    "CopyMultiSourceSlash",
			Summary: "Several sources are copied to a destination that does not end in a slash",
			Why:     "Without the slash the destination is a file: each source overwrites the one before.",
			Remedy:  "End the destination in a slash.",
			Bad:     "FROM debian:12.9-slim\nCOPY a.conf b.conf /etc/app\n",
			Good:    "FROM debian:12.9-slim\nCOPY a.conf b.conf /etc/app/\n",
			Default: Error,
			Safe:    true,
			Aliases: []string{"DL3021", "DS-0011"},
			check:   checkCopyMultiSourceSlash,
		},
		{
			Name:    "CopyFromUnknownStage",
			Summary: "COPY --from names no stage above it, and no image with a version",
			Why:     "A misspelt stage is taken for an image of that name, which somebody else may have put into the registry.",
			Remedy:  "Name a stage that is defined above, or write the image with its version.",
			Bad:     "FROM golang:1.23 AS build\nFROM scratch\nCOPY --from=biuld /app /app\n",
			Good:    "FROM golang:1.23 AS build\nFROM scratch\nCOPY --from=build /app /app\nCOPY --from=busybox:1.37.0 /bin/busybox /bin/sh\n",
			Default: Warn,
			Aliases: []string{"DL3022", "DL3023", "DS-0006"},
			check:   checkCopyFromUnknownStage,
		},
		{
			Name:    "CopyWholeFilesystem",
			Summary: "COPY takes everything of another stage or image",
			Why:     "What the other stage needed for building comes along: its tools, caches and secrets.",
			Remedy:  "Build FROM that stage, or copy the paths that the program needs.",
			Bad:     "FROM golang:1.23 AS build\nFROM scratch\nCOPY --from=build / /\n",
			Good:    "FROM golang:1.23 AS build\nFROM scratch\nCOPY --from=build /go/bin/app /app\n",
			Default: Warn,
			Aliases: []string{"DL3067"},
			check:   checkCopyWholeFilesystem,
		},
		{
			Name:    "CopyRelativeWithoutWorkdir",
			Summary: "COPY to a relative path, and no WORKDIR says where that is",
			Why:     "The files land where the base image's working directory happens to be, which may change with its next version.",
			Remedy:  "Set WORKDIR first, or write an absolute path.",
			Bad:     "FROM debian:12.9-slim\nCOPY app.py app.py\n",
			Good:    "FROM debian:12.9-slim\nWORKDIR /srv\nCOPY app.py app.py\n",
			Default: Warn,
			Aliases: []string{"DL3045"},
			check:   checkCopyRelativeWithoutWorkdir,
		},
		{
			Name:    "CopyWholeContext",
			Summary: "The image takes the whole build context",
			Why:     "Whatever lies about is shipped: version control, local configuration, keys, tests. And each of these files invalidates the cache.",
			Remedy:  "Copy the files and folders that the program needs, or let .dockerignore ignore everything but those.",
			Bad:     "FROM debian:12.9-slim\nWORKDIR /srv\nCOPY . .\n",
			Good:    "FROM debian:12.9-slim\nWORKDIR /srv\nCOPY src/ src/\n",
			Default: Warn,
			Aliases: []string{"DL4007"},
			check:   checkCopyWholeContext,
		},
		{
			Name:    "DockerignoreMissing",
			Summary: "The whole build context is copied, and no .dockerignore says what to leave out",
			Why:     "Version control, local builds and secrets come along, and each change in them runs the step again.",
			Remedy:  "Add a .dockerignore: best one that ignores everything (*) and lists what is needed (!src).",
			Bad:     "FROM debian:12.9-slim AS build\nWORKDIR /src\nCOPY . .\nFROM scratch\n",
			Good:    "FROM debian:12.9-slim AS build\nWORKDIR /src\nCOPY src/ src/\nFROM scratch\n",
			Default: Warn,
			Aliases: []string{"ID.10001"},
			check:   checkDockerignoreMissing,
		},
	}
}

// transfer is a COPY or an ADD.
type transfer struct {
	*instruction
	instructions.SourcesAndDest
	add  bool
	from string // stage or image; "" for the build context
	// exclude says that some files are left out.
	exclude bool
}

// transfers are a stage's COPY and ADD instructions.
func (s *stage) transfers() []transfer {
	var all []transfer
	for _, in := range s.instructions {
		switch cmd := in.cmd.(type) {
		case *instructions.CopyCommand:
			all = append(all, transfer{in, cmd.SourcesAndDest, false, cmd.From, len(cmd.ExcludePatterns) > 0})
		case *instructions.AddCommand:
			all = append(all, transfer{in, cmd.SourcesAndDest, true, "", len(cmd.ExcludePatterns) > 0})
		}
	}
	return all
}

// transfers are those of all stages.
func (doc *document) transfers() []transfer {
	var all []transfer
	for _, st := range doc.stages {
		all = append(all, st.transfers()...)
	}
	return all
}

// origin says what the source of an ADD is.
type origin int

const (
	unknownOrigin origin = iota // a variable hides it
	localFile
	archive
	webFile
	gitRepository
)

var (
	gitSource     = regexp.MustCompile(`^(git@|git://|ssh://)|^https?://[^?#]*\.git([?#]|$)|^https?://(github|gitlab)\.com/[^/]+/[^/?#]+/?([?#]|$)`)
	webSource     = regexp.MustCompile(`(?i)^https?://`)
	archiveSource = regexp.MustCompile(`(?i)\.tar|\.(t?gz|bz2|tbz2?|tb2|t?xz|t?lz|tlzma|lzma|t?zst|z)$`)
	gitVersion    = regexp.MustCompile(`#[^:]|[?&](ref|branch|tag|commit|checksum)=`)
)

// originOf judges the source of an ADD as the builder will.
func (t transfer) originOf(doc *document, source string) origin {
	text, known := doc.expand(source, t.before.env)
	switch {
	case gitSource.MatchString(text):
		return gitRepository
	case webSource.MatchString(text):
		return webFile
	case archiveSource.MatchString(text):
		return archive
	case !known && (strings.HasPrefix(text, "$") || path.Ext(text) == "" || strings.Contains(path.Ext(text), "$")):
		return unknownOrigin
	}
	return localFile
}

func checkCopyNotAdd(p *pass) {
	for _, t := range p.transfers() {
		cmd, ok := t.cmd.(*instructions.AddCommand)
		if !ok || cmd.Unpack != nil || cmd.KeepGitDir != nil {
			continue
		}
		var local []string
		plain := cmd.Checksum == ""
		for _, source := range t.SourcePaths {
			if t.originOf(p.document, source) == localFile {
				local = append(local, source)
			}
			plain = plain && surelyNoArchive(source)
		}
		if len(local) == 0 {
			continue
		}
		src := p.source(t.at)
		from, to := t.keyword(src)
		at := []parser.Range{src.span(from, to)}
		var fix []Edit
		if plain && len(local) == len(t.SourcePaths) {
			fix = append(fix, Edit{at[0], matchCase("COPY", src.text[from:to])})
		}
		p.report(at, "ADD of the local "+local[0]+": write COPY", fix...)
	}
}

// surelyNoArchive tells whether a source is a folder, or a file whose name says
// that it is no archive, so that ADD does what COPY does.
func surelyNoArchive(source string) bool {
	if strings.ContainsAny(source, "*?[$") {
		return false
	}
	return strings.HasSuffix(source, "/") || path.Base(source) == "." || len(path.Ext(source)) > 1
}

// matchCase writes a keyword in the case of another.
func matchCase(keyword, like string) string {
	if strings.ToUpper(like) == like {
		return keyword
	}
	return strings.ToLower(keyword)
}

func checkAddRemoteChecksum(p *pass) {
	for _, t := range p.transfers() {
		cmd, ok := t.cmd.(*instructions.AddCommand)
		if !ok || cmd.Checksum != "" {
			continue
		}
		for _, source := range t.SourcePaths {
			text, _ := p.expand(source, t.before.env)
			switch kind := t.originOf(p.document, source); {
			case kind == webFile:
				p.report(p.locate(t.at, source), "the download is not verified: add --checksum=sha256:...")
			case kind == gitRepository && !gitVersion.MatchString(text):
				p.report(p.locate(t.at, source), "the repository's version is not fixed: add its tag or commit behind a #")
			}
		}
	}
}

func checkCopyMultiSourceSlash(p *pass) {
	for _, t := range p.transfers() {
		if len(t.SourcePaths)+len(t.SourceContents) < 2 {
			continue
		}
		dest, known := p.expand(t.DestPath, t.before.env)
		if !known && strings.HasSuffix(dest, "}") || !known && strings.LastIndexByte(dest, '$') > strings.LastIndexByte(dest, '/') {
			continue // the variable may end in a slash
		}
		if last := path.Base(dest); strings.HasSuffix(dest, "/") || strings.HasSuffix(dest, `\`) || last == "." || last == ".." {
			continue
		}
		at := p.locateLast(t.at, t.DestPath)
		var fix []Edit
		if src := p.source(t.at); !strings.HasPrefix(t.DestPath, `"`) {
			if _, to, ok := src.findLast(t.DestPath); ok {
				end := src.span(to-1, to).End
				fix = append(fix, Edit{parser.Range{Start: end, End: end}, "/"})
			}
		}
		p.report(at, "several sources go to "+t.DestPath+": end it in a slash", fix...)
	}
}

func checkCopyFromUnknownStage(p *pass) {
	for _, t := range p.transfers() {
		if _, replaced := p.context(t.from); replaced || t.from == "" || strings.Contains(t.from, "$") {
			continue
		}
		at := p.locate(t.at, t.from)
		n, err := strconv.Atoi(t.from)
		switch {
		case err == nil && n >= 0 && n < t.stage.index:
		case err == nil:
			p.report(at, "there is no stage "+t.from+" above this one: name the stage and copy from that name")
		case p.stageNamed(t.from, t.stage.index) != nil || t.from == "scratch":
		case strings.EqualFold(t.from, t.stage.Name):
			p.report(at, t.from+" is this stage itself: name the stage or image that has the files")
		case p.stageNamed(t.from, len(p.stages)) != nil:
			p.report(at, "the stage "+t.from+" is not defined yet: move it above this one")
		default:
			if img := parseImage(t.from); img.tag == "" && img.digest == "" {
				p.report(at, t.from+" is no stage above this one: if it is an image, write its version")
			}
		}
	}
}

func checkCopyWholeFilesystem(p *pass) {
	for _, t := range p.transfers() {
		if dest, _ := p.expand(t.DestPath, t.before.env); t.from == "" || t.exclude || dest != "/" {
			continue
		}
		for _, source := range t.SourcePaths {
			plain, _ := p.expand(source, t.before.env)
			if cleaned := path.Clean(plain); cleaned == "/" || cleaned == "/*" {
				p.report(p.locate(t.at, source), "everything of "+t.from+" is copied: copy what the program needs, or build FROM it")
			}
		}
	}
}

// windowsPath matches absolute paths with a drive.
var windowsPath = regexp.MustCompile(`^[A-Za-z]:`)

func checkCopyRelativeWithoutWorkdir(p *pass) {
	for _, t := range p.transfers() {
		if t.before.workdir != "" || t.stage.baseSetsWorkdir() {
			continue
		}
		dest, known := p.expand(t.DestPath, t.before.env)
		if !known && strings.HasPrefix(dest, "$") {
			continue
		}
		if strings.HasPrefix(dest, "/") || strings.HasPrefix(dest, `\`) || windowsPath.MatchString(dest) {
			continue
		}
		p.report(p.locateLast(t.at, t.DestPath), t.DestPath+" is relative to a WORKDIR that the base image may change: set WORKDIR before")
	}
}

// wholeContext is the source that means the whole build context, if there is one.
func (t transfer) wholeContext() (string, bool) {
	if t.from != "" || t.exclude {
		return "", false
	}
	for _, source := range t.SourcePaths {
		if slices.Contains([]string{".", "/", "*", "/*"}, path.Clean(source)) {
			return source, true
		}
	}
	return "", false
}

// ignorePatterns are the lines of the .dockerignore that say something.
func (doc *document) ignorePatterns() []string {
	var patterns []string
	for line := range strings.Lines(doc.Ignore) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	return patterns
}

func checkCopyWholeContext(p *pass) {
	if slices.ContainsFunc(p.ignorePatterns(), func(s string) bool {
		return slices.Contains([]string{"*", "**", "**/*", "/*", "/**", "."}, s)
	}) {
		return // the .dockerignore lists what is needed
	}
	for _, st := range p.shipped.chain() {
		for _, t := range st.transfers() {
			if source, ok := t.wholeContext(); ok {
				p.report(p.locate(t.at, source), "the image gets the whole build context: copy what the program needs")
			}
		}
	}
}

func checkDockerignoreMissing(p *pass) {
	if !p.IgnoreKnown || len(p.ignorePatterns()) > 0 {
		return
	}
	for _, t := range p.transfers() {
		if source, ok := t.wholeContext(); ok {
			p.report(p.locate(t.at, source), "the whole build context is copied: add a .dockerignore with what to leave out")
			return
		}
	}
}
