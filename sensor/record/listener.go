package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// listener answers the notifications of one started program and all its
// descendants, on one thread of its own: two context switches per call are the
// price, a third for another goroutine would double it.
type listener struct {
	*recorder
	launch.Listener
	target *target
	// started is false as long as the calls are the stub's.
	started bool
	// known holds what was recorded already and looked up again, by hash of the
	// path as the program gave it, where it counts from and what is done to it.
	known map[fingerprint]verdict
	seeds [2]maphash.Seed
	// images has what an execve loads, by the same hash; ran that of the present
	// call.
	images map[fingerprint]ran
	// sent has the calls already in noted, by phase, architecture and number.
	sent map[notedCall]struct{}
	ran  ran
	// loads has the processes that are to execute something, with the program
	// foreseen.
	loads map[uint32]string
	// subject is who made the present call.
	subject notified
	// places holds where threads' paths count from.
	places    map[uint32]*bases
	path, key []byte
	// attached are the threads that the listener traces; stopped says that it
	// looks at one that has stopped, whose notification is answered already.
	attached map[int]*attached
	stopped  bool
	pretences
	events uint64
	done   chan struct{}
}

// fingerprint is 128 bits of hash under secret seeds: two paths with the same
// one, of which the second would go unrecorded, do not happen.
type fingerprint [2]uint64

// verdict is the outcome of an earlier walk and the generation, phase and user
// that it belongs to.
type verdict struct {
	generation uint32
	phase      Phase
	hidden     bool
	user       int64 // file system uid, or anybody
}

const anybody = -1

// maxKnown bounds the memory of known, some 10 MB. A path that was forgotten is
// only walked again.
const maxKnown = 1 << 17

func newListener(r *recorder, l launch.Listener) *listener {
	return &listener{
		recorder: r, Listener: l, target: newTarget(r.privileged),
		known: map[fingerprint]verdict{}, images: map[fingerprint]ran{}, loads: map[uint32]string{}, places: map[uint32]*bases{}, sent: map[notedCall]struct{}{},
		attached: map[int]*attached{}, pretences: pretences{},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		path:  make([]byte, unix.PathMax), done: make(chan struct{}),
	}
}

// run answers until no process with the filter is left.
func (l *listener) run() {
	runtime.LockOSThread() // for good: the thread changes its ids
	defer close(l.done)
	defer l.Notify.Close()
	fd := int(l.Notify.Fd())
	// Without it every call costs a wake-up more; nothing else depends on it.
	_ = wakeOnSameCPU(fd)
	interruptible := kernelAtLeast(6, 11) // RECV ends with the last process
	var (
		n     notification
		pause pause
	)
	for {
		if len(l.attached) > 0 {
			l.attend(fd)
		}
		if !interruptible {
			if up, err := hungUp(fd, -1); up || err != nil {
				l.loseOn(err, "wait for notifications")
				return
			}
		}
		switch errno := recv(fd, &n); errno {
		case 0:
			l.answer(fd, &n)
			pause.now()
		case unix.EINTR:
		case unix.ENOENT: // the caller is gone, or the last of all
			if up, err := hungUp(fd, 0); up || err != nil {
				l.loseOn(err, "wait for notifications")
				return
			}
		default:
			l.loseOn(errno, "receive notification")
			return
		}
	}
}

// pause lets Go's scheduler have a thread now and then that does nothing but
// system calls. One that it has not seen for 10 ms (forcePreemptNS in
// runtime/proc.go) it takes the processor from in every call that it finds it
// in, and gives it back, and watches it every 20 us: a wake-up or two for each
// few calls.
type pause struct {
	events uint8
	last   time.Time
}

// maxUnseen is how long the scheduler may not have seen the thread.
const maxUnseen = 5 * time.Millisecond

// now pauses if it is time; to be called after each event.
func (p *pause) now() {
	const eachTime = 16 // the clock is read, which takes as long as much of an event
	if p.events++; p.events%eachTime != 0 {
		return
	}
	if now := time.Now(); now.Sub(p.last) > maxUnseen {
		p.last = now
		runtime.Gosched()
	}
}

func (l *listener) loseOn(err error, doing string) {
	if err != nil {
		l.lose(fmt.Sprintf("%s: %v", doing, err))
	}
}

// kernelAtLeast compares the running kernel's version.
func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var a, b int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}

// answer records a call and lets it go on.
func (l *listener) answer(fd int, n *notification) {
	c, ok := l.describe(n)
	if !ok {
		l.lose(fmt.Sprintf("call %d of architecture %#x is not in the tables", n.Nr, n.Arch))
	}
	if !l.started && c.kind == kindExec {
		l.started = true
		l.census.begin(n.PID)
	}
	if !ok || !l.started {
		send(fd, n.ID, 0)
		return
	}
	if l.noted != nil {
		l.note(n)
	}
	if c.kind == kindNoted {
		send(fd, n.ID, 0)
		return
	}
	l.events++
	l.subject = notified{l, fd, n}
	l.epochs.pass(n.PID, l.busy)
	switch c.kind {
	case kindSetID:
		l.census.suspect(n.PID)
		l.changed(n, c)
		if l.privileged {
			send(fd, n.ID, 0)
		} else {
			l.keepReadable(fd, n)
		}
		return
	case kindDumpable:
		l.pretend(fd, n)
		return
	case kindMove:
		l.changed(n, c)
		send(fd, n.ID, 0)
		return
	}
	if l.attached[int(n.PID)] != nil && l.inspect(fd, n, c) {
		return
	}
	if expected, ok := l.loads[n.PID]; ok {
		delete(l.loads, n.PID)
		l.account(n, l.loaded(fd, n, expected))
	}
	hidden, err := l.record(fd, n, c)
	l.account(n, err)
	if c.kind == kindExec {
		l.executed(fd, n)
	}
	l.changed(n, c)
	reply(fd, n.ID, hidden)
}

// reply lets a recorded call go on, unless it concerns the sensor's own files.
func reply(fd int, id uint64, hidden bool) {
	if hidden {
		send(fd, id, unix.ENOENT)
		return
	}
	send(fd, id, 0)
}

// changed notes that a call which is about to go on may change what the recorder
// has learnt.
func (l *listener) changed(n *notification, c call) {
	if c.changes != 0 {
		l.epochs.begin(flight{n.PID, n.Nr, c.changes})
	}
}

func (l *listener) describe(n *notification) (call, bool) {
	for _, t := range l.tables {
		if t.arch != n.Arch || n.Nr < 0 {
			continue
		}
		if int(n.Nr) < len(t.by) {
			return t.by[n.Nr], true
		}
		return call{kind: kindNoted}, t.all
	}
	return call{}, false
}

// account turns an error into a loss, unless the call fails as well.
func (l *listener) account(n *notification, err error) {
	switch {
	case err == nil, errors.Is(err, errFault), errors.Is(err, errRefused), errors.Is(err, errGone):
	case errors.Is(err, errUnreadable):
		l.lose(fmt.Sprintf("a system call of %s could not be read: %v", processName(int(n.PID)), err))
	default:
		l.lose(fmt.Sprintf("a system call of %s: %v", processName(int(n.PID)), err))
	}
}

// processName names a process for a message.
func processName(pid int) string {
	comm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("%q", strings.TrimSpace(string(comm)))
}

// record notes what a call does to its paths, and reports whether the call
// concerns the sensor's own files.
func (l *listener) record(fd int, n *notification, c call) (bool, error) {
	switch c.kind {
	case kindOpen, kindOpen2:
		how, err := l.openHow(n, c)
		if err != nil {
			return false, err
		}
		limits, err := resolveWants(how)
		if err != nil {
			return false, err
		}
		c.a.ops, c.a.look = openWants(how.Flags)
		c.a.look |= limits
		c.flags = none
	case kindMount:
		if n.Args[3]&(unix.MS_BIND|unix.MS_MOVE) == 0 { // or a device, or just a name
			c.b = at(none, none, 0, 0)
		}
	case kindReroot:
		l.rerooted.Store(true)
	case kindMap:
		return false, l.mapped(fd, n)
	case kindAddress:
		return l.socketAddress(fd, n, c.a, n.Args[0], n.Args[1], n.Args[2])
	case kindSend:
		return l.socketAddress(fd, n, c.a, n.Args[0], n.Args[4], n.Args[5])
	case kindMessage:
		return l.messages(fd, n, c.a, n.Args[0], n.Args[1], 1)
	case kindMessages:
		return l.messages(fd, n, c.a, n.Args[0], n.Args[1], uint64(uint32(n.Args[2])))
	case kindListen:
		return false, l.listens(n, n.Args[0])
	case kindSockets:
		return l.socketCall(fd, n, c.a)
	}
	l.ran = ran{}
	hidden, err := l.argument(fd, n, c, c.a)
	if c.kind == kindExec && err == nil && !hidden {
		err = l.counted(n, c, l.ran)
	}
	if err != nil || !c.b.present() {
		return hidden, err
	}
	second, err := l.argument(fd, n, c, c.b)
	return hidden || second, err
}

// argument records one path argument.
func (l *listener) argument(fd int, n *notification, c call, a arg) (bool, error) {
	addr := n.Args[a.path]
	if addr == 0 {
		return false, nil // the call is about the descriptor, as futimens(3)
	}
	path, err := l.target.readString(int(n.PID), addr, l.path)
	if errors.Is(err, errTooLong) {
		return false, errRefused // ENAMETOOLONG
	}
	if err != nil {
		return false, err
	}
	return l.see(fd, n, a.dir, path, c.want(a, n))
}

// socketAddress records the address that a call gives to a socket: the path of
// a unix socket (unix(7)), or what network is for.
func (l *listener) socketAddress(fd int, n *notification, a arg, sock, addr, size uint64) (bool, error) {
	const header = 2 // the address family
	buf := l.path[:min(size, unix.SizeofSockaddrUnix)]
	if len(buf) <= header {
		return false, nil
	}
	if err := l.target.read(int(n.PID), addr, buf); err != nil {
		return false, err
	}
	if binary.LittleEndian.Uint16(buf) != unix.AF_UNIX {
		return false, l.addressed(n, sock, a.look&creates != 0, buf)
	}
	path, _, _ := bytes.Cut(buf[header:], []byte{0})
	if len(path) == 0 { // or abstract
		return false, nil
	}
	return l.see(fd, n, none, path, want{ops: a.ops, look: a.look, follow: a.look&noFollow == 0})
}

// socketCall takes the calls that we want out of socketcall(2), whose arguments
// are 32 bit words in memory.
func (l *listener) socketCall(fd int, n *notification, a arg) (bool, error) {
	const sysBind, sysConnect, sysListen, sysSendTo, sysSendMsg, sysSendMMsg = 2, 3, 4, 11, 16, 20 // include/uapi/linux/net.h
	var args [6]uint32
	count, addr := 3, 1
	switch n.Args[0] {
	case sysBind:
		a.look = noFollow | creates
	case sysConnect, sysSendMsg, sysSendMMsg:
	case sysListen:
		count = 2
	case sysSendTo:
		count, addr = 6, 4
	default:
		return false, nil
	}
	var words [24]byte
	if err := l.target.read(int(n.PID), n.Args[1], words[:4*count]); err != nil {
		return false, err
	}
	for i := range args {
		args[i] = binary.LittleEndian.Uint32(words[4*i:])
	}
	switch n.Args[0] {
	case sysListen:
		return false, l.listens(n, uint64(args[0]))
	case sysSendMsg:
		return l.messages(fd, n, a, uint64(args[0]), uint64(args[1]), 1)
	case sysSendMMsg:
		return l.messages(fd, n, a, uint64(args[0]), uint64(args[1]), uint64(args[2]))
	}
	return l.socketAddress(fd, n, a, uint64(args[0]), uint64(args[addr]), uint64(args[addr+1]))
}

// want is what a call with fixed operations does to one of its paths.
func (c call) want(a arg, n *notification) want {
	w := want{ops: a.ops, look: a.look, follow: a.look&noFollow == 0}
	if c.flags != none {
		flags := uint32(n.Args[c.flags])
		w.follow = w.follow && flags&a.leaves == 0 || flags&a.follows != 0
	}
	return w
}

// openHow reads what open(2) or openat2(2) is to do.
func (l *listener) openHow(n *notification, c call) (unix.OpenHow, error) {
	if c.kind == kindOpen {
		return unix.OpenHow{Flags: n.Args[c.flags]}, nil
	}
	var how [unix.SizeofOpenHow]byte
	if n.Args[c.flags+1] < uint64(len(how)) {
		return unix.OpenHow{}, errRefused
	}
	err := l.target.read(int(n.PID), n.Args[c.flags], how[:])
	field := func(i int) uint64 { return binary.LittleEndian.Uint64(how[8*i:]) }
	return unix.OpenHow{Flags: field(0), Mode: field(1), Resolve: field(2)}, err
}

// see records what is done to a path that counts from the directory of argument
// dir. A path known already costs two hashes and a map lookup.
func (l *listener) see(fd int, n *notification, dir int8, path []byte, to want) (bool, error) {
	pid := int(n.PID)
	key := binary.LittleEndian.AppendUint32(l.key[:0], uint32(to.ops))
	key = binary.LittleEndian.AppendUint16(key, uint16(to.look))
	key = append(key, 0)
	if to.follow {
		key[len(key)-1] = 1
	}
	rootAt := len(key)
	if l.rerooted.Load() {
		root, err := l.place(fd, n, rootDir)
		if err != nil {
			return false, err
		}
		key = append(key, root...)
	}
	baseAt := len(key)
	if len(path) == 0 || path[0] != '/' || to.look&inRoot != 0 {
		base, err := l.base(fd, n, dir)
		if err != nil || len(base) == 0 {
			return false, err
		}
		key = append(key, base...)
	}
	pathAt := len(key)
	key = append(key, path...)
	l.key = key

	digest := fingerprint{maphash.Bytes(l.seeds[0], key), maphash.Bytes(l.seeds[1], key)}
	generation, phase := l.epochs.names.Load(), Phase(l.phase.Load())
	executes := to.ops&manifest.Executed != 0
	if v, ok := l.known[digest]; ok && v.generation == generation && v.phase == phase && (v.user == anybody || v.user == l.user(fd, n)) {
		if executes {
			l.ran = l.images[digest]
		}
		return v.hidden, nil
	}
	if !l.stopped && !valid(fd, n.ID) {
		return false, nil // what was read may be another process'
	}
	pl := place{
		dirfd: l.dirfd(n, dir),
		root:  trimRoot(key[rootAt:baseAt]), base: trimRoot(key[baseAt:pathAt]), pid: pid,
		program: l.census.of(n.PID), ran: &l.ran, subject: &l.subject,
	}
	if to.look&inRoot != 0 {
		pl.root = pl.base
	}
	out, err := l.follow(pl, key[pathAt:], to, l.NoNewPrivs)
	if err != nil {
		return false, err
	}
	if out.news && !out.guarded && !executes { // most are never looked up again
		return false, nil
	}
	user := int64(anybody)
	if out.guarded {
		user = l.user(fd, n)
	}
	if len(l.known) >= maxKnown {
		clear(l.known)
		clear(l.images)
	}
	if executes {
		l.images[digest] = l.ran
	}
	l.known[digest] = verdict{generation, phase, out.hidden, user}
	return out.hidden, nil
}

// trimRoot makes "/" empty, so that a name can be appended with its slash.
func trimRoot(dir []byte) []byte {
	if len(dir) == 1 {
		return dir[:0]
	}
	return dir
}

// dirfd is the descriptor that is argument dir.
func (l *listener) dirfd(n *notification, dir int8) int32 {
	if dir == none {
		return unix.AT_FDCWD
	}
	return int32(n.Args[dir])
}

// base is the directory that a relative path counts from; empty if there is
// none in the file system, so that the call fails.
func (l *listener) base(fd int, n *notification, dir int8) (base []byte, err error) {
	dirfd := l.dirfd(n, dir)
	if dirfd == unix.AT_FDCWD {
		base, err = l.place(fd, n, workingDir)
	} else { // not kept: a close(2) or dup2(2) is not notified
		base, err = l.target.procLink(int(n.PID), descriptor(dirfd))
	}
	if errors.Is(err, errGone) || len(base) == 0 || base[0] != '/' {
		return nil, ignoreGone(err)
	}
	return base, err
}

// bases are a thread's working directory and root directory as of an epoch of
// places, empty when not looked up yet, and its user and capabilities.
type bases struct {
	epoch  uint32
	dirs   [2][]byte
	status *status
}

// Indices of bases.dirs.
const (
	workingDir = iota
	rootDir
)

// maxPlaces bounds the memory of places.
const maxPlaces = 4096

// bases finds what is known of a thread.
func (l *listener) bases(pid uint32) *bases {
	epoch := l.epochs.places.Load()
	b, ok := l.places[pid]
	if !ok {
		if len(l.places) >= maxPlaces {
			clear(l.places)
		}
		b = &bases{}
		l.places[pid] = b
	}
	if b.epoch != epoch {
		*b = bases{epoch: epoch, dirs: [2][]byte{b.dirs[workingDir][:0], b.dirs[rootDir][:0]}}
	}
	return b
}

// place finds where a thread is.
func (l *listener) place(fd int, n *notification, which int) ([]byte, error) {
	b := l.bases(n.PID)
	if len(b.dirs[which]) > 0 {
		return b.dirs[which], nil
	}
	dir, err := l.target.procLink(int(n.PID), [...]string{workingDir: "cwd", rootDir: "root"}[which])
	if err != nil {
		return nil, err
	}
	if !l.stopped && !valid(fd, n.ID) {
		return nil, errGone // what was read may be another process'
	}
	b.dirs[which] = append(b.dirs[which], dir...)
	return b.dirs[which], nil
}

func ignoreGone(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}
