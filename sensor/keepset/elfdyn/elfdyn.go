// Package elfdyn reads what the dynamic loader reads of an ELF file: machine,
// interpreter, needed libraries and search paths.
//
// It reads the program headers only, as ld.so does (elf(5)), never section
// headers, and bounds every size a hostile file may claim. ldso and keepset
// import it.
package elfdyn

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// File is what Read finds.
type File struct {
	Arch    Arch
	Interp  string   // PT_INTERP
	Soname  string   // DT_SONAME
	Needed  []string // DT_NEEDED, in order
	Rpath   string   // DT_RPATH, unexpanded
	Runpath string   // DT_RUNPATH, unexpanded
	// NoDefaultLib is DF_1_NODEFLIB: default directories are not searched.
	NoDefaultLib bool
}

// Arch tells objects apart that cannot be loaded into one process.
type Arch struct {
	Machine elf.Machine
	Class   elf.Class
	Data    elf.Data
}

// RunsOn says whether the platform (os/arch[/variant]) runs the machine's
// programs: 64-bit processors run those of their 32-bit forebear.
func (a Arch) RunsOn(platform string) bool {
	m := a.Machine
	arch := platform
	if parts := strings.Split(platform, "/"); len(parts) > 1 {
		arch = parts[1]
	}
	switch arch {
	case "amd64":
		return m == elf.EM_X86_64 || m == elf.EM_386
	case "386":
		return m == elf.EM_386
	case "arm64":
		return m == elf.EM_AARCH64 || m == elf.EM_ARM
	case "arm":
		return m == elf.EM_ARM
	case "ppc64le", "ppc64":
		return m == elf.EM_PPC64
	case "s390x":
		return m == elf.EM_S390
	case "riscv64":
		return m == elf.EM_RISCV
	case "loong64":
		return m == elf.EM_LOONGARCH
	case "mips", "mipsle", "mips64", "mips64le":
		return m == elf.EM_MIPS
	}
	return true
}

// ErrNotELF says that a file has no ELF header; every other error of Read is
// about a file that has one and is broken.
var ErrNotELF = errors.New("not an ELF file")

// Bounds on what a file may claim. Real files stay far below: the largest
// table of needed libraries seen in Debian has 120 entries.
const (
	maxPhnum   = 1024
	maxDynamic = 64 << 10 // bytes of PT_DYNAMIC
	maxString  = 4096     // bytes of a path or library name
	maxNeeded  = 1024
)

// Read reads the ELF file r.
func Read(r io.ReaderAt) (*File, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	progs, err := h.programs(r)
	if err != nil {
		return nil, err
	}
	f := &File{Arch: h.arch}
	for _, p := range progs {
		switch p.kind {
		case elf.PT_INTERP:
			if f.Interp, err = readString(r, p.off, p.filesz); err != nil {
				return nil, fmt.Errorf("elf interpreter: %w", err)
			}
		case elf.PT_DYNAMIC:
			if err := h.dynamic(r, f, p, progs); err != nil {
				return nil, fmt.Errorf("elf dynamic section: %w", err)
			}
		}
	}
	return f, nil
}

// Identify reads the architecture of the ELF file r and nothing more.
func Identify(r io.ReaderAt) (Arch, error) {
	h, err := readHeader(r)
	return h.arch, err
}

// header is the file header; order is never nil.
type header struct {
	arch   Arch
	order  binary.ByteOrder
	phoff  uint64
	phsize uint16
	phnum  uint16
}

func readHeader(r io.ReaderAt) (header, error) {
	var b [64]byte
	n, err := r.ReadAt(b[:], 0)
	if n < 52 || string(b[:4]) != elf.ELFMAG {
		if err != nil && err != io.EOF {
			return header{}, err
		}
		return header{}, ErrNotELF
	}
	h := header{arch: Arch{Class: elf.Class(b[4]), Data: elf.Data(b[5])}}
	switch h.arch.Data {
	case elf.ELFDATA2LSB:
		h.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		h.order = binary.BigEndian
	default:
		return header{}, fmt.Errorf("elf: byte order %d", b[5])
	}
	h.arch.Machine = elf.Machine(h.order.Uint16(b[18:]))
	minimum := uint16(32)
	switch h.arch.Class {
	case elf.ELFCLASS32:
		h.phoff = uint64(h.order.Uint32(b[28:]))
		h.phsize, h.phnum = h.order.Uint16(b[42:]), h.order.Uint16(b[44:])
	case elf.ELFCLASS64:
		h.phoff = h.order.Uint64(b[32:])
		h.phsize, h.phnum = h.order.Uint16(b[54:]), h.order.Uint16(b[56:])
		minimum = 56
	default:
		return header{}, fmt.Errorf("elf: class %d", b[4])
	}
	if h.phnum > 0 && (h.phnum > maxPhnum || h.phsize < minimum || h.phsize > 4*minimum) {
		return header{}, fmt.Errorf("elf: %d program headers of %d bytes", h.phnum, h.phsize)
	}
	return h, nil
}

// program is one program header.
type program struct {
	kind               elf.ProgType
	off, vaddr, filesz uint64
}

func (h header) programs(r io.ReaderAt) ([]program, error) {
	size := int(h.phsize)
	table, err := readExactly(r, h.phoff, uint64(size)*uint64(h.phnum))
	if err != nil {
		return nil, fmt.Errorf("elf program headers: %w", err)
	}
	progs := make([]program, h.phnum)
	for i := range progs {
		b := table[i*size:]
		p := &progs[i]
		p.kind = elf.ProgType(h.order.Uint32(b))
		if h.arch.Class == elf.ELFCLASS32 {
			p.off, p.vaddr = uint64(h.order.Uint32(b[4:])), uint64(h.order.Uint32(b[8:]))
			p.filesz = uint64(h.order.Uint32(b[16:]))
		} else {
			p.off, p.vaddr = h.order.Uint64(b[8:]), h.order.Uint64(b[16:])
			p.filesz = h.order.Uint64(b[32:])
		}
	}
	return progs, nil
}

// dynamic fills f from the dynamic section p.
func (h header) dynamic(r io.ReaderAt, f *File, p program, progs []program) error {
	table, err := readExactly(r, p.off, min(p.filesz, maxDynamic))
	if err != nil {
		return err
	}
	var strtab, strsz uint64
	for tag, val := range h.entries(table) {
		switch tag {
		case elf.DT_STRTAB:
			strtab = val
		case elf.DT_STRSZ:
			strsz = val
		}
	}
	off, ok := fileOffset(progs, strtab)
	if !ok {
		return nil // no strings, so no libraries: a static-pie
	}
	str := func(at uint64) (string, error) {
		if at >= strsz || off > math.MaxInt64-at {
			return "", fmt.Errorf("string at %d of %d", at, strsz)
		}
		return readString(r, off+at, strsz-at)
	}
	for tag, val := range h.entries(table) {
		if err := f.set(tag, val, str); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) set(tag elf.DynTag, val uint64, str func(uint64) (string, error)) (err error) {
	switch tag {
	case elf.DT_NEEDED:
		if len(f.Needed) == maxNeeded {
			return fmt.Errorf("more than %d needed libraries", maxNeeded)
		}
		name, err := str(val)
		if err != nil {
			return err
		}
		f.Needed = append(f.Needed, name)
	case elf.DT_SONAME:
		f.Soname, err = str(val)
	case elf.DT_RPATH:
		f.Rpath, err = str(val)
	case elf.DT_RUNPATH:
		f.Runpath, err = str(val)
	case elf.DT_FLAGS_1:
		f.NoDefaultLib = elf.DynFlag1(val)&elf.DF_1_NODEFLIB != 0
	}
	return err
}

// entries yields the dynamic entries up to DT_NULL.
func (h header) entries(table []byte) func(func(elf.DynTag, uint64) bool) {
	return func(yield func(elf.DynTag, uint64) bool) {
		for len(table) > 0 {
			var tag, val uint64
			if h.arch.Class == elf.ELFCLASS32 {
				if len(table) < 8 {
					return
				}
				tag, val = uint64(h.order.Uint32(table)), uint64(h.order.Uint32(table[4:]))
				table = table[8:]
			} else {
				if len(table) < 16 {
					return
				}
				tag, val = h.order.Uint64(table), h.order.Uint64(table[8:])
				table = table[16:]
			}
			if elf.DynTag(tag) == elf.DT_NULL || !yield(elf.DynTag(tag), val) {
				return
			}
		}
	}
}

// fileOffset finds where the address vaddr stands in the file.
func fileOffset(progs []program, vaddr uint64) (uint64, bool) {
	for _, p := range progs {
		if p.kind == elf.PT_LOAD && vaddr >= p.vaddr && vaddr-p.vaddr < p.filesz {
			return p.off + (vaddr - p.vaddr), vaddr != 0
		}
	}
	return 0, false
}

// readString reads up to the first NUL, at most size and maxString bytes.
func readString(r io.ReaderAt, off, size uint64) (string, error) {
	if off > math.MaxInt64 {
		return "", io.ErrUnexpectedEOF
	}
	var buf [maxString]byte
	b := buf[:min(size, maxString)]
	n, err := r.ReadAt(b, int64(off))
	if end := bytes.IndexByte(b[:n], 0); end >= 0 {
		return string(b[:end]), nil
	}
	if err != nil {
		return "", err
	}
	return "", errors.New("unterminated string")
}

// readExactly reads size bytes, which the caller has bounded.
func readExactly(r io.ReaderAt, off, size uint64) ([]byte, error) {
	if off > math.MaxInt64 {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, size)
	if n, err := r.ReadAt(b, int64(off)); n < len(b) {
		return nil, err
	}
	return b, nil
}
