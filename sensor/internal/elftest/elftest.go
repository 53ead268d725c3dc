// Package elftest makes small ELF files for the tests of the packages below
// sensor.
package elftest

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
)

// Spec says what an ELF file holds. The zero values of Machine, Class and Data
// mean x86-64.
type Spec struct {
	Machine elf.Machine
	Class   elf.Class
	Data    elf.Data
	Interp  string
	Soname  string
	Needed  []string
	Rpath   string
	Runpath string
}

// Bytes returns the file: header, program headers, interpreter, strings and
// dynamic section, all in one PT_LOAD at address 0x10000.
func (s Spec) Bytes() []byte {
	const base = 0x10000
	class, data := cmp.Or(s.Class, elf.ELFCLASS64), cmp.Or(s.Data, elf.ELFDATA2LSB)
	order := binary.AppendByteOrder(binary.LittleEndian)
	if data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	w := writer{order: order, wide: class == elf.ELFCLASS64}

	headers := uint64(52 + 3*32)
	if w.wide {
		headers = 64 + 3*56
	}
	interp := append([]byte(s.Interp), 0)
	strings := []byte{0}
	var dyn [][2]uint64
	add := func(tag elf.DynTag, value string) {
		if value != "" {
			dyn = append(dyn, [2]uint64{uint64(tag), uint64(len(strings))})
			strings = append(append(strings, value...), 0)
		}
	}
	for _, n := range s.Needed {
		add(elf.DT_NEEDED, n)
	}
	add(elf.DT_SONAME, s.Soname)
	add(elf.DT_RPATH, s.Rpath)
	add(elf.DT_RUNPATH, s.Runpath)
	strtab := headers + uint64(len(interp))
	dyn = append(dyn, [2]uint64{uint64(elf.DT_STRTAB), base + strtab},
		[2]uint64{uint64(elf.DT_STRSZ), uint64(len(strings))}, [2]uint64{})
	dynOff := strtab + uint64(len(strings))
	word := uint64(4)
	if w.wide {
		word = 8
	}
	dynSize := uint64(len(dyn)) * 2 * word

	w.Write([]byte(elf.ELFMAG))
	w.Write([]byte{byte(class), byte(data), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	w.half(uint16(elf.ET_DYN), uint16(cmp.Or(s.Machine, elf.EM_X86_64)))
	w.int32(1)
	w.word(0, headers-3*w.phsize(), 0) // entry, phoff, shoff
	w.int32(0)
	w.half(uint16(headers-3*w.phsize()), uint16(w.phsize()), 3, 0, 0, 0)
	w.program(elf.PT_LOAD, 0, base, dynOff+dynSize)
	if s.Interp != "" {
		w.program(elf.PT_INTERP, headers, base+headers, uint64(len(interp)))
	} else {
		w.program(elf.PT_NULL, 0, 0, 0)
	}
	w.program(elf.PT_DYNAMIC, dynOff, base+dynOff, dynSize)
	w.Write(interp)
	w.Write(strings)
	for _, d := range dyn {
		w.word(d[0], d[1])
	}
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	order binary.AppendByteOrder
	wide  bool
}

func (w *writer) phsize() uint64 {
	if w.wide {
		return 56
	}
	return 32
}

func (w *writer) half(values ...uint16) {
	for _, v := range values {
		w.Write(w.order.AppendUint16(nil, v))
	}
}

func (w *writer) int32(v uint32) { w.Write(w.order.AppendUint32(nil, v)) }

func (w *writer) word(values ...uint64) {
	for _, v := range values {
		if w.wide {
			w.Write(w.order.AppendUint64(nil, v))
		} else {
			w.int32(uint32(v))
		}
	}
}

func (w *writer) program(kind elf.ProgType, off, vaddr, size uint64) {
	w.int32(uint32(kind))
	if w.wide {
		w.int32(uint32(elf.PF_R))
	}
	w.word(off, vaddr, vaddr, size, size)
	if !w.wide {
		w.int32(uint32(elf.PF_R))
	}
	w.word(4096)
}
