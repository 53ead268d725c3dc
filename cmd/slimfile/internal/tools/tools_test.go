package tools

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
)

// program is the start of an ELF file: all that the loader and Find look at.
func program(t *testing.T, machine elf.Machine, static bool) []byte {
	t.Helper()
	kind := elf.PT_INTERP
	if static {
		kind = elf.PT_LOAD
	}
	header := elf.Header64{
		Ident:   [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(machine),
		Version: uint32(elf.EV_CURRENT),
		Phoff:   64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	var buf bytes.Buffer
	for _, part := range []any{header, elf.Prog64{Type: uint32(kind)}} {
		if err := binary.Write(&buf, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func paths(t *testing.T, dir fsutil.FS) ([]string, error) {
	t.Helper()
	var got []string
	err := dir.Walk(context.Background(), "", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		got = append(got, info.Mode().String()+" "+path)
		return nil
	})
	return got, err
}

func TestFind(t *testing.T) {
	amd64 := program(t, elf.EM_X86_64, true)
	arm64 := program(t, elf.EM_AARCH64, true)
	for _, tc := range []struct {
		name  string
		arch  string
		files map[string][]byte
		want  string // in the error; empty: found
	}{
		{name: "beside", arch: "amd64", files: map[string][]byte{
			"bin/slimfile-sensor": amd64, "bin/slimfile-pack": amd64, "bin/unrelated": amd64,
		}},
		{name: "repository", arch: "arm64", files: map[string][]byte{
			"bin/libexec/linux-arm64/slimfile-sensor": arm64, "bin/libexec/linux-arm64/slimfile-pack": arm64,
			"bin/libexec/linux-amd64/slimfile-sensor": amd64, "bin/libexec/linux-amd64/slimfile-pack": amd64,
		}},
		{name: "installed", arch: "amd64", files: map[string][]byte{
			"libexec/slimfile/linux-amd64/slimfile-sensor": amd64, "libexec/slimfile/linux-amd64/slimfile-pack": amd64,
		}},
		{name: "libexec first", arch: "amd64", files: map[string][]byte{
			"bin/libexec/linux-amd64/slimfile-sensor": amd64, "bin/libexec/linux-amd64/slimfile-pack": amd64,
			"bin/slimfile-sensor": []byte("broken"),
		}},
		{name: "none", arch: "amd64", want: "go install github.com/org/slimfile/cmd/...@latest"},
		{name: "half", arch: "amd64", files: map[string][]byte{
			"bin/slimfile-sensor": amd64,
		}, want: "has no slimfile-pack"},
		{name: "other machine", arch: "arm64", files: map[string][]byte{
			"bin/slimfile-sensor": amd64, "bin/slimfile-pack": amd64,
		}, want: "GOARCH=arm64"},
		{name: "dynamic", arch: "amd64", files: map[string][]byte{
			"bin/slimfile-sensor": program(t, elf.EM_X86_64, false), "bin/slimfile-pack": amd64,
		}, want: "CGO_ENABLED=0"},
		{name: "no program", arch: "amd64", files: map[string][]byte{
			"bin/slimfile-sensor": []byte("#!/bin/sh\n"), "bin/slimfile-pack": amd64,
		}, want: "is not a program"},
		{name: "unknown machine", arch: "riscv64", files: map[string][]byte{
			"bin/slimfile-sensor": amd64, "bin/slimfile-pack": amd64,
		}, want: "the builder is linux/riscv64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range tc.files {
				write(t, filepath.Join(dir, name), data)
			}
			got, err := paths(t, Find(filepath.Join(dir, "bin", "slimfile"), tc.arch))
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("error %v, want one with %q", err, tc.want)
				}
				return
			}
			sub := "linux-" + tc.arch
			want := []string{"drwxr-xr-x " + sub, "-rwxr-xr-x " + sub + "/slimfile-pack", "-rwxr-xr-x " + sub + "/slimfile-sensor"}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestFindThroughLink(t *testing.T) {
	dir := t.TempDir()
	amd64 := program(t, elf.EM_X86_64, true)
	for _, name := range []string{"slimfile", "slimfile-sensor", "slimfile-pack"} {
		write(t, filepath.Join(dir, "opt", name), amd64)
	}
	link := filepath.Join(dir, "slimfile")
	if err := os.Symlink("opt/slimfile", link); err != nil {
		t.Fatal(err)
	}
	if got, err := paths(t, Find(link, "amd64")); err != nil || len(got) != 3 {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	amd64 := program(t, elf.EM_X86_64, true)
	for _, name := range []string{"slimfile", "slimfile-sensor", "slimfile-pack"} {
		write(t, filepath.Join(dir, name), amd64)
	}
	found := Find(filepath.Join(dir, "slimfile"), "amd64")
	r, err := found.Open("linux-amd64/slimfile-pack")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, amd64) {
		t.Fatalf("read %d bytes, %v", len(data), err)
	}
	for _, path := range []string{"linux-amd64/slimfile", "slimfile-pack", "linux-amd64/../../slimfile-pack", "/etc/passwd"} {
		if r, err := found.Open(path); err == nil {
			r.Close()
			t.Errorf("%s opened", path)
		}
	}
}
