package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// The attacks of an app on the sensor, process 1 of its container; see the
// threat model in the package comment. They run in the app, which is root or
// nobody, in a sandboxed step or confined in an insecure one.
var attacks = map[string]func(dir string) error{
	"process":  attackProcess,
	"signals":  attackSignals,
	"limits":   attackLimits,
	"mounts":   attackMounts,
	"races":    attackRaces,
	"memory":   attackMemory,
	"survive":  attackSurvive,
	"shutdown": attackShutdown,
}

func attack(what string) error {
	name, dir, _ := strings.Cut(what, "=")
	return attacks[name](dir)
}

// withstand runs an attack in all surroundings. check looks at what is left.
func withstand(t *testing.T, name string, users []string, check func(t *testing.T, dir string, got contained)) {
	for _, insecure := range []bool{false, true} {
		for _, user := range users {
			t.Run(fmt.Sprintf("insecure=%v/%s", insecure, user), func(t *testing.T) {
				dir := openDir(t)
				if err := os.Chmod(dir, 0o777); err != nil {
					t.Fatal(err)
				}
				last := filepath.Join(dir, "last")
				if err := os.WriteFile(last, []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
				run := tool(t, "attack:"+name+"="+dir, "open:"+last)
				run.App.Args[0] = copyTo(t, dir, run.App.Args[0])
				run.App.User, run.Privileged, run.Stop.GraceSeconds = user, insecure, 1
				if insecure {
					run.Fanotify = manifest.FanotifyDemand
				}
				check(t, dir, contain(t, run, sensorOrder{Insecure: insecure}))
			})
		}
	}
}

func copyTo(t *testing.T, dir, program string) string {
	t.Helper()
	in, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	name := filepath.Join(dir, "app")
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

var everybody = []string{"root", "nobody"}

// complete is a run that the attack did not change.
func complete(t *testing.T, dir string, got contained) {
	t.Helper()
	got.good(t, Trace)
	if ops := got.paths[manifest.Path(dir+"/last")]; ops&manifest.Opened == 0 {
		t.Errorf("what the app opened afterwards: %v", ops)
	}
}

func TestHostileProcess(t *testing.T) { withstand(t, "process", everybody, complete) }

// attackProcess reaches for the sensor's memory and descriptors.
func attackProcess(string) error {
	tasks, err := filepath.Glob("/proc/1/task/*")
	if err != nil || len(tasks) == 0 {
		return fmt.Errorf("no threads of process 1: %w", err)
	}
	refused := func(what string, err error) error {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return nil
		}
		return fmt.Errorf("%s: %w, want a refusal", what, err)
	}
	for _, task := range append(tasks, "/proc/1") {
		for _, name := range []string{"mem", "maps", "environ", "auxv", "stack", "syscall", "fd/0", "fd/1", "fd/2", "fd/3", "fd/7", "fd/9", "fdinfo/3"} {
			f, err := os.OpenFile(task+"/"+name, os.O_RDONLY, 0)
			if err == nil { // some are refused when they are read
				_, err = f.Read(make([]byte, 1))
				f.Close()
			}
			if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, io.EOF) {
				if err := refused(task+"/"+name, err); err != nil {
					return err
				}
			}
		}
		for _, name := range []string{"exe", "cwd", "root"} {
			_, err := os.Readlink(task + "/" + name)
			if err := refused(task+"/"+name, err); err != nil {
				return err
			}
		}
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return err
		}
		_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(tid), 0, 0, 0, 0)
		if err := refused("ptrace", errno); err != nil {
			return err
		}
		var buf [8]byte
		local := unix.Iovec{Base: &buf[0], Len: 8}
		remote := unix.RemoteIovec{Base: 0x400000, Len: 8}
		for _, nr := range []uintptr{unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV} {
			_, _, errno := unix.Syscall6(nr, uintptr(tid), uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
			if err := refused("process_vm_readv or process_vm_writev", errno); err != nil {
				return err
			}
		}
	}
	pidfd, err := unix.PidfdOpen(1, 0)
	if err != nil {
		return err
	}
	_, err = unix.PidfdGetfd(pidfd, 1, 0)
	return refused("pidfd_getfd", err)
}

func TestHostileSignals(t *testing.T) { withstand(t, "signals", everybody, complete) }

// attackSignals sends all signals but those that ask for an end, to the process
// and to each of its threads: the recorder's takes the ids of those it reads.
func attackSignals(dir string) error {
	threads, err := os.ReadDir("/proc/1/task")
	if err != nil {
		return err
	}
	for range 100 {
		for sig := unix.Signal(1); sig <= sigRTMax; sig++ {
			if sig == unix.SIGTERM || sig == unix.SIGINT {
				continue
			}
			if err := unix.Kill(1, sig); err != nil && !errors.Is(err, unix.EPERM) {
				return fmt.Errorf("kill %d: %w", sig, err)
			}
			for _, thread := range threads {
				tid, _ := strconv.Atoi(thread.Name())
				_ = unix.Tgkill(1, tid, sig) // the thread may be gone
			}
		}
		if _, err := os.Stat(dir); err != nil {
			return err
		}
	}
	return nil
}

// attackShutdown ends the sensor, which ends the app at some moment.
func attackShutdown(string) error {
	if err := unix.Kill(1, unix.SIGTERM); err != nil {
		return err
	}
	<-time.After(time.Minute)
	return errors.New("the sensor goes on")
}

// TestHostileShutdown: an app may end its own run, which then fails.
func TestHostileShutdown(t *testing.T) {
	withstand(t, "shutdown", []string{"root"}, func(t *testing.T, _ string, got contained) {
		if got.code != 1 || got.failure == nil || !strings.Contains(got.failure.Message, "SIGTERM") || got.paths != nil {
			t.Errorf("exit %d, %+v", got.code, got.failure)
		}
	})
}

// TestHostileLimits: an app that is root may take the sensor's resources away.
// It fails then, or has all that it needs.
func TestHostileLimits(t *testing.T) {
	withstand(t, "limits", []string{"root"}, func(t *testing.T, dir string, got contained) {
		if got.code == 0 {
			complete(t, dir, got)
		} else if got.paths != nil {
			t.Errorf("exit %d, and %d paths", got.code, len(got.paths))
		}
	})
	t.Run("nobody", func(t *testing.T) {
		withstand(t, "limits", []string{"nobody"}, complete)
	})
}

func attackLimits(string) error {
	for _, resource := range []int{unix.RLIMIT_NOFILE, unix.RLIMIT_FSIZE, unix.RLIMIT_NPROC, unix.RLIMIT_MEMLOCK} {
		if err := unix.Prlimit(1, resource, &unix.Rlimit{}, nil); os.Getuid() != 0 && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("prlimit: %w", err)
		}
	}
	return nil
}

func TestHostileMounts(t *testing.T) { withstand(t, "mounts", everybody, complete) }

// attackMounts tries to lay something over what the sensor uses.
func attackMounts(dir string) error {
	for _, target := range []string{"/", "/proc", "/dev", dir} {
		if err := unix.Mount("tmpfs", target, "tmpfs", 0, ""); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("mount on %s: %w", target, err)
		}
		if err := unix.Mount(dir, target, "", unix.MS_BIND, ""); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("bind on %s: %w", target, err)
		}
		if err := unix.Unmount(target, unix.MNT_DETACH); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("unmount %s: %w", target, err)
		}
	}
	for name, nr := range map[string]uintptr{"setns": unix.SYS_SETNS, "unshare": unix.SYS_UNSHARE} {
		if _, _, errno := unix.Syscall(nr, uintptr(^uint(0)), unix.CLONE_NEWNS, 0); errno == 0 {
			return fmt.Errorf("%s is allowed", name)
		}
	}
	return nil
}

// TestHostileRaces: whatever a path is swapped for while the recorder looks at
// it, the run ends, and all that is recorded is a path of the image. A call that
// could not be recorded is a loss.
func TestHostileRaces(t *testing.T) {
	withstand(t, "races", everybody, func(t *testing.T, dir string, got contained) {
		if got.code != 0 {
			if got.failure == nil || !strings.Contains(got.failure.Message, "incomplete") {
				t.Fatalf("exit %d, %+v", got.code, got.failure)
			}
			return
		}
		for path := range got.paths {
			for _, folder := range []string{"/proc", "/sys", "/dev"} {
				if p := string(path); p == folder || strings.HasPrefix(p, folder+"/") {
					t.Errorf("%q is recorded", path)
				}
			}
		}
	})
}

// attackRaces executes and opens a name that is a program, a FIFO, a folder and
// links to places outside the image in turn.
func attackRaces(dir string) error {
	name, next := dir+"/name", dir+"/next"
	until := time.Now().Add(2 * time.Second)
	done := make(chan error, 1)
	go func() {
		for i := 0; time.Now().Before(until); i++ {
			var err error
			switch i % 6 {
			case 0:
				err = os.WriteFile(next, []byte("#!/bin/true\n"), 0o755)
			case 1:
				err = unix.Mkfifo(next, 0o777)
			case 2:
				err = os.Symlink("/proc/1/environ", next)
			case 3:
				err = os.Symlink("/dev/full", next)
			case 4:
				err = os.Symlink("/proc/self/fd/0", next)
			case 5:
				err = os.Symlink(name, next)
			}
			if err == nil {
				err = os.Rename(next, name)
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for time.Now().Before(until) {
		_ = exec.Command(name).Run()
		if fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			if err := unix.Close(fd); err != nil {
				return err
			}
		}
	}
	return <-done
}

// maxMemory is what the sensor may need, in bytes.
const maxMemory = 256 << 20

// TestHostileMemory: names, arguments and output without end.
func TestHostileMemory(t *testing.T) {
	withstand(t, "memory", []string{"nobody"}, func(t *testing.T, dir string, got contained) {
		complete(t, dir, got)
		if got.memory > maxMemory {
			t.Errorf("the sensor and its app took up to %d MiB", got.memory>>20)
		}
		t.Logf("%d MiB, %d paths", got.memory>>20, len(got.paths))
	})
}

func attackMemory(dir string) error {
	const names, length = 100_000, 200
	for i := range names {
		name := dir + "/" + strings.Repeat("n", length) + strconv.Itoa(i)
		if err := unix.Access(name, unix.F_OK); !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("access: %w", err)
		}
	}
	huge := make([]string, 15)
	for i := range huge {
		huge[i] = strings.Repeat("x", 120<<10) // MAX_ARG_STRLEN is 128 KiB
	}
	for range 20 {
		if err := exec.Command("/bin/true", huge...).Run(); err != nil {
			return err
		}
	}
	line := []byte(strings.Repeat("l", 1<<20)) // without an end
	for range 50 {
		if _, err := os.Stdout.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// TestHostileSurvive: what keeps forking in sessions of its own is gone before
// the results are written.
func TestHostileSurvive(t *testing.T) {
	withstand(t, "survive", everybody, func(t *testing.T, dir string, got contained) {
		complete(t, dir, got)
		before, err := os.ReadFile(dir + "/alive")
		if err != nil || len(before) == 0 {
			t.Fatalf("nothing was left behind: %v", err)
		}
	})
}

// attackSurvive leaves chains of processes: each forks the next one and exits.
func attackSurvive(dir string) error {
	const script = `use POSIX;
$SIG{TERM} = $SIG{HUP} = $SIG{INT} = "IGNORE";
for (1 .. 20) {
  next if fork;
  POSIX::setsid();
  while (1) {
    if (fork) { POSIX::_exit(0) }
    open(my $f, ">>", "$ARGV[0]/alive"); syswrite($f, "x"); close $f;
  }
}`
	cmd := exec.Command("perl", "-e", script, dir)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		info, err := os.Stat(dir + "/alive")
		return err == nil && info.Size() > 100, nil
	})
}
