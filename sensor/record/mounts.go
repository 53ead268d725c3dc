package record

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// mount is a line of mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id     uint64
	device string // major:minor of the file system
	// root is the folder of the file system that is mounted, point where.
	root, point string
}

// mountPoints lists the mount points of this mount namespace other than the
// root. Whatever lies there is not part of the image.
func mountPoints() (map[string]struct{}, error) {
	mounts, err := mountsOf("self")
	if err != nil {
		return nil, err
	}
	points := map[string]struct{}{}
	for _, m := range mounts {
		if m.point != "/" {
			points[m.point] = struct{}{}
		}
	}
	return points, nil
}

// mountsOf lists the mounts of a process' mount namespace, in the order they
// were made. pid is a number or "self".
func mountsOf(pid string) ([]mount, error) {
	f, err := os.Open("/proc/" + pid + "/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseMounts(f)
}

// parseMounts reads mountinfo, in which white space and backslashes are octal.
func parseMounts(r io.Reader) ([]mount, error) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var mounts []mount
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20) // overlay options with many layers make long lines
	for sc.Scan() {
		fields := strings.SplitN(sc.Text(), " ", 6)
		if len(fields) < 6 {
			return nil, fmt.Errorf("mountinfo: bad line %q", sc.Text())
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("mountinfo: bad line %q", sc.Text())
		}
		mounts = append(mounts, mount{id, fields[2], unescape.Replace(fields[3]), unescape.Replace(fields[4])})
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("mountinfo: %w", err)
	}
	return mounts, nil
}

// below cuts dir off a path at or below it; what is left is empty or starts
// with a slash.
func below(path, dir string) (rest string, ok bool) {
	if dir == "/" {
		dir = ""
	}
	rest, ok = strings.CutPrefix(path, dir)
	return strings.TrimSuffix(rest, "/"), ok && (rest == "" || rest[0] == '/')
}

// views tells by their ids which mounts show the root file system, or a folder
// of it, and how their paths translate. It is for one goroutine.
type views struct {
	device, root string // of the root mount of this process
	byID         map[uint64]view
}

// view is a mount of the image's folder dir at point.
type view struct{ dir, point string }

// newViews starts with the mounts of this process.
func newViews() (*views, []mount, error) {
	v := &views{byID: map[uint64]view{}}
	mounts, err := mountsOf("self")
	if err != nil {
		return nil, nil, err
	}
	for _, m := range mounts { // the last one at / is on top
		if m.point == "/" {
			v.device, v.root = m.device, m.root
		}
	}
	return v, v.add(mounts), nil
}

// learn takes in another mount namespace and returns those of its mounts that
// show the root file system.
func (v *views) learn(pid string) ([]mount, error) {
	mounts, err := mountsOf(pid)
	if err != nil {
		return nil, err
	}
	return v.add(mounts), nil
}

func (v *views) add(mounts []mount) []mount {
	var showing []mount
	for _, m := range mounts {
		if dir, ok := below(m.root, v.root); ok && m.device == v.device {
			v.byID[m.id] = view{dir, m.point}
			showing = append(showing, m)
		}
	}
	return showing
}

// path translates a path as a mount shows it into the image's.
func (v *views) path(id uint64, path string) (string, bool) {
	w, ok := v.byID[id]
	if !ok {
		return "", false
	}
	rest, ok := below(path, w.point)
	if rest = w.dir + rest; rest == "" {
		rest = "/"
	}
	return rest, ok
}
