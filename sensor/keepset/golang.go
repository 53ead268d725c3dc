package keepset

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"regexp"
)

// golangFamilies are programs written in Go, which bring their libraries with
// them but not what those read of the system.
var golangFamilies = []family{
	{rule: "go", name: regexp.MustCompile(`.`), keep: keepGo},
}

// goBuildInfo is at the begin of what the linker leaves in every Go program
// (Go, src/debug/buildinfo).
const goBuildInfo = "\xff Go buildinf:"

// goReads are the files that packages of Go's library read when they are first
// asked, by a path in them that tells that the program has the package: those of
// crypto/x509 (src/crypto/x509/root_linux.go), mime (src/mime/type_unix.go) and
// net (src/net/port_unix.go, lookup_unix.go).
var goReads = []struct {
	mark  string
	paths []string
}{
	{"/etc/ssl/certs/ca-certificates.crt", []string{
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	}},
	{"/etc/mime.types", []string{
		"/etc/mime.types", "/etc/apache2/mime.types", "/etc/apache/mime.types", "/etc/httpd/conf/mime.types",
		"/usr/share/mime/globs2", "/usr/local/share/mime/globs2",
	}},
	{"/etc/services", []string{"/etc/services"}},
	{"/etc/protocols", []string{"/etc/protocols"}},
}

// keepGo keeps what the packages in a Go program read.
func keepGo(b *builder, f familyFile) error {
	if b.tree.at(f.id).reasons&runs == 0 {
		return nil
	}
	marks := []string{goBuildInfo}
	for _, r := range goReads {
		marks = append(marks, r.mark)
	}
	found, err := b.findInELF(f.path, marks...)
	if err != nil || !found[goBuildInfo] {
		return err
	}
	for _, r := range goReads {
		if !found[r.mark] {
			continue
		}
		if err := b.followAll(RuntimeRule, f.id, r.paths...); err != nil {
			return err
		}
	}
	return nil
}

// maxGo is the size in bytes of the largest program that is searched.
const maxGo = 1 << 30

// findInELF says which of some short strings an ELF file has; a file that is none
// has none.
func (b *builder) findInELF(path string, marks ...string) (map[string]bool, error) {
	var head [4]byte
	if _, err := b.near.ReadHead(path, head[:]); err != nil || string(head[:]) != elf.ELFMAG {
		return nil, err
	}
	file, err := b.root.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return findAll(file, marks)
}

// findAll says which of some short strings a file has.
func findAll(r io.Reader, marks []string) (map[string]bool, error) {
	longest := 0
	for _, mark := range marks {
		longest = max(longest, len(mark))
	}
	found := map[string]bool{}
	buf := make([]byte, 1<<20)
	r = io.LimitReader(r, maxGo)
	for kept := 0; ; {
		n, err := r.Read(buf[kept:])
		have := buf[:kept+n]
		for _, mark := range marks {
			if !found[mark] && bytes.Contains(have, []byte(mark)) {
				found[mark] = true
			}
		}
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		// A string may go on in the next part.
		kept = copy(buf, have[max(0, len(have)-longest+1):])
	}
}
