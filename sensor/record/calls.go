package record

import (
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/launch/filter"
	"github.com/org/slimfile/sensor/manifest"
)

// kind says how a call's arguments are read.
type kind uint8

const (
	kindPlain    kind = iota // one or two paths with fixed operations
	kindOpen                 // open(2): operations depend on the flags argument
	kindOpen2                // openat2(2): flags are in a struct in memory
	kindExec                 // execve(2), execveat(2)
	kindAddress              // bind(2), connect(2): the path is in a sockaddr_un
	kindSockets              // socketcall(2) of i386, which holds the two above
	kindReroot               // chroot(2), pivot_root(2): absolute paths start elsewhere
	kindSetID                // setuid(2) and its family
	kindMove                 // fchdir(2), clone(2): no path, but it changes places
	kindDumpable             // prctl(2) about the dumpable state
	kindMap                  // mmap(2) of a file as code
	kindSend                 // sendto(2) with an address
	kindMessage              // sendmsg(2)
	kindMessages             // sendmmsg(2)
	kindMount                // mount(2): whether the source is a path depends on the flags
	kindListen               // listen(2)
	kindNoted                // of interest only for the set of calls
)

// call describes a path-taking system call by its arguments' positions.
type call struct {
	kind kind
	a, b arg // b is the second path of two
	// flags is the position of the open(2) or AT_* flags, none if there are
	// no flags.
	flags   int8
	changes change
	// fstat says that with AT_EMPTY_PATH the call mostly is fstat(2).
	fstat bool
}

// none stands for an argument that the call does not have.
const none int8 = -1

// arg is one path argument.
type arg struct {
	dir, path int8 // positions; dir is none for the working directory
	ops       manifest.Ops
	look      look
	// leaves is the flag for noFollow, follows the one that lifts it.
	leaves, follows uint32
}

// look says how a path is looked up.
type look uint16

const (
	noFollow    look = 1 << iota // a link at the end is meant itself
	creates                      // a name that is not there gets made
	exclusive                    // and must not be there
	onlyDir                      // O_DIRECTORY: the call fails for anything but a directory
	refusesLink                  // O_NOFOLLOW: noFollow, and the call fails for a link
	// What follows are the flags of openat2(2): RESOLVE_IN_ROOT, of which the
	// directory is the root, _BENEATH, _NO_SYMLINKS, _NO_MAGICLINKS, _NO_XDEV.
	inRoot
	beneathDir
	noLinks
	noMagicLinks
	noMounts
)

func at(dir, path int8, ops manifest.Ops, l look) arg {
	return arg{dir: dir, path: path, ops: ops, look: l}
}

func (a arg) unless(leaves uint32) arg { a.leaves = leaves; return a }
func (a arg) follow(flag uint32) arg   { a.look, a.follows = a.look|noFollow, flag; return a }

func (a arg) present() bool { return a.path != none }

// one is a call with a single path.
func one(a arg) call { return call{a: a, b: at(none, none, 0, 0), flags: none} }

// move is a call that changes places and has no path.
func move() call { return one(at(none, none, 0, 0)).of(kindMove).moves() }

// two is a call with two paths.
func two(a, b arg) call { return call{a: a, b: b, flags: none} }

func (c call) of(k kind) call         { c.kind = k; return c }
func (c call) flagsAt(pos int8) call  { c.flags = pos; return c }
func (c call) atFlags(pos int8) call  { c.flags, c.a.leaves = pos, unix.AT_SYMLINK_NOFOLLOW; return c }
func (c call) changing() call         { c.changes |= changesNames; return c }
func (c call) orFstat() call          { c.fstat = true; return c }
func (c call) moves() call            { c.changes |= changesPlaces; return c }
func relative(ops manifest.Ops) call  { return one(at(none, 0, ops, 0)) }
func itself(ops manifest.Ops) call    { return one(at(none, 0, ops, noFollow)) }
func beneath(ops manifest.Ops) call   { return one(at(0, 1, ops, 0)) }
func beneathIt(ops manifest.Ops) call { return one(at(0, 1, ops, noFollow)) }

// calls describes every call that the recorder wants to see, by its name in the
// kernel's tables.
func calls() map[string]call {
	const (
		opened  = manifest.Opened
		written = manifest.Written
		checked = manifest.Checked
		entered = manifest.Entered
		deleted = manifest.Deleted
		changed = manifest.Changed
		renamed = manifest.Renamed
	)
	table := map[string]call{
		"open":    relative(0).of(kindOpen).flagsAt(1),
		"openat":  beneath(0).of(kindOpen).flagsAt(2),
		"openat2": beneath(0).of(kindOpen2).flagsAt(2),
		"creat":   one(at(none, 0, written, creates)),

		// A thread that executes takes the number of its process' first one.
		"execve":   relative(manifest.Executed).of(kindExec).moves(),
		"execveat": beneath(manifest.Executed).of(kindExec).atFlags(4).moves(),

		"statx":             beneath(checked).atFlags(2).orFstat(),
		"newfstatat":        beneath(checked).atFlags(3).orFstat(),
		"faccessat":         beneath(checked),
		"faccessat2":        beneath(checked).atFlags(3),
		"readlinkat":        beneathIt(checked),
		"name_to_handle_at": one(at(0, 1, checked, 0).follow(unix.AT_SYMLINK_FOLLOW)).flagsAt(4),
		"getxattrat":        beneath(checked).atFlags(2),
		"listxattrat":       beneath(checked).atFlags(2),
		"file_getattr":      beneath(checked).atFlags(4),
		"inotify_add_watch": one(at(none, 1, checked, 0).unless(unix.IN_DONT_FOLLOW)).flagsAt(2),
		"fanotify_mark":     one(at(3, 4, checked, 0).unless(unix.FAN_MARK_DONT_FOLLOW)).flagsAt(1),
		// The mask before takes two arguments of 32 bits.
		"fanotify_mark32": one(at(4, 5, checked, 0).unless(unix.FAN_MARK_DONT_FOLLOW)).flagsAt(1),
		"quotactl":        one(at(none, 1, checked, 0)),

		"chdir":  relative(entered).moves(),
		"chroot": relative(entered).of(kindReroot).moves(),
		"fchdir": move(),
		"setns":  move(),
		// The new thread may get the number of one that is gone.
		"fork":   move(),
		"vfork":  move(),
		"clone":  move(),
		"clone3": move(),

		"mkdirat":    one(at(0, 1, checked, noFollow|creates)),
		"mknodat":    one(at(0, 1, checked, noFollow|creates)),
		"symlinkat":  one(at(1, 2, checked, noFollow|creates)).changing(),
		"linkat":     two(at(0, 1, opened, 0).follow(unix.AT_SYMLINK_FOLLOW), at(2, 3, checked, noFollow|creates)).flagsAt(4).changing(),
		"renameat":   two(at(0, 1, deleted|renamed, noFollow), at(2, 3, written|renamed, noFollow|creates)).changing(),
		"renameat2":  two(at(0, 1, deleted|renamed, noFollow), at(2, 3, written|renamed, noFollow|creates)).changing(),
		"unlinkat":   beneathIt(deleted).changing(),
		"pivot_root": two(at(none, 0, entered, 0), at(none, 1, checked, 0)).of(kindReroot).changing().moves(),
		"mount":      two(at(none, 1, checked, 0), at(none, 0, checked, 0)).of(kindMount).changing(),
		"umount":     relative(checked).changing(),
		"umount2":    one(at(none, 0, checked, 0).unless(unix.UMOUNT_NOFOLLOW)).flagsAt(1).changing(),

		"move_mount":     two(at(0, 1, checked, 0).follow(unix.MOVE_MOUNT_F_SYMLINKS), at(2, 3, checked, 0).follow(unix.MOVE_MOUNT_T_SYMLINKS)).flagsAt(4).changing(),
		"open_tree":      beneath(checked).atFlags(2),
		"open_tree_attr": beneath(checked).atFlags(2),
		"mount_setattr":  beneath(checked).atFlags(2),
		"fspick":         one(at(0, 1, checked, 0).unless(unix.FSPICK_SYMLINK_NOFOLLOW)).flagsAt(2),

		"truncate":      relative(written),
		"fchmodat":      beneath(changed),
		"fchmodat2":     beneath(changed).atFlags(3),
		"fchownat":      beneath(changed).atFlags(4),
		"utimensat":     beneath(changed).atFlags(3),
		"setxattrat":    beneath(changed).atFlags(2),
		"removexattrat": beneath(changed).atFlags(2),
		"file_setattr":  beneath(changed).atFlags(4),

		"bind":       one(at(none, 1, checked, noFollow|creates)).of(kindAddress),
		"connect":    one(at(none, 1, checked, 0)).of(kindAddress),
		"socketcall": one(at(none, 1, checked, 0)).of(kindSockets),

		"sendto":   one(at(none, 4, checked, 0)).of(kindSend),
		"sendmsg":  one(at(none, 1, checked, 0)).of(kindMessage),
		"sendmmsg": one(at(none, 1, checked, 0)).of(kindMessages),
		"listen":   {kind: kindListen},

		"mmap":  {kind: kindMap},
		"mmap2": {kind: kindMap},
	}
	for _, name := range []string{"stat", "stat64", "oldstat", "access", "statfs", "statfs64", "getxattr", "listxattr"} {
		table[name] = relative(checked)
	}
	for _, name := range []string{"lstat", "lstat64", "oldlstat", "readlink", "lgetxattr", "llistxattr"} {
		table[name] = itself(checked)
	}
	for _, name := range []string{"acct", "swapon", "swapoff", "uselib"} {
		table[name] = relative(opened)
	}
	for _, name := range []string{"mkdir", "mknod"} {
		table[name] = one(at(none, 0, checked, noFollow|creates))
	}
	for _, name := range []string{"unlink", "rmdir"} {
		table[name] = itself(deleted).changing()
	}
	for _, name := range []string{"chmod", "chown", "chown32", "utime", "utimes", "setxattr", "removexattr"} {
		table[name] = relative(changed)
	}
	for _, name := range []string{"lchown", "lchown32", "lsetxattr", "lremovexattr"} {
		table[name] = itself(changed)
	}
	for _, name := range []string{"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid"} {
		table[name] = move().of(kindSetID)
		table[name+"32"] = table[name]
	}
	table["link"] = two(at(none, 0, opened, noFollow), at(none, 1, checked, noFollow|creates)).changing()
	table["symlink"] = one(at(none, 1, checked, noFollow|creates)).changing()
	table["rename"] = two(at(none, 0, deleted|renamed, noFollow), at(none, 1, written|renamed, noFollow|creates)).changing()
	table["futimesat"] = beneath(changed)
	table["fstatat64"] = table["newfstatat"]
	table["truncate64"] = table["truncate"]
	table["utimensat_time64"] = table["utimensat"]
	return table
}

// numbering is the call numbers of one ABI, by name.
type numbering struct {
	arch    uint32 // AUDIT_ARCH_*
	numbers map[string]uint32
	// prctl and ioUring are the numbers of the two calls that are answered
	// and not recorded.
	prctl, ioUring uint32
}

// numberings lists the ABIs of this machine's kernel, the native one first.
// Numbers are those of the kernel's syscall tables; a test holds them against
// its headers.
func numberings() []numbering {
	if runtime.GOARCH == "arm64" {
		return aarch64()
	}
	return x86()
}

// table finds the description of a call by its number.
type table struct {
	arch uint32
	by   []call // indexed by number; flags 0 and path 0 of an unused slot are never looked at
	// all says that the calls that are not described are reported too; assumed
	// are the numbers that nevertheless are not, or not always.
	all     bool
	assumed []uint32
}

// prepare makes the filter that reports the calls, and the tables to read the
// reports by. Calls that are newer than the tables are told to be missing.
func prepare(opt Options) ([]unix.SockFilter, []table, error) {
	descr := calls()
	var (
		rules  []filter.Rules
		tables []table
	)
	for _, n := range numberings() {
		r := filter.Rules{Arch: n.arch, Other: filter.Allow, Beyond: filter.Errno(unix.ENOSYS), Calls: map[uint32][]filter.Case{}}
		t := table{arch: n.arch}
		for name, nr := range n.numbers {
			c := descr[name]
			r.Calls[nr] = c.cases()
			for len(t.by) <= int(nr) {
				t.by = append(t.by, call{})
			}
			t.by[nr] = c
		}
		r.Calls[n.ioUring] = filter.Always(filter.Errno(unix.ENOSYS))
		if !opt.Privileged {
			r.Calls[n.prctl] = []filter.Case{
				notOwn(),
				{Conds: []filter.Cond{is(0, unix.PR_SET_DUMPABLE)}, Do: filter.Notify},
				{Conds: []filter.Cond{is(0, unix.PR_GET_DUMPABLE)}, Do: filter.Notify},
			}
			for len(t.by) <= int(n.prctl) {
				t.by = append(t.by, call{})
			}
			t.by[n.prctl] = call{kind: kindDumpable}
		}
		if opt.Calls {
			t.noteAll(&r)
		}
		rules, tables = append(rules, r), append(tables, t)
	}
	prog, err := filter.Assemble(rules...)
	return prog, tables, err
}

// cases are the filter's cases for a call: a notification, unless the call is
// about a descriptor and no path. A stat call with AT_EMPTY_PATH alone and a
// descriptor is how C libraries make fstat(3), and as frequent; a program that
// gives it a path nevertheless is not recorded.
func (c call) cases() []filter.Case {
	switch c.kind {
	case kindMap:
		return mapsCode()
	case kindSend:
		return sendsTo()
	case kindSetID, kindMessage:
		return []filter.Case{notOwn(), {Do: filter.Notify}}
	}
	if !c.fstat {
		return filter.Always(filter.Notify)
	}
	empty := is(int(c.flags), unix.AT_EMPTY_PATH)
	fdcwd := int32(unix.AT_FDCWD)
	return []filter.Case{
		{Conds: []filter.Cond{empty, is(int(c.a.dir), uint64(uint32(fdcwd)))}, Do: filter.Notify},
		{Conds: []filter.Cond{empty}, Do: filter.Allow},
		{Do: filter.Notify},
	}
}

// notOwn lets the stub's and the recorder's own calls pass.
func notOwn() filter.Case {
	return filter.Case{Conds: []filter.Cond{is(5, launch.OwnCall)}, Do: filter.Allow}
}

// is compares the lower half of an argument, all that an int parameter has.
func is(arg int, value uint64) filter.Cond {
	return filter.Cond{Arg: arg, Mask: 0xffffffff, Value: value}
}
