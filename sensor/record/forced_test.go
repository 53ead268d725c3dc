package record

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/launch/filter"
)

// obstacle is something that a kernel or an outer sandbox refuses. A seccomp
// filter around the sensor refuses it for good, as that would.
type obstacle string

const (
	noSyncWakeUp   obstacle = "SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP"      // before Linux 6.6
	noWaitKillable obstacle = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"  // before Linux 5.19
	oldKernel      obstacle = "the end of RECV with the last process"   // before Linux 6.11
	noReading      obstacle = "process_vm_readv"                        // Yama's ptrace_scope 2 and 3
	noPtrace       obstacle = "ptrace"                                  // an outer profile
	noSeccomp      obstacle = "seccomp"                                 // without CONFIG_SECCOMP
	noFilter       obstacle = "SECCOMP_SET_MODE_FILTER"                 // an outer profile
	deadlySeccomp  obstacle = "seccomp, on pain of death"               // an outer profile that kills
	noReceive      obstacle = "SECCOMP_IOCTL_NOTIF_RECV"                // a listener that breaks
	listenerTaken  obstacle = "SECCOMP_FILTER_FLAG_NEW_LISTENER, twice" // an outer supervisor
)

// obstructed is set once the obstacle is in place.
const obstructed = "SLIMFILE_TEST_OBSTRUCTED"

// obstruct puts the obstacle in the way of all threads, by executing the
// program anew.
func obstruct(o obstacle) error {
	if o == "" || os.Getenv(obstructed) != "" {
		return nil
	}
	runtime.LockOSThread() // filters and personality are a thread's
	if err := o.install(); err != nil {
		return fmt.Errorf("refuse %s: %w", o, err)
	}
	return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), obstructed+"=1"))
}

func (o obstacle) install() error {
	const uname26 = 0x0020000 // include/uapi/linux/personality.h: uname(2) tells a 2.6 kernel
	if o == oldKernel {
		return errnoOf(unix.SYS_PERSONALITY, uname26, 0, 0)
	}
	ioctl := func(request uint64) filter.Cond { return is(1, request) }
	var nr uint32
	c := filter.Case{Do: filter.Errno(unix.EINVAL)}
	switch o {
	case noSyncWakeUp:
		nr, c.Conds = unix.SYS_IOCTL, []filter.Cond{ioctl(unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS)}
	case noWaitKillable:
		const flag = unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
		nr, c.Conds = unix.SYS_SECCOMP, []filter.Cond{{Arg: 1, Mask: flag, Value: flag}}
	case noReading:
		nr, c.Do = unix.SYS_PROCESS_VM_READV, filter.Errno(unix.EPERM)
	case noPtrace:
		nr, c.Do = unix.SYS_PTRACE, filter.Errno(unix.EPERM)
	case noSeccomp:
		nr, c.Do = unix.SYS_SECCOMP, filter.Errno(unix.ENOSYS)
	case noFilter:
		nr, c.Conds, c.Do = unix.SYS_SECCOMP, []filter.Cond{is(0, unix.SECCOMP_SET_MODE_FILTER)}, filter.Errno(unix.EPERM)
	case deadlySeccomp:
		nr, c.Do = unix.SYS_SECCOMP, filter.Action(unix.SECCOMP_RET_KILL_PROCESS)
	case noReceive:
		nr, c.Conds, c.Do = unix.SYS_IOCTL, []filter.Cond{ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV)}, filter.Errno(unix.EIO)
	case listenerTaken:
		nr, c.Do = unix.SYS_ACCT, filter.Notify // which nobody makes
	}
	prog, err := filter.Assemble(filter.Rules{
		Arch: numberings()[0].arch, Other: filter.Allow, Beyond: filter.Allow,
		Calls: map[uint32][]filter.Case{nr: {c}},
	})
	if err != nil {
		return err
	}
	var flags uintptr
	if o == listenerTaken {
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return errno
	}
	if o == listenerTaken { // it is there as long as somebody holds it
		_, err = unix.FcntlInt(fd, unix.F_SETFD, 0)
	}
	return err
}

// TestFallbacks: on kernels that lack a convenience the record is the same.
func TestFallbacks(t *testing.T) {
	exe := program(t)
	subjects := map[string]bool{
		"relative": true, "processes at once": true, "signals": true, "change of user": true,
		"program of another user": true, "orphans": true,
	}
	for _, o := range []obstacle{noSyncWakeUp, noWaitKillable, oldKernel} {
		for _, sc := range scenarios() {
			if !subjects[sc.name] {
				continue
			}
			for _, m := range []mode{sandbox, insecure} {
				t.Run(fmt.Sprintf("%s/%s/%s", o, sc.name, m), func(t *testing.T) {
					testScenario(t, exe, sc, m, o)
				})
			}
		}
	}
}

// TestWorkersOfOldKernel: a server whose workers drop to another user and use
// paths at once is complete without WAIT_KILLABLE_RECV, many times over.
func TestWorkersOfOldKernel(t *testing.T) {
	perl := need(t, "perl")
	const workers = 40
	const script = `use POSIX;
for my $w (1 .. $ARGV[0]) {
  next if fork;
  POSIX::setgid(33); POSIX::setuid(33);
  for (1 .. 50) { open(my $f, "<", "worker$w") or die "worker$w: $!" }
  select(undef, undef, undef, 0.001);
  chdir "sub" or die; open(my $g, "<", "last$w") or die; exit 0;
}
my $bad = 0;
while (wait > 0) { $bad |= $? }
exit($bad ? 1 : 0);`
	var files []string
	for w := range workers {
		files = append(files, fmt.Sprintf("worker%d", w+1), fmt.Sprintf("sub/last%d", w+1))
	}
	dir := workplace(t, files)
	out := run(t, job{Mode: sandbox, Obstacle: noWaitKillable, Spec: launch.Spec{
		Path: perl, Args: []string{"perl", "-e", script, fmt.Sprint(workers)}, Dir: dir,
	}})
	if out.StartErr != "" || out.CloseErr != "" || out.Exit != 0 {
		t.Fatalf("start %q, close %q, exit %d", out.StartErr, out.CloseErr, out.Exit)
	}
	for _, f := range files {
		if got := out.ops(dir + "/" + f); got != opened {
			t.Errorf("%s: %v", f, got)
		}
	}
}

// TestUnavailable: where there is no next best recorder the start fails, and
// says what to change.
func TestUnavailable(t *testing.T) {
	exe := program(t)
	for _, tt := range []struct {
		obstacle obstacle
		want     string
		remedy   string
	}{
		{listenerTaken, "another supervisor has a seccomp listener", "security.syscalls.intercept"},
		{noSeccomp, "no seccomp user notification: function not implemented", "CONFIG_SECCOMP_FILTER"},
		{noFilter, "may not install a seccomp filter: operation not permitted", "seccomp profile"},
		{deadlySeccomp, "died before it could report: ended by signal 31 (SIGSYS)", "a seccomp profile whose action is to kill"},
		{noReading, "may not read the memory of its own processes: process_vm_readv: operation not permitted", "process_vm_readv"},
	} {
		for _, m := range []mode{sandbox, insecure} {
			t.Run(fmt.Sprintf("%s/%s", tt.obstacle, m), func(t *testing.T) {
				dir := workplace(t, []string{"file"})
				out := run(t, job{Mode: m, Obstacle: tt.obstacle, Spec: launch.Spec{
					Path: exe, Args: []string{"program", "fixture", "open", "file"}, Dir: dir,
				}})
				if !strings.HasPrefix(out.StartErr, "the seccomp recorder cannot work here: ") || !strings.Contains(out.StartErr, tt.want) ||
					!strings.Contains(out.Remedy, tt.remedy) {
					t.Errorf("start error %q, remedy %q", out.StartErr, out.Remedy)
				}
			})
		}
	}
}

// TestLosses: what cannot be recorded is counted, and fails the end.
func TestLosses(t *testing.T) {
	exe := program(t)
	t.Run("a listener that breaks", func(t *testing.T) {
		out := run(t, job{Mode: sandbox, Obstacle: noReceive, Spec: launch.Spec{Path: exe, Args: []string{"program", "fixture", "nothing"}}})
		if out.StartErr == "" || out.Lost != 1 || !strings.Contains(out.CloseErr, "receive notification: input/output error") {
			t.Errorf("start %q, lost %d, close %q", out.StartErr, out.Lost, out.CloseErr)
		}
	})
	t.Run("workers that may not be traced", func(t *testing.T) {
		dir := workplace(t, []string{"file"})
		out := run(t, job{Mode: sandbox, Obstacle: noPtrace, Spec: launch.Spec{
			Path: exe, Args: []string{"program", "fixture", "setuid", "33"}, Dir: dir,
		}})
		if out.Exit != 0 || out.Lost == 0 || !strings.Contains(out.CloseErr, "could not be read") {
			t.Errorf("exit %d, lost %d, close %q", out.Exit, out.Lost, out.CloseErr)
		}
	})
	t.Run("more names than fit", func(t *testing.T) {
		dir := workplace(t, nil)
		out := run(t, job{Mode: sandbox, MaxNodes: 100, Spec: launch.Spec{
			Path: exe, Args: []string{"program", "fixture", "many", "500", "n"}, Dir: dir,
		}})
		if out.Exit != 0 || out.Lost < 400 || !strings.Contains(out.CloseErr, errFull.Error()) {
			t.Errorf("exit %d, lost %d, close %q", out.Exit, out.Lost, out.CloseErr)
		}
		if len(out.Entries) > 100 {
			t.Errorf("%d entries", len(out.Entries))
		}
	})
}
