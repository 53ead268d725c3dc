package keepset

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/rootfs"
)

// family is a group of files that a kept file loads by name at run time, so
// that neither its ELF header nor a trace on another machine shows them all.
type family struct {
	// name matches the last name of the file, folder the folder it is in.
	name   *regexp.Regexp
	folder *regexp.Regexp // nil matches any
	keep   func(b *builder, f familyFile) error
}

// familyFile is a kept file that matched.
type familyFile struct {
	id    nodeID
	path  string
	dir   string
	match []string // submatches of family.name
}

func (b *builder) keepFamilies(id nodeID, path string) error {
	dir, base := rootfs.Parent(path), rootfs.Base(path)
	for _, fam := range families {
		m := fam.name.FindStringSubmatch(base)
		if m == nil || fam.folder != nil && !fam.folder.MatchString(dir) {
			continue
		}
		if err := fam.keep(b, familyFile{id: id, path: path, dir: dir, match: m}); err != nil {
			return err
		}
	}
	return nil
}

var families = []family{
	{name: regexp.MustCompile(`^libc\.so\.6$`), keep: keepByLibc},
	{name: regexp.MustCompile(`^libcrypto\.so\.`), keep: keepOpenSSL},
	{name: regexp.MustCompile(`^(libssl\.so\.|libgnutls\.so\.|libnss3\.so|libmbedtls\.so\.|libwolfssl\.so\.)`), keep: keepCertificates},
	{name: regexp.MustCompile(`\.so$`), folder: regexp.MustCompile(`/gconv$`), keep: keepGconv},
	{name: regexp.MustCompile(`^iconv$`), folder: regexp.MustCompile(`/bin$`), keep: keepAllGconv},
	{name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^/(etc|usr/lib)/pam\.d$`), keep: keepPAM},
	{name: regexp.MustCompile(`^(python3\.\d+)$`), folder: regexp.MustCompile(`/bin$`), keep: keepPythonOfBin},
	{name: regexp.MustCompile(`^lib(python3\.\d+)m?\.so\.`), keep: keepPythonOfLib},
	{name: regexp.MustCompile(`^libjvm\.so$`), folder: regexp.MustCompile(`/lib/(server|client|zero)$`), keep: keepJava},
}

// unwinder is what glibc loads for the first pthread_exit or pthread_cancel of
// a process, which it aborts without it, and for backtrace (glibc,
// misc/unwind-link.c). Whether a run comes to that is a matter of timing: an
// interpreter ends its threads so when it is stopped.
const unwinder = "libgcc_s.so.1"

// keepByLibc keeps what glibc loads by itself: the modules that
// /etc/nsswitch.conf names (nsswitch.conf(5)), and the unwinder.
func keepByLibc(b *builder, f familyFile) error {
	services := []string{"files", "dns"}
	conf, err := b.readSmall("/etc/nsswitch.conf")
	if err != nil {
		return err
	}
	if conf != nil {
		services = parseNSSwitch(conf)
	}
	libc, err := b.readELF(f.path)
	if err != nil || libc == nil {
		return err
	}
	libraries := []string{unwinder}
	for _, s := range services {
		libraries = append(libraries, "libnss_"+s+".so.2")
	}
	o := b.loader.Object(f.path, libc, nil)
	for _, name := range libraries {
		paths, err := b.loader.Find(name, o)
		if err != nil {
			return err
		}
		if err := b.followAll(LinkedLibrary, f.id, paths...); err != nil {
			return err
		}
	}
	return nil
}

// maxServices bounds the services of nsswitch.conf.
const maxServices = 64

// parseNSSwitch returns the services that any database names, each once.
func parseNSSwitch(conf []byte) []string {
	var services []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(conf)) {
		line, _, _ = strings.Cut(line, "#")
		_, list, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		list = actions.ReplaceAllString(list, " ")
		for _, s := range strings.Fields(list) {
			if !seen[s] && !strings.Contains(s, "/") && len(services) < maxServices {
				seen[s] = true
				services = append(services, s)
			}
		}
	}
	return services
}

// actions are the "[NOTFOUND=return]" of nsswitch.conf.
var actions = regexp.MustCompile(`\[[^]]*\]`)

// keepOpenSSL keeps the providers and engines beside libcrypto, and the
// configuration that names them (config(5ssl)).
func keepOpenSSL(b *builder, f familyFile) error {
	for _, pattern := range []string{"ossl-modules/*.so", "engines-*/*.so"} {
		if err := b.keepUnder(f.dir, pattern, LinkedLibrary, f.id); err != nil {
			return err
		}
	}
	return b.followAll(System, f.id, "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf")
}

// keepCertificates keeps the trust anchors of the distribution: the bundle,
// and the folder of hashed names, which is where OpenSSL itself looks on
// Debian.
func keepCertificates(b *builder, f familyFile) error {
	err := b.followAll(System, f.id, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
		"/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/lib/ssl/cert.pem", "/usr/lib/ssl/certs")
	if err != nil {
		return err
	}
	return b.keepUnder("/etc/ssl/certs", "[0-9a-f]*.[0-9]", System, f.id)
}

// keepGconv keeps the folder of a character set module that the run loaded:
// which others it needs depends on its input. Modules that came in with the
// folder itself need nothing more.
func keepGconv(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&touched == 0 {
		return nil
	}
	return b.keepUnder(f.dir, "**", LinkedLibrary, f.id)
}

// keepAllGconv keeps every character set for the program iconv(1).
func keepAllGconv(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&runs == 0 {
		return nil
	}
	for _, dir := range []string{"/usr/lib", "/usr/lib64"} {
		for _, pattern := range []string{"gconv/**", "*/gconv/**"} {
			if err := b.keepUnder(dir, pattern, LinkedLibrary, f.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepPAM keeps the modules and included files of a PAM service (pam.conf(5)).
func keepPAM(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	modules, includes := parsePAM(conf)
	folders, err := b.pamFolders()
	if err != nil {
		return err
	}
	for _, name := range includes {
		if err := b.followAll(LinkedLibrary, f.id, "/etc/pam.d/"+name, "/usr/lib/pam.d/"+name); err != nil {
			return err
		}
	}
	for _, module := range modules {
		if strings.HasPrefix(module, "/") {
			if err := b.followAll(LinkedLibrary, f.id, module); err != nil {
				return err
			}
			continue
		}
		for _, dir := range folders {
			if err := b.followAll(LinkedLibrary, f.id, rootfs.Join(dir, module)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pamFolders returns the folders that PAM modules may be in: security in the
// folders of libraries, which Debian has one for each architecture of.
func (b *builder) pamFolders() ([]string, error) {
	var folders []string
	for _, base := range []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64"} {
		physical, info, err := b.root.Resolve(base, func(string) {})
		if err := ignoreAbsent(err); err != nil {
			return nil, err
		}
		if !info.IsDir() {
			continue
		}
		names, err := b.root.ReadDirNames(physical)
		if err != nil {
			return nil, err
		}
		for _, name := range append(names, ".") {
			dir := path.Join(base, name, "security")
			if _, info, err := b.root.Resolve(dir, func(string) {}); err == nil && info.IsDir() {
				folders = append(folders, dir)
			}
		}
	}
	return folders, nil
}

// maxPAM bounds the modules, and the includes, of one file.
const maxPAM = 256

func parsePAM(conf []byte) (modules, includes []string) {
	text := strings.ReplaceAll(string(conf), "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(pamControl.ReplaceAllString(line, " control "))
		switch {
		case len(fields) >= 2 && fields[0] == "@include":
			includes = append(includes, fields[1])
		case len(fields) >= 3 && (fields[1] == "include" || fields[1] == "substack"):
			includes = append(includes, fields[2])
		case len(fields) >= 3:
			modules = append(modules, fields[2])
		}
	}
	return modules[:min(len(modules), maxPAM)], includes[:min(len(includes), maxPAM)]
}

// pamControl is the "[success=1 default=ignore]" of pam.conf(5).
var pamControl = regexp.MustCompile(`\s\[[^]]*\]\s`)

// keepPythonOfBin keeps the extension modules of PREFIX/bin/python3.N.
func keepPythonOfBin(b *builder, f familyFile) error {
	return b.keepExtensions(rootfs.Join(path.Dir(f.dir), "lib/"+f.match[1]), f)
}

// keepPythonOfLib is keepPythonOfBin for an application that embeds Python.
// Debian has the library one folder further down.
func keepPythonOfLib(b *builder, f familyFile) error {
	for _, dir := range []string{f.dir, path.Dir(f.dir)} {
		if err := b.keepExtensions(rootfs.Join(dir, f.match[1]), f); err != nil {
			return err
		}
	}
	return nil
}

// keepExtensions keeps the extension modules of a standard library that belong
// to its kept modules: _decimal to decimal. Keeping them all would drag in
// libraries, from Berkeley DB to Kerberos, for modules that nothing imports.
func (b *builder) keepExtensions(stdlib string, f familyFile) error {
	stdlib, info, err := b.root.Resolve(stdlib, func(string) {})
	if err != nil || !info.IsDir() {
		return ignoreAbsent(err)
	}
	extensions := rootfs.Join(stdlib, "lib-dynload")
	names, err := b.root.ReadDirNames(extensions)
	if err != nil {
		return ignoreAbsent(err)
	}
	tag := ".cpython-" + strings.TrimPrefix(strings.ReplaceAll(f.match[1], ".", ""), "python") + ".pyc"
	for _, name := range names {
		module, _, _ := strings.Cut(strings.TrimPrefix(name, "_"), ".")
		for _, source := range []string{module + ".py", module, "__pycache__/" + module + tag} {
			if b.tree.find(rootfs.Join(stdlib, source)) == 0 {
				continue
			}
			if err := b.keepPhysical(rootfs.Join(extensions, name), RuntimeRule, f.id); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// keepJava keeps the lib and conf folders of the Java installation of libjvm.
func keepJava(b *builder, f familyFile) error {
	home := path.Dir(path.Dir(f.dir))
	for _, pattern := range []string{"lib/**", "conf/**", "release"} {
		if err := b.keepUnder(home, pattern, RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return nil
}

// maxSmall bounds configuration files that are read whole.
const maxSmall = 1 << 20

// readSmall reads a configuration file, through links. It is nil when the image
// has no such file or one that is beyond all measure.
func (b *builder) readSmall(path string) ([]byte, error) {
	physical, info, err := b.root.Resolve(path, func(string) {})
	if err != nil || !info.IsRegular() {
		return nil, ignoreAbsent(err)
	}
	data, err := b.root.ReadFile(physical, maxSmall)
	if errors.Is(err, rootfs.ErrTooLarge) {
		return nil, nil
	}
	return data, err
}

// ignoreAbsent drops the errors that say that a path leads nowhere.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}
