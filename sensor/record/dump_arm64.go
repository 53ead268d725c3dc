package record

import (
	"debug/elf"

	"golang.org/x/sys/unix"
)

// registers are those of a stopped thread.
type registers unix.PtraceRegsArm64

func getRegisters(pid int) (registers, error) {
	var r unix.PtraceRegsArm64
	err := unix.PtraceGetRegSetArm64(pid, int(elf.NT_PRSTATUS), &r)
	return registers(r), err
}

func setRegisters(pid int, r registers) error {
	return unix.PtraceSetRegSetArm64(pid, int(elf.NT_PRSTATUS), (*unix.PtraceRegsArm64)(&r))
}

// prctl are the registers with which a thread makes a prctl(2). ip is where a
// system call of its has returned to: the instruction before is svc 0.
func (r registers) prctl(ip, option, value uint64) registers {
	const instruction = 4
	r.Pc = ip - instruction
	r.Regs[8] = unix.SYS_PRCTL
	copy(r.Regs[:5], []uint64{option, value, 0, 0, 0})
	return r
}

// restart are the registers with which a stopped thread goes on; the kernel has
// them repeat a call before it stops (do_signal in arch/arm64/kernel/signal.c).
func (r registers) restart() registers { return r }

// result is the return value of the last system call.
func (r registers) result() int64 { return int64(r.Regs[0]) }
