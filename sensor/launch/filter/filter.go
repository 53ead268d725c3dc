// Package filter assembles seccomp filters (seccomp(2)) from tables of system
// calls. It knows classic BPF and nothing of what the rules are for. Imported
// by sensor/launch (Docker's default rules) and sensor/record (which calls are
// reported).
package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Action is a filter's return value (SECCOMP_RET_*).
type Action uint32

// Actions without data.
const (
	Allow  Action = unix.SECCOMP_RET_ALLOW
	Notify Action = unix.SECCOMP_RET_USER_NOTIF
)

// Errno is the action that fails the call with e; Errno(0) fakes success.
func Errno(e unix.Errno) Action { return unix.SECCOMP_RET_ERRNO | Action(e) }

// Op is a comparison of an argument.
type Op uint8

// Comparisons, unsigned and on 64 bits as the kernel hands them to filters.
const (
	Equal   Op = iota // arg & Mask == Value
	Less              // arg < Value
	Greater           // arg > Value
)

// Cond is a condition on one argument, counted from 0.
type Cond struct {
	Arg         int
	Op          Op
	Mask, Value uint64 // Mask is for Equal only
}

// Case is an action under conditions that all have to hold.
type Case struct {
	Conds []Cond
	Do    Action
}

// Always is the case without a condition.
func Always(do Action) []Case { return []Case{{Do: do}} }

// Rules are the rules of one architecture.
type Rules struct {
	Arch uint32 // AUDIT_ARCH_*
	// Calls has, by call number, the cases in order; when none holds, Other
	// applies.
	Calls map[uint32][]Case
	Other Action
	// Beyond applies to numbers above the highest of Calls: calls that the
	// rules' author did not know of.
	Beyond Action
}

// x32Bit marks calls of the x32 ABI (arch/x86/include/uapi/asm/unistd.h).
const x32Bit = 0x40000000

// maxLen is the longest program the kernel takes (BPF_MAXINSNS).
const maxLen = 4096

// ErrTooLong says that rules do not fit in a filter.
var ErrTooLong = errors.New("seccomp filter is too long")

// Assemble compiles the rules. Calls of an architecture that is not listed, and
// x32 calls, fail with ENOSYS.
func Assemble(all ...Rules) ([]unix.SockFilter, error) {
	prog := []unix.SockFilter{load(offArch)}
	for _, r := range all {
		body := append([]unix.SockFilter{load(offNr)}, r.tree()...)
		prog = append(prog, jump(unix.BPF_JEQ, r.Arch, 1, 0), skip(len(body)))
		prog = append(prog, body...)
	}
	prog = append(prog, ret(Errno(unix.ENOSYS)))
	if len(prog) > maxLen {
		return nil, fmt.Errorf("%w: %d instructions, at most %d", ErrTooLong, len(prog), maxLen)
	}
	return prog, nil
}

// span is a run of call numbers, from start to the next span's, treated alike.
type span struct {
	start uint32
	cases []Case
}

func (r Rules) tree() []unix.SockFilter {
	nrs := make([]uint32, 0, len(r.Calls))
	for nr := range r.Calls {
		nrs = append(nrs, nr)
	}
	slices.Sort(nrs)
	spans := []span{{0, Always(r.Other)}}
	for i, nr := range nrs {
		cases := slices.Concat(r.Calls[nr], Always(r.Other))
		after := r.Other
		if i == len(nrs)-1 {
			after = r.Beyond
		}
		spans = append(spans, span{nr, cases}, span{nr + 1, Always(after)})
	}
	if r.Arch == unix.AUDIT_ARCH_X86_64 {
		spans = append(spans, span{x32Bit, Always(Errno(unix.ENOSYS))})
	}
	return branch(merge(spans))
}

// merge drops spans that are empty or equal to the one before.
func merge(spans []span) []span {
	var out []span
	for i, s := range spans {
		if i+1 < len(spans) && spans[i+1].start == s.start {
			continue
		}
		if n := len(out); n > 0 && sameAction(out[n-1].cases, s.cases) {
			continue
		}
		out = append(out, s)
	}
	return out
}

func sameAction(a, b []Case) bool {
	return len(a[0].Conds) == 0 && len(b[0].Conds) == 0 && a[0].Do == b[0].Do
}

// branch is a binary search over spans; the call number is in the accumulator.
func branch(spans []span) []unix.SockFilter {
	if len(spans) == 1 {
		return leaf(spans[0].cases)
	}
	mid := len(spans) / 2
	low, high := branch(spans[:mid]), branch(spans[mid:])
	var code []unix.SockFilter
	if len(low) <= 255 {
		code = append(code, jump(unix.BPF_JGE, spans[mid].start, uint8(len(low)), 0))
	} else {
		code = append(code, jump(unix.BPF_JGE, spans[mid].start, 0, 1), skip(len(low)))
	}
	return slices.Concat(code, low, high)
}

// leaf tries the cases in order; the last one has no condition.
func leaf(cases []Case) []unix.SockFilter {
	var code []unix.SockFilter
	for _, c := range cases {
		code = append(code, caseCode(c)...)
		if len(c.Conds) == 0 {
			break
		}
	}
	return code
}

// caseCode returns c.Do when all conditions hold and falls through when not.
func caseCode(c Case) []unix.SockFilter {
	code := []unix.SockFilter{ret(c.Do)}
	for _, cond := range slices.Backward(c.Conds) {
		code = append(condCode(cond, uint8(len(code))), code...)
	}
	return code
}

// condCode falls through when the condition holds and otherwise skips `away`
// instructions more. Arguments are loaded by halves: BPF is a 32 bit machine.
func condCode(c Cond, away uint8) []unix.SockFilter {
	hi, lo := uint32(c.Value>>32), uint32(c.Value)
	loadHi, loadLo := load(offArgs+8*uint32(c.Arg)+4), load(offArgs+8*uint32(c.Arg))
	switch c.Op {
	case Less:
		return []unix.SockFilter{
			loadHi,
			jump(unix.BPF_JGT, hi, away+3, 0),
			jump(unix.BPF_JEQ, hi, 0, 2),
			loadLo,
			jump(unix.BPF_JGE, lo, away, 0),
		}
	case Greater:
		return []unix.SockFilter{
			loadHi,
			jump(unix.BPF_JGT, hi, 3, 0),
			jump(unix.BPF_JEQ, hi, 0, away+2),
			loadLo,
			jump(unix.BPF_JGT, lo, 0, away),
		}
	}
	var code []unix.SockFilter
	if mask := uint32(c.Mask); mask != 0 {
		code = append(code, loadLo, and(mask), jump(unix.BPF_JEQ, lo, 0, away))
	}
	if mask := uint32(c.Mask >> 32); mask != 0 {
		code = append([]unix.SockFilter{loadHi, and(mask), jump(unix.BPF_JEQ, hi, 0, away+uint8(len(code)))}, code...)
	}
	return code
}

// Offsets in struct seccomp_data; both supported machines are little endian.
const (
	offNr   = 0
	offArch = 4
	offArgs = 16
)

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func and(mask uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask}
}

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func skip(n int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(n)}
}

func ret(a Action) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(a)}
}

// insnSize is the size of struct sock_filter.
const insnSize = 8

// Marshal encodes a program for another process of the same machine.
func Marshal(prog []unix.SockFilter) []byte {
	out := make([]byte, 0, len(prog)*insnSize)
	for _, in := range prog {
		out = binary.LittleEndian.AppendUint16(out, in.Code)
		out = append(out, in.Jt, in.Jf)
		out = binary.LittleEndian.AppendUint32(out, in.K)
	}
	return out
}

// Unmarshal is the reverse of Marshal.
func Unmarshal(data []byte) ([]unix.SockFilter, error) {
	if len(data)%insnSize != 0 || len(data) > maxLen*insnSize {
		return nil, fmt.Errorf("seccomp filter: %d bytes", len(data))
	}
	var prog []unix.SockFilter
	for in := range slices.Chunk(data, insnSize) {
		prog = append(prog, unix.SockFilter{
			Code: binary.LittleEndian.Uint16(in), Jt: in[2], Jf: in[3],
			K: binary.LittleEndian.Uint32(in[4:]),
		})
	}
	return prog, nil
}
