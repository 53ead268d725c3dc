// Package ldso finds shared libraries inside an image as the image's own
// dynamic loader would: ld.so(8) of glibc and ldso of musl.
//
// Nothing of the image is run. Where the answer depends on the machine that
// runs the image (hardware capability folders, $PLATFORM, $LIB), every answer
// is given, for the image must work on all of them. keepset imports it.
package ldso

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/rootfs"
)

// Loader looks for libraries in one image. It is not safe for concurrent use.
type Loader struct {
	root        *rootfs.Root
	workdir     string
	libraryPath []string // LD_LIBRARY_PATH
	cache       cache
	glibc       []string // folders of ld.so.conf
	musl        []string // folders of musl's path file
	config      []string // the files that said all this
	includes    int      // patterns followed

	folders map[string]folder
	found   map[query][]string
	files   map[string]elfdyn.Arch // of the ELF file a path leads to; zero for none
}

// query is what a search depends on.
type query struct {
	name     string
	arch     elfdyn.Arch
	useCache bool
	dirs     string
}

// folder is what is known of a directory that libraries are looked for in.
type folder struct {
	exists   bool
	variants []string // its hardware capability folders
}

// maxMemo bounds each of the maps of Loader, which are only there to be quick.
const maxMemo = 1 << 14

// remember adds to a map of at most maxMemo entries.
func remember[K comparable, V any](memo map[K]V, key K, value V) {
	if len(memo) >= maxMemo {
		clear(memo)
	}
	memo[key] = value
}

// New reads the configuration of the loaders that root holds. libraryPath is
// LD_LIBRARY_PATH of the image's environment, workdir its WORKDIR, which
// relative folders are taken from.
func New(root *rootfs.Root, libraryPath, workdir string) (*Loader, error) {
	l := &Loader{
		root: root, workdir: cmp.Or(workdir, "/"),
		folders: map[string]folder{}, found: map[query][]string{}, files: map[string]elfdyn.Arch{},
	}
	if libraryPath != "" {
		l.libraryPath = strings.FieldsFunc(libraryPath, func(r rune) bool { return r == ':' || r == ';' })
	}
	return l, errors.Join(l.readCache(), l.readConf("/etc/ld.so.conf", 0), l.readMusl())
}

// ConfigFiles returns the paths of the files that steer the loaders: cache,
// configuration with its includes, musl's path files.
func (l *Loader) ConfigFiles() []string { return l.config }

// Object is an ELF file whose libraries are looked for.
type Object struct {
	file    *elfdyn.File
	chain   []string // RPATH of the object and of those that led to it
	runpath []string
}

// Object prepares the search for f. path is the absolute path that it was
// found by, which $ORIGIN stands for; inherited is the Inherited of the object
// that needs it, nil for a program.
func (l *Loader) Object(path string, f *elfdyn.File, inherited []string) Object {
	o := Object{file: f}
	origin := rootfs.Parent(path)
	own := f.Rpath
	if f.Runpath != "" {
		o.runpath = l.expand(f.Runpath, origin, f.Arch.Machine)
		own = ""
		if isMusl(f) {
			own = f.Runpath // musl makes no difference between the two
		}
	}
	o.chain = l.expand(own, origin, f.Arch.Machine)
	for _, dir := range inherited {
		if !slices.Contains(o.chain, dir) && len(o.chain) < maxChain {
			o.chain = append(o.chain, dir)
		}
	}
	return o
}

// maxChain bounds the folders that an object inherits.
const maxChain = 64

// Inherited returns the folders in which libraries that o needs look for their
// own libraries.
func (o Object) Inherited() []string { return o.chain }

// Find returns the paths by which the loader may open the library name for o:
// the one in effect last, before it those for other processors. It is empty
// when the image does not have the library. The paths may go through links.
func (l *Loader) Find(name string, o Object) ([]string, error) {
	if strings.Contains(name, "/") {
		return l.direct(name, o)
	}
	before, after := l.order(o)
	useCache := !isMusl(o.file) && !o.file.NoDefaultLib
	q := query{name, o.file.Arch, useCache, strings.Join(before, "\x00") + "\x00\x00" + strings.Join(after, "\x00")}
	if found, ok := l.found[q]; ok {
		return found, nil
	}
	found, err := l.search(name, o.file.Arch, before, useCache, after)
	if err == nil && len(found) > 0 {
		remember(l.found, q, found)
	}
	return found, err
}

// direct resolves a needed name that is a path.
func (l *Loader) direct(name string, o Object) ([]string, error) {
	var found []string
	for _, path := range l.expand(name, "", o.file.Arch.Machine) {
		ok, err := l.loadable(path, o.file.Arch)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, path)
		}
	}
	return found, nil
}

// order returns the folders that are searched before and after ld.so.cache.
func (l *Loader) order(o Object) (before, after []string) {
	if isMusl(o.file) {
		return slices.Concat(l.libraryPath, o.chain, l.musl), nil
	}
	if o.file.Runpath == "" {
		before = append(before, o.chain...)
	}
	before = append(before, l.libraryPath...)
	before = append(before, o.runpath...)
	if !o.file.NoDefaultLib {
		// The folders of ld.so.conf are for images whose cache is missing or
		// stale; with a fresh one they add nothing.
		after = slices.Concat(defaultDirs(o.file.Arch.Machine), l.glibc)
	}
	if !isGlibc(o.file) && !o.file.NoDefaultLib {
		after = append(after, l.musl...)
	}
	return before, after
}

// search goes through the places in order until one holds the library in the
// form that every processor can load.
func (l *Loader) search(name string, arch elfdyn.Arch, before []string, useCache bool, after []string) ([]string, error) {
	var found []string
	for _, dir := range before {
		if plain, err := l.inFolder(dir, name, arch, &found); plain || err != nil {
			return found, err
		}
	}
	if useCache {
		if plain, err := l.inCache(name, arch, &found); plain || err != nil {
			return found, err
		}
	}
	for _, dir := range after {
		if plain, err := l.inFolder(dir, name, arch, &found); plain || err != nil {
			return found, err
		}
	}
	return found, nil
}

func (l *Loader) inFolder(dir, name string, arch elfdyn.Arch, found *[]string) (bool, error) {
	f, err := l.folder(dir)
	if err != nil || !f.exists {
		return false, err
	}
	for _, variant := range f.variants {
		if _, err := l.try(rootfs.Join(variant, name), arch, found); err != nil {
			return false, err
		}
	}
	return l.try(rootfs.Join(dir, name), arch, found)
}

func (l *Loader) inCache(name string, arch elfdyn.Arch, found *[]string) (bool, error) {
	for e := range l.cache.lookup(name) {
		ok, err := l.try(e.path, arch, found)
		if err != nil || ok && !e.variant {
			return ok, err
		}
	}
	return false, nil
}

func (l *Loader) try(path string, arch elfdyn.Arch, found *[]string) (bool, error) {
	ok, err := l.loadable(path, arch)
	if ok && !slices.Contains(*found, path) {
		*found = append(*found, path)
	}
	return ok, err
}

// loadable says whether path leads to an ELF file of the architecture.
func (l *Loader) loadable(path string, arch elfdyn.Arch) (bool, error) {
	got, ok := l.files[path]
	if !ok {
		var err error
		if got, err = l.identify(path); err != nil {
			return false, err
		}
		remember(l.files, path, got)
	}
	return got == arch, nil
}

func (l *Loader) identify(path string) (elfdyn.Arch, error) {
	physical, info, err := l.root.Resolve(path, func(string) {})
	if err != nil || !info.IsRegular() {
		return elfdyn.Arch{}, ignoreAbsent(err)
	}
	f, err := l.root.OpenFile(physical)
	if err != nil {
		return elfdyn.Arch{}, err
	}
	defer f.Close()
	arch, err := elfdyn.Identify(f)
	if err != nil {
		return elfdyn.Arch{}, nil // not a library
	}
	return arch, nil
}

// ignoreAbsent drops the errors that say that a path leads nowhere.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}

// folder looks at a directory once.
func (l *Loader) folder(dir string) (folder, error) {
	if f, ok := l.folders[dir]; ok {
		return f, nil
	}
	f, err := l.lookAt(dir)
	if err == nil {
		remember(l.folders, dir, f)
	}
	return f, err
}

func (l *Loader) lookAt(dir string) (folder, error) {
	physical, info, err := l.root.Resolve(dir, func(string) {})
	if err != nil || !info.IsDir() {
		return folder{}, ignoreAbsent(err)
	}
	f := folder{exists: true}
	names, err := l.root.ReadDirNames(rootfs.Join(physical, glibcHwcaps))
	if err := ignoreAbsent(err); err != nil && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) {
		return f, err
	}
	for _, name := range names {
		f.variants = append(f.variants, dir+"/"+glibcHwcaps+"/"+name)
	}
	for _, name := range legacyHwcaps {
		if info, err := l.root.Lstat(rootfs.Join(physical, name)); err == nil && info.IsDir() {
			f.variants = append(f.variants, rootfs.Join(dir, name))
		}
	}
	return f, nil
}

// glibcHwcaps is the folder of variants since glibc 2.33.
const glibcHwcaps = "glibc-hwcaps"

// legacyHwcaps are the folders that older loaders look into (ld.so(8),
// "Legacy hardware capabilities"; removed in glibc 2.37).
var legacyHwcaps = []string{
	"tls", "tls/x86_64", "tls/haswell", "x86_64", "haswell", "haswell/x86_64", "haswell/avx512_1",
	"haswell/avx512_1/x86_64", "xeon_phi", "avx512_1", "sse2", "i686", "i686/sse2", "i686/cmov",
	"neon", "vfp", "neon/vfp", "atomics", "power8", "power9", "z13", "z14", "z15",
}

// expand splits a search path at colons and replaces the loader's variables;
// one that depends on the machine gives a folder for each value.
func (l *Loader) expand(path, origin string, machine elf.Machine) []string {
	if path == "" {
		return nil
	}
	var dirs []string
	for dir := range strings.SplitSeq(path, ":") {
		for _, lib := range variableValues(dir, "LIB", libNames(machine)) {
			for _, full := range variableValues(lib, "PLATFORM", platforms[machine]) {
				full = replaceVariable(full, "ORIGIN", origin)
				if !strings.HasPrefix(full, "/") {
					full = rootfs.Join(l.workdir, full)
				}
				dirs = append(dirs, full)
			}
		}
	}
	return dirs
}

func variableValues(s, name string, values []string) []string {
	if replaceVariable(s, name, "") == s {
		return []string{s}
	}
	var out []string
	for _, v := range values {
		out = append(out, replaceVariable(s, name, v))
	}
	return out
}

func replaceVariable(s, name, value string) string {
	return strings.NewReplacer("${"+name+"}", value, "$"+name, value).Replace(s)
}

// platforms are the values of AT_PLATFORM that name folders (getauxval(3)).
var platforms = map[elf.Machine][]string{
	elf.EM_X86_64:  {"x86_64", "haswell", "xeon_phi"},
	elf.EM_386:     {"i686", "i586", "i386"},
	elf.EM_AARCH64: {"aarch64"},
	elf.EM_ARM:     {"v7l", "v6l"},
	elf.EM_PPC64:   {"power8", "power9", "power10"},
	elf.EM_S390:    {"z13", "z14", "z15"},
}

// triplets are Debian's folders of libraries (wiki.debian.org/Multiarch/Tuples).
var triplets = map[elf.Machine][]string{
	elf.EM_X86_64:    {"x86_64-linux-gnu"},
	elf.EM_386:       {"i386-linux-gnu"},
	elf.EM_AARCH64:   {"aarch64-linux-gnu"},
	elf.EM_ARM:       {"arm-linux-gnueabihf", "arm-linux-gnueabi"},
	elf.EM_PPC64:     {"powerpc64le-linux-gnu"},
	elf.EM_S390:      {"s390x-linux-gnu"},
	elf.EM_RISCV:     {"riscv64-linux-gnu"},
	elf.EM_MIPS:      {"mips64el-linux-gnuabi64", "mipsel-linux-gnu"},
	elf.EM_LOONGARCH: {"loongarch64-linux-gnu"},
}

// libNames are the values of $LIB, which each distribution compiles in.
func libNames(machine elf.Machine) []string {
	names := []string{"lib64", "lib"}
	for _, t := range triplets[machine] {
		names = append(names, "lib/"+t)
	}
	return names
}

// defaultDirs are the folders that are compiled into the loaders of Debian,
// Fedora, SUSE and Arch.
func defaultDirs(machine elf.Machine) []string {
	var dirs []string
	for _, t := range triplets[machine] {
		dirs = append(dirs, "/lib/"+t, "/usr/lib/"+t)
	}
	return append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
}

// isMusl says whether f is linked against musl for certain.
func isMusl(f *elfdyn.File) bool {
	return strings.HasPrefix(rootfs.Base(f.Interp), "ld-musl-") || slices.ContainsFunc(f.Needed, func(n string) bool {
		return n == "libc.so" || strings.HasPrefix(n, "libc.musl-")
	})
}

// isGlibc says whether f is linked against glibc for certain.
func isGlibc(f *elfdyn.File) bool {
	return strings.HasPrefix(rootfs.Base(f.Interp), "ld-linux") || slices.Contains(f.Needed, "libc.so.6")
}

// readMusl reads the folders of musl: a path file for each loader of the
// image, or what is compiled in.
func (l *Loader) readMusl() error {
	l.musl = nil
	paths, err := glob(l.root, "/etc/ld-musl-*.path")
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := l.readConfig(path)
		if err != nil {
			return err
		}
		for _, dir := range bytes.FieldsFunc(data, func(r rune) bool { return r == ':' || r == '\n' }) {
			l.musl = append(l.musl, string(dir))
		}
	}
	if len(l.musl) == 0 {
		l.musl = []string{"/lib", "/usr/local/lib", "/usr/lib"}
	}
	return nil
}
