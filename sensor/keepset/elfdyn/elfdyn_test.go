package elfdyn_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/internal/elftest"
	"github.com/org/slimfile/sensor/keepset/elfdyn"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name string
		spec elftest.Spec
	}{
		{"shared library", elftest.Spec{Needed: []string{"libc.so.6", "libm.so.6"}, Soname: "libx.so.1"}},
		{"program", elftest.Spec{Interp: "/lib64/ld-linux-x86-64.so.2", Needed: []string{"libc.so.6"}, Runpath: "$ORIGIN/../lib"}},
		{"rpath", elftest.Spec{Rpath: "/opt/a:/opt/b", Needed: []string{"liba.so"}}},
		{"32 bit", elftest.Spec{Machine: elf.EM_386, Class: elf.ELFCLASS32, Interp: "/lib/ld-linux.so.2", Needed: []string{"libc.so.6"}}},
		{"big endian", elftest.Spec{Machine: elf.EM_S390, Data: elf.ELFDATA2MSB, Needed: []string{"libc.so.6"}}},
		{"static", elftest.Spec{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := elfdyn.Read(bytes.NewReader(tt.spec.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			s := tt.spec
			if f.Interp != s.Interp || f.Soname != s.Soname || f.Rpath != s.Rpath || f.Runpath != s.Runpath || !slices.Equal(f.Needed, s.Needed) {
				t.Errorf("got %+v, want %+v", f, s)
			}
		})
	}
}

func TestReadHostile(t *testing.T) {
	program := elftest.Spec{Interp: "/ld.so", Needed: []string{"liba.so"}}.Bytes()
	patch := func(off int, value ...byte) []byte {
		b := slices.Clone(program)
		copy(b[off:], value)
		return b
	}
	tests := []struct {
		name   string
		data   []byte
		notELF bool
	}{
		{name: "empty", notELF: true},
		{name: "text", data: []byte("#!/bin/sh\n"), notELF: true},
		{name: "magic only", data: []byte(elf.ELFMAG), notELF: true},
		{name: "unknown class", data: patch(4, 9)},
		{name: "unknown byte order", data: patch(5, 9)},
		{name: "65535 program headers", data: patch(56, 0xff, 0xff)},
		{name: "program headers of 0 bytes", data: patch(54, 0, 0)},
		{name: "program headers beyond the end", data: patch(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)},
		{name: "program headers at a negative offset", data: patch(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)},
		{name: "cut short", data: program[:len(program)-1]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := elfdyn.Read(bytes.NewReader(tt.data))
			if err == nil || errors.Is(err, elfdyn.ErrNotELF) != tt.notELF {
				t.Errorf("got %v, want an error, not an ELF file: %v", err, tt.notELF)
			}
		})
	}
}

// TestReadAgainstDebugELF compares with the standard library on what this
// machine has.
func TestReadAgainstDebugELF(t *testing.T) {
	compared := 0
	for _, path := range []string{"/proc/self/exe", "/bin/bash", "/bin/ls", "/usr/bin/git", "/usr/bin/perl", "/lib64/ld-linux-x86-64.so.2"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		got, err := elfdyn.Read(f)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want, err := elf.NewFile(f)
		if err != nil {
			t.Fatal(err)
		}
		libs, _ := want.ImportedLibraries()
		if !slices.Equal(got.Needed, libs) || got.Arch.Machine != want.Machine || got.Arch.Class != want.Class {
			t.Errorf("%s: got %+v, want %v", path, got, libs)
		}
		compared++
	}
	if compared == 0 {
		t.Error("nothing compared")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(elftest.Spec{Interp: "/ld.so", Needed: []string{"a", "b"}, Rpath: "x", Runpath: "y"}.Bytes())
	f.Add(elftest.Spec{Class: elf.ELFCLASS32, Needed: []string{"a"}}.Bytes())
	f.Add(binary.BigEndian.AppendUint64([]byte(elf.ELFMAG), 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := elfdyn.Read(bytes.NewReader(data))
		if err == nil && len(got.Needed) > len(data) {
			t.Errorf("%d libraries in %d bytes", len(got.Needed), len(data))
		}
	})
}
