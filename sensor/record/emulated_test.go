package record

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// assembler makes a static arm64 program of system calls, of which each has to
// succeed.
type assembler struct {
	code []uint32
	refs map[int]string // instructions that want the address of a name
}

// Registers and instructions of the A64 instruction set.
const (
	movz = 0xd2800000 // MOV Xd, #imm16
	movn = 0x92800000 // MOV Xd, #^imm16
	adr  = 0x10000000
	svc  = 0xd4000001
	tbnz = 0xb7f80000 // if bit 63 of Xt is set
)

// System calls of arm64.
const openat, faccessat, chdir = 56, 48, 49

// call makes a system call. Arguments are numbers and names in memory.
func (a *assembler) call(nr uint32, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			a.refs[len(a.code)] = arg
			a.code = append(a.code, adr|uint32(i))
		case int:
			in := movz | uint32(arg)<<5
			if arg < 0 {
				in = movn | uint32(^arg)<<5
			}
			a.code = append(a.code, in|uint32(i))
		}
	}
	a.code = append(a.code, movz|nr<<5|8, svc, tbnz)
}

// build ends the program and lays out its ELF file.
func (a *assembler) build() []byte {
	const base, header, exit = 0x400000, 64 + 56, 93
	fail := len(a.code) + 3
	for i, in := range a.code {
		if in == tbnz {
			a.code[i] |= uint32(fail-i) << 5 & 0x7ffe0
		}
	}
	a.code = append(a.code, movz, movz|exit<<5|8, svc, movz|1<<5, movz|exit<<5|8, svc)
	data := 4 * len(a.code)
	var text []byte
	for at, name := range a.refs {
		a.code[at] |= uint32((data+len(text)-4*at)>>2) << 5
		for text = append(text, name+"\x00"...); len(text)%4 != 0; {
			text = append(text, 0)
		}
	}
	le := binary.LittleEndian
	b := make([]byte, header)
	copy(b, "\x7fELF\x02\x01\x01")
	size := uint64(header + data + len(text))
	for at, v := range map[int]uint16{16: 2, 18: 183, 52: 64, 54: 56, 56: 1} { // ET_EXEC, EM_AARCH64
		le.PutUint16(b[at:], v)
	}
	for at, v := range map[int]uint32{20: 1, 64: 1, 68: 5} { // PT_LOAD, r-x
		le.PutUint32(b[at:], v)
	}
	for at, v := range map[int]uint64{24: base + header, 32: 64, 80: base, 88: base, 96: size, 104: size, 112: 0x1000} {
		le.PutUint64(b[at:], v)
	}
	for _, in := range a.code {
		b = le.AppendUint32(b, in)
	}
	return append(b, text...)
}

// TestEmulated: what an emulated program does is recorded by the calls that the
// emulator makes for it.
func TestEmulated(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the emulated program is for arm64")
	}
	a := assembler{refs: map[int]string{}}
	a.call(openat, unix.AT_FDCWD, "link", unix.O_RDONLY, 0)
	a.call(faccessat, unix.AT_FDCWD, "sub/checked", 0)
	a.call(chdir, "sub")
	a.call(openat, unix.AT_FDCWD, "inner", unix.O_RDONLY, 0)
	a.call(openat, unix.AT_FDCWD, "../made", unix.O_CREAT|unix.O_WRONLY, 0o644)
	program := a.build()
	emulator := need(t, "qemu-aarch64-static")
	for _, way := range []string{"an emulator", "binfmt_misc"} {
		for _, m := range []mode{direct, sandbox} { // fanotify would see the libraries of this test
			t.Run(way+"/"+string(m), func(t *testing.T) {
				dir := workplace(t, []string{"link -> file", "file", "sub/checked", "sub/inner"})
				guest := filepath.Join(dir, "guest")
				if err := os.WriteFile(guest, program, 0o755); err != nil {
					t.Fatal(err)
				}
				spec := launch.Spec{Path: emulator, Args: []string{"qemu", guest}, Dir: dir}
				want := map[string]manifest.Ops{
					"guest": opened, "link": linked, "file": opened, "sub/checked": checked, "sub": entered, "sub/inner": opened, "made": created,
				}
				if way == "binfmt_misc" {
					if err := exec.Command(guest).Run(); errors.Is(err, unix.ENOEXEC) {
						skip(t, "a kernel that runs arm64 programs (hack/bases.sh)")
					}
					spec.Path, want["guest"] = guest, executed|opened
				}
				checkScenario(t, scenario{want: want}, dir, run(t, job{Mode: m, Spec: spec}))
			})
		}
	}
}

func TestCheckNative(t *testing.T) {
	if err := CheckNative(); err != nil {
		t.Error(err)
	}
}
