package record

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/regular"
)

// image is what the kernel reads of a file that is to be executed.
type image struct {
	interpreter string // PT_INTERP or #!, empty for a static program
	script      bool
	raises      string // how it would give privileges: "setuid", ...
	guarded     bool   // not everybody may read it
}

// errNotImage says that a file is no program in a format we know.
var errNotImage = errors.New("not an executable file")

// readImage reads a program's header. The file, which open opens, may be
// anything: nothing of it is believed beyond what is checked here, and no read
// can block.
func readImage(open func() (*os.File, error)) (image, error) {
	f, err := open()
	if errors.Is(err, regular.ErrNotRegular) {
		return image{}, errNotImage
	}
	if err != nil {
		return image{}, fmt.Errorf("read program: %w", err)
	}
	defer f.Close()
	fd := int(f.Fd())
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return image{}, fmt.Errorf("read program %q: %w", f.Name(), err)
	}
	if st.Mode&0o111 == 0 {
		return image{}, errNotImage
	}
	img, err := parseImage(f)
	img.raises, img.guarded = raises(fd, st.Mode), st.Mode&0o444 != 0o444
	return img, err
}

// raises tells how executing the file changes privileges.
func raises(fd int, mode uint32) string {
	switch {
	case mode&unix.S_ISUID != 0:
		return "setuid"
	case mode&unix.S_ISGID != 0 && mode&unix.S_IXGRP != 0:
		return "setgid"
	}
	if n, err := unix.Fgetxattr(fd, "security.capability", nil); err == nil && n > 0 {
		return "given file capabilities"
	}
	return ""
}

const (
	scriptHeader = 256     // BINPRM_BUF_SIZE (include/uapi/linux/binfmts.h)
	maxHeaders   = 1 << 16 // bytes of program headers (fs/binfmt_elf.c)
)

// parseImage finds a program's interpreter as fs/binfmt_script.c and
// fs/binfmt_elf.c do.
func parseImage(r io.ReaderAt) (image, error) {
	head := make([]byte, scriptHeader)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return image{}, fmt.Errorf("read program: %w", err)
	}
	head = head[:n]
	if line, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		return parseScript(line)
	}
	if !bytes.HasPrefix(head, []byte(elf.ELFMAG)) {
		return image{}, errNotImage
	}
	return parseELF(head, r)
}

func parseScript(line []byte) (image, error) {
	line, _, _ = bytes.Cut(line, []byte("\n"))
	line = bytes.Trim(line, " \t")
	if end := bytes.IndexAny(line, " \t\x00"); end >= 0 {
		line = line[:end]
	}
	if len(line) == 0 {
		return image{}, errNotImage
	}
	return image{interpreter: string(line), script: true}, nil
}

// parseELF finds PT_INTERP. Both machines that slimfile builds on are little
// endian.
func parseELF(head []byte, r io.ReaderAt) (image, error) {
	var (
		at          uint64
		size, count int
	)
	le := binary.LittleEndian
	wide := len(head) >= 64 && elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64
	switch {
	case wide:
		at, size, count = le.Uint64(head[32:]), int(le.Uint16(head[54:])), int(le.Uint16(head[56:]))
	case len(head) >= 52 && elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS32:
		at, size, count = uint64(le.Uint32(head[28:])), int(le.Uint16(head[42:])), int(le.Uint16(head[44:]))
	default:
		return image{}, errNotImage
	}
	want := 32
	if wide {
		want = 56
	}
	if size != want || count == 0 || size*count > maxHeaders || at > 1<<62 {
		return image{}, errNotImage
	}
	headers := make([]byte, size*count)
	if _, err := r.ReadAt(headers, int64(at)); err != nil {
		return image{}, errNotImage
	}
	for ; len(headers) > 0; headers = headers[size:] {
		if elf.ProgType(le.Uint32(headers)) != elf.PT_INTERP {
			continue
		}
		offset, length := uint64(le.Uint32(headers[4:])), uint64(le.Uint32(headers[16:]))
		if wide {
			offset, length = le.Uint64(headers[8:]), le.Uint64(headers[32:])
		}
		if length < 2 || length > unix.PathMax || offset > 1<<62 {
			return image{}, errNotImage
		}
		name := make([]byte, length)
		if _, err := r.ReadAt(name, int64(offset)); err != nil {
			return image{}, errNotImage
		}
		path, _, _ := strings.Cut(string(name), "\x00")
		return image{interpreter: path}, nil
	}
	return image{}, nil
}
