package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// status is what is read of a process in /proc (proc_pid_status(5)).
type status struct {
	tgid, parent int
	uid, gid     [4]int // real, effective, saved and file system ids
	groups       []uint32
	effective    uint64 // capabilities
}

// maxStatus bounds /proc/PID/status, in bytes. Only the supplementary groups can
// be many: NGROUPS_MAX is 65,536.
const maxStatus = 1 << 20

// statusOf reads a thread's status; errGone is for one that is no more.
func statusOf(pid int) (status, error) {
	text, err := readProc("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return status{}, errGone
	}
	st, err := parseStatus(text)
	if err != nil {
		return st, fmt.Errorf("status of process %d: %w", pid, err)
	}
	return st, nil
}

// readProc reads a file of /proc, up to maxStatus. An os.File would cost more
// than the reading: it is prepared for polling, and cleaned up if forgotten.
func readProc(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	text := make([]byte, 0, 4<<10)
	for len(text) < maxStatus {
		n, err := unix.Read(fd, text[len(text):cap(text)])
		if err != nil {
			return nil, errors.Join(err, unix.Close(fd))
		}
		if n == 0 {
			break
		}
		text = slices.Grow(text[:len(text)+n], 1)
	}
	return text, unix.Close(fd)
}

// parseStatus takes the lines that count, each of which has to be there once. A
// process chooses its own name, in which the kernel escapes the ends of lines.
func parseStatus(text []byte) (status, error) {
	const wanted = 6
	var st status
	found := 0
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var err error
		switch string(name) {
		case "Tgid":
			err = parseIDs(value, &st.tgid)
		case "PPid":
			err = parseIDs(value, &st.parent)
		case "Uid":
			err = parseIDs(value, &st.uid[0], &st.uid[1], &st.uid[2], &st.uid[3])
		case "Gid":
			err = parseIDs(value, &st.gid[0], &st.gid[1], &st.gid[2], &st.gid[3])
		case "Groups":
			st.groups, err = parseGroups(value)
		case "CapEff":
			st.effective, err = strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		default:
			continue
		}
		if err != nil {
			return st, fmt.Errorf("line %.80q: %w", line, err)
		}
		found++
	}
	if found != wanted {
		return st, fmt.Errorf("%d of the %d lines wanted", found, wanted)
	}
	return st, nil
}

func parseIDs(value []byte, ids ...*int) error {
	fields := bytes.Fields(value)
	if len(fields) != len(ids) {
		return errors.New("wrong number of values")
	}
	for i, id := range ids {
		value, err := strconv.ParseUint(string(fields[i]), 10, 32)
		if err != nil {
			return err
		}
		*id = int(value)
	}
	return nil
}

func parseGroups(value []byte) ([]uint32, error) {
	fields := bytes.Fields(value)
	groups := make([]uint32, len(fields))
	for i, field := range fields {
		id, err := strconv.ParseUint(string(field), 10, 32)
		if err != nil {
			return nil, err
		}
		groups[i] = uint32(id)
	}
	return groups, nil
}
