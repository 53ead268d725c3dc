package lint

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/org/slimfile/sensor/manifest"
)

// observedRules are about what the traced run was seen to do.
func observedRules() []*Rule {
	return []*Rule{
		{
			Name: "RuntimeUserIsRoot", Summary: "The program runs as root, and does not give its rights up",
			Why: "Whoever takes it over is root in the container.", Remedy: "Set USER, or let the program change its user when it has started.",
			Default: Warn, run: checkRuntimeUser,
		},
		{
			Name: "InstallAtRuntime", Summary: "The run started a package manager",
			Why:    "What it installs differs from day to day, is in no SBOM, and needs a network and rights that production should not give.",
			Remedy: "Install in a RUN.", Default: Error, run: checkInstall,
		},
		{
			Name: "ExposeVsListen", Summary: "EXPOSE and the ports that the program listens on differ",
			Why: "Platforms route to what EXPOSE says.", Remedy: "EXPOSE what the program opens, on all addresses.", Default: Warn, run: checkPorts,
		},
		{
			Name: "PrivilegedPort", Summary: "A program that is not root listens on a port below 1024",
			Why: "Docker allows it, other runtimes do not.", Remedy: "Use a port from 1024 on.", Default: Info, run: checkLowPorts,
		},
		{
			Name: "Pid1IgnoresSigterm", Summary: "The program does not end when it is asked to",
			Why:    "Every stop takes the whole grace time and ends in a kill, with what was in flight lost.",
			Remedy: "Handle the signal, use exec form, or put an init such as tini before it; STOPSIGNAL names another one.", Default: Warn, run: checkStop,
		},
		{
			Name: "Pid1IsShell", Summary: "The first process is a shell, or npm and the like, around the program",
			Why: "It does not pass signals on as the program needs them.", Remedy: "Use exec form, and `exec` in entrypoint scripts; start node itself and not npm.", Default: Warn, run: checkShellFirst,
		},
		{
			Name: "ZombiesNotReaped", Summary: "Processes that ended are not waited for",
			Why: "They use up the container's process ids.", Remedy: "Put an init such as tini first.", Default: Info, run: checkZombies,
		},
		{
			Name: "SetuidExecuted", Summary: "The run started a program that has more rights than its user",
			Why: "It will fail where privileges may not be raised (no-new-privileges).", Remedy: "Do what it does in a RUN.", Default: Info, run: checkSetuidRun,
		},
		{
			Name: "WritesOutsideDeclared", Summary: "The program writes outside of VOLUMEs and temporary folders",
			Why: "It cannot run with a read-only root, and loses what it wrote with the container.", Remedy: "Declare a VOLUME, or write to /tmp or /run.",
			Default: Info, run: checkWrites,
		},
		{
			Name: "TraceCoverageLow", Summary: "No probe connected to a port that the image exposes",
			Why: "What answers there was not exercised, so what it needs may be missing.", Remedy: "Add a probe for it.", Default: Warn, run: checkCoverage,
		},
	}
}

func checkRuntimeUser(p *pass, b *Built) {
	if i := b.Run.Main; i >= 0 && i < len(b.Run.Programs) && slices.Equal(b.Run.Programs[i].EUIDs, []uint32{0}) {
		p.report(instructionOf[*instructions.UserCommand](p), fmt.Sprintf("%s runs as root all the time: set USER", b.Run.Programs[i].Exe))
	}
}

func checkInstall(p *pass, b *Built) {
	installers := []string{"apt", "apt-get", "apk", "dnf", "dnf5", "microdnf", "yum", "zypper", "pip", "pip3", "gem"}
	for _, program := range b.Run.Programs {
		name := program.Exe
		if program.Script != "" {
			name = program.Script
		}
		if slices.Contains(installers, path.Base(string(name))) {
			p.report(instructionOf[*instructions.EntrypointCommand](p), fmt.Sprintf("%s was started at run time: install in a RUN", name))
		}
	}
}

// exposed are the TCP and UDP ports of the image, as "8080/tcp".
func (b *Built) exposed() []string {
	var ports []string
	for port := range b.Image.Config.ExposedPorts {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		ports = append(ports, strings.ToLower(port))
	}
	slices.Sort(ports)
	return ports
}

func checkPorts(p *pass, b *Built) {
	exposed := b.exposed()
	open, local := map[string]bool{}, map[string]bool{}
	for _, s := range b.Run.Listening {
		name := strconv.Itoa(s.Port) + "/" + strings.TrimSuffix(s.Protocol, "6")
		if addr, err := netip.ParseAddr(s.Address); err == nil && addr.IsLoopback() {
			local[name] = true
		} else {
			open[name] = true
		}
	}
	at := instructionOf[*instructions.ExposeCommand](p)
	for _, port := range exposed {
		switch {
		case open[port]:
		case local[port]:
			p.report(at, fmt.Sprintf("%s is exposed, but the program listens for it on the loopback address only: listen on 0.0.0.0", port))
		default:
			p.report(at, fmt.Sprintf("%s is exposed, and nothing listened there: EXPOSE what the program opens", port))
		}
	}
	for _, s := range b.Run.Listening {
		name := strconv.Itoa(s.Port) + "/" + strings.TrimSuffix(s.Protocol, "6")
		if s.Port != 0 && s.Protocol != "udp" && open[name] && !slices.Contains(exposed, name) {
			p.report(at, fmt.Sprintf("the program listens on %s, which is not exposed: EXPOSE %s", name, name))
			open[name] = false
		}
	}
}

func checkLowPorts(p *pass, b *Built) {
	if b.Facts.UID == nil || *b.Facts.UID == 0 {
		return
	}
	for _, s := range b.Run.Listening {
		if s.Port > 0 && s.Port < 1024 {
			p.report(instructionOf[*instructions.ExposeCommand](p), fmt.Sprintf("port %d is below 1024, and the program is not root: not every runtime lets it listen there", s.Port))
			return
		}
	}
}

func checkStop(p *pass, b *Built) {
	switch stop := b.Run.Stop; {
	case stop == nil:
	case !stop.InTime:
		p.report(instructionOf[*instructions.EntrypointCommand](p), fmt.Sprintf("%s did not end the program in time, it was killed: handle the signal", stop.Signal))
	case stop.Unhandled:
		p.report(instructionOf[*instructions.EntrypointCommand](p), fmt.Sprintf("the program does not handle %s, which the first process of a container ignores then: handle it, or put tini first", stop.Signal))
	}
}

func checkShellFirst(p *pass, b *Built) {
	i := b.Run.Main
	if i < 0 || i >= len(b.Run.Programs) {
		return
	}
	first := b.Run.Programs[i]
	shells := []string{"sh", "bash", "dash", "ash", "busybox"}
	launchers := []string{"npm-cli.js", "npx-cli.js", "yarn.js", "pnpm.cjs"}
	around := first.Exe
	if slices.Contains(launchers, path.Base(string(first.Script))) {
		around = first.Script
	} else if !slices.Contains(shells, path.Base(string(first.Exe))) {
		return
	}
	if slices.ContainsFunc(b.Run.Programs, func(c manifest.Program) bool { return c.By == i }) {
		p.report(instructionOf[*instructions.EntrypointCommand](p), fmt.Sprintf("%s stays the first process around the program: use exec form, or exec in the script", around))
	}
}

func checkZombies(p *pass, b *Built) {
	if z := b.Run.Zombies; len(z) > 0 {
		p.report(instructionOf[*instructions.EntrypointCommand](p), fmt.Sprintf("nobody waits for %s: put an init such as tini first", strings.Join(z, ", ")))
	}
}

func checkSetuidRun(p *pass, b *Built) {
	for _, program := range b.Run.Programs {
		if slices.Contains(b.Facts.Setuid, program.Exe) {
			p.report(p.shipped.at, fmt.Sprintf("%s was started: it needs rights that hardened runtimes do not give", program.Exe))
		}
	}
}

func checkWrites(p *pass, b *Built) {
	declared := []string{"/tmp", "/run", "/var/run", "/var/tmp", "/dev", "/proc", "/sys"}
	for volume := range b.Image.Config.Volumes {
		declared = append(declared, path.Clean(volume))
	}
	var outside []manifest.Path
	for _, c := range b.Run.Changes {
		if !slices.ContainsFunc(declared, func(dir string) bool {
			return string(c.Path) == dir || strings.HasPrefix(string(c.Path), dir+"/")
		}) {
			outside = append(outside, c.Path)
		}
	}
	if len(outside) > 0 {
		p.report(instructionOf[*instructions.VolumeCommand](p), few(outside)+": written by the run: declare a VOLUME if a read-only root is wanted")
	}
}

func checkCoverage(p *pass, b *Built) {
	probed := slices.Clone(b.Probed)
	for _, s := range b.Run.Outbound { // a HEALTHCHECK's, an exec probe's
		if addr, err := netip.ParseAddr(s.Address); err == nil && addr.IsLoopback() {
			probed = append(probed, s.Port)
		}
	}
	for _, port := range b.exposed() {
		number, _ := strings.CutSuffix(port, "/tcp")
		if n, err := strconv.Atoi(number); err == nil && !slices.Contains(probed, n) {
			p.report(instructionOf[*instructions.ExposeCommand](p), fmt.Sprintf("no probe connected to %s: add `# slim: probe tcp %d`, or one that says more", port, n))
		}
	}
}
