package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
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
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return status{}, errGone
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxStatus))
	if err != nil {
		return status{}, errGone
	}
	st, err := parseStatus(text)
	if err != nil {
		return st, fmt.Errorf("status of process %d: %w", pid, err)
	}
	return st, nil
}

// parseStatus takes the lines that count, each of which has to be there once. A
// process chooses its own name, in which the kernel escapes the ends of lines.
func parseStatus(text []byte) (status, error) {
	const wanted = 6
	var st status
	found := 0
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(value)
		var err error
		switch string(name) {
		case "Tgid":
			err = parseIDs(fields, &st.tgid)
		case "PPid":
			err = parseIDs(fields, &st.parent)
		case "Uid":
			err = parseIDs(fields, &st.uid[0], &st.uid[1], &st.uid[2], &st.uid[3])
		case "Gid":
			err = parseIDs(fields, &st.gid[0], &st.gid[1], &st.gid[2], &st.gid[3])
		case "Groups":
			st.groups, err = parseGroups(fields)
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

func parseIDs(fields [][]byte, ids ...*int) error {
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

func parseGroups(fields [][]byte) ([]uint32, error) {
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
