package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// defaultPath is the PATH that container runtimes give a program whose image
// sets none (containerd, pkg/oci, defaultUnixEnv).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxAccounts bounds /etc/passwd and /etc/group, in bytes.
const maxAccounts = 16 << 20

// resolve finds out what an OCI runtime would: the program in PATH, the user's
// ids, HOME, the folder to start in. The streams are left to the caller. An
// error is a *manifest.Failure.
func resolve(cmd manifest.Command) (launch.Spec, error) {
	account, err := lookUpUser(cmd.User)
	if err != nil {
		return launch.Spec{}, err
	}
	spec := launch.Spec{
		Args: cmd.Args,
		Env:  completeEnv(cmd.Env, account.Home),
		Dir:  workDir(cmd),
		UID:  uint32(account.Uid),
		GID:  uint32(account.Gid),
		// Runtimes put the primary group among the supplementary ones, lest a
		// setgid program could shed it (CVE-2022-2989).
		Groups: []uint32{uint32(account.Gid)},
	}
	for _, gid := range account.Sgids {
		if gid != account.Gid {
			spec.Groups = append(spec.Groups, uint32(gid))
		}
	}
	spec.Path, err = lookUpProgram(spec)
	return spec, err
}

// workDir is the folder that a command starts in.
func workDir(cmd manifest.Command) string { return path.Join("/", cmd.Dir) }

// makeDir makes the folder that the app starts in, as a runtime does. It is for
// the time before the app: later a link could lead it anywhere.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &manifest.Failure{
			Message: fmt.Sprintf("WORKDIR %s is missing and cannot be made: %s", dir, plain(err)),
			Remedy:  "make WORKDIR a directory",
		}
	}
	return nil
}

// lookUpUser resolves USER in the root's own account files.
func lookUpUser(name string) (*user.ExecUser, error) {
	passwd, err := readAccounts("/etc/passwd")
	if err != nil {
		return nil, err
	}
	group, err := readAccounts("/etc/group")
	if err != nil {
		return nil, err
	}
	root := &user.ExecUser{Home: "/"}
	account, err := user.GetExecUser(name, root, bytes.NewReader(passwd), bytes.NewReader(group))
	if err != nil {
		return nil, &manifest.Failure{
			Message: fmt.Sprintf("USER %q cannot be resolved in the image's /etc/passwd and /etc/group: %s", name, err),
			Remedy:  "create the user in the image (RUN useradd …), or give USER a numeric id",
		}
	}
	return account, nil
}

// readAccounts reads an account file; an image may have none.
func readAccounts(name string) ([]byte, error) {
	data, err := readRegular(name, maxAccounts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &manifest.Failure{Message: fmt.Sprintf("cannot resolve USER: %s", err)}
	}
	return data, nil
}

// completeEnv is env with what runtimes add to it: PATH and HOME where the
// image has none.
func completeEnv(env []string, home string) []string {
	env = append([]string(nil), env...)
	if getenv(env, "PATH") == "" {
		env = append(env, "PATH="+defaultPath)
	}
	if getenv(env, "HOME") == "" {
		env = append(env, "HOME="+home)
	}
	return env
}

// getenv is the last value of a variable.
func getenv(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// lookUpProgram returns the absolute path of the program that spec means.
// As in runc, relative folders in PATH are not searched.
func lookUpProgram(spec launch.Spec) (string, error) {
	name := spec.Args[0]
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join(spec.Dir, name)
		}
		return name, nil // the kernel's own answer is the most precise
	}
	search := getenv(spec.Env, "PATH")
	var found string // not executable
	for _, dir := range filepath.SplitList(search) {
		candidate := path.Join(dir, name)
		info, err := os.Stat(candidate)
		if !path.IsAbs(dir) || err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&0o111 != 0 && accessAs(spec, candidate, unix.X_OK) == nil {
			return candidate, nil
		}
		found = candidate
	}
	if found != "" {
		return "", notExecutable(spec, found)
	}
	return "", &manifest.Failure{
		Message: fmt.Sprintf("%q is not in PATH (%s)", name, search),
		Remedy:  "install it in the image's final stage, or give its full path",
	}
}

// notExecutable explains why spec's user may not execute a file that exists.
func notExecutable(spec launch.Spec, name string) error {
	f := &manifest.Failure{
		Message: fmt.Sprintf("%s is not executable by %s", name, account(spec)),
		Remedy:  fmt.Sprintf("RUN chmod 755 %s, or COPY --chmod=755", name),
	}
	for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
		if accessAs(spec, dir, unix.X_OK) != nil && accessAs(spec, path.Dir(dir), unix.X_OK) == nil {
			f.Message += ": it may not enter " + dir
			f.Remedy = fmt.Sprintf("install it where %s may go, or RUN chmod a+x %s", account(spec), dir)
			return f
		}
	}
	if info, err := os.Stat(name); err == nil {
		f.Message += fmt.Sprintf(" (its mode is %04o)", info.Mode().Perm())
	}
	return f
}

func account(spec launch.Spec) string {
	if spec.UID == 0 {
		return "root"
	}
	return "uid " + strconv.FormatUint(uint64(spec.UID), 10)
}

// accessAs asks the kernel whether spec's user may use a file: it knows of
// every folder on the way and of access control lists. It checks with the file
// system ids of one thread, which are put back (credentials(7)).
func accessAs(spec launch.Spec, name string, mode uint32) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good, unless all ids could be put back
		result <- func() error {
			own, err := unix.Getgroups()
			if err != nil {
				return err
			}
			groups := make([]int, len(spec.Groups))
			for i, gid := range spec.Groups {
				groups[i] = int(gid)
			}
			if err := unix.Setgroups(groups); err != nil {
				return fmt.Errorf("setgroups: %w", err)
			}
			gid, err := unix.SetfsgidRetGid(int(spec.GID))
			if err != nil {
				return fmt.Errorf("setfsgid: %w", err)
			}
			uid, err := unix.SetfsuidRetUid(int(spec.UID))
			if err != nil {
				return fmt.Errorf("setfsuid: %w", err)
			}
			access := unix.Faccessat2(unix.AT_FDCWD, name, mode, unix.AT_EACCESS)
			if unix.Setfsuid(uid) == nil && unix.Setfsgid(gid) == nil && unix.Setgroups(own) == nil {
				runtime.UnlockOSThread()
			}
			return access
		}()
	}()
	return <-result
}

// outputPipe makes a pipe for a program to write to. The end to read has
// deadlines. The end to write belongs to uid, as runtimes do it, so that a
// program which opens /dev/stdout anew may; it blocks, as programs expect.
func outputPipe(uid uint32) (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("output pipe: %w", err)
	}
	w = os.NewFile(uintptr(fds[1]), "output")
	err = errors.Join(unix.SetNonblock(fds[0], true), w.Chown(int(uid), -1))
	r = os.NewFile(uintptr(fds[0]), "output") // reads by polling if non-blocking
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("output pipe: %w", err), r.Close(), w.Close())
	}
	return r, w, nil
}

// inputFile is an anonymous file with data to be read from its start; nil for
// nil.
func inputFile(data []byte) (*os.File, error) {
	if data == nil {
		return nil, nil
	}
	fd, err := unix.MemfdCreate("stdin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	f := os.NewFile(uintptr(fd), "stdin")
	_, err = f.Write(data)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("standard input: %w", err), f.Close())
	}
	return f, nil
}
