package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint/shell"
)

// baseRules are about the images that a Dockerfile starts from.
func baseRules() []*Rule {
	return []*Rule{
		{
			Name:    "PinBaseImageVersion",
			Summary: "A base image has no tag, or the tag latest",
			Why: "What a build without a version gets is whatever was pushed last: it differs between machines, " +
				"breaks with the next major release and cannot be rebuilt.",
			Remedy:  "Write the version as the tag, or pin the image by its digest.",
			Bad:     "FROM python\nFROM debian:latest\n",
			Good:    "FROM python:3.13.1-slim-bookworm\n",
			Default: Error,
			Aliases: []string{"DL3006", "DL3007", "DS-0001", "CKV_DOCKER_7"},
			check:   checkPinBaseImageVersion,
		},
		{
			Name:    "PinBaseImageMinor",
			Summary: "A base image's tag names no minor version though the image has one",
			Why: "A tag such as 3 or bookworm moves to every minor release: features come and go between two builds " +
				"of the same Dockerfile.",
			Remedy:  "Write at least major and minor version.",
			Bad:     "FROM python:3-slim\n",
			Good:    "FROM python:3.13-slim\n",
			Default: Warn,
			check:   checkPinBaseImageMinor,
		},
		{
			Name:    "PinBaseImageDigest",
			Summary: "A base image is not pinned by its digest",
			Why:     "Tags can be pushed again: only a digest says which image a build uses.",
			Remedy:  "Add the digest behind the tag, and let a bot keep it up to date.",
			Bad:     "FROM debian:12.9-slim\n",
			Good:    "FROM debian:12.9-slim@sha256:9f8e0e8bb1b3e0a1e3a4fce9e4e93a0d9d1ee1d0f1fb35fa1b25c2a0cf6ac1f0\n",
			Default: Info,
			check:   checkPinBaseImageDigest,
		},
		{
			Name:    "TrustedBaseRegistry",
			Summary: "An image comes from where the policy allows none from",
			Why:     "What a build takes from a registry runs with all that the application has: who may push there is in the product.",
			Remedy:  "Use an image of the registries and names that the policy lists.",
			Bad:     "FROM registry.example.org/base:1.2\n",
			Good:    "FROM debian:12.9-slim\n",
			Default: Error, // without a policy's lists there is nothing to find
			Aliases: []string{"DL3026", "CIS-4.2"},
			check:   checkTrustedBaseRegistry,
		},
		{
			Name:    "NoMuslForInterpreters",
			Summary: "Python, Node or Ruby runs on Alpine's musl",
			Why: "Packages with native code are built and tested for glibc: on musl they are missing, compiled during the build, " +
				"or slower, and name resolution and locales differ.",
			Remedy:  "Use the -slim variant of the image: it is not much larger.",
			Bad:     "FROM python:3.13-alpine\n",
			Good:    "FROM python:3.13-slim\n",
			Default: Warn,
			check:   checkNoMuslForInterpreters,
		},
		{
			Name:    "LeanerBaseAvailable",
			Summary: "The image is built on a full base that has a leaner variant",
			Why:     "Compilers, headers and tools that the program never runs are downloaded, scanned and open to an attacker.",
			Remedy:  "Use the variant for running programs, and build in a stage of its own.",
			Bad:     "FROM python:3.13\n",
			Good:    "FROM python:3.13-slim\n",
			Default: Info,
			check:   checkLeanerBaseAvailable,
		},
	}
}

// image is an image's reference, taken apart without judging it.
type image struct {
	registry string // docker.io if none is written
	path     string // with library/ for Docker's official images
	tag      string
	digest   string
}

func parseImage(ref string) image {
	var img image
	ref, img.digest, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref, img.tag = ref[:i], ref[i+1:]
	}
	img.registry, img.path = "docker.io", ref
	if host, path, ok := strings.Cut(ref, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		img.registry, img.path = host, path
	}
	if slices.Contains([]string{"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"}, img.registry) {
		img.registry = "docker.io"
	}
	if img.registry == "docker.io" && !strings.Contains(img.path, "/") {
		img.path = "library/" + img.path
	}
	return img
}

// name is the last part of the path: mirrors of official images keep it.
func (img image) name() string { return img.path[strings.LastIndexByte(img.path, '/')+1:] }

// context is the named context that takes the place of a reference, if one does.
func (doc *document) context(ref string) (string, bool) {
	img := parseImage(ref)
	familiar := strings.TrimPrefix(strings.TrimPrefix(img.registry+"/"+img.path, "docker.io/"), "library/")
	if img.tag != "" && img.tag != "latest" {
		familiar += ":" + img.tag
	}
	for _, name := range []string{ref, familiar} {
		if context, ok := doc.Contexts[name]; ok {
			return context, true
		}
	}
	return "", false
}

// replaced is the image that a reference means: a named context may take its
// place. It returns false if that is no image of a registry.
func (doc *document) replaced(ref string) (string, bool) {
	if context, ok := doc.context(ref); ok {
		return strings.CutPrefix(context, "docker-image://")
	}
	return ref, true
}

// base is a stage's FROM that names an image.
type base struct {
	image
	ref   string
	stage *stage
	at    []parser.Range
}

// bases are the images that stages are built FROM.
func (doc *document) bases() []base {
	var all []base
	for _, st := range doc.stages {
		if _, ok := doc.Contexts[st.Name]; ok || st.parent != nil || !st.known || st.base == "" || st.base == "scratch" {
			continue
		}
		if ref, ok := doc.replaced(st.base); ok {
			all = append(all, base{parseImage(ref), ref, st, doc.locate(st.at, st.BaseName)})
		}
	}
	return all
}

// shippedBase is the image that the shipped stage is built on.
func (doc *document) shippedBase() (base, bool) {
	root := doc.shipped.chain()[0]
	bases := doc.bases()
	i := slices.IndexFunc(bases, func(b base) bool { return b.stage == root })
	if i < 0 {
		return base{}, false
	}
	return bases[i], true
}

func checkPinBaseImageVersion(p *pass) {
	for _, b := range p.bases() {
		switch {
		case b.digest != "":
		case b.tag == "":
			p.report(b.at, b.ref+" has no version: write it as the tag")
		case b.tag == "latest":
			p.report(b.at, b.ref+" is another image tomorrow: write its version as the tag")
		}
	}
}

// versioned are images whose tags begin with major.minor.
func versioned() []string {
	return []string{
		"adminer", "almalinux", "alpine", "bun", "busybox", "caddy", "cassandra", "composer", "consul", "couchdb", "debian", "deno", "docker",
		"drupal", "eclipse-temurin", "elasticsearch", "elixir", "erlang", "ghost", "golang", "gradle", "grafana", "groovy", "haproxy", "haskell",
		"httpd", "influxdb", "jetty", "joomla", "julia", "kibana", "kong", "logstash", "mariadb", "maven", "memcached", "mongo", "mysql", "nats",
		"neo4j", "nginx", "nginx-unprivileged", "node", "openjdk", "perl", "php", "postgres", "prometheus", "pypy", "python", "r-base", "rabbitmq",
		"rails", "redis", "redmine", "registry", "rockylinux", "ruby", "rust", "solr", "sonarqube", "swift", "telegraf", "tomcat", "traefik",
		"ubuntu", "valkey", "vault", "wordpress", "zookeeper",
	}
}

// minorTag matches tags that do not move with every minor release: 3.13-slim,
// v1.2, 8u392-jre, bookworm-20241202.
var minorTag = regexp.MustCompile(`^v?\d+([.u_]\d|\.\d)|-?\d{8}`)

// ubuntuRelease matches the names of Ubuntu's releases, which mean one
// major.minor version each.
var ubuntuRelease = regexp.MustCompile(`^[a-z]+$`)

func checkPinBaseImageMinor(p *pass) {
	for _, b := range p.bases() {
		switch {
		case b.tag == "" || b.tag == "latest" || b.digest != "": // PinBaseImageVersion's, or pinned
		case !slices.Contains(versioned(), b.name()) || minorTag.MatchString(b.tag):
		case b.name() == "ubuntu" && ubuntuRelease.MatchString(b.tag) && !slices.Contains([]string{"devel", "rolling"}, b.tag):
		default:
			p.report(b.at, "the tag "+b.tag+" of "+b.name()+" moves with every minor release: write major and minor version")
		}
	}
}

func checkPinBaseImageDigest(p *pass) {
	for _, b := range p.bases() {
		if b.digest == "" {
			p.report(b.at, b.ref+" is not pinned: add @sha256:... behind the tag")
		}
	}
}

func checkTrustedBaseRegistry(p *pass) {
	if len(p.set.Registries) == 0 && len(p.set.Images) == 0 && !p.set.DigestRequired {
		return
	}
	for _, st := range p.stages {
		switch {
		case st.parent != nil || st.base == "scratch":
		case !st.known:
			p.report(p.locate(st.at, st.BaseName), "the policy cannot be held against "+st.BaseName+": give the variable a default")
		default:
			p.judgeOrigin(st.base, p.locate(st.at, st.BaseName))
		}
		for _, in := range st.instructions {
			for _, ref := range imagesFrom(in) {
				if p.stageNamed(ref, st.index) == nil && !isNumber(ref) && ref != "scratch" {
					p.judgeOrigin(ref, p.locate(in.at, ref))
				}
			}
		}
	}
}

// imagesFrom are the images and stages that an instruction takes files from.
func imagesFrom(in *instruction) []string {
	switch cmd := in.cmd.(type) {
	case *instructions.CopyCommand:
		if cmd.From != "" {
			return []string{cmd.From}
		}
	case *instructions.RunCommand:
		var refs []string
		for _, m := range instructions.GetMounts(cmd) {
			if m.From != "" {
				refs = append(refs, m.From)
			}
		}
		return refs
	}
	return nil
}

// judgeOrigin holds a reference against the policy's lists.
func (p *pass) judgeOrigin(ref string, at []parser.Range) {
	ref, ok := p.replaced(ref)
	if !ok {
		return
	}
	img := parseImage(ref)
	repository := img.registry + "/" + img.path
	full := repository
	if img.tag != "" {
		full += ":" + img.tag
	}
	switch {
	case len(p.set.Registries) > 0 && !matchesAny(p.set.Registries, img.registry):
		p.report(at, "the policy allows no image of the registry "+img.registry+": use one of "+strings.Join(p.set.Registries, ", "))
	case len(p.set.Images) > 0 && !matchesAny(p.set.Images, repository, full, ref):
		p.report(at, "the policy does not list "+repository+": use one of "+strings.Join(p.set.Images, ", "))
	case p.set.DigestRequired && img.digest == "":
		p.report(at, "the policy demands a digest: add @sha256:... to "+ref)
	}
}

// matchesAny tells whether one of the globs matches one of the texts.
func matchesAny(globs []string, texts ...string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return doublestar.MatchUnvalidated(glob, text) })
	})
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// alpineTag matches the tags of variants on Alpine.
var alpineTag = regexp.MustCompile(`(^|-)alpine`)

func checkNoMuslForInterpreters(p *pass) {
	b, ok := p.shippedBase()
	if !ok {
		return
	}
	switch b.name() {
	case "python", "pypy", "node", "ruby":
		if alpineTag.MatchString(b.tag) {
			p.report(b.at, b.name()+" on Alpine runs on musl, which native packages are not built for: use the -slim variant")
		}
	case "alpine":
		for _, r := range p.shippedRuns() {
			for _, c := range r.calls {
				if name, ok := installsInterpreter(c); ok {
					p.reportRange(c.Range, name+" on Alpine runs on musl, which native packages are not built for: use a -slim image")
				}
			}
		}
	}
}

// installsInterpreter is the interpreter that a call of apk leaves in the image.
func installsInterpreter(c shell.Call) (string, bool) {
	if !c.Is("apk", "add") || c.Has("-t", "--virtual") {
		return "", false
	}
	for _, w := range c.Operands {
		name, _, _ := strings.Cut(w.Text, "=")
		name = strings.TrimRight(name, "~<>")
		if slices.Contains([]string{"python3", "py3-pip", "nodejs", "nodejs-current", "npm", "ruby", "ruby-full"}, name) {
			return name, true
		}
	}
	return "", false
}

// leaner says which variant of a full base suffices to run programs.
func leaner(img image) (advice string, ok bool) {
	version, variant, _ := strings.Cut(img.tag, "-")
	full := variant == "" || slices.Contains([]string{"bookworm", "bullseye", "buster", "trixie"}, variant)
	switch img.name() {
	case "python", "pypy", "node", "ruby", "perl", "swift", "julia":
		return "use the -slim variant", full && !strings.HasPrefix(version, "slim") && version != "alpine"
	case "debian":
		return "use the -slim variant", full && version != "slim"
	case "openjdk", "eclipse-temurin", "ibm-semeru-runtimes", "sapmachine":
		return "use a JRE and build in a stage of its own", !strings.Contains(img.tag, "jre")
	case "maven", "gradle":
		return "build in it, and copy the result into a stage on a JRE", true
	case "golang", "rust":
		return "build in it, and copy the program into a stage on a distroless image or scratch", true
	case "sdk": // mcr.microsoft.com/dotnet/sdk
		return "build in it, and copy the result into a stage on the aspnet or runtime image", strings.HasPrefix(img.path, "dotnet/")
	}
	return "", false
}

func checkLeanerBaseAvailable(p *pass) {
	b, ok := p.shippedBase()
	if !ok {
		return
	}
	if advice, ok := leaner(b.image); ok {
		p.report(b.at, b.ref+" is made for building: "+advice)
	}
}
