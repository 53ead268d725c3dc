package shell

import (
	"slices"
	"strings"
)

// Call is a command line taken apart by what its program takes for options.
type Call struct {
	*Command
	// Tool is the program under its usual name: pip for pip3.11 and for
	// python3 -m pip.
	Tool string
	// Sub is the first operand, of programs that have sub-commands.
	Sub string
	// SubWord is where it stands.
	SubWord Word
	// Operands are the words that are no options, without Sub.
	Operands []Word
	// Options are in the order of the line.
	Options []Option
	// Opaque says that options may hide in what is not known.
	Opaque bool
}

// Option is one option: "-y" or "--name", with its value.
type Option struct {
	Name  string
	Value string
	// Known is false if the value is not known.
	Known bool
	Word  Word // that holds the option
}

// Has tells whether one of the options is given.
func (c Call) Has(names ...string) bool {
	return slices.ContainsFunc(c.Options, func(o Option) bool { return slices.Contains(names, o.Name) })
}

// Lacks tells whether certainly none of the options is given.
func (c Call) Lacks(names ...string) bool { return !c.Opaque && !c.Has(names...) }

// Is tells whether the tool is the given one, and the sub-command among subs.
func (c Call) Is(tool string, subs ...string) bool {
	return c.Tool == tool && (len(subs) == 0 || slices.Contains(subs, c.Sub))
}

// grammar is what a program takes for options: its manual page.
type grammar struct {
	subs   bool     // the first operand is a sub-command
	values string   // letters of options that take a value
	long   []string // long options that may take a value as a word of its own
	single bool     // long options have one dash
	tail   bool     // what is behind "--" is for another program
}

func fields(s string) []string { return strings.Fields(s) }

// grammars are those of the programs that rules look at.
var grammars = map[string]grammar{
	"apt-get":  {subs: true, values: "octaP", long: fields("option config-file target-release default-release host-architecture build-profiles")},
	"apk":      {subs: true, values: "Xpt", long: fields("repository root virtual arch cache-dir cache-max-age keys-dir repositories-file wait timeout progress-fd")},
	"dnf":      {subs: true, values: "cdexR", long: fields("config debuglevel errorlevel exclude enablerepo disablerepo repo repoid setopt releasever installroot forcearch disableplugin enableplugin advisory cve bz sec-severity rpmverbosity comment color downloaddir destdir repofrompath disableexcludes")},
	"zypper":   {subs: true, values: "cDCRrtp", long: fields("config reposd-dir cache-dir raw-cache-dir solv-cache-dir pkg-cache-dir root installroot repo type plus-repo from releasever category severity date")},
	"pip":      {subs: true, values: "rcetifdwC", long: fields("requirement constraint editable target platform python-version implementation abi root prefix src upgrade-strategy index-url extra-index-url find-links no-binary only-binary config-settings global-option install-option build-option cache-dir trusted-host proxy retries timeout exists-action cert client-cert log progress-bar report root-user-action use-feature use-deprecated python keyring-provider group wheel-dir dest")},
	"npm":      {subs: true, values: "Cw", long: fields("prefix registry cache loglevel userconfig globalconfig omit include only workspace tag before fetch-retries fetch-timeout fetch-retry-mintimeout fetch-retry-maxtimeout install-strategy script-shell cafile ca network-timeout cwd cache-folder modules-folder global-folder mutex network-concurrency filter dir store-dir reporter otp depth")},
	"gem":      {subs: true, tail: true, values: "vinsPgp", long: fields("version install-dir bindir source platform build-root document trust-policy file http-proxy config-file without")},
	"go":       {subs: true, single: true, long: fields("tags ldflags o mod modfile p gcflags asmflags buildmode C overlay pkgdir toolexec exec pgo installsuffix compiler gccgoflags covermode coverpkg")},
	"curl":     {values: "AbcCdDeEFHKmoPQrtTuUwxXyYz", long: fields("output header data data-raw data-binary data-urlencode user user-agent request url proxy cacert capath cert key connect-timeout max-time retry retry-delay retry-max-time referer cookie cookie-jar config form upload-file range write-out resolve interface limit-rate noproxy output-dir proto proto-redir proto-default tls-max ciphers pinnedpubkey dump-header socks5 socks5-hostname unix-socket aws-sigv4 oauth2-bearer parallel-max max-redirs max-filesize speed-limit speed-time continue-at time-cond")},
	"wget":     {values: "oaeiBtOTwQPUlADIRXn", long: fields("output-file append-output execute input-file base tries output-document timeout dns-timeout connect-timeout read-timeout wait waitretry quota directory-prefix user-agent user password http-user http-password header post-data post-file method body-data level accept reject domains ca-certificate ca-directory certificate private-key secure-protocol progress referer max-redirect load-cookies save-cookies limit-rate")},
	"useradd":  {values: "bcdefgGkKpRPsuZ", long: fields("base-dir comment home home-dir expiredate inactive gid groups skel key password root prefix shell uid selinux-user")},
	"git":      {subs: true, values: "cC", long: fields("git-dir work-tree namespace branch depth origin")},
	"pacman":   {values: "brT", long: fields("dbpath root cachedir config arch hookdir gpgdir logfile color ignore ignoregroup overwrite assume-installed")},
	"rpm":      {values: "rED", long: fields("root dbpath define eval prefix relocate excludepath")},
	"dpkg":     {},
	"cd":       {},
	"ln":       {values: "tS", long: fields("target-directory suffix")},
	"rm":       {},
	"find":     {single: true, long: fields("name iname path type mindepth maxdepth exec execdir mtime size user group perm newer regex o a")},
	"tee":      {},
	"mv":       {values: "tS"},
	"chpasswd": {},
}

// aliases are other names of the tools above.
var aliases = map[string]string{
	"apt": "apt-get", "aptitude": "apt-get",
	"yum": "dnf", "microdnf": "dnf", "tdnf": "dnf", "dnf5": "dnf",
	"yarn": "npm", "yarnpkg": "npm", "pnpm": "npm",
}

// Call takes a command line apart. The options of a program that is not known
// here are taken to have no values but those behind "=".
func (c *Command) Call() Call {
	call := Call{Command: c, Tool: c.Name}
	args := c.Args
	switch {
	case versioned(c.Name, "pip"):
		call.Tool = "pip"
	case versioned(c.Name, "python"):
		call.Tool = "python"
		if i := slices.IndexFunc(args, func(w Word) bool { return !strings.HasPrefix(w.Text, "-") || w.Text == "-m" }); i >= 0 && args[i].Text == "-m" && i+1 < len(args) {
			if module := args[i+1]; module.Known {
				call.Tool = module.Text
			}
			args = args[i+2:]
		}
	case versioned(c.Name, "gem"):
		call.Tool = "gem"
	}
	g, ok := grammars[call.Tool]
	if !ok {
		g = grammars[aliases[call.Tool]]
	}
	call.read(args, g)
	if g.subs {
		call.takeSub()
	}
	return call
}

// takeSub takes the sub-command out of the operands, and the variables in front
// of it, which hold options.
func (c *Call) takeSub() {
	i := slices.IndexFunc(c.Operands, func(w Word) bool { return !w.Many })
	if i < 0 || !c.Operands[i].Known {
		return
	}
	c.SubWord, c.Operands = c.Operands[i], c.Operands[i+1:]
	c.Sub = c.SubWord.Text
}

// versioned tells whether a program is tool, with or without a version.
func versioned(name, tool string) bool {
	rest, ok := strings.CutPrefix(name, tool)
	return ok && strings.Trim(rest, "0123456789.-") == ""
}

// read sorts words into options and operands.
func (c *Call) read(args []Word, g grammar) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg.Known && arg.Text == "--":
			if !g.tail {
				c.Operands = append(c.Operands, args[i+1:]...)
			}
			return
		case arg.MayBeOption() && (!arg.Known && len(arg.Text) < 2):
			c.Opaque = true
			c.Operands = append(c.Operands, arg)
		case len(arg.Text) < 2 || arg.Text[0] != '-':
			c.Operands = append(c.Operands, arg)
		case strings.HasPrefix(arg.Text, "--") || g.single:
			name, value, has := strings.Cut(arg.Text, "=")
			o := Option{Name: name, Value: value, Known: arg.Known, Word: arg}
			if !has && slices.Contains(g.long, strings.TrimLeft(name, "-")) && i+1 < len(args) {
				i++
				o.Value, o.Known = args[i].Text, args[i].Known
			}
			c.Options = append(c.Options, o)
		default:
			if c.letters(arg, g, args[i+1:]) {
				i++
			}
		}
	}
}

// letters reads a word of short options; next are the words behind it. It
// returns whether the first of those is the value of the last option.
func (c *Call) letters(arg Word, g grammar, next []Word) (took bool) {
	for i, letter := range arg.Text[1:] {
		o := Option{Name: "-" + string(letter), Known: true, Word: arg}
		rest := arg.Text[1+i+len(string(letter)):]
		value, assigned := strings.CutPrefix(rest, "=")
		switch {
		case assigned, rest != "" && strings.ContainsRune(g.values, letter):
			o.Value, o.Known = value, arg.Known
			c.Options = append(c.Options, o)
			return false
		case rest == "" && arg.Known && len(next) > 0 && strings.ContainsRune(g.values, letter):
			o.Value, o.Known = next[0].Text, next[0].Known
			c.Options = append(c.Options, o)
			return true
		}
		c.Options = append(c.Options, o)
	}
	// What is not known may hold more letters.
	c.Opaque = c.Opaque || !arg.Known
	return false
}

// UpdatesOS tells whether the command applies the updates of the system's
// packages: all of them, not those of packages that it names.
func (c *Command) UpdatesOS() bool {
	call := c.Call()
	switch tool := call.Tool; tool {
	case "apt-get", "apt", "aptitude":
		return slices.Contains([]string{"upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade"}, call.Sub) &&
			!call.Has("-s", "--simulate", "--dry-run", "--just-print", "--no-act", "--recon", "-d", "--download-only")
	case "unattended-upgrade", "unattended-upgrades":
		return !call.Has("--dry-run")
	case "apk":
		return call.Sub == "upgrade" && len(call.Operands) == 0 && !call.Has("-s", "--simulate")
	case "dnf", "dnf5", "microdnf", "tdnf", "yum":
		return slices.Contains([]string{"upgrade", "update", "up", "upgrade-minimal", "update-minimal", "distro-sync"}, call.Sub) &&
			len(call.Operands) == 0 && !call.Has("--downloadonly", "--assumeno")
	case "zypper":
		return slices.Contains([]string{"update", "up", "patch", "dist-upgrade", "dup"}, call.Sub) &&
			len(call.Operands) == 0 && !call.Has("--dry-run", "-D", "--download-only", "-d")
	case "pacman":
		return call.Has("-S", "--sync") && call.Has("-u", "--sysupgrade")
	}
	return false
}
