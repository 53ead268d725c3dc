package filter

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// data is struct seccomp_data.
type data struct {
	nr, arch uint32
	args     [6]uint64
}

// evaluate runs a program as the kernel does (net/core/filter.c), as far as
// filters of this package go. It fails the test on a jump out of the program.
func evaluate(t testing.TB, prog []unix.SockFilter, d data) Action {
	t.Helper()
	var mem [64]byte
	binary.LittleEndian.PutUint32(mem[0:], d.nr)
	binary.LittleEndian.PutUint32(mem[4:], d.arch)
	for i, a := range d.args {
		binary.LittleEndian.PutUint64(mem[16+8*i:], a)
	}
	var a uint32
	for pc := 0; pc < len(prog); pc++ {
		in := prog[pc]
		yes := false
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = binary.LittleEndian.Uint32(mem[in.K:])
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= in.K
			continue
		case unix.BPF_RET | unix.BPF_K:
			return Action(in.K)
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(in.K)
			continue
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			yes = a == in.K
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			yes = a > in.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			yes = a >= in.K
		default:
			t.Fatalf("instruction %#x", in.Code)
		}
		if yes {
			pc += int(in.Jt)
		} else {
			pc += int(in.Jf)
		}
	}
	t.Fatal("end of program without a return")
	return 0
}

// meaning is what rules say, without BPF.
func meaning(all []Rules, d data) Action {
	for _, r := range all {
		if r.Arch != d.arch {
			continue
		}
		if d.arch == unix.AUDIT_ARCH_X86_64 && d.nr >= x32Bit {
			return Errno(unix.ENOSYS)
		}
		top := uint32(0)
		for nr := range r.Calls {
			top = max(top, nr)
		}
		if d.nr > top && len(r.Calls) > 0 {
			return r.Beyond
		}
		for _, c := range r.Calls[d.nr] {
			if !slices.ContainsFunc(c.Conds, func(c Cond) bool { return !holds(c, d.args[c.Arg]) }) {
				return c.Do
			}
		}
		return r.Other
	}
	return Errno(unix.ENOSYS)
}

func holds(c Cond, arg uint64) bool {
	switch c.Op {
	case Less:
		return arg < c.Value
	case Greater:
		return arg > c.Value
	}
	return arg&c.Mask == c.Value
}

func rules(rng *rand.Rand) []Rules {
	var all []Rules
	for _, arch := range []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386} {
		r := Rules{Arch: arch, Other: Errno(unix.EPERM), Beyond: Errno(unix.ENOSYS), Calls: map[uint32][]Case{}}
		for range rng.IntN(150) {
			nr := uint32(rng.IntN(400))
			var cases []Case
			for range rng.IntN(3) {
				c := Case{Do: []Action{Allow, Notify, Errno(0)}[rng.IntN(3)]}
				for range 1 + rng.IntN(2) {
					cond := Cond{Arg: rng.IntN(6), Op: Op(rng.IntN(3)), Mask: mask(rng), Value: value(rng)}
					if cond.Op == Equal {
						cond.Value &= cond.Mask
					}
					c.Conds = append(c.Conds, cond)
				}
				cases = append(cases, c)
			}
			if rng.IntN(2) == 0 || cases == nil {
				cases = append(cases, Case{Do: Allow})
			}
			r.Calls[nr] = cases
		}
		all = append(all, r)
	}
	return all
}

func mask(rng *rand.Rand) uint64 {
	return []uint64{^uint64(0), 0xffffffff, 0x1000, 0x7e020000, 0xff00000000}[rng.IntN(5)]
}

func value(rng *rand.Rand) uint64 {
	return []uint64{0, 1, 38, 40, 0x1000, 0xffffffff, 0x100000000, 0x100000026, ^uint64(0)}[rng.IntN(9)]
}

func TestAssemble(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		all := rules(rng)
		prog, err := Assemble(all...)
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64} {
			nrs := []uint32{x32Bit, x32Bit + 1, 1 << 31, ^uint32(0), x32Bit - 1}
			for nr := range uint32(420) {
				nrs = append(nrs, nr)
			}
			for _, nr := range nrs {
				d := data{nr: nr, arch: arch}
				for i := range d.args {
					d.args[i] = value(rng)
				}
				if got, want := evaluate(t, prog, d), meaning(all, d); got != want {
					t.Fatalf("%+v: %#x, want %#x", d, got, want)
				}
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	r := Rules{Arch: unix.AUDIT_ARCH_X86_64, Calls: map[uint32][]Case{}}
	for nr := range uint32(2000) {
		r.Calls[nr] = []Case{{Conds: []Cond{{Mask: ^uint64(0), Value: uint64(nr)}}, Do: Allow}}
	}
	if _, err := Assemble(r); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	prog, err := Assemble(Rules{Arch: 1, Other: Allow})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(Marshal(prog))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		prog, err := Unmarshal(data)
		if err == nil && !slices.Equal(Marshal(prog), data) {
			t.Errorf("%v does not survive", data)
		}
	})
}
