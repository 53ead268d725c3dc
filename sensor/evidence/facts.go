package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
)

// facts collects what the rules ask about the image's files, entry by entry.
type facts struct {
	manifest.Facts
	root    *rootfs.Root
	read    int // files searched for secrets
	groups  []int
	volumes []string
}

func newFacts(root *rootfs.Root, image manifest.Image) *facts {
	f := &facts{Facts: manifest.Facts{Version: manifest.Version}, root: root, volumes: image.Volumes}
	f.readOS()
	f.resolveUser(image.User)
	for _, db := range []string{"/var/lib/dpkg/status", "/lib/apk/db/installed", "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages"} {
		if info, err := root.Lstat(db); err == nil {
			f.PackagesAt = max(f.PackagesAt, info.Mtime.Sec)
		}
	}
	return f
}

// maxText bounds the account files and os-release, in bytes.
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

// resolveUser finds the id that USER stands for.
func (f *facts) resolveUser(name string) {
	accounts := func(path string) io.Reader {
		data, err := f.root.ReadFile(path, maxText)
		if err != nil {
			return bytes.NewReader(nil)
		}
		return bytes.NewReader(data)
	}
	account, err := user.GetExecUser(name, &user.ExecUser{}, accounts("/etc/passwd"), accounts("/etc/group"))
	if err != nil {
		return // the run has failed for it
	}
	uid := uint32(account.Uid)
	f.UID, f.groups = &uid, append(account.Sgids, account.Gid)
}

// kept looks at an entry that is shipped; owned says that a package has it.
func (f *facts) kept(e keepset.Entry, info rootfs.Info, owned bool) error {
	f.hide(e.Path)
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
	if e.Reasons&(keepset.Executed|keepset.Mapped) != 0 && f.unprivileged() && f.may(info, 2) && !f.isDeclared(e.Path) {
		f.add(&f.WritableCode, e.Path)
	}
	if e.Reasons&(keepset.Opened|keepset.Executed) != 0 && !f.may(info, 4) {
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
	if owned {
		return nil
	}
	return f.searchSecret(e.Path, info)
}

// removed looks at an entry that is not shipped.
func (f *facts) removed(name string, info rootfs.Info) {
	f.hide(name)
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

// unprivileged tells whether the image's user is known not to be root.
func (f *facts) unprivileged() bool { return f.UID != nil && *f.UID != 0 }

// hide notes the VOLUME that a path lies in.
func (f *facts) hide(name string) {
	for _, v := range f.volumes {
		if v = path.Clean(v); strings.HasPrefix(name, v+"/") && !slices.Contains(f.Hidden, manifest.Path(v)) {
			f.add(&f.Hidden, v)
		}
	}
}

// may tells whether the image's user may read (4) or write (2) a file. Root may,
// and so may a user who is not known.
func (f *facts) may(info rootfs.Info, what uint32) bool {
	switch {
	case f.UID == nil || *f.UID == 0:
		return true
	case info.UID == *f.UID:
		return info.Mode>>6&what != 0
	case slices.Contains(f.groups, int(info.GID)):
		return info.Mode>>3&what != 0
	}
	return info.Mode&what != 0
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
