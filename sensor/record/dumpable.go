package record

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Without privileges every program stays dumpable, so that it can be read. What
// it is told of that state is what it would be without a recorder:
// PR_SET_DUMPABLE(2const) has no effect but on PR_GET_DUMPABLE(2const). What
// else depends on the state is different: core dumps and who owns /proc/PID.

// pretences holds the dumpable states that processes believe to have, by process
// id. One that is missing has its parent's.
type pretences map[int]int64

const (
	notDumpable = 0
	dumpable    = 1
)

// maxPretences bounds the memory of pretences.
const maxPretences = 4096

func (p pretences) of(pid int) int64 {
	for pid > 1 {
		if state, ok := p[pid]; ok {
			return state
		}
		st, err := statusOf(pid)
		if err != nil {
			break
		}
		pid = st.parent
	}
	return dumpable
}

func (p pretences) set(pid int, state int64) {
	if len(p) >= maxPretences {
		clear(p)
	}
	p[pid] = state
}

// pretend answers a prctl(2) about the dumpable state.
func (l *listener) pretend(fd int, n *notification) {
	st, err := statusOf(int(n.PID))
	if err != nil {
		send(fd, n.ID, 0) // the process is gone
		return
	}
	if int32(n.Args[0]) == unix.PR_GET_DUMPABLE {
		sendValue(fd, n.ID, l.pretences.of(st.tgid))
		return
	}
	switch n.Args[1] {
	case notDumpable, dumpable:
		l.pretences.set(st.tgid, int64(n.Args[1]))
		sendValue(fd, n.ID, 0)
	default: // refused
		send(fd, n.ID, 0)
	}
}

// after notes what a set*id call does to the state: nothing, if the
// effective and file system ids stay (commit_creds in kernel/cred.c).
func (p pretences) after(before, now status) {
	if before.uid[1] != now.uid[1] || before.uid[3] != now.uid[3] || before.gid[1] != now.gid[1] || before.gid[3] != now.gid[3] {
		p.set(now.tgid, undumpable())
	}
}

// execution notes what an execve does to the state.
func (p pretences) execution(st status, unreadable bool) {
	state := int64(dumpable)
	if unreadable {
		state = undumpable()
	}
	p.set(st.tgid, state)
}

// undumpable is the state of a process that the kernel made non-dumpable: 0, or
// 2 where root gets its core dumps (proc_sys_fs(5), suid_dumpable).
func undumpable() int64 {
	text, err := os.ReadFile("/proc/sys/fs/suid_dumpable")
	if err != nil {
		return notDumpable
	}
	state, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return notDumpable
	}
	return state
}
