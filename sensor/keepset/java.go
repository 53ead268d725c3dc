package keepset

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var javaFamilies = []family{
	{rule: "java", name: regexp.MustCompile(`^libjvm\.so$`), folder: regexp.MustCompile(`/lib/(server|client|zero)$`), keep: keepJava},
	{rule: "java class path", name: regexp.MustCompile(`\.jar$`), keep: whenTouched(keepClassPath)},
}

// developers matches what of Java's lib folder only compilers and debuggers
// read, and the archive of prepared classes for heaps beyond 32 GB: without it
// Java starts a little slower (java(1), -Xshare:auto).
var developers = regexp.MustCompile(`^(ct\.sym|src\.zip|classlist|libsaproc\.so|server/classes_nocoops\.jsa)$`)

// keepJava keeps the lib and conf folders of the Java installation of libjvm.
func keepJava(b *builder, f familyFile) error {
	home := path.Dir(path.Dir(f.dir))
	if err := b.keepUnit(rootfs.Join(home, "lib"), developers, f.id); err != nil {
		return err
	}
	for _, pattern := range []string{"conf/**", "release"} {
		if err := b.keepUnder(home, pattern, RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return nil
}

// keepClassPath keeps the jars that stand beside one that the run opened, for
// Java opens those of a class path only when it comes to them, and those that
// its manifest names (JAR File Specification, Class-Path). Debian's folder of
// all jars is no class path.
func keepClassPath(b *builder, f familyFile) error {
	if f.dir != "/usr/share/java" && f.dir != "/usr/share/maven-repo" {
		if err := b.keepUnder(f.dir, "*.jar", RuntimeRule, f.id); err != nil {
			return err
		}
	}
	file, err := b.root.OpenFile(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > maxJar {
		return nil
	}
	for _, entry := range classPath(file, info.Size()) {
		if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, path.Join(f.dir, entry))); err != nil {
			return err
		}
	}
	return nil
}

// maxJar bounds the jars that are looked into, and by that the memory which the
// list of their entries takes. One with all of an application in it is larger,
// but needs no class path.
const maxJar = 64 << 20

// maxClassPath bounds the entries of one manifest.
const maxClassPath = 1024

// classPath returns the Class-Path of a jar's manifest: relative paths. It is
// empty for what is no jar.
func classPath(r io.ReaderAt, size int64) []string {
	jar, err := zip.NewReader(r, size)
	if err != nil {
		return nil
	}
	f, err := jar.Open("META-INF/MANIFEST.MF")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	manifest, err := io.ReadAll(io.LimitReader(f, maxSmall))
	if err != nil {
		return nil
	}
	return parseClassPath(manifest)
}

// parseClassPath reads the main section of a manifest, whose lines go on in
// lines that begin with a blank.
func parseClassPath(manifest []byte) []string {
	text := strings.ReplaceAll(string(bytes.ReplaceAll(manifest, []byte("\r\n"), []byte("\n"))), "\n ", "")
	for line := range strings.Lines(text) {
		if line == "\n" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Class-Path") {
			entries := strings.Fields(value)
			return entries[:min(len(entries), maxClassPath)]
		}
	}
	return nil
}
