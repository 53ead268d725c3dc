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

const (
	instruction = 2    // bytes of a system call instruction
	userCS32    = 0x23 // of a 32 bit thread (arch/x86/include/asm/segment.h)
)

// call are the registers with which a thread makes a system call. ip is where
// one of its calls has returned to: the two bytes before are syscall, or int
// $0x80 (which follows sysenter in the vDSO).
func (r registers) call(ip uint64, name callName, args [6]uint64) registers {
	wide := [...]uint64{unix.SYS_PRCTL, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETFSUID, unix.SYS_SETFSGID}
	narrow := [...]uint64{172, 208, 210, 215, 216} // those with 32 bit ids
	r.Rip = ip - instruction
	r.Orig_rax = ^uint64(0) // nothing to restart
	if r.Cs == userCS32 {
		r.Rax = narrow[name]
		r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi, r.Rbp = args[0], args[1], args[2], args[3], args[4], args[5]
		return r
	}
	r.Rax = wide[name]
	r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
	return r
}

// again are the registers with which a thread that was stopped in a call makes
// that call again.
func (r registers) again(n *notification) registers {
	r.Rip = n.IP - instruction
	r.Rax, r.Orig_rax = uint64(n.Nr), ^uint64(0)
	return r
}

// restart are the registers with which a thread goes on that was stopped in a
// call: the kernel would have repeated it, had they been left alone
// (arch_do_signal_or_restart in arch/x86/kernel/signal.c).
func (r registers) restart() registers {
	const (
		restartSys       = -512 // include/linux/errno.h
		restartNoIntr    = -513
		restartNoHandler = -514
		restartBlock     = -516
		restartSyscall   = unix.SYS_RESTART_SYSCALL
		restartSyscall32 = 0
	)
	if int64(r.Orig_rax) < 0 {
		return r
	}
	switch r.result() {
	case restartSys, restartNoIntr, restartNoHandler:
		r.Rax = r.Orig_rax
	case restartBlock:
		r.Rax = restartSyscall
		if r.Cs == userCS32 {
			r.Rax = restartSyscall32
		}
	default:
		return r
	}
	r.Rip -= instruction
	return r
}

// result is the return value of the last system call.
func (r registers) result() int64 { return int64(int32(r.Rax)) }
