package record

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// mountPoints lists the mount points of this mount namespace other than the
// root. Whatever lies there is not part of the image.
func mountPoints() (map[string]struct{}, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseMounts(f)
}

// parseMounts reads the fifth field of each line of mountinfo
// (proc_pid_mountinfo(5)), in which white space and backslashes are octal.
func parseMounts(r io.Reader) (map[string]struct{}, error) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	points := map[string]struct{}{}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20) // overlay options with many layers make long lines
	for sc.Scan() {
		fields := strings.SplitN(sc.Text(), " ", 6)
		if len(fields) < 6 {
			return nil, fmt.Errorf("mountinfo: bad line %q", sc.Text())
		}
		if p := unescape.Replace(fields[4]); p != "/" {
			points[p] = struct{}{}
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("mountinfo: %w", err)
	}
	return points, nil
}
