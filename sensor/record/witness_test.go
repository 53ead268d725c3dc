package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// runOutside runs what seccomp does not see, with all of the sensor's
// privileges. While the recorder is held fanotify's reader cannot go on.
func runOutside(s *Session, j job) (err error) {
	if len(j.Outside) == 0 {
		return nil
	}
	if j.Overflow {
		s.recorder.mu.Lock()
		defer s.recorder.mu.Unlock()
	}
	s.launcher.Hold(func() { // the reaper would take it away
		cmd := exec.Command(j.Outside[0], j.Outside[1:]...)
		cmd.Dir, cmd.Env = j.Spec.Dir, []string{noRaceSleep}
		var text []byte
		if text, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("%v: %w\n%s", j.Outside, err, text)
		}
	})
	return err
}

// witnessed is a run in which fanotify alone sees what a command does.
func witnessed(t *testing.T, exe, dir string, j job) outcome {
	t.Helper()
	j.Mode = insecure
	j.Spec = launch.Spec{Path: exe, Args: []string{"program", "fixture", "nothing"}, Dir: dir}
	return run(t, j)
}

// TestWitnessAlone forces each way past seccomp. A file system other than an
// overlay is marked by its mounts.
func TestWitnessAlone(t *testing.T) {
	exe := program(t)
	for _, tt := range []struct {
		name string
		args []string // $DIR/program32 or a fixture
		file string
		root string // an overlay over this machine's root, if set
	}{
		{"open", []string{"open", "file"}, "file", ""},
		{"open on an overlay", []string{"open", "file"}, "file", "/"},
		{"io_uring", []string{"uring", "file"}, "file", ""},
		{"int 0x80", []string{"program32"}, "file", ""},
		{"emulated program", []string{"guest"}, "file", ""},
		{"inherited descriptor", []string{"inherit", "file"}, "file", ""},
		{"bind mount made before", []string{"open", "mounted/file"}, "sub/file", ""},
		{"mount made later in a new namespace", []string{"elsewhere"}, "jail/file", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := workplace(t, []string{"file", "sub/file", "mounted/", "jail/file", "jail/old/"})
			if off, err := os.ReadFile("/proc/sys/kernel/io_uring_disabled"); tt.args[0] == "uring" && (err != nil || string(off) == "2\n") {
				skip(t, "io_uring")
			}
			command := append([]string{exe, "fixture"}, tt.args...)
			actor := exe
			switch tt.args[0] {
			case "program32":
				actor = program32(t, dir)
				command = []string{actor}
			case "guest":
				actor = need(t, "qemu-aarch64-static")
				a := assembler{refs: map[int]string{}}
				a.call(openat, unix.AT_FDCWD, "file", unix.O_RDONLY, 0)
				guest := filepath.Join(dir, "guest")
				if err := os.WriteFile(guest, a.build(), 0o755); err != nil {
					t.Fatal(err)
				}
				command = []string{actor, guest}
			}
			j := job{Outside: command, Root: tt.root, Setup: "mount --bind " + dir + "/sub " + dir + "/mounted"}
			out := witnessed(t, exe, dir, j)
			// A program that ends before its event is read takes its mounts along:
			// that is a loss, as it should be, but not what is asked for here.
			for n := 0; n < 5 && strings.Contains(out.CloseErr, "mount that is gone"); n++ {
				out = witnessed(t, exe, dir, j)
			}
			if out.CloseErr != "" || out.StartErr != "" || out.Exit != 0 {
				t.Fatalf("close %q, start %q, exit %d", out.CloseErr, out.StartErr, out.Exit)
			}
			want := manifest.Sighting{Path: manifest.Path(filepath.Join(dir, tt.file)), Exe: manifest.Path(actor)}
			found := false
			for _, s := range out.Witness {
				found = found || s == want
			}
			if !found {
				t.Errorf("%+v is not in %+v", want, out.Witness)
			}
		})
	}
}

// TestWitnessOverflow: a queue that is full is a loss.
func TestWitnessOverflow(t *testing.T) {
	limit, err := os.ReadFile("/proc/sys/fs/fanotify/max_queued_events")
	if err != nil {
		skip(t, "fanotify's limits in /proc/sys")
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(limit)))
	if err != nil {
		t.Fatal(err)
	}
	exe := program(t)
	dir := workplace(t, nil)
	for _, overflow := range []bool{true, false} {
		out := witnessed(t, exe, dir, job{
			Outside:  []string{exe, "fixture", "fill", strconv.Itoa(n + 1000)},
			Overflow: overflow,
		})
		if lost := strings.Contains(out.CloseErr, "fanotify's queue overflowed"); lost != overflow || (out.Lost > 0) != overflow {
			t.Errorf("overflow %v: lost %d, %q", overflow, out.Lost, out.CloseErr)
		}
	}
}

// uringOpen opens a file by IORING_OP_OPENAT (io_uring(7)).
func uringOpen(name string) error {
	const (
		// include/uapi/linux/io_uring.h; tail and array are the offsets of
		// these offsets in struct io_uring_params.
		opOpenAt, enterGetEvents      = 18, 1
		offRing, offEntries           = 0, 0x10000000
		sizeParams, offTail, offArray = 120, 40 + 4, 40 + 24
	)
	var p [sizeParams]byte
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return fmt.Errorf("io_uring_setup: %w", errno)
	}
	ring, err := unix.Mmap(int(fd), offRing, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	entries, err := unix.Mmap(int(fd), offEntries, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	path, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	native := binary.NativeEndian
	fdcwd := int32(unix.AT_FDCWD)
	entries[0] = opOpenAt // struct io_uring_sqe
	native.PutUint32(entries[4:], uint32(fdcwd))
	native.PutUint64(entries[16:], uint64(uintptr(unsafe.Pointer(path))))
	native.PutUint32(ring[native.Uint32(p[offArray:]):], 0) // array[0]
	native.PutUint32(ring[native.Uint32(p[offTail:]):], 1)  // tail
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, fd, 1, 1, enterGetEvents, 0, 0); errno != 0 {
		return fmt.Errorf("io_uring_enter: %w", errno)
	}
	runtime.KeepAlive(path)
	return nil
}

// elsewhere makes jail the root of a new mount namespace and opens a file in it,
// until its mounts must have been seen.
func elsewhere() error {
	runtime.LockOSThread()
	const opens, interval = 200, 5 * time.Millisecond
	err := errors.Join(
		unix.Unshare(unix.CLONE_NEWNS),
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("jail", "jail", "", unix.MS_BIND, ""),
		unix.PivotRoot("jail", "jail/old"),
		unix.Chdir("/"),
		unix.Unmount("old", unix.MNT_DETACH),
	)
	for range opens {
		err = errors.Join(err, readFile("/file"))
		<-time.After(interval)
	}
	return err
}
