package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/regular"
)

// elf64 is a program with one program header that names an interpreter.
func elf64(interpreter string) []byte {
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint64(b[32:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	le.PutUint32(b[64:], 3) // PT_INTERP
	le.PutUint64(b[64+8:], uint64(len(b)))
	le.PutUint64(b[64+32:], uint64(len(interpreter)+1))
	return append(append(b, interpreter...), 0)
}

func elf32(interpreter string) []byte {
	b := make([]byte, 52+32)
	copy(b, "\x7fELF\x01\x01\x01")
	le := binary.LittleEndian
	le.PutUint32(b[28:], 52)
	le.PutUint16(b[42:], 32)
	le.PutUint16(b[44:], 1)
	le.PutUint32(b[52:], 3)
	le.PutUint32(b[52+4:], uint32(len(b)))
	le.PutUint32(b[52+16:], uint32(len(interpreter)+1))
	return append(append(b, interpreter...), 0)
}

func TestParseImage(t *testing.T) {
	tests := []struct {
		name, data string
		want       image
		bad        bool
	}{
		{"64 bit", string(elf64("/lib64/ld.so")), image{interpreter: "/lib64/ld.so"}, false},
		{"32 bit", string(elf32("/lib/ld.so")), image{interpreter: "/lib/ld.so"}, false},
		{"script", "#!/bin/sh\necho", image{interpreter: "/bin/sh", script: true}, false},
		{"script with argument", "#! \t/usr/bin/env  python3 -x\n", image{interpreter: "/usr/bin/env", script: true}, false},
		{"script without newline", "#!/bin/sh", image{interpreter: "/bin/sh", script: true}, false},
		{"script with relative interpreter", "#!tool\n", image{interpreter: "tool", script: true}, false},
		{"script of nothing", "#! \n", image{}, true},
		{"text", "hello", image{}, true},
		{"empty", "", image{}, true},
		{"cut short", "\x7fELF\x02", image{}, true},
		{"header cut short", string(elf64("/x")[:100]), image{}, true},
		{"interpreter out of the file", string(elf64("/x")[:121]), image{}, true},
		{"interpreter too long", string(elf64(strings.Repeat("x", 5000))), image{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseImage(strings.NewReader(tt.data))
			if got != tt.want || errors.Is(err, errNotImage) != tt.bad {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestReadImageRefusesPipes(t *testing.T) {
	dir := workplace(t, nil)
	if err := unix.Mkfifo(dir+"/fifo", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, dir + "/fifo", os.DevNull} {
		if _, err := readImage(func() (*os.File, error) { return regular.OpenPhysical(p) }); !errors.Is(err, errNotImage) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzParseImage(f *testing.F) {
	f.Add(elf64("/lib/ld"))
	f.Add(elf32("/lib/ld"))
	f.Add([]byte("#!/bin/sh -e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := parseImage(bytes.NewReader(data))
		if err != nil && img != (image{}) {
			t.Errorf("%+v with %v", img, err)
		}
		if len(img.interpreter) > 4096 || strings.Contains(img.interpreter, "\x00") {
			t.Errorf("interpreter %q", img.interpreter)
		}
	})
}

func FuzzParseMounts(f *testing.F) {
	f.Add("22 27 0:21 / /proc rw,relatime - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n")
	f.Add("30 25 0:27 / /a\\040b\\134 rw - tmpfs x rw\n")
	f.Fuzz(func(t *testing.T, text string) {
		mounts, err := parseMounts(strings.NewReader(text))
		if lines := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1; err == nil && len(mounts) > lines {
			t.Errorf("%d mounts in %d lines", len(mounts), lines)
		}
	})
}

func TestParseMounts(t *testing.T) {
	got, err := parseMounts(strings.NewReader("30 25 0:27 / /a\\040b\\134 rw - tmpfs x rw\n27 1 254:0 /sub / rw - ext4 /dev/vda rw\n"))
	want := []mount{{30, "0:27", "/", `/a b\`}, {27, "254:0", "/sub", "/"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
