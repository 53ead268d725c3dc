package record

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// census counts the programs of a run. A program is what was executed, by which
// program before it in the same process or its parent: forks belong to the
// program that forked, and ten thousand runs of sed from one script are one
// program that ran ten thousand times. That keeps the list short, and the same
// from run to run.
//
// An execve is counted before the kernel makes it. One that is then refused,
// for lack of a permission say, is counted all the same.
type census struct {
	mu       sync.Mutex
	programs []censusRow // 0 stands for whatever is not listed
	index    map[programKey]programID
	// latest finds a program by its executable, for a process whose parents
	// are gone.
	latest map[string]programID
	// threads are those seen so far; the kernel does not tell when one ends.
	threads map[uint32]programID
	// suspects are threads whose user may have changed since it was read.
	suspects map[uint32]struct{}
	first    uint32 // the first program's process
	main     programID
	largest  uint32 // effective user id of any process
	root     bool   // whether one had 0
	bytes    int    // of the names of all programs
	omitted  int64
}

// programID numbers a program of the run; 0 is unknown.
type programID uint16

// programKey tells programs apart.
type programKey struct {
	ran
	argv0 string
	by    programID
}

// censusRow is a program with what is known of it.
type censusRow struct {
	programKey
	phase Phase // of the first run
	runs  int64
	euids []uint32 // sorted
}

// ran is what an execve loads, as physical paths: a program, and the script that
// it is to run, if that was what was executed.
type ran struct {
	exe, script string
	strange     bool // in no format that we know
	raises      bool // may change the user
	guarded     bool // not everybody may read one of them
}

// add notes the next file of a chain of scripts and their interpreters.
func (r *ran) add(path string) {
	if r.exe != "" && r.script == "" {
		r.script = r.exe
	}
	r.exe = path
}

const (
	// maxPrograms bounds the programs listed, maxThreads the memory of threads:
	// a thread that was forgotten is looked up again.
	maxPrograms = 1000
	maxThreads  = 1 << 16
	// maxProgramBytes bounds the names of the programs listed.
	maxProgramBytes = 512 << 10
	// maxUsers bounds the effective user ids listed of a program.
	maxUsers = 16
	// maxArgv0 is how much of argv[0] is kept, in bytes.
	maxArgv0 = 256
	// maxAncestors bounds the way up to a process that is known.
	maxAncestors = 64
)

func newCensus() *census {
	return &census{
		programs: make([]censusRow, 1), index: map[programKey]programID{}, latest: map[string]programID{},
		threads: map[uint32]programID{}, suspects: map[uint32]struct{}{},
	}
}

// begin says that a thread is the sensor's, about to become a program.
func (c *census) begin(tid uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.know(tid, 0)
}

// executes counts an execve of a thread.
func (c *census) executes(tid uint32, st status, what ran, argv0 string, phase Phase) {
	process, euid := uint32(st.tgid), uint32(st.uid[1])
	c.mu.Lock()
	defer c.mu.Unlock()
	key := programKey{what, argv0, c.find(tid, 0)}
	id, ok := c.index[key]
	if !ok {
		c.bytes += len(what.exe) + len(what.script) + len(argv0)
		if len(c.programs) > maxPrograms || c.bytes > maxProgramBytes {
			c.omitted++
			c.know(process, 0)
			c.user(0, euid)
			return
		}
		id = programID(len(c.programs))
		c.programs = append(c.programs, censusRow{programKey: key, phase: phase})
		c.index[key] = id
	}
	c.programs[id].runs++
	c.user(id, euid)
	c.latest[what.exe] = id
	c.know(process, id) // whichever thread it was, it is the process now
	if c.first == 0 {
		c.first = process
	}
	if process == c.first {
		c.main = id
	}
}

// of tells which program a thread belongs to.
func (c *census) of(tid uint32) programID {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.find(tid, 0)
	if _, ok := c.suspects[tid]; ok {
		c.readUser(tid)
	}
	return id
}

// suspect says that a thread is about to change its user.
func (c *census) suspect(tid uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.find(tid, 0)
	if len(c.suspects) < maxThreads {
		c.suspects[tid] = struct{}{}
	}
}

// look reads the user of every thread known, and forgets those that are gone.
func (c *census) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for tid := range c.threads {
		c.readUser(tid)
	}
}

func (c *census) readUser(tid uint32) {
	delete(c.suspects, tid)
	st, err := statusOf(int(tid))
	if err != nil {
		delete(c.threads, tid)
		return
	}
	c.user(c.threads[tid], uint32(st.uid[1]))
}

// find looks a thread up, by its process and its parents if need be.
func (c *census) find(tid uint32, depth int) programID {
	if id, ok := c.threads[tid]; ok || depth > maxAncestors {
		return id
	}
	st, err := statusOf(int(tid))
	if err != nil {
		return 0
	}
	var id programID
	switch {
	case st.tgid != int(tid):
		id = c.find(uint32(st.tgid), depth+1)
	case st.parent != 0 && st.parent != os.Getpid():
		id = c.find(uint32(st.parent), depth+1)
	default: // its parents are gone
		exe, _ := os.Readlink("/proc/" + strconv.Itoa(int(tid)) + "/exe")
		id = c.latest[exe]
	}
	c.know(tid, id)
	if id != 0 {
		c.user(id, uint32(st.uid[1]))
	}
	return id
}

func (c *census) know(tid uint32, id programID) {
	if len(c.threads) >= maxThreads {
		clear(c.threads)
	}
	c.threads[tid] = id
}

// user notes the effective user id of one of a program's processes.
func (c *census) user(id programID, euid uint32) {
	c.largest, c.root = max(c.largest, euid), c.root || euid == 0
	p := &c.programs[id]
	at, known := slices.BinarySearch(p.euids, euid)
	if !known && len(p.euids) < maxUsers {
		p.euids = slices.Insert(p.euids, at, euid)
	}
}

// list lists the programs in an order that does not depend on which process was
// faster, and returns where in it a program is: -1 for one that is not listed.
func (c *census) list() (list []manifest.Program, place func(programID) int) {
	order := make([]programID, 0, len(c.programs))
	for id := 1; id < len(c.programs); id++ {
		order = append(order, programID(id))
	}
	slices.SortFunc(order, c.compare)
	places := make([]int, len(c.programs))
	places[0] = -1
	for i, id := range order {
		places[id] = i
	}
	for _, id := range order {
		p := c.programs[id]
		list = append(list, manifest.Program{
			Exe: manifest.Path(p.exe), Script: manifest.Path(p.script), Argv0: manifest.Path(p.argv0),
			By: places[p.by], Phase: int(p.phase), Runs: p.runs, EUIDs: p.euids,
		})
	}
	return list, func(id programID) int { return places[id] }
}

// observed lists what was recorded beside paths, and returns where in the list a
// program is.
func (r *recorder) observed(res *Result) (place func(programID) int) {
	if r.noted != nil {
		res.Calls, res.AssumedCalls = r.noted.list()
	}
	res.Programs, place = r.census.list()
	res.Main = place(r.census.main)
	res.LargestEUID, res.Root = r.census.largest, r.census.root
	res.Listening, res.Outbound = r.network.listening.list(place), r.network.sought.list(place)
	res.Omitted = manifest.Omitted{
		Programs: r.census.omitted, Listening: r.network.listening.omitted, Outbound: r.network.sought.omitted,
	}
	return place
}

// compare orders programs. A program comes after the one that executed it in
// c.programs, so that this ends.
func (c *census) compare(a, b programID) int {
	if a == b {
		return 0
	}
	x, y := &c.programs[a], &c.programs[b]
	return cmp.Or(
		cmp.Compare(x.phase, y.phase), cmp.Compare(x.exe, y.exe),
		cmp.Compare(x.script, y.script), cmp.Compare(x.argv0, y.argv0),
		c.compare(x.by, y.by),
	)
}

// counted counts the execve that n is, of what it was found to load.
func (l *listener) counted(n *notification, c call, what ran) error {
	if what.exe == "" && !what.strange {
		return nil
	}
	st, err := statusOf(int(n.PID))
	if err != nil {
		return err // which is gone, and its execve with it
	}
	if len(l.loads) >= maxPlaces {
		clear(l.loads)
	}
	l.loads[uint32(st.tgid)] = what.exe
	if what.exe == "" {
		return nil
	}
	argv0, err := l.argv0(n, c)
	if err != nil {
		return err
	}
	l.census.executes(n.PID, st, what, argv0, Phase(l.phase.Load()))
	if what.raises {
		l.census.suspect(n.PID)
	}
	return nil
}

// loaded records what a process really runs that was to execute something and now
// makes its first call: the interpreter of a format registered with binfmt_misc,
// or a program whose path was rewritten while it was read. An execve that failed
// leaves a program that is recorded already. An interpreter that binfmt_misc
// opened when it was registered is none of the image's (flag F).
func (l *listener) loaded(fd int, n *notification, expected string) error {
	pid := int(n.PID)
	link, err := l.target.procLink(pid, "exe")
	if err != nil || string(link) == expected {
		return err
	}
	exe := slices.Clone(link)
	if !l.runs(pid, string(exe)) || !valid(fd, n.ID) {
		return nil
	}
	pl := place{dirfd: unix.AT_FDCWD, pid: pid, program: l.census.of(n.PID), ran: &ran{}, subject: &l.subject}
	_, err = l.follow(pl, exe, want{ops: manifest.Executed}, l.NoNewPrivs)
	return err
}

// runs reports whether a process runs the file that has a path.
func (l *listener) runs(pid int, path string) bool {
	var file unix.Statx_t
	err := l.target.as(pid, func() error {
		return unix.Statx(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/exe", 0, unix.STATX_INO, &file)
	})
	return err == nil && isAt(&file, path)
}

// argv0 reads the first string of an execve's argument list, which comes after
// the path.
func (l *listener) argv0(n *notification, c call) (string, error) {
	list := n.Args[c.a.path+1]
	if list == 0 {
		return "", nil
	}
	first := make([]byte, wordSize(n.Arch))
	if err := l.target.read(int(n.PID), list, first); err != nil {
		return "", err
	}
	at := word(first)
	if at == 0 {
		return "", nil
	}
	buf := make([]byte, maxArgv0)
	text, err := l.target.readString(int(n.PID), at, buf)
	if errors.Is(err, errTooLong) {
		text, err = buf, nil
	}
	return string(text), err
}

// wordSize is the size of a pointer in an architecture's memory, in bytes.
func wordSize(arch uint32) int {
	if arch == unix.AUDIT_ARCH_I386 {
		return 4
	}
	return 8
}
