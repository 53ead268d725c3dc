package record

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
)

//go:generate go -C ../../hack/seccompgen run . -arch amd64 -names -out ../../sensor/record/names_amd64.go
//go:generate go -C ../../hack/seccompgen run . -arch arm64 -names -out ../../sensor/record/names_arm64.go

// notedCalls is the set of system calls of each phase, for a seccomp profile.
//
// A filter has no memory: a call is reported each time or never. So the calls
// that programs make all the time, and that every profile allows, are assumed
// and not reported; so are those of which only some are, such as newfstatat,
// which without a path is fstat. A profile of what was noted and what is assumed
// allows too much rather than too little. To keep the traced run fast, the build
// asks for the set in the run that verifies the slim image.
//
// There is no better way without privileges: a second filter with a listener is
// refused (EBUSY, seccomp(2)), one that logs (SECCOMP_RET_LOG) writes to the
// host's log, and filters that are added later can only forbid more.
type notedCalls struct {
	mu     sync.Mutex
	tables []table
	seen   map[notedCall]struct{}
}

// notedCall is a call made in a phase.
type notedCall struct {
	phase Phase
	arch  uint32
	nr    int32
}

// maxCall bounds call numbers: a program can make up any.
const maxCall = 1024

func newNotedCalls(tables []table) *notedCalls {
	return &notedCalls{tables: tables, seen: map[notedCall]struct{}{}}
}

// note notes a call. The listener's own set spares the lock.
func (l *listener) note(n *notification) {
	c := notedCall{Phase(l.phase.Load()), n.Arch, n.Nr}
	if _, ok := l.sent[c]; ok || c.nr >= maxCall {
		return
	}
	l.sent[c] = struct{}{}
	l.noted.mu.Lock()
	defer l.noted.mu.Unlock()
	l.noted.seen[c] = struct{}{}
}

// list names the calls of each phase, and those that are assumed.
func (s *notedCalls) list() (calls map[Phase][]string, assumed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := callNames()
	calls = map[Phase][]string{}
	for c := range s.seen {
		calls[c.phase] = append(calls[c.phase], s.name(names, c.arch, uint32(c.nr)))
	}
	for _, list := range calls {
		slices.Sort(list)
	}
	for _, nr := range s.tables[0].assumed {
		assumed = append(assumed, s.name(names, s.tables[0].arch, nr))
	}
	slices.Sort(assumed)
	return calls, assumed
}

// name is a call's name, with its ABI in front if that is not the machine's own.
func (s *notedCalls) name(names map[uint32]map[uint32]string, arch, nr uint32) string {
	name, ok := names[arch][nr]
	if !ok {
		name = fmt.Sprintf("#%d", nr)
	}
	if arch != s.tables[0].arch {
		name = abiName(arch) + ":" + name
	}
	return name
}

func abiName(arch uint32) string {
	if arch == unix.AUDIT_ARCH_I386 {
		return "i386"
	}
	return fmt.Sprintf("%#x", arch)
}

// noteAll has the filter report every call but those that are assumed.
func (t *table) noteAll(r *filter.Rules) {
	t.all = true
	names := callNames()[t.arch]
	hot := hotCalls()
	for nr, name := range names {
		cases, described := r.Calls[nr]
		if _, ok := hot[name]; ok || described {
			cases = append(slices.Clone(cases), filter.Case{Do: filter.Allow})
			r.Calls[nr] = cases
		}
		if allows(cases) {
			t.assumed = append(t.assumed, nr)
		}
	}
	for nr := range t.by {
		if _, described := r.Calls[uint32(nr)]; !described {
			t.by[nr] = call{kind: kindNoted}
		}
	}
	r.Other = filter.Notify
}

// allows reports whether a call may pass unreported.
func allows(cases []filter.Case) bool {
	for _, c := range cases {
		if c.Do == filter.Allow {
			return true
		}
		if len(c.Conds) == 0 {
			return false
		}
	}
	return false
}

// hotCalls are those that are assumed because they are made all the time: what a
// libc's and a language's runtime, an event loop and any input and output live
// on. What the sensor's own stub needs before the listener is in place is among
// them, but for sendmsg (launch, handOver).
func hotCalls() map[string]struct{} {
	hot := map[string]struct{}{}
	for _, name := range []string{
		"read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "_llseek", "fstat", "fstat64", "fcntl", "fcntl64",
		"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
		"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "timerfd_settime", "timerfd_settime64",
		"mmap", "mmap2", "munmap", "mprotect", "madvise", "mremap", "brk",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "tgkill",
		"futex", "futex_time64", "set_robust_list", "rseq", "membarrier", "sched_yield", "restart_syscall", "prctl",
		"nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "clock_gettime", "clock_gettime64", "gettimeofday", "time",
		"getpid", "gettid", "getrandom", "exit", "exit_group",
		"sendto", "recvfrom", "recvmsg", "recvmmsg",
	} {
		hot[name] = struct{}{}
	}
	return hot
}
