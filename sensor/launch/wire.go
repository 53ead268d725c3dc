package launch

import (
	"encoding/json"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
)

// The stub's protocol, over a stream socket that the stub has as descriptor 3:
//
//	parent -> stub   order, a JSON line
//	stub -> parent   report, a JSON line; the listener rides on it (SCM_RIGHTS)
//	parent -> stub   goAhead, once the recorder is armed
//	stub -> parent   report with an error, or end of file: execve succeeded and
//	                 closed the socket
//
// A report with an error ends the exchange at any point.

const goAhead = 'g'

// OwnCall as the sixth argument of a call that has fewer marks it as the stub's
// or the recorder's own. A filter has to let such a sendmsg(2) pass, by which the
// stub hands over the listener.
const OwnCall = 0x736c696d

// Steps as StartError.Step has them: the program's execve itself, whose errors
// speak for themselves, and what needs something of the kernel or of the build
// step's security profile.
const (
	StepExec       = "exec"
	StepFilter     = "seccomp"
	StepNoNewPrivs = "no_new_privs"
	StepCloseRange = "close_range" // Linux 5.9
	stepStub       = "stub"        // none of what it is for
)

// StubDiedError says that the stub ended without a report.
type StubDiedError struct{ Status unix.WaitStatus }

func (e *StubDiedError) Error() string {
	if e.Status.Signaled() {
		return fmt.Sprintf("ended by signal %d (%s)", e.Status.Signal(), unix.SignalName(e.Status.Signal()))
	}
	return fmt.Sprintf("ended with exit status %d", e.Status.ExitStatus())
}

// order is what the stub has to do. Byte slices keep what is not UTF-8.
type order struct {
	Path, Dir []byte
	Args, Env [][]byte
	UID, GID  uint32
	Groups    []uint32
	LowPorts  bool
	Confine   bool
	Adopts    bool
	Filter    []byte // filter.Marshal
}

func newOrder(s Spec, prog []unix.SockFilter) order {
	dir := s.Dir
	if dir == "" {
		dir = "/"
	}
	return order{
		Path: []byte(s.Path), Dir: []byte(dir), Args: toBytes(s.Args), Env: toBytes(s.Env),
		UID: s.UID, GID: s.GID, Groups: s.Groups, LowPorts: s.LowPorts, Confine: s.Confine, Adopts: s.Adopts,
		Filter: filter.Marshal(prog),
	}
}

func toBytes(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}

func toStrings(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}

// report is the stub's answer: success with the listener's properties, or the
// step that failed.
type report struct {
	Killable, NoNewPrivs bool
	Tid                  int
	Step, Detail         string
	Errno                unix.Errno
}

func (r report) failed() bool { return r.Errno != 0 }

func (r report) startError(s Spec) *StartError {
	return &StartError{Program: s.name(), Step: r.Step, Detail: r.Detail, Err: r.Errno}
}

// maxReport bounds a report in bytes; a path in it has at most PATH_MAX.
const maxReport = 64 << 10

// receive reads the first report and the descriptor that comes with it.
func receive(conn *net.UnixConn) (report, int, error) {
	var r report
	buf, oob := make([]byte, maxReport), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil { // io.EOF: it has died
		return r, -1, err
	}
	if err := json.Unmarshal(buf[:n], &r); err != nil {
		return r, -1, fmt.Errorf("stub's report: %w", err)
	}
	if r.failed() { // no descriptor comes with it
		return r, -1, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return r, -1, err
	}
	if len(msgs) != 1 {
		return r, -1, fmt.Errorf("stub sent %d control messages, want 1", len(msgs))
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil {
		return r, -1, err
	}
	if len(fds) != 1 {
		return r, -1, fmt.Errorf("stub sent %d descriptors, want 1", len(fds))
	}
	return r, fds[0], nil
}
