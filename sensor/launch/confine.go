package launch

import (
	"bufio"
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
	"github.com/org/slimfile/sensor/manifest"
)

// sandboxCaps is the capability set of a sandboxed build step, Docker's
// default: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
// net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
const sandboxCaps = 0xa80425fb

// maskedPaths and readonlyPaths are those of containerd's default OCI spec
// (pkg/oci), which BuildKit's sandboxed steps get, and /sys.
func maskedPaths() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
}

func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/sys"}
}

// confine gives the calling thread the surroundings of a sandboxed step, except
// for ids and capability sets, which limitCaps does once ids are final.
func confine() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return failed("unshare", "", err)
	}
	// Nothing done here may reach the sensor's own mounts.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return failed("mount", "/", err)
	}
	for _, step := range []func() error{hideSensor, hideDevices, maskPaths, lockPaths, boundCaps} {
		if err := step(); err != nil {
			return err
		}
	}
	prog, err := filter.Assemble(withoutDevices(dockerRules())...)
	if err != nil {
		return err
	}
	_, err = installFilter(prog, 0)
	return failed(StepFilter, "", err)
}

// hideSensor unmounts what the step mounted for the sensor and covers the empty
// mount points, which are shared with the sensor's own mount namespace.
func hideSensor() error {
	points, err := mountPoints(manifest.Dir)
	if err != nil {
		return failed("mountinfo", "", err)
	}
	for _, p := range slices.Backward(points) {
		if err := unix.Unmount(p, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return failed("umount", p, err)
		}
	}
	return cover(manifest.Dir)
}

// mountPoints lists the mounts at or below dir in the order they were made.
func mountPoints(dir string) ([]string, error) {
	f, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var points []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Fields(sc.Text())
		if len(fields) < 5 {
			continue
		}
		if p := fields[4]; p == dir || strings.HasPrefix(p, dir+"/") {
			points = append(points, p)
		}
	}
	return points, sc.Err()
}

// sandboxDevices are the nodes that runc makes in every container; the console
// and terminals are links or mounts of their own.
var sandboxDevices = [...]string{"null", "zero", "full", "random", "urandom", "tty", "console"}

// hideDevices covers the nodes that an insecure step has beyond those of a
// sandbox: the host's loop devices, kvm, fuse, the kernel's log.
func hideDevices() error {
	const dev = "/dev"
	entries, err := os.ReadDir(dev)
	if err != nil {
		return failed("read", dev, err)
	}
	for _, e := range entries {
		if slices.Contains(sandboxDevices[:], e.Name()) {
			continue
		}
		if e.Type()&os.ModeDevice != 0 || e.Name() == "net" {
			if err := cover(dev + "/" + e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutDevices refuses to make device nodes, which a sandbox's device cgroup
// would make useless and an insecure step's does not. Root keeps CAP_MKNOD, as
// in a sandbox.
func withoutDevices(rules []filter.Rules) []filter.Rules {
	for _, r := range rules {
		for nr, arg := range mknodCalls[r.Arch] {
			device := func(kind uint64) filter.Case {
				return filter.Case{
					Conds: []filter.Cond{{Arg: arg, Op: filter.Equal, Mask: unix.S_IFMT, Value: kind}},
					Do:    filter.Errno(unix.EPERM),
				}
			}
			r.Calls[nr] = slices.Concat([]filter.Case{device(unix.S_IFBLK), device(unix.S_IFCHR)}, r.Calls[nr])
		}
	}
	return rules
}

// mknodCalls has the numbers of mknod and mknodat, each with its mode argument,
// by architecture (arch/*/tools/syscall.tbl, include/uapi/asm-generic/unistd.h).
var mknodCalls = map[uint32]map[uint32]int{
	unix.AUDIT_ARCH_X86_64:  {133: 1, 259: 2},
	unix.AUDIT_ARCH_I386:    {14: 1, 297: 2},
	unix.AUDIT_ARCH_AARCH64: {33: 2},
	unix.AUDIT_ARCH_ARM:     {14: 1, 324: 2},
}

func maskPaths() error {
	for _, p := range maskedPaths() {
		if err := cover(p); err != nil {
			return err
		}
	}
	return nil
}

// cover hides a directory under an empty read-only file system and a file under
// /dev/null, as runc does; a path that does not exist needs nothing.
func cover(path string) error {
	err := unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
	if errors.Is(err, unix.ENOTDIR) {
		err = unix.Mount("tmpfs", path, "tmpfs", unix.MS_RDONLY, "size=0k")
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return failed("mask", path, err)
}

// lockPaths makes paths read-only, each with all that is mounted below it.
func lockPaths() error {
	for _, p := range readonlyPaths() {
		err := unix.Mount(p, p, "", unix.MS_BIND|unix.MS_REC, "")
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return failed("bind", p, err)
		}
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, p, unix.AT_RECURSIVE, &attr); err != nil {
			return failed("read-only", p, err)
		}
	}
	return nil
}

// boundCaps limits what any later execve can give.
func boundCaps() error {
	for c := uintptr(0); c <= 63; c++ {
		if sandboxCaps&(1<<c) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			break // beyond the kernel's last capability
		}
		if err != nil {
			return failed("drop capability", "", err)
		}
	}
	return failed("clear ambient capabilities", "",
		unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}

// limitCaps sets the thread's own sets: root keeps the sandbox's, others have
// none, or just what binding a low port needs (as an ambient capability, which
// survives the execve of a plain program).
func limitCaps(root, bind bool) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	switch {
	case root:
		data[0].Effective, data[0].Permitted = sandboxCaps, sandboxCaps
	case bind:
		const mask = 1 << unix.CAP_NET_BIND_SERVICE
		data[0] = unix.CapUserData{Effective: mask, Permitted: mask, Inheritable: mask}
	}
	if err := unix.Capset(&header, &data[0]); err != nil || root || !bind {
		return failed("capset", "", err)
	}
	return failed("raise ambient capability", "",
		unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_BIND_SERVICE, 0, 0))
}
