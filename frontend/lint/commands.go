package lint

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint/shell"
)

// commandRules are about other programs in RUN.
func commandRules() []*Rule {
	return []*Rule{
		{
			Name:    "NoSudo",
			Summary: "A RUN uses sudo",
			Why:     "sudo in an image is a way to become root for whoever takes the program over, and it behaves oddly without a terminal.",
			Remedy:  "Do what needs root before USER, or between USER root and USER.",
			Bad:     "FROM debian:12.9-slim\nRUN sudo apt-get update\n",
			Good:    "FROM debian:12.9-slim\nUSER root\nRUN apt-get update && apt-get install -y curl\nUSER 65534\n",
			Default: Error,
			Aliases: []string{"DL3004", "DS-0010", "CKV2_DOCKER_1", "DKL-DI-0001"},
			check:   checkNoSudo,
		},
		{
			Name:    "UseraddNoLogInit",
			Summary: "useradd with a high uid writes huge sparse log files",
			Why:     "lastlog and faillog are as long as the highest uid times the size of a record; not all tools keep the holes.",
			Remedy:  "Add --no-log-init.",
			Bad:     "FROM debian:12.9-slim\nRUN useradd --uid 1000500000 app\n",
			Good:    "FROM debian:12.9-slim\nRUN useradd --no-log-init --uid 1000500000 app\n",
			Default: Info,
			Aliases: []string{"DL3046"},
			Safe:    true,
			check:   checkUseraddNoLogInit,
		},
		{
			Name:    "NoChpasswd",
			Summary: "A RUN sets a password",
			Why:     "The password is in the image's history and in the Dockerfile: everybody who has the image has it.",
			Remedy:  "Leave accounts without password; give secrets to the container when it runs.",
			Bad:     "FROM debian:12.9-slim\nRUN echo 'root:hunter2' | chpasswd\n",
			Good:    "FROM debian:12.9-slim\nRUN useradd app\n",
			Default: Error,
			Aliases: []string{"CKV2_DOCKER_17"},
			check:   checkNoChpasswd,
		},
		{
			Name:    "NoLoginInRun",
			Summary: "A RUN logs in to a service",
			Why:     "What it logs in with is in the history of the image or in a build argument, and the session that it gets stays in a file of the layer.",
			Remedy:  "Give the RUN the credentials' file with --mount=type=secret.",
			Bad:     "FROM debian:12.9-slim\nARG KEY\nRUN aws configure set aws_secret_access_key $KEY\n",
			Good: "FROM debian:12.9-slim\n" +
				"RUN --mount=type=secret,id=aws,target=/root/.aws/credentials aws s3 cp s3://example/app /app\n",
			Default: Error,
			Aliases: []string{"DS-0031"},
			check:   checkNoLoginInRun,
		},
		{
			Name:    "NoDisabledTLSVerify",
			Summary: "The certificates of servers are not verified",
			Why:     "Whoever stands between the build and the server can then put any program into the image.",
			Remedy:  "Remove it; add the certificate of your own authority to the trusted ones instead.",
			Bad:     "FROM debian:12.9-slim\nRUN curl -k -o /x https://example.com/x\n",
			Good:    "FROM debian:12.9-slim\nRUN curl -o /x https://example.com/x\n",
			Default: Error,
			Aliases: []string{"CKV2_DOCKER_2", "CKV2_DOCKER_3", "CKV2_DOCKER_4", "CKV2_DOCKER_5", "CKV2_DOCKER_6",
				"CKV2_DOCKER_12", "CKV2_DOCKER_13", "CKV2_DOCKER_14", "CKV2_DOCKER_15", "CKV2_DOCKER_16", "CKV2_DOCKER_18"},
			check: checkNoDisabledTLSVerify,
		},
		{
			Name:    "UseWorkdirNotCd",
			Summary: "A RUN changes its directory with cd",
			Why:     "cd lasts until the end of its RUN: on its own it does nothing, and within a long one it hides where the work is done.",
			Remedy:  "Set the directory with WORKDIR.",
			Bad:     "FROM debian:12.9-slim\nRUN cd /app\n",
			Good:    "FROM debian:12.9-slim\nWORKDIR /app\n",
			Default: Info,
			Aliases: []string{"DL3003", "DS-0013"},
			check:   checkUseWorkdirNotCd,
		},
		{
			Name:    "ShellNotRunLn",
			Summary: "/bin/sh is replaced by another shell",
			Why:     "The system's own scripts rely on what /bin/sh is.",
			Remedy:  "Choose the shell of RUN with SHELL.",
			Bad:     "FROM debian:12.9-slim\nRUN ln -sf /bin/bash /bin/sh\n",
			Good:    "FROM debian:12.9-slim\nSHELL [\"/bin/bash\", \"-c\"]\n",
			Default: Warn,
			Aliases: []string{"DL4005"},
			check:   checkShellNotRunLn,
		},
		{
			Name:    "PipefailMissing",
			Summary: "The failure of a command in a pipe is not seen",
			Why:     "A pipeline succeeds if its last command does: a failed download in front of it leaves a broken image.",
			Remedy:  "Write SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"] (on Alpine /bin/ash), or start the RUN with set -o pipefail.",
			Bad:     "FROM debian:12.9-slim\nRUN curl https://example.com/x | sh\n",
			Good:    "FROM debian:12.9-slim\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl https://example.com/x | sh\n",
			Default: Warn,
			Aliases: []string{"DL4006", "DS-0032"},
			check:   checkPipefailMissing,
		},
		{
			Name:    "NonsenseCommand",
			Summary: "A RUN uses a program that makes no sense while an image is built",
			Why:     "There is no user, no service manager and no machine to shut down in a build.",
			Remedy:  "Remove the command.",
			Bad:     "FROM debian:12.9-slim\nRUN service nginx start\n",
			Good:    "FROM debian:12.9-slim\nRUN nginx -t\n",
			Default: Info,
			Aliases: []string{"DL3001"},
			check:   checkNonsenseCommand,
		},
		{
			Name:    "WgetOrCurl",
			Summary: "A stage uses both wget and curl",
			Why:     "One of them is enough; the other is one more package in the image.",
			Remedy:  "Use one of them.",
			Bad:     "FROM debian:12.9-slim\nRUN wget https://example.com/x\nRUN curl -O https://example.com/y\n",
			Good:    "FROM debian:12.9-slim\nRUN curl -O https://example.com/x\nRUN curl -O https://example.com/y\n",
			Default: Info,
			Aliases: []string{"DL4001", "DS-0014"},
			check:   checkWgetOrCurl,
		},
		{
			Name:    "WgetProgress",
			Summary: "wget fills the build log with progress bars",
			Why:     "Without a terminal wget prints a line for every few kilobytes.",
			Remedy:  "Add --progress=dot:giga, or -nv.",
			Bad:     "FROM debian:12.9-slim\nRUN wget https://example.com/x\n",
			Good:    "FROM debian:12.9-slim\nRUN wget --progress=dot:giga https://example.com/x\n",
			Aliases: []string{"DL3047"},
			Safe:    true,
			check:   checkWgetProgress,
		},
		{
			Name:    "ConsecutiveRuns",
			Summary: "A RUN of a command or two follows another",
			Why:     "Every RUN is a layer; what one adds and the next removes stays in the image.",
			Remedy:  "Join them with && or a here-document, unless the cache of the first one is worth a layer.",
			Bad:     "FROM debian:12.9-slim\nRUN a\nRUN b\n",
			Good:    "FROM debian:12.9-slim\nRUN a && b\n",
			Aliases: []string{"DL3059"},
			check:   checkConsecutiveRuns,
		},
	}
}

func checkNoSudo(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if c.Name == "sudo" {
				p.reportRange(c.Word.Range, "a build is root where it has to be: change the user with USER instead of sudo")
			}
		}
	}
}

func checkUseraddNoLogInit(p *pass) {
	const high = 99999
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if !c.Is("useradd") || !c.Lacks("-l", "--no-log-init") {
				continue
			}
			i := slices.IndexFunc(c.Options, func(o shell.Option) bool { return (o.Name == "-u" || o.Name == "--uid") && o.Known })
			if i < 0 {
				continue
			}
			if uid, err := strconv.ParseUint(c.Options[i].Value, 10, 32); err == nil && uid > high {
				p.reportRange(c.Range, "useradd with a uid this high writes huge log files: add --no-log-init", insert(c, c.Word, "--no-log-init")...)
			}
		}
	}
}

func checkNoChpasswd(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if c.Is("chpasswd") {
				p.reportRange(c.Range, "chpasswd leaves a password in the image: leave the account without one")
			}
		}
	}
}

func checkNoLoginInRun(p *pass) {
	for _, r := range p.runs() {
		secret := slices.ContainsFunc(instructions.GetMounts(r.cmd.(*instructions.RunCommand)), func(m *instructions.Mount) bool {
			return m.Type == instructions.MountTypeSecret
		})
		for _, c := range r.calls {
			if logsIn(c) && !secret {
				p.reportRange(c.Range, "the credentials are in the image for good: mount the file that has them, with --mount=type=secret")
			}
		}
	}
}

// logsIn tells whether a call gives a tool credentials, which it keeps.
func logsIn(c shell.Call) bool {
	var words []string
	for _, w := range c.Operands {
		words = append(words, w.Text)
	}
	line := strings.Join(words, " ") + " "
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(line, prefix+" ") })
	}
	switch c.Tool {
	case "aws":
		return begins("configure set aws_access_key_id", "configure set aws_secret_access_key", "configure set aws_session_token")
	case "az", "docker", "podman", "oras", "crane":
		return begins("login", "auth login")
	case "gcloud":
		return begins("auth activate-service-account", "auth login")
	case "gh":
		return begins("auth login")
	}
	return false
}

func checkNoDisabledTLSVerify(p *pass) {
	for _, s := range p.stages {
		for _, in := range s.instructions {
			for _, kv := range variables(in.cmd) {
				if disablesTLS(kv.Key, kv.Value) {
					p.report(in.at, kv.Key+" turns the verification of certificates off: remove it")
				}
			}
		}
	}
	for _, r := range p.runs() {
		for _, a := range r.script.Assigns {
			if a.Value.Known && disablesTLS(a.Name, a.Value.Text) {
				p.reportRange(a.Range, a.Name+" turns the verification of certificates off: remove it")
			}
		}
		for _, c := range r.calls {
			if what, ok := insecure(c); ok {
				p.reportRange(c.Range, c.Name+" with "+what+" takes anybody for the server: remove it")
			}
		}
	}
}

// variables are those that ENV or ARG sets.
func variables(cmd instructions.Command) instructions.KeyValuePairs {
	var all instructions.KeyValuePairs
	switch c := cmd.(type) {
	case *instructions.EnvCommand:
		return c.Env
	case *instructions.ArgCommand:
		for _, kv := range c.Args {
			all = append(all, instructions.KeyValuePair{Key: kv.Key, Value: kv.ValueString()})
		}
	}
	return all
}

func disablesTLS(name, value string) bool {
	value = strings.Trim(value, `"'`)
	switch strings.ToUpper(name) {
	case "PYTHONHTTPSVERIFY", "NODE_TLS_REJECT_UNAUTHORIZED":
		return value == "0"
	case "NPM_CONFIG_STRICT_SSL", "YARN_STRICT_SSL":
		return isFalse(value)
	case "GIT_SSL_NO_VERIFY", "PIP_TRUSTED_HOST", "GOINSECURE": // Git takes any value for a yes
		return value != ""
	}
	return false
}

// insecure returns what makes a command trust any server.
func insecure(c shell.Call) (string, bool) {
	has := func(names ...string) (string, bool) {
		i := slices.IndexFunc(c.Options, func(o shell.Option) bool { return slices.Contains(names, o.Name) && !isFalse(o.Value) })
		if i < 0 {
			return "", false
		}
		return c.Options[i].Name, true
	}
	switch {
	case c.Tool == "curl" && !local(c):
		return has("-k", "--insecure", "--proxy-insecure")
	case c.Tool == "wget" && !local(c):
		return has("--no-check-certificate")
	case c.Tool == "pip" && c.Sub == "config":
		return setting(c, "trusted-host", func(string) bool { return true })
	case c.Tool == "pip":
		return has("--trusted-host")
	case c.Tool == "npm", c.Tool == "yarn", c.Tool == "pnpm":
		for _, o := range c.Options {
			if o.Name == "--strict-ssl" && isFalse(o.Value) || o.Name == "--no-strict-ssl" {
				return o.Name, true
			}
		}
		return setting(c, "strict-ssl", isFalse)
	case c.Tool == "git":
		for _, o := range c.Options {
			if name, value, _ := strings.Cut(o.Value, "="); o.Name == "-c" && strings.EqualFold(name, "http.sslVerify") && isFalse(value) {
				return o.Value, true
			}
		}
		return setting(c, "sslverify", isFalse)
	case c.Tool == "echo", c.Tool == "printf", c.Tool == "sed":
		return insecureLine(c)
	case rpmCall(c), c.Tool == "yum-config-manager":
		for _, o := range c.Options {
			name, value, _ := strings.Cut(o.Value, "=")
			if o.Name == "--setopt" && (name == "sslverify" || strings.HasSuffix(name, ".sslverify")) && isFalse(value) {
				return o.Value, true
			}
		}
	case aptCall(c):
		for _, o := range c.Options {
			name, value, _ := strings.Cut(strings.ToLower(o.Value), "=")
			if o.Name == "-o" && strings.HasPrefix(name, "acquire::https") && strings.HasSuffix(name, "::verify-peer") && isFalse(strings.Trim(value, `"'`)) {
				return o.Value, true
			}
		}
	}
	return "", false
}

// insecureLine looks for a line that is written into a configuration; of a
// substitution the last one counts.
func insecureLine(c shell.Call) (string, bool) {
	for _, w := range c.Operands {
		if !strings.Contains(w.Text, "ssl") {
			continue
		}
		all := regexp.MustCompile(`(?i)\b(sslverify|strict-ssl)\s*=\s*\w+`).FindAllString(w.Text, -1)
		if len(all) == 0 {
			continue
		}
		if _, value, _ := strings.Cut(all[len(all)-1], "="); isFalse(strings.TrimSpace(value)) {
			return all[len(all)-1], c.Tool == "sed" || len(c.Redirects) > 0
		}
	}
	return "", false
}

// local tells whether a download is from the build itself.
func local(c shell.Call) bool {
	return slices.ContainsFunc(c.Operands, func(w shell.Word) bool {
		return strings.Contains(w.Text, "://localhost") || strings.Contains(w.Text, "://127.0.0.1")
	})
}

// setting looks in a call of "config set" for a key that ends in name, with a
// value that is bad: as two words, or as key=value.
func setting(c shell.Call, name string, bad func(string) bool) (string, bool) {
	if !slices.Contains([]string{"config", "c", "set"}, c.Sub) {
		return "", false
	}
	for i, w := range c.Operands {
		key, value, assigned := strings.Cut(w.Text, "=")
		if !assigned && i+1 < len(c.Operands) {
			value = c.Operands[i+1].Text
		}
		if strings.HasSuffix(strings.ToLower(key), name) && value != "" && bad(value) {
			return key + "=" + value, true
		}
	}
	return "", false
}

func checkUseWorkdirNotCd(p *pass) {
	for _, r := range p.runs() {
		if i := slices.IndexFunc(r.calls, func(c shell.Call) bool { return c.Name == "cd" }); i >= 0 {
			p.reportRange(r.calls[i].Range, "cd lasts until the end of this RUN only: use WORKDIR, or an option of the tool such as make -C")
		}
	}
}

func checkShellNotRunLn(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if !slices.Contains([]string{"ln", "cp", "mv"}, c.Tool) || len(c.Operands) < 2 {
				continue
			}
			if link := c.Operands[len(c.Operands)-1].Text; link == "/bin/sh" || link == "/usr/bin/sh" {
				p.reportRange(c.Range, "the system's own scripts rely on "+link+": choose the shell of RUN with SHELL")
			}
		}
	}
}

func checkPipefailMissing(p *pass) {
	for _, r := range p.runs() {
		for _, pipe := range r.script.Pipes {
			if pipe.Pipefail || pipe.Shell == "dash" || r.cannotFail(pipe) {
				continue
			}
			p.reportRange(pipe.Range, "only the last command's failure is seen in a pipe: set -o pipefail, with SHELL for all of the stage")
			break // one remedy is for all
		}
	}
}

// cannotFail tells whether the commands of a pipeline in front of the last are
// such as do not fail, or are meant to be cut short.
func (r *run) cannotFail(pipe shell.Pipe) bool {
	harmless := []string{"echo", "printf", "yes", "true", ":", "tee"}
	return !slices.ContainsFunc(pipe.Stages[:len(pipe.Stages)-1], func(stage parser.Range) bool {
		i := slices.IndexFunc(r.calls, func(c shell.Call) bool { return before(stage.Start, c.Range.Start) })
		return i < 0 || !slices.Contains(harmless, r.calls[i].Name)
	})
}

// before tells whether a is not behind b.
func before(a, b parser.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character <= b.Character
}

func checkNonsenseCommand(p *pass) {
	nonsense := []string{"ssh", "vim", "nano", "shutdown", "service", "ps", "free", "top", "kill", "mount", "ifconfig"}
	system := []string{"", "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"}
	for _, r := range p.runs() {
		for _, c := range r.calls {
			if dir, _ := path.Split(c.Word.Text); slices.Contains(nonsense, c.Name) && slices.Contains(system, dir) {
				p.reportRange(c.Range, c.Name+" makes no sense while an image is built: remove it")
			}
		}
	}
}

func checkWgetOrCurl(p *pass) {
	for _, s := range p.stages {
		var calls []shell.Call
		for _, r := range s.runs {
			calls = append(calls, r.calls...)
		}
		calls = slices.DeleteFunc(calls, func(c shell.Call) bool { return c.Tool != "wget" && c.Tool != "curl" })
		if i := slices.IndexFunc(calls, func(c shell.Call) bool { return c.Tool != calls[0].Tool }); i >= 0 {
			p.reportRange(calls[i].Range, "this stage uses "+calls[0].Tool+" already: use one of the two")
		}
	}
}

func checkWgetProgress(p *pass) {
	for _, r := range p.runs() {
		for _, c := range r.calls {
			quiet := c.Has("-q", "--quiet", "--no-verbose", "-o", "--output-file", "-a", "--append-output", "--progress", "--version", "-V", "--help") ||
				slices.ContainsFunc(c.Options, func(o shell.Option) bool { return o.Name == "-n" && o.Value == "v" })
			if c.Is("wget") && !quiet && !c.Opaque {
				p.reportRange(c.Range, "wget prints a line for every few kilobytes: add --progress=dot:giga", insert(c, c.Word, "--progress=dot:giga")...)
			}
		}
	}
}

func checkConsecutiveRuns(p *pass) {
	for _, s := range p.stages {
		for i := 1; i < len(s.instructions); i++ {
			before, now := s.instructions[i-1], s.instructions[i]
			_, one := before.cmd.(*instructions.RunCommand)
			_, two := now.cmd.(*instructions.RunCommand)
			if one && two && before.onbuild == now.onbuild && slices.Equal(before.node.Flags, now.node.Flags) && s.small(before) && s.small(now) {
				p.report(now.at, "this RUN follows another: join them")
			}
		}
	}
}

// small tells whether a RUN is one or two commands: who joins more has thought
// about where the layers are.
func (s *stage) small(in *instruction) bool {
	i := slices.IndexFunc(s.runs, func(r *run) bool { return r.instruction == in })
	return i >= 0 && len(s.runs[i].script.Commands) <= 2
}
