// Package container turns an image's configuration into the runtime's: what
// runc needs to run an image as Docker would. Used by the end-to-end tests and
// by the application suite in hack/apps.
package container

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/moby/sys/user"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Options differ from how the image says that it runs.
type Options struct {
	// Args replaces ENTRYPOINT and CMD.
	Args []string
	// Env is added to the image's.
	Env []string
	// User replaces USER.
	User string
	// ReadOnly mounts the root read-only.
	ReadOnly bool
	// Mounts are bind mounts, folders of this machine by where they are put.
	Mounts map[string]string
	// Pids limits the processes of the container; 0 does not.
	Pids int64
	// SharedNetwork leaves the container in the network of the runtime; else it
	// has one of its own with loopback only.
	SharedNetwork bool
}

// Spec is what Docker would run: the image's user with its supplementary
// groups, Docker's capabilities and seccomp profile, in the cgroup /ID.
func Spec(id, root string, config ocispecs.ImageConfig, opts Options) (*specs.Spec, error) {
	if opts.User == "" {
		opts.User = config.User
	}
	account, err := resolveUser(root, opts.User)
	if err != nil {
		return nil, err
	}
	args := opts.Args
	if args == nil {
		args = slices.Concat(config.Entrypoint, config.Cmd)
	}
	if len(args) == 0 {
		return nil, errors.New("the image has no ENTRYPOINT and no CMD")
	}
	env := slices.Concat(defaults(account), config.Env, opts.Env)
	caps := &specs.LinuxCapabilities{Bounding: dockerCaps}
	if account.Uid == 0 {
		caps.Effective, caps.Permitted = dockerCaps, dockerCaps
	}
	groups := make([]uint32, len(account.Sgids))
	for i, gid := range account.Sgids {
		groups[i] = uint32(gid)
	}
	spec := &specs.Spec{
		Version:  specs.Version,
		Hostname: "app",
		Root:     &specs.Root{Path: root, Readonly: opts.ReadOnly},
		Process: &specs.Process{
			Args: args, Env: env, Cwd: path.Join("/", config.WorkingDir),
			User:         specs.User{UID: uint32(account.Uid), GID: uint32(account.Gid), AdditionalGids: groups},
			Capabilities: caps,
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=64m"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=64m"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: "/" + id,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
			},
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if !opts.SharedNetwork {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
		// As Docker since 20.10: any user may listen below 1024.
		spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
	}
	for destination, source := range opts.Mounts {
		spec.Mounts = append(spec.Mounts, specs.Mount{Destination: destination, Type: "bind", Source: source, Options: []string{"rbind"}})
	}
	if opts.Pids > 0 {
		spec.Linux.Resources = &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &opts.Pids}}
	}
	spec.Linux.Seccomp, err = seccomp.GetDefaultProfile(spec)
	return spec, err
}

// dockerCaps is Docker's default capability set (moby, oci/caps/defaults.go).
var dockerCaps = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// defaults is the environment that the image's own overrules.
func defaults(account *user.ExecUser) []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + account.Home}
}

// resolveUser reads USER by the image's own account files, which it may lack.
func resolveUser(root, name string) (*user.ExecUser, error) {
	passwd, err := openInRoot(root, "etc/passwd")
	if err != nil {
		return nil, err
	}
	defer passwd.Close()
	group, err := openInRoot(root, "etc/group")
	if err != nil {
		return nil, err
	}
	defer group.Close()
	return user.GetExecUser(name, &user.ExecUser{Home: "/"}, passwd, group)
}

func openInRoot(dir, name string) (io.ReadCloser, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return f, err
}
