package record

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestStatusOf(t *testing.T) {
	st, err := statusOf(os.Getpid())
	uid, gid := os.Getuid(), os.Getgid()
	if err != nil || st.tgid != os.Getpid() || st.parent != os.Getppid() || st.uid != [4]int{uid, uid, uid, uid} || st.gid != [4]int{gid, gid, gid, gid} {
		t.Errorf("%+v, %v", st, err)
	}
	groups, err := os.Getgroups()
	if err != nil || len(st.groups) != len(groups) {
		t.Errorf("groups %v, want %v, %v", st.groups, groups, err)
	}
	if _, err := statusOf(1 << 30); !errors.Is(err, errGone) {
		t.Errorf("a process that cannot be: %v", err)
	}
}

const goodStatus = "Tgid:\t12\nPPid:\t1\nUid:\t1000\t0\t4294967294\t0\nGid:\t1\t2\t3\t4\nGroups:\t5 60000 \nCapEff:\t00000000a80425fb\n"

func TestParseStatusRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"a missing line":   strings.Replace(goodStatus, "PPid:\t1\n", "", 1),
		"a line twice":     goodStatus + "Tgid:\t13\n",
		"too few ids":      strings.Replace(goodStatus, "\t4\n", "\n", 1),
		"too many ids":     strings.Replace(goodStatus, "\t4\n", "\t4\t5\n", 1),
		"a negative id":    strings.Replace(goodStatus, "\t1000", "\t-1", 1),
		"a large id":       strings.Replace(goodStatus, "\t1000", "\t4294967296", 1),
		"a bad group":      strings.Replace(goodStatus, "60000", "x", 1),
		"no capabilities":  strings.Replace(goodStatus, "00000000a80425fb", "", 1),
		"bad capabilities": strings.Replace(goodStatus, "00000000a80425fb", "g", 1),
		"the end cut off":  goodStatus[:strings.Index(goodStatus, "CapEff")],
	} {
		if st, err := parseStatus([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// FuzzParseStatus: nothing in a line of another name, such as the one that a
// process gives itself, is taken for an id.
func FuzzParseStatus(f *testing.F) {
	f.Add("Uid: 7", "Tgid:\t3")
	f.Add("x", "Uid:\t1")
	f.Add("CapEff:\t0", "Groups:\t1 2 3")
	f.Fuzz(func(t *testing.T, name, rest string) {
		name = strings.ReplaceAll(name, "\n", `\n`) // as the kernel does
		st, err := parseStatus([]byte("Name:\t" + name + "\n" + goodStatus))
		want := status{
			tgid: 12, parent: 1, uid: [4]int{1000, 0, 4294967294, 0}, gid: [4]int{1, 2, 3, 4},
			groups: []uint32{5, 60000}, effective: 0xa80425fb,
		}
		if err != nil || !reflect.DeepEqual(st, want) {
			t.Errorf("%+v, %v", st, err)
		}
		_, _ = parseStatus([]byte(rest)) // must end
	})
}
