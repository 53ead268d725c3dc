package record

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// TestRegisteredInterpreter: the kernel runs a file in a format of binfmt_misc by
// an interpreter that nothing in the file names.
func TestRegisteredInterpreter(t *testing.T) {
	const formats = "/proc/sys/fs/binfmt_misc/"
	dir := workplace(t, nil)
	interpreter, guest := filepath.Join(dir, "interpreter"), filepath.Join(dir, "guest")
	program, err := os.ReadFile(need(t, "cat"))
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("slimfile-test-%d", os.Getpid())
	for path, text := range map[string][]byte{interpreter: program, guest: []byte(name + "\n")} {
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(formats+"register", fmt.Appendf(nil, ":%s:M::%s::%s:", name, name, interpreter), 0); err != nil {
		skip(t, "a kernel that formats can be registered with: "+err.Error())
	}
	t.Cleanup(func() {
		if err := os.WriteFile(formats+name, []byte("-1"), 0); err != nil {
			t.Error(err)
		}
	})
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			out := run(t, job{Mode: m, Spec: launch.Spec{Path: guest, Args: []string{"guest"}, Dir: dir}})
			checkScenario(t, scenario{want: map[string]manifest.Ops{"guest": executed | opened, "interpreter": executed}}, dir, out)
		})
	}
}
