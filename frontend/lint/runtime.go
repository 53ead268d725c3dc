package lint

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// runtimeRules are about how the image's program runs: where, with what mounted,
// and how it is started and watched.
func runtimeRules() []*Rule {
	return []*Rule{
		{
			Name:    "WorkdirDefined",
			Summary: "The image starts a program and sets no WORKDIR",
			Why:     "The program runs in the root directory, or wherever the base image has left it: relative paths mean something else with the next base.",
			Remedy:  "Set WORKDIR to a directory of the application.",
			Bad:     "FROM debian:12.9-slim\nCMD [\"/app\"]\n",
			Good:    "FROM debian:12.9-slim\nWORKDIR /srv\nCMD [\"/app\"]\n",
			Default: Warn,
			Aliases: []string{"ID.20014"},
			check:   checkWorkdirDefined,
		},
		{
			Name:    "WorkdirSystemDir",
			Summary: "WORKDIR is a directory of the kernel or of booting",
			Why:     "What is written there goes to the kernel or is lost, and a working directory in /proc has been a way out of the container.",
			Remedy:  "Use a directory of the application's own, such as /srv or /opt/app.",
			Bad:     "FROM debian:12.9-slim\nWORKDIR /proc/self/fd/7\n",
			Good:    "FROM debian:12.9-slim\nWORKDIR /srv\n",
			Default: Error,
			Aliases: []string{"DS-0030"},
			check:   checkWorkdirSystemDir,
		},
		{
			Name:    "VolumeSensitiveDir",
			Summary: "VOLUME is a directory of the system",
			Why:     "Each container gets a volume over the system's own files, which updates of the image no longer reach.",
			Remedy:  "Keep data in a directory of its own and make that the volume.",
			Bad:     "FROM debian:12.9-slim\nVOLUME /etc\n",
			Good:    "FROM debian:12.9-slim\nVOLUME /var/lib/app\n",
			Default: Error,
			Aliases: []string{"DKL-DI-0002"},
			check:   checkVolumeSensitiveDir,
		},
		{
			Name:    "NoDockerSocket",
			Summary: "The image asks for the container engine's socket",
			Why:     "Who can write to the socket is root on the host.",
			Remedy:  "Leave it to who runs the container whether it may see the engine at all.",
			Bad:     "FROM debian:12.9-slim\nVOLUME /var/run/docker.sock\n",
			Good:    "FROM debian:12.9-slim\nVOLUME /var/run/app\n",
			Default: Error,
			check:   checkNoDockerSocket,
		},
		{
			Name:    "NoSSHPort",
			Summary: "EXPOSE names the port of SSH",
			Why:     "A shell server in a container is one more program to update, with keys of its own; what happens through it is in no log.",
			Remedy:  "Use docker exec or kubectl exec.",
			Bad:     "FROM debian:12.9-slim\nEXPOSE 80 22\n",
			Good:    "FROM debian:12.9-slim\nEXPOSE 80\n",
			Default: Warn,
			Aliases: []string{"DS-0004", "CKV_DOCKER_1"},
			check:   checkNoSSHPort,
		},
		{
			Name:    "ExecFormStrict",
			Summary: "A command runs through the shell of SHELL, or a HEALTHCHECK through one that it does not need",
			Why:     "The shell gets the signals instead of the program, and it must be in the image.",
			Remedy:  "Write the command as a JSON array.",
			Bad:     "FROM debian:12.9-slim\nSHELL [\"/bin/bash\", \"-c\"]\nCMD server --port 80\n",
			Good:    "FROM debian:12.9-slim\nSHELL [\"/bin/bash\", \"-c\"]\nCMD [\"server\", \"--port\", \"80\"]\n",
			Default: Warn,
			Safe:    true,
			Aliases: []string{"DL3025"},
			check:   checkExecFormStrict,
		},
		{
			Name:    "HealthcheckMissing",
			Summary: "The image has no HEALTHCHECK",
			Why:     "An engine that is not told how to ask the program takes it for healthy as long as it runs.",
			Remedy:  "Add HEALTHCHECK, or HEALTHCHECK NONE where the orchestrator probes the port.",
			Bad:     "FROM debian:12.9-slim\nEXPOSE 80\nCMD [\"/app\"]\n",
			Good:    "FROM debian:12.9-slim\nEXPOSE 80\nHEALTHCHECK CMD [\"/app\", \"-check\"]\nCMD [\"/app\"]\n",
			Default: Info,
			Aliases: []string{"DL3057", "CIS-4.6", "CIS-DI-0006", "CKV_DOCKER_2", "DS-0026"},
			check:   checkHealthcheckMissing,
		},
	}
}

// shippedInstructions are those that the shipped image is made of; what ONBUILD
// triggers later is not.
func (doc *document) shippedInstructions() []*instruction {
	var all []*instruction
	for _, st := range doc.shipped.chain() {
		for _, in := range st.instructions {
			if !in.onbuild {
				all = append(all, in)
			}
		}
	}
	return all
}

// all are the instructions of all stages.
func (doc *document) all() []*instruction {
	var all []*instruction
	for _, st := range doc.stages {
		all = append(all, st.instructions...)
	}
	return all
}

// baseSetsWorkdir tells whether the stage is built on one of the images that
// are known for their WORKDIR.
func (s *stage) baseSetsWorkdir() bool {
	image, _ := s.image()
	return slices.Contains([]string{
		"drupal", "elasticsearch", "ghost", "golang", "httpd", "jetty", "joomla", "kibana", "logstash", "nextcloud", "php",
		"redis", "redmine", "solr", "tomcat", "valkey", "wordpress",
	}, parseImage(image).name())
}

func checkWorkdirDefined(p *pass) {
	if p.shipped.end.workdir != "" || p.shipped.baseSetsWorkdir() {
		return
	}
	if image, _ := p.shipped.image(); image == "scratch" || strings.Contains(image, "distroless") {
		return // there is nothing but the program, and no directory that may change
	}
	for _, in := range slices.Backward(p.shippedInstructions()) {
		switch in.cmd.(type) {
		case *instructions.CmdCommand, *instructions.EntrypointCommand:
			p.report(in.at, "the program starts wherever the base image is: set WORKDIR before")
			return
		}
	}
}

func checkWorkdirSystemDir(p *pass) {
	for _, in := range p.all() {
		cmd, ok := in.cmd.(*instructions.WorkdirCommand)
		if !ok {
			continue
		}
		if dir, _ := p.expand(cmd.Path, in.before.env); isBelow(dir, "/proc", "/sys", "/dev", "/boot", "/initrd", "/lost+found") {
			p.report(p.locate(in.at, cmd.Path), "WORKDIR "+dir+" is the system's: use a directory of the application")
		}
	}
}

// isBelow tells whether a path is one of the directories or in one.
func isBelow(name string, dirs ...string) bool {
	name = path.Clean(name)
	return slices.ContainsFunc(dirs, func(dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") })
}

func checkVolumeSensitiveDir(p *pass) {
	for _, in := range p.all() {
		cmd, ok := in.cmd.(*instructions.VolumeCommand)
		if !ok {
			continue
		}
		for _, volume := range cmd.Volumes {
			dir, _ := p.expand(volume, in.before.env)
			dir = path.Clean(dir)
			system := slices.Contains([]string{"/", "/bin", "/etc", "/lib", "/lib32", "/lib64", "/run", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var"}, dir)
			kernel := isBelow(dir, "/proc", "/sys", "/dev", "/boot") && !isBelow(dir, "/sys/fs/cgroup") // which images with systemd need
			if system || kernel {
				p.report(p.locate(in.at, volume), "VOLUME "+dir+" hides the system's own files: use a directory of the application")
			}
		}
	}
}

func checkNoDockerSocket(p *pass) {
	for _, in := range p.all() {
		var paths []string
		switch cmd := in.cmd.(type) {
		case *instructions.VolumeCommand:
			paths = cmd.Volumes
		case *instructions.CopyCommand:
			paths = append(slices.Clone(cmd.SourcePaths), cmd.DestPath)
		case *instructions.AddCommand:
			paths = append(slices.Clone(cmd.SourcePaths), cmd.DestPath)
		}
		for _, raw := range paths {
			name, _ := p.expand(raw, in.before.env)
			if slices.Contains([]string{"docker.sock", "containerd.sock", "podman.sock", "crio.sock"}, path.Base(name)) {
				p.report(p.locate(in.at, raw), name+" makes the container root on the host: leave it out")
				break
			}
		}
	}
}

// exposed matches what EXPOSE takes, and the mapping that it should not.
var exposed = regexp.MustCompile(`^(?:.*:)?(\d+)(?:-(\d+))?(?:/(?i:tcp|udp))?$`)

func checkNoSSHPort(p *pass) {
	for _, in := range p.all() {
		cmd, ok := in.cmd.(*instructions.ExposeCommand)
		if !ok {
			continue
		}
		for _, raw := range cmd.Ports {
			port, _ := p.expand(raw, in.before.env)
			m := exposed.FindStringSubmatch(port)
			if m == nil {
				continue
			}
			first, _ := strconv.Atoi(m[1])
			last, err := strconv.Atoi(m[2])
			if err != nil {
				last = first
			}
			if first <= 22 && 22 <= last {
				p.report(p.locate(in.at, raw), "port 22 is SSH's: leave the server out and use docker exec")
			}
		}
	}
}

func checkExecFormStrict(p *pass) {
	for _, in := range p.all() {
		switch cmd := in.cmd.(type) {
		case *instructions.CmdCommand:
			if cmd.PrependShell && in.before.shell != nil || cmd.PrependShell && in.onbuild {
				p.report(in.at, "the shell is run instead of the program: write CMD as a JSON array", p.execForm(in)...)
			}
		case *instructions.EntrypointCommand:
			if cmd.PrependShell && in.before.shell != nil || cmd.PrependShell && in.onbuild {
				p.report(in.at, "the shell is run instead of the program: write ENTRYPOINT as a JSON array", p.execForm(in)...)
			}
		case *instructions.HealthCheckCommand:
			if fix := p.execForm(in); cmd.Health != nil && len(cmd.Health.Test) > 0 && cmd.Health.Test[0] == "CMD-SHELL" && fix != nil {
				p.report(in.at, "the check needs no shell, which may be missing in the image: write it as a JSON array", fix...)
			}
		}
	}
}

var (
	healthCommand = regexp.MustCompile(`(?i)\sCMD\s+`)
	// failing is what people write behind a check though its own status will do.
	failing = regexp.MustCompile(`\s*\|\|\s*(exit 1|false)\s*$`)
)

// execForm rewrites a command from the shell form if a shell would only split
// it into words; else there is no edit.
func (doc *document) execForm(in *instruction) []Edit {
	if !doc.shellIsPlain(in) {
		return nil
	}
	src := doc.source(in.at)
	_, from := in.keyword(src)
	to := len(strings.TrimRight(src.text, " \t"))
	if _, ok := in.cmd.(*instructions.HealthCheckCommand); ok {
		command := healthCommand.FindStringIndex(src.text[from:])
		if command == nil {
			return nil
		}
		from += command[1]
	}
	from += len(src.text[from:]) - len(strings.TrimLeft(src.text[from:], " \t"))
	if from >= to {
		return nil
	}
	line := src.text[from:to]
	if _, ok := in.cmd.(*instructions.HealthCheckCommand); ok {
		line = failing.ReplaceAllString(line, "")
	}
	words, ok := plainWords(line)
	if !ok {
		return nil
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		var text strings.Builder
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(w); err != nil {
			return nil
		}
		quoted[i] = strings.TrimSpace(text.String())
	}
	return []Edit{{src.span(from, to), "[" + strings.Join(quoted, ", ") + "]"}}
}

// shellIsPlain tells whether the shell form of a command, put into the exec
// form, starts the same program with the same words: the shell is a POSIX one,
// and no other instruction means something else then. ENTRYPOINT in the shell
// form ignores CMD, and CMD is an argument to ENTRYPOINT.
func (doc *document) shellIsPlain(in *instruction) bool {
	if shell := in.before.shell; len(shell) > 0 && !slices.Contains([]string{"sh", "ash", "bash", "dash"}, path.Base(shell[0])) {
		return false
	}
	_, isCmd := in.cmd.(*instructions.CmdCommand)
	_, isEntrypoint := in.cmd.(*instructions.EntrypointCommand)
	return !isCmd && !isEntrypoint || !slices.ContainsFunc(doc.related(in.stage), func(st *stage) bool {
		return slices.ContainsFunc(st.instructions, func(other *instruction) bool {
			_, cmd := other.cmd.(*instructions.CmdCommand)
			_, entrypoint := other.cmd.(*instructions.EntrypointCommand)
			return isCmd && entrypoint || isEntrypoint && cmd
		})
	})
}

// related are the stages that a stage is built from, itself, and those built
// from it.
func (doc *document) related(s *stage) []*stage {
	all := s.chain()
	below := map[*stage]bool{s: true}
	for _, st := range doc.stages {
		if below[st.parent] {
			below[st] = true
			all = append(all, st)
		}
	}
	return all
}

func checkHealthcheckMissing(p *pass) {
	at, message := p.shipped.at, "nothing asks whether the program still works: add HEALTHCHECK, or HEALTHCHECK NONE if there is nothing to ask"
	for _, in := range p.shippedInstructions() {
		switch in.cmd.(type) {
		case *instructions.HealthCheckCommand:
			return
		case *instructions.ExposeCommand:
			at, message = in.at, "the image serves a port and nothing asks whether it does: add HEALTHCHECK"
		}
	}
	p.report(at, message)
}
