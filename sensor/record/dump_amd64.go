package record

import "golang.org/x/sys/unix"

// registers are those of a stopped thread, also of a 32 bit one.
type registers unix.PtraceRegsAmd64

func getRegisters(pid int) (registers, error) {
	var r unix.PtraceRegsAmd64
	err := unix.PtraceGetRegsAmd64(pid, &r)
	return registers(r), err
}

func setRegisters(pid int, r registers) error {
	return unix.PtraceSetRegsAmd64(pid, (*unix.PtraceRegsAmd64)(&r))
}

// prctl are the registers with which a thread that has just returned from a
// system call makes a prctl(2): the two bytes before its next instruction are
// syscall, or int $0x80 (which follows sysenter in the vDSO).
func (r registers) prctl(option, value uint64) registers {
	const (
		instruction = 2
		userCS32    = 0x23 // arch/x86/include/asm/segment.h
		prctl32     = 172
	)
	r.Rip -= instruction
	r.Orig_rax = ^uint64(0) // nothing to restart
	if r.Cs == userCS32 {
		r.Rax, r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi = prctl32, option, value, 0, 0, 0
		return r
	}
	r.Rax, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8 = unix.SYS_PRCTL, option, value, 0, 0, 0
	return r
}

// result is the return value of the last system call.
func (r registers) result() int64 { return int64(int32(r.Rax)) }
