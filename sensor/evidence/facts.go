package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// facts collects what the rules ask about the image's files, entry by entry.
type facts struct {
	manifest.Facts
	root    *rootfs.Root
	account program.Account
	checker *program.Checker
	read    int  // files searched for secrets or for what they were made for
	checked int  // kept programs whose needs were looked at
	musl    bool // the image's C library is musl
	volumes []string
	places  []string // of Copied; empty for one that left nothing
}

// newFacts finds the facts that no walk through the image is needed for.
func newFacts(root *rootfs.Root, pack manifest.Pack) (*facts, error) {
	account := program.ReadAccount(root, pack.Image.User)
	checker, err := program.NewChecker(root, pack.Image, account, pack.Platform)
	if err != nil {
		return nil, err
	}
	f := &facts{
		Facts: manifest.Facts{Version: manifest.Version, UID: account.UID},
		root:  root, account: account, checker: checker, volumes: pack.Image.Volumes,
	}
	f.readOS()
	for _, db := range []string{"/var/lib/dpkg/status", "/lib/apk/db/installed", "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages"} {
		if info, err := root.Lstat(db); err == nil {
			f.PackagesAt = max(f.PackagesAt, info.Mtime.Sec)
		}
	}
	if f.musl, err = hasMusl(root); err != nil {
		return nil, err
	}
	if err := f.locate(pack.Copied); err != nil {
		return nil, err
	}
	return f, f.checkCommands(pack.Image)
}

// checkCommands notes what keeps the programs of the image's config from starting.
func (f *facts) checkCommands(image manifest.Image) error {
	for _, c := range []struct {
		command string
		args    []string
	}{
		{manifest.CommandMain, slices.Concat(image.Entrypoint, image.Cmd)},
		{manifest.CommandHealthcheck, image.Healthcheck},
	} {
		o, err := f.checker.Command(c.args)
		if err != nil {
			return err
		}
		f.obstruct(c.command, o)
	}
	return nil
}

func (f *facts) obstruct(command string, o *manifest.Obstacle) {
	switch {
	case o == nil:
	case len(f.Obstacles) >= manifest.MaxFacts:
		f.Omitted++
	default:
		o.Command = command
		f.Obstacles = append(f.Obstacles, *o)
	}
}

// maxText bounds os-release, in bytes.
const maxText = 1 << 20

// readOS reads os-release(5). An image without it is no distribution's.
func (f *facts) readOS() {
	var data []byte
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		physical, _, err := f.root.Resolve(name, func(string) {})
		if err != nil {
			continue
		}
		if data, err = f.root.ReadFile(physical, maxText); err == nil {
			break
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			f.OS.ID = value
		case "VERSION_ID":
			f.OS.VersionID = value
		case "PRETTY_NAME":
			f.OS.Name = value
		}
	}
}

// entry looks at an entry of the image, whether it is kept or not.
func (f *facts) entry(name string, info rootfs.Info) error {
	f.hide(name)
	return f.lookForMusl(name, info)
}

// kept looks at an entry that is shipped; owned says that a package has it.
func (f *facts) kept(e keepset.Entry, info rootfs.Info, owned bool) error {
	f.count(e.Path, info, true)
	if info.IsLink() {
		return nil
	}
	raised, err := f.raises(e.Path, info)
	if err != nil {
		return err
	}
	if raised {
		f.add(&f.Setuid, e.Path)
	}
	if info.Mode&unix.S_IWOTH != 0 && (info.IsRegular() || info.IsDir() && info.Mode&unix.S_ISVTX == 0) {
		f.add(&f.WorldWritable, e.Path)
	}
	if !info.IsRegular() {
		return nil
	}
	if e.Reasons&(keepset.Executed|keepset.Mapped) != 0 && f.account.Unprivileged() && f.account.May(info, 2) && !f.isDeclared(e.Path) {
		f.add(&f.WritableCode, e.Path)
	}
	if e.Reasons&(keepset.Opened|keepset.Executed) != 0 && !f.account.May(info, 4) {
		f.add(&f.Unreadable, e.Path)
	}
	base := path.Base(e.Path)
	switch {
	case e.Reasons&(keepset.Executed|keepset.User) != 0:
	case isShell(base) && info.Mode&0o111 != 0:
		f.add(&f.Shells, e.Path)
	case isPackageManager(base) && info.Mode&0o111 != 0:
		f.add(&f.PackageManagers, e.Path)
	}
	switch {
	case strings.HasPrefix(base, "libssl.so") || strings.HasPrefix(base, "libgnutls.so"):
		f.TLS = manifest.Path(e.Path)
	case base == "ca-certificates.crt" || base == "ca-bundle.crt" || base == "tls-ca-bundle.pem" || base == "cert.pem":
		f.CA = true
	}
	if err := f.checkKept(e, info); err != nil || owned {
		return err
	}
	return f.searchSecret(e.Path, info)
}

// maxChecked bounds the kept programs whose needs are looked at.
const maxChecked = 1000

// checkKept looks at what a program needs that a keep directive names and no run
// has started.
func (f *facts) checkKept(e keepset.Entry, info rootfs.Info) error {
	if e.Reasons&keepset.User == 0 || e.Reasons&keepset.Executed != 0 || info.Mode&0o111 == 0 || f.checked >= maxChecked {
		return nil
	}
	f.checked++
	o, err := f.checker.Program(e.Path)
	f.obstruct(manifest.CommandKept, o)
	return err
}

// removed looks at an entry that is not shipped.
func (f *facts) removed(name string, info rootfs.Info) {
	f.count(name, info, false)
	if isDevTool(path.Base(name), path.Base(path.Dir(name))) && !info.IsLink() {
		f.add(&f.DevTools, name)
	}
}

func (f *facts) add(list *[]manifest.Path, path string) {
	if len(*list) >= manifest.MaxFacts {
		f.Omitted++
		return
	}
	*list = append(*list, manifest.Path(path))
}

// raises tells whether executing a file gives privileges.
func (f *facts) raises(path string, info rootfs.Info) (bool, error) {
	if !info.IsRegular() {
		return false, nil
	}
	if info.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return true, nil
	}
	if info.Mode&0o111 == 0 {
		return false, nil
	}
	file, err := f.root.OpenFile(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	n, err := unix.Fgetxattr(int(file.Fd()), "security.capability", nil)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.EOPNOTSUPP) {
		return false, nil
	}
	return n > 0, err
}

// hide notes the VOLUME that a path lies in.
func (f *facts) hide(name string) {
	for _, v := range f.volumes {
		if v = path.Clean(v); strings.HasPrefix(name, v+"/") && !slices.Contains(f.Hidden, manifest.Path(v)) {
			f.add(&f.Hidden, v)
		}
	}
}

// isDeclared tells whether a path is in a folder that is meant to be written.
func (f *facts) isDeclared(name string) bool {
	return slices.ContainsFunc(append([]string{"/tmp", "/run", "/var/tmp"}, f.volumes...), func(dir string) bool {
		return strings.HasPrefix(name, path.Clean(dir)+"/")
	})
}

func isShell(base string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "busybox"}, base)
}

func isPackageManager(base string) bool {
	return slices.Contains([]string{
		"apt", "apt-get", "dpkg", "apk", "rpm", "dnf", "dnf5", "microdnf", "tdnf", "yum", "zypper", "pacman",
		"pip", "pip3", "npm", "npx", "yarn", "pnpm", "gem", "composer",
	}, base)
}

// isDevTool tells whether a name is that of a program or package that only
// development needs; dir is the folder's name.
func isDevTool(base, dir string) bool {
	switch dir {
	case "bin":
		return slices.Contains([]string{"gcc", "cc", "g++", "make", "cmake", "gdb", "strace", "git", "pytest", "tsc", "eslint", "jest", "mocha"}, base)
	case "node_modules":
		return slices.Contains([]string{"typescript", "eslint", "jest", "mocha", "webpack", "nodemon", "prettier", "vite"}, base)
	case "site-packages", "dist-packages":
		return slices.Contains([]string{"pytest", "_pytest", "mypy", "pylint", "flake8", "black", "coverage", "ipython"}, base)
	}
	return false
}

// Bounds on the search for secrets: credentials are small, and an image whose
// app has more files of its own than this does not hide one among them.
const (
	maxSecret   = 64 << 10 // bytes of a file
	maxSearched = 20000    // files
)

// secretMarks are what files with credentials hold.
func secretMarks() []struct{ text, kind string } {
	return []struct{ text, kind string }{
		{"-----BEGIN PRIVATE KEY-----", "private key"},
		{"-----BEGIN RSA PRIVATE KEY-----", "private key"},
		{"-----BEGIN EC PRIVATE KEY-----", "private key"},
		{"-----BEGIN DSA PRIVATE KEY-----", "private key"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----", "private key"},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----", "private key"},
		{"-----BEGIN PGP PRIVATE KEY BLOCK-----", "private key"},
		{":_authToken=", "npm token"},
		{"aws_secret_access_key", "cloud credentials"},
		{`"type": "service_account"`, "cloud credentials"},
		{`"auths":`, "registry login"},
	}
}

// searchSecret looks for a credential in a small text file. Source code may talk
// of one: a mark counts only at the start of a line, but for JSON.
func (f *facts) searchSecret(name string, info rootfs.Info) error {
	if info.Size == 0 || info.Size > maxSecret || f.read >= maxSearched {
		return nil
	}
	f.read++
	data, err := f.root.ReadFile(name, maxSecret)
	if err != nil {
		return err
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil
	}
	for _, mark := range secretMarks() {
		for line := range bytes.Lines(data) {
			line = bytes.TrimSpace(line)
			at := bytes.Index(line, []byte(mark.text))
			if at < 0 || at > 0 && !strings.HasPrefix(mark.text, ":") {
				continue
			}
			if len(f.Secrets) >= manifest.MaxFacts {
				f.Omitted++
				return nil
			}
			f.Secrets = append(f.Secrets, manifest.Secret{Path: manifest.Path(name), Kind: mark.kind})
			return nil
		}
	}
	return nil
}
