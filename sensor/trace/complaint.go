package trace

import (
	"bytes"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/probe"
)

// complaints are the ways in which programs and runtimes say that something is
// missing: strerror(3), loaders (glibc, musl), shells, Python, Node, Ruby, Java,
// Perl, PHP, Go.
var complaints = [][]byte{
	[]byte("o such file or directory"), []byte("ENOENT"), []byte("NoSuchFile"), []byte("FileNotFound"),
	[]byte("cannot open shared object file"), []byte("Error loading shared library"), []byte("annot load library"),
	[]byte("command not found"), []byte(": not found"), []byte("executable file not found"),
	[]byte("ModuleNotFoundError"), []byte("ImportError"), []byte("o module named"), []byte("unknown encoding"),
	[]byte("annot find module"), []byte("annot find package"), []byte("MODULE_NOT_FOUND"),
	[]byte("LoadError"), []byte("cannot load such file"),
	[]byte("ClassNotFoundException"), []byte("NoClassDefFoundError"), []byte("UnsatisfiedLinkError"),
	[]byte("an't locate "), []byte("ailed to open stream"), []byte("ailed opening required"),
	[]byte("emplateNotFound"), []byte("emplate not found"), []byte("emplateDoesNotExist"),
}

// speaksOfMissing tells whether a line says that something is missing.
func speaksOfMissing(line []byte) bool {
	for _, c := range complaints {
		if bytes.Contains(line, c) {
			return true
		}
	}
	return false
}

// complainedOf are the lines that speak of something missing.
func (l *appLog) complainedOf() (lines []string) {
	for _, c := range l.complaints {
		lines = append(lines, c.Line)
	}
	return lines
}

// complain notes a line that speaks of something missing, one of each form.
func (l *appLog) complain(line []byte) {
	if len(l.complaints) == manifest.MaxComplaints || !speaksOfMissing(line) {
		return
	}
	form := probe.Stable(line)
	for _, known := range l.complaints {
		if known.Form == form {
			return
		}
	}
	l.complaints = append(l.complaints, manifest.Complaint{Line: probe.Printable(line), Form: probe.Printable([]byte(form))})
}
