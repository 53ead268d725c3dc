package record

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
)

// CheckNative returns an *UnavailableError where this program runs in a user mode
// emulator: that has no seccomp, or one of another machine's calls. Emulated
// programs that a native sensor starts are traced by the calls of the emulator.
//
// An emulator lets its guest find itself at /proc/self/exe. At
// /proc/thread-self/exe, a name that is not that common, is who really runs.
func CheckNative() error {
	f, err := os.Open("/proc/thread-self/exe")
	if err != nil {
		return nil // no news from /proc
	}
	defer f.Close()
	machine, ok := machineOf(f)
	if !ok || machine == runtime.GOARCH {
		return nil
	}
	return &UnavailableError{
		Recorder: Seccomp, Cause: "this platform is emulated",
		Err: fmt.Errorf("the recorder is a program for %s, and an emulator for %s runs it", runtime.GOARCH, machine),
		Remedy: fmt.Sprintf("run BuildKit itself natively, which can trace emulated programs; or build linux/%s on a node of its own "+
			"(docker buildx create --append --platform linux/%s); or check without a trace: SLIM=lint", runtime.GOARCH, runtime.GOARCH),
	}
}

// machineOf is the machine that an ELF file is for, as GOARCH calls it.
func machineOf(r io.ReaderAt) (string, bool) {
	var head [20]byte // as far as e_machine
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:4]) != elf.ELFMAG || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return "", false
	}
	switch machine := elf.Machine(binary.LittleEndian.Uint16(head[18:])); machine {
	case elf.EM_X86_64:
		return "amd64", true
	case elf.EM_AARCH64:
		return "arm64", true
	default:
		return machine.String(), true
	}
}
