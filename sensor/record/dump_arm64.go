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

const instruction = 4 // bytes of a system call instruction

// call are the registers with which a thread makes a system call. ip is where
// one of its calls has returned to: the instruction before is svc 0.
func (r registers) call(ip uint64, name callName, args [6]uint64) registers {
	numbers := [...]uint64{unix.SYS_PRCTL, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETFSUID, unix.SYS_SETFSGID}
	r.Pc = ip - instruction
	r.Regs[8] = numbers[name]
	copy(r.Regs[:], args[:])
	return r
}

// again are the registers with which a thread that was stopped in a call makes
// that call again.
func (r registers) again(n *notification) registers {
	r.Pc = n.IP - instruction
	r.Regs[0], r.Regs[8] = n.Args[0], uint64(n.Nr)
	return r
}

// restart are the registers with which a stopped thread goes on; the kernel has
// them repeat a call before it stops (do_signal in arch/arm64/kernel/signal.c).
func (r registers) restart() registers { return r }

// result is the return value of the last system call.
func (r registers) result() int64 { return int64(r.Regs[0]) }
