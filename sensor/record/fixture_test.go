package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// fixtures are the traced programs. They run with a directory of the test as
// their working directory and fail when a call does not do what it should.
var fixtures = map[string]func(args []string) error{
	"uring":     func(args []string) error { return uringOpen(args[0]) },
	"elsewhere": func([]string) error { return elsewhere() },
	"nothing":   func([]string) error { return nil },
	"inherit": func(args []string) error { // a child that reads an open file
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		cat := exec.Command("/bin/cat")
		cat.Stdin = f
		return errors.Join(cat.Run(), f.Close())
	},
	"exit": func(args []string) error {
		code, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		os.Exit(code)
		return nil
	},
	"die": func([]string) error { return unix.Kill(os.Getpid(), unix.SIGKILL) },
	"open": func(args []string) error {
		return each(args, func(name string) error { return readFile(name) })
	},
	"stat": func(args []string) error {
		return each(args, func(name string) error {
			_, err := os.Stat(name)
			return err
		})
	},
	"look": func(args []string) error { // for names that are not there
		for _, name := range args {
			if _, err := os.Stat(name); err == nil {
				return fmt.Errorf("%s is there", name)
			}
		}
		return nil
	},
	"dirfd": func([]string) error {
		dir, err := unix.Open("sub", unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		fd, err := unix.Openat(dir, "file", unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Fstatat(dir, "deep/file", &st, 0); err != nil {
			return err
		}
		if err := unix.Fstatat(fd, "", &st, unix.AT_EMPTY_PATH); err != nil {
			return err
		}
		if _, err := unix.Openat2(dir, "beneath", &unix.OpenHow{Resolve: unix.RESOLVE_BENEATH}); err != nil {
			return err
		}
		_, err = unix.Openat2(dir, "/../link", &unix.OpenHow{Resolve: unix.RESOLVE_IN_ROOT})
		return err
	},
	"openat2":  func([]string) error { return openLimited() },
	"failures": func([]string) error { return failures() },
	"refused": func(args []string) error { // to another user, after root was not
		cmd := exec.Command("/proc/self/exe", "fixture", "refusal", args[0])
		cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return errors.Join(readFile(args[0]), cmd.Run())
	},
	"refusal": func(args []string) error {
		if err := readFile(args[0]); !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		return nil
	},
	"names": func([]string) error { // changed in a folder that does not allow it, and in one that does
		for _, dir := range []string{"theirs", "ours"} {
			if err := os.Chdir(dir); err != nil {
				return err
			}
			_, made := os.OpenFile("made", os.O_CREATE|os.O_WRONLY, 0o644)
			_, present := os.OpenFile("present", os.O_CREATE|os.O_RDONLY, 0o644)
			for _, err := range []error{
				made, os.Mkdir("../"+dir+"/folder", 0o755), os.Symlink("present", "link"), os.Remove("doomed"), unix.Rename("old", "new"),
			} {
				if (err != nil) != (dir == "theirs") || err != nil && !errors.Is(err, unix.EACCES) {
					return fmt.Errorf("in %s: %w", dir, err)
				}
			}
			again, none := os.Mkdir("present", 0o755), os.Remove("none")
			if err := os.Chdir(".."); err != nil || present != nil || !errors.Is(again, unix.EEXIST) || !errors.Is(none, unix.ENOENT) {
				return errors.Join(err, present, again, none)
			}
		}
		return nil
	},
	"chdir": func([]string) error {
		if err := os.Chdir("sub/deep"); err != nil {
			return err
		}
		if err := readFile("../file"); err != nil {
			return err
		}
		if err := os.Chdir("../.."); err != nil {
			return err
		}
		return readFile("file")
	},
	"fchdir": func([]string) error {
		dir, err := os.Open("sub")
		if err != nil {
			return err
		}
		if err := readFile("file"); err != nil {
			return err
		}
		if err := dir.Chdir(); err != nil {
			return err
		}
		return readFile("file")
	},
	"thread-chdir": func([]string) error { // by a thread that makes no other call for a long time
		to, done := make(chan string), make(chan error)
		go func() {
			runtime.LockOSThread()
			for dir := range to {
				done <- unix.Chdir(dir)
			}
		}()
		if err := readFile("file"); err != nil {
			return err
		}
		for _, dir := range []string{"sub1", "../sub2"} {
			to <- dir
			if err := errors.Join(<-done, readFile("file"), readFile("file")); err != nil {
				return err
			}
		}
		return nil
	},
	"thread-exec": func([]string) error { // the thread gets the process' number
		ready, exec, failed := make(chan error), make(chan struct{}), make(chan error)
		go func() {
			runtime.LockOSThread()
			ready <- errors.Join(unix.Unshare(unix.CLONE_FS), unix.Chdir("sub"), readFile("file"))
			<-exec
			failed <- unix.Exec("/bin/cat", []string{"cat", "file"}, nil) // which starts no thread
		}()
		if err := errors.Join(<-ready, readFile("file")); err != nil {
			return err
		}
		close(exec)
		return <-failed
	},
	"rewrite": func([]string) error { // a path is rewritten while it is opened; tells what was
		const files = 500
		var opened strings.Builder
		path := make([]byte, 8) // four letters and a zero, aligned
		copy(path, "a000")
		name := (*atomic.Uint32)(unsafe.Pointer(&path[0]))
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			runtime.LockOSThread()
			for {
				select {
				case <-stop:
					return
				default:
					name.Store(name.Load() ^ ('a' ^ 'b')) // little endian: the first letter
				}
			}
		}()
		for i := range files {
			text := fmt.Sprintf("a%03d", i)
			name.Store(binary.LittleEndian.Uint32([]byte(text)))
			fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, atFDCWD, uintptr(unsafe.Pointer(&path[0])), unix.O_RDONLY, 0, 0, 0)
			if errno != 0 {
				return errno
			}
			really, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			if err := errors.Join(err, unix.Close(int(fd))); err != nil {
				return err
			}
			opened.WriteString(really + "\n")
		}
		return os.WriteFile("opened", []byte(opened.String()), 0o644)
	},
	"empty-path": func([]string) error {
		dir, err := unix.Open("sub", unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		self, err := unix.Openat(dir, "self", unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		_, _, handleErr := unix.NameToHandleAt(dir, "link", unix.AT_EMPTY_PATH|unix.AT_SYMLINK_FOLLOW)
		if errors.Is(handleErr, unix.EOPNOTSUPP) {
			handleErr = nil // the kernel has looked the name up
		}
		var st unix.Stat_t
		return errors.Join(handleErr, unix.Fstatat(dir, "named", &st, unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW), unix.Fchownat(dir, "owner", 0, 0, unix.AT_EMPTY_PATH),
			unix.Fchownat(self, "", 0, 0, unix.AT_EMPTY_PATH))
	},
	"fexecve": func(args []string) error {
		fd, err := unix.Open(args[0], unix.O_RDONLY, 0) // not close-on-exec: the interpreter opens it
		if err != nil {
			return err
		}
		return execDescriptor(fd)
	},
	"memory": func(args []string) error { // executes a copy of args[1], in memory, by the descriptor or its path
		content, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		fd, err := unix.MemfdCreate("copy", 0)
		if err != nil {
			return err
		}
		if _, err := unix.Write(fd, content); err != nil {
			return err
		}
		if args[0] == "path" {
			return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), []string{"copy"}, nil)
		}
		return execDescriptor(fd)
	},
	"unlinked": func(args []string) error { // what is opened through /proc after its end is no entry
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(args[0]), readFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd())))
	},
	"watch": func([]string) error {
		fd, err := unix.InotifyInit1(0)
		if err != nil {
			return err
		}
		_, followed := unix.InotifyAddWatch(fd, "followed", unix.IN_ACCESS)
		_, itself := unix.InotifyAddWatch(fd, "itself", unix.IN_ACCESS|unix.IN_DONT_FOLLOW)
		return errors.Join(followed, itself)
	},
	"mount": func([]string) error { // in a mount namespace of its own
		runtime.LockOSThread()
		return errors.Join(
			unix.Unshare(unix.CLONE_NEWNS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("link", "point", "", unix.MS_BIND, ""),
			unix.Mount("name", "point", "tmpfs", 0, ""),
			unix.Unmount("point", unix.UMOUNT_NOFOLLOW),
		)
	},
	"reused-dirfd": func([]string) error {
		for _, name := range []string{"one", "two"} {
			dir, err := unix.Open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
			if err != nil {
				return err
			}
			fd, err := unix.Openat(dir, "file", unix.O_RDONLY, 0)
			if err := errors.Join(err, unix.Close(fd), unix.Close(dir)); err != nil {
				return err
			}
		}
		return nil
	},
	"rename-above": func([]string) error {
		if err := os.Chdir("top/sub"); err != nil {
			return err
		}
		return errors.Join(readFile("file"), unix.Rename("../../top", "../../top2"), readFile("file"))
	},
	"same-pid": func([]string) error { // one after the other, in different directories
		pid := 30_000
		for unix.Kill(pid, 0) == nil {
			pid--
		}
		for _, dir := range []string{"sub", ""} {
			if err := openIn(dir, "file", pid); err != nil {
				return err
			}
		}
		return nil
	},
	"links": func(args []string) error {
		if err := each([]string{"hop1", "sub/up/file", "absolute"}, readFile); err != nil {
			return err
		}
		if _, err := os.Readlink("read"); err != nil {
			return err
		}
		if _, err := os.Lstat("lstat"); err != nil {
			return err
		}
		if _, err := os.Open("dangling"); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if _, err := unix.Open("nofollow", unix.O_RDONLY|unix.O_NOFOLLOW, 0); err != unix.ELOOP {
			return fmt.Errorf("nofollow: %w", err)
		}
		if _, err := os.Open("loop1"); !errors.Is(err, unix.ELOOP) {
			return fmt.Errorf("loop: %w", err)
		}
		return nil
	},
	"relink": func([]string) error { // the same name leads elsewhere later
		if err := readFile("current/file"); err != nil {
			return err
		}
		if err := os.Symlink("v2", "next"); err != nil {
			return err
		}
		if err := unix.Rename("next", "current"); err != nil {
			return err
		}
		return readFile("current/file")
	},
	"change": func([]string) error {
		return errors.Join(
			readFile("old"), unix.Rename("old", "new"), readFile("new"),
			readFile("doomed"), os.Remove("doomed"),
			os.WriteFile("made", []byte("x"), 0o644),
			os.WriteFile("present", []byte("x"), 0o644),
			os.Mkdir("newdir", 0o755), os.WriteFile("newdir/f", nil, 0o644),
			os.Chmod("mode", 0o600), os.Chtimes("times", time.Unix(1, 0), time.Unix(1, 0)),
			os.Truncate("cut", 0), os.Link("linked", "hard"), os.Symlink("target", "soft"),
			unix.Setxattr("attr", "user.x", []byte("1"), 0),
			unix.Mkfifo("fifo", 0o600), os.Remove("empty"),
		)
	},
	"map": func([]string) error {
		_, anonymous := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		return errors.Join(mapFile("link", unix.PROT_READ|unix.PROT_EXEC), mapFile("data", unix.PROT_READ), anonymous)
	},
	"sockets": func([]string) error { return useSockets() },
	"chameleon": func([]string) error {
		return unix.Exec("/bin/sh", []string{"first", "-c", "exec /bin/cat /dev/null"}, nil)
	},
	"list": func([]string) error {
		_, err := os.ReadDir("sub")
		return err
	},
	"magic": func([]string) error {
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		f, err := os.Open("fd")
		if err != nil {
			return err
		}
		defer f.Close()
		return each([]string{
			"/proc/self/cwd/cwd", "/proc/self/root" + wd + "/root",
			fmt.Sprintf("/proc/%d/cwd/pid", os.Getpid()), fmt.Sprintf("/proc/self/fd/%d", f.Fd()),
			"/proc/thread-self/cwd/thread", "/proc/self/exe",
		}, readFile)
	},
	"socket": func([]string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "sub/sock"}); err != nil {
			return err
		}
		if err := unix.Connect(fd, &unix.SockaddrUnix{Name: "sub/none"}); err != unix.ENOENT {
			return fmt.Errorf("connect: %w", err)
		}
		return sendNames()
	},
	"spawn": func(args []string) error { // clone(CLONE_VM|CLONE_VFORK), chdir, execve
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Stderr = "sub", os.Stderr
		return cmd.Run()
	},
	"spawn-as": func(args []string) error { // with other ids
		id, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		cmd := exec.Command(args[1], args[2:]...)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
		return cmd.Run()
	},
	"storm": func(args []string) error { // many processes at once
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		var cmds []*exec.Cmd
		for i := range n {
			cmd := exec.Command("/proc/self/exe", "fixture", "look", fmt.Sprintf("storm-%d", i))
			if err := cmd.Start(); err != nil {
				return err
			}
			cmds = append(cmds, cmd)
		}
		for _, cmd := range cmds {
			if err := cmd.Wait(); err != nil {
				return err
			}
		}
		return nil
	},
	"threads": func(args []string) error {
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() {
				runtime.LockOSThread() // ends with the goroutine
				if errs[i] = unix.Unshare(unix.CLONE_FS); errs[i] != nil {
					return
				}
				dir := fmt.Sprintf("dir%d", i)
				if errs[i] = unix.Chdir(dir); errs[i] == nil {
					errs[i] = readFile("file")
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	},
	"many": func(args []string) error { // open names that are not there, COUNT of them with a prefix
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		prefix := args[1] + strconv.Itoa(os.Getpid()) + "-"
		for i := range n {
			if fd, err := unix.Open(prefix+strconv.Itoa(i), unix.O_RDONLY, 0); err != unix.ENOENT {
				return fmt.Errorf("open: %d, %w", fd, err)
			}
		}
		return nil
	},
	"fill": func(args []string) error { // make COUNT files
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		for i := range n {
			fd, err := unix.Open("fill"+strconv.Itoa(i), unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
			if err != nil {
				return err
			}
			if err := unix.Close(fd); err != nil {
				return err
			}
		}
		return nil
	},
	"repeat": func(args []string) error { // open or stat one of K files N times
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		var names [][]byte
		for _, name := range args[2:] {
			names = append(names, append([]byte(name), 0))
		}
		// Raw calls, as a program in C: Go's runtime takes its measures when a
		// call lasts.
		var st unix.Stat_t
		cwd := unix.AT_FDCWD
		for i := range n {
			name := uintptr(unsafe.Pointer(&names[i%len(names)][0]))
			var errno unix.Errno
			if args[0] == "stat" {
				_, _, errno = unix.RawSyscall6(unix.SYS_NEWFSTATAT, uintptr(cwd), name, uintptr(unsafe.Pointer(&st)), 0, 0, 0)
			} else {
				var fd uintptr
				if fd, _, errno = unix.RawSyscall6(unix.SYS_OPENAT, uintptr(cwd), name, unix.O_RDONLY, 0, 0, 0); errno == 0 {
					_, _, errno = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
				}
			}
			if errno != 0 {
				return errno
			}
		}
		return nil
	},
	"alarm": func(args []string) error { // under a storm of signals
		got := make(chan os.Signal, 1)
		signal.Notify(got, unix.SIGALRM)
		interval := unix.Timeval{Usec: 500}
		if _, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Interval: interval, Value: interval}); err != nil {
			return err
		}
		for i := range 3000 {
			if err := readFile(args[i%len(args)]); err != nil {
				return err
			}
		}
		<-got
		return nil
	},
	"chroot": func([]string) error {
		if err := unix.Chroot("jail"); err != nil {
			return err
		}
		if err := os.Chdir("/"); err != nil {
			return err
		}
		return each([]string{"/inside", "/../../../above", "/abs", "rel"}, readFile)
	},
	"setuid": func(args []string) error { // every thread, as a C program would
		id, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		if err := errors.Join(syscall.Setgid(id), syscall.Setuid(id)); err != nil {
			return err
		}
		return readFile("file")
	},
	"setresuid": func(args []string) error {
		var ids [3]int
		for i := range ids {
			var err error
			if ids[i], err = strconv.Atoi(args[i]); err != nil {
				return err
			}
		}
		if err := syscall.Setresuid(ids[0], ids[1], ids[2]); err != nil {
			return err
		}
		return readFile("file")
	},
	"orphans": func(args []string) error { // leaves processes behind in sessions of their own
		for range 3 {
			cmd := exec.Command("/proc/self/exe", "fixture", "hang")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); err != nil {
				return err
			}
		}
		return readFile("file")
	},
	"hang": func([]string) error {
		signal.Ignore(unix.SIGTERM, unix.SIGHUP)
		for {
			_ = unix.Pause()
		}
	},
	"environment": func([]string) error { // what a program finds itself with
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		fds, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			return err
		}
		var open []string
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && !strings.HasPrefix(to, "anon_inode:") {
				open = append(open, filepath.Base(fd)+"="+to)
			}
		}
		slices.Sort(open)
		env := slices.Sorted(slices.Values(os.Environ()))
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		ids := fmt.Sprint(os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid())
		sid, err := unix.Getsid(0)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%sids %s\nfds %s\nenv %s\nwd %s\nleader %v\n", status, ids,
			strings.Join(open, " "), strings.Join(env, " "), wd, sid == os.Getpid())
		return os.WriteFile("environment", []byte(text), 0o644)
	},
	"forbidden": func([]string) error { // what a sandboxed step may not do
		var errs []error
		refuse := func(name string, err error) {
			if err == nil {
				errs = append(errs, fmt.Errorf("%s is allowed", name))
			}
		}
		_, err := os.ReadFile(manifest.BinDir + "/secret")
		refuse("reading the sensor", err)
		refuse("mount", unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""))
		refuse("unshare", unix.Unshare(unix.CLONE_NEWNS))
		refuse("bpf", errnoOf(unix.SYS_BPF, 0, 0, 0))
		refuse("io_uring", errnoOf(unix.SYS_IO_URING_SETUP, 8, 0, 0))
		return errors.Join(errs...)
	},
	"confined": func([]string) error { // what is beyond a sandbox's mounts
		var errs []error
		if data, err := os.ReadFile("/proc/keys"); err == nil && len(data) > 0 {
			errs = append(errs, errors.New("/proc/keys can be read"))
		}
		if err := errnoOf(unix.SYS_PERSONALITY, 0x0040000, 0, 0); err == nil {
			errs = append(errs, errors.New("personality is allowed"))
		}
		if _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); err == nil {
			errs = append(errs, errors.New("vsock is allowed"))
		}
		for _, kind := range []uint32{unix.S_IFBLK, unix.S_IFCHR} {
			if err := unix.Mknod("node", kind|0o600, int(unix.Mkdev(7, 0))); !errors.Is(err, unix.EPERM) {
				errs = append(errs, fmt.Errorf("mknod of a device: %w", err))
			}
		}
		if err := unix.Mknod("fifo", unix.S_IFIFO|0o600, 0); err != nil {
			errs = append(errs, fmt.Errorf("mknod of a fifo: %w", err))
		}
		if f, err := os.OpenFile("/dev/loop0", os.O_RDWR, 0); err == nil {
			var st unix.Stat_t
			errs = append(errs, unix.Fstat(int(f.Fd()), &st), f.Close())
			if st.Mode&unix.S_IFMT == unix.S_IFBLK {
				errs = append(errs, errors.New("/dev/loop0 can be opened"))
			}
		}
		for _, name := range []string{"/proc/sys/kernel/domainname", "/sys/kernel/mm/transparent_hugepage/enabled"} {
			if f, err := os.OpenFile(name, os.O_WRONLY, 0); !errors.Is(err, unix.EROFS) {
				f.Close()
				errs = append(errs, fmt.Errorf("%s for writing: %w", name, err))
			}
		}
		return errors.Join(errs...)
	},
}

// openLimited opens files of "in" with each RESOLVE_ flag of openat2(2).
func openLimited() error {
	dir, err := unix.Open("in", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		path    string
		flags   uint64
		resolve uint64
		want    error
	}{
		{"../out", 0, unix.RESOLVE_BENEATH, unix.EXDEV},
		{"up", 0, unix.RESOLVE_BENEATH, unix.EXDEV},
		{"absolute", 0, unix.RESOLVE_BENEATH, unix.EXDEV},
		{"/out", 0, unix.RESOLVE_BENEATH, unix.EXDEV},
		{"deep/../file", 0, unix.RESOLVE_BENEATH, nil},
		{"link", 0, unix.RESOLVE_NO_SYMLINKS, unix.ELOOP},
		{"unread", unix.O_PATH | unix.O_NOFOLLOW, unix.RESOLVE_NO_SYMLINKS, nil},
		{"/proc/self/cwd/magic", 0, unix.RESOLVE_NO_MAGICLINKS, unix.ELOOP},
		{"/dev/../proc/self/cwd/mounts", 0, unix.RESOLVE_NO_XDEV, unix.EXDEV},
		{"../../../../../../clamped", 0, unix.RESOLVE_IN_ROOT, unix.ENOENT},
		{"contradiction", 0, unix.RESOLVE_IN_ROOT | unix.RESOLVE_BENEATH, unix.EINVAL},
		{"unknown", 0, 1 << 40, unix.EINVAL},
		{"made", unix.O_CREAT | unix.O_WRONLY, resolveCached, unix.EAGAIN},
		{"cached", 0, resolveCached, nil},
	} {
		fd, err := unix.Openat2(dir, c.path, &unix.OpenHow{Flags: c.flags, Resolve: c.resolve})
		if err == nil {
			err = unix.Close(fd)
		}
		if !errors.Is(err, c.want) && !(c.resolve == resolveCached && errors.Is(err, unix.EAGAIN)) {
			return fmt.Errorf("openat2 %s, %#x: %w, want %w", c.path, c.resolve, err, c.want)
		}
	}
	return nil
}

// failures looks up what fails for each reason there is, as a user other than
// root in group 7.
func failures() error {
	var st unix.Stat_t
	open := func(name string, flags int) error {
		fd, err := unix.Open(name, flags, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	}
	for _, c := range []struct {
		name string
		got  error
		want error
	}{
		{"read", open("private", unix.O_RDONLY), unix.EACCES},
		{"write", open("file", unix.O_WRONLY), unix.EACCES},
		{"get hold", open("private-too", unix.O_PATH), nil},
		{"read as a group", open("group", unix.O_RDONLY), nil},
		{"below a closed folder", unix.Stat("closed/file", &st), unix.EACCES},
		{"nothing below a closed folder", unix.Stat("closed/none", &st), unix.EACCES},
		{"through a link", unix.Stat("link", &st), unix.EACCES},
		{"enter", unix.Chdir("closed"), unix.EACCES},
		{"list", open("unlisted", unix.O_RDONLY|unix.O_DIRECTORY), unix.EACCES},
		{"below an unlisted folder", open("unlisted/file", unix.O_RDONLY), nil},
		{"execute", unix.Exec("unexecutable", []string{"x"}, nil), unix.EACCES},
		{"file with a slash", open("slash/", unix.O_RDONLY), unix.ENOTDIR},
		{"file as a folder", open("nodir", unix.O_DIRECTORY), unix.ENOTDIR},
		{"below a file", open("below/x/y", unix.O_RDONLY), unix.ENOTDIR},
		{"enter a file", unix.Chdir("noentry"), unix.ENOTDIR},
		{"links in a circle", open("loop1", unix.O_RDONLY), unix.ELOOP},
		{"link itself", open("nofollow", unix.O_RDONLY|unix.O_NOFOLLOW), unix.ELOOP},
		{"long name", open("long/"+strings.Repeat("n", 256), unix.O_RDONLY), unix.ENAMETOOLONG},
		{"long path", open(strings.Repeat("./", 2048)+"long", unix.O_RDONLY), unix.ENAMETOOLONG},
	} {
		if !errors.Is(c.got, c.want) {
			return fmt.Errorf("%s: %w, want %w", c.name, c.got, c.want)
		}
	}
	return nil
}

// execDescriptor is fexecve(3).
func execDescriptor(fd int) error {
	path, err := unix.BytePtrFromString("")
	if err != nil {
		return err
	}
	argv := [2]*byte{path}
	_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&argv)), uintptr(unsafe.Pointer(&argv[1])), unix.AT_EMPTY_PATH, 0)
	return errno
}

// sendNames sends messages to unix sockets that are not there.
func sendNames() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrUnix{Name: "sub/sendto"}); err != unix.ENOENT {
		return fmt.Errorf("sendto: %w", err)
	}
	if err := unix.Sendmsg(fd, []byte("x"), nil, &unix.SockaddrUnix{Name: "sub/sendmsg"}, 0); err != unix.ENOENT {
		return fmt.Errorf("sendmsg: %w", err)
	}
	type mmsghdr struct {
		unix.Msghdr
		sent uint32
	}
	var headers [3]mmsghdr // the first one has no address
	data := [1]byte{'x'}
	for i, name := range []string{"", "sub/sendmmsg1", "sub/sendmmsg2"} {
		address := &unix.RawSockaddrUnix{Family: unix.AF_UNIX}
		for j := range name {
			address.Path[j] = int8(name[j])
		}
		iov := &unix.Iovec{Base: &data[0], Len: 1}
		headers[i].Msghdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(address)), Namelen: unix.SizeofSockaddrUnix, Iov: iov, Iovlen: 1}
	}
	for first := range headers { // the kernel stops at the first failure
		if first == 0 {
			headers[first].Name = nil
		}
		_, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&headers[first])), uintptr(len(headers)-first), 0, 0, 0)
		if want := []unix.Errno{unix.ENOTCONN, unix.ENOENT, unix.ENOENT}[first]; errno != want {
			return fmt.Errorf("sendmmsg: %w, want %w", errno, want)
		}
	}
	return nil
}

// openIn opens a file from a directory, in a process with a chosen number that
// is made of nothing but system calls.
func openIn(dir, name string, pid int) error {
	tids := [1]int32{int32(pid)}
	args := struct{ flags, pidfd, childTID, parentTID, exit, stack, stackSize, tls, tids, tidCount, cgroup uint64 }{
		exit: uint64(unix.SIGCHLD), tids: uint64(uintptr(unsafe.Pointer(&tids))), tidCount: 1,
	}
	dirPath, err := unix.BytePtrFromString(dir)
	if err != nil {
		return err
	}
	path, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	got, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno != 0 {
		return fmt.Errorf("clone3: %w", errno)
	}
	if got == 0 {
		if dir != "" {
			_, _, _ = unix.RawSyscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(dirPath)), 0, 0)
		}
		fd, _, _ := unix.RawSyscall6(unix.SYS_OPENAT, atFDCWD, uintptr(unsafe.Pointer(path)), unix.O_RDONLY, 0, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT, fd>>63, 0, 0) // 1 if it failed
	}
	runtime.KeepAlive(&tids)
	var status unix.WaitStatus
	if _, err := unix.Wait4(int(got), &status, 0, nil); err != nil {
		return err
	}
	if int(got) != pid || status != 0 {
		return fmt.Errorf("process %d of %d: status %d", got, pid, status)
	}
	return nil
}

func errnoOf(nr, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(nr, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

func readFile(name string) error {
	_, err := os.ReadFile(name)
	return err
}

func mapFile(name string, prot int) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = unix.Mmap(int(f.Fd()), 0, 4096, prot, unix.MAP_PRIVATE)
	return err
}

func each(names []string, f func(string) error) error {
	for _, name := range names {
		if err := f(name); err != nil {
			return err
		}
	}
	return nil
}

func runFixture(name string, args []string) error {
	f, ok := fixtures[name]
	if !ok {
		return fmt.Errorf("no fixture %q", name)
	}
	return f(args)
}
