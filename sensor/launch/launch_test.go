package launch

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
)

// What needs a real program is tested by sensor/record, which starts them in
// all surroundings.

func TestOrderKeepsAllBytes(t *testing.T) {
	spec := Spec{Path: "/bin/\xff", Args: []string{"a\x01", "\xfe\xff"}, Env: []string{"K=\x80"}}
	data, err := json.Marshal(newOrder(spec, []unix.SockFilter{{Code: 6, K: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var o order
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	if string(o.Path) != spec.Path || !slices.Equal(toStrings(o.Args), spec.Args) || !slices.Equal(toStrings(o.Env), spec.Env) || string(o.Dir) != "/" {
		t.Errorf("%+v", o)
	}
	prog, err := filter.Unmarshal(o.Filter)
	if err != nil || len(prog) != 1 || prog[0].K != 1 {
		t.Errorf("%v, %v", prog, err)
	}
}

func TestStartError(t *testing.T) {
	tests := []struct {
		err  StartError
		want string
	}{
		{StartError{Program: "python3", Step: "exec", Detail: "/x", Err: unix.ENOENT}, `start "python3": no such file or directory`},
		{StartError{Program: "app", Step: "chdir", Detail: "/app", Err: unix.EACCES}, `start "app": chdir "/app": permission denied`},
		{StartError{Program: "app", Step: "fork", Err: unix.EAGAIN}, `start "app": fork: resource temporarily unavailable`},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	var err error = &tests[0].err
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("does not unwrap")
	}
}

func TestDockerRulesFit(t *testing.T) {
	prog, err := filter.Assemble(dockerRules()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions", len(prog))
}

func TestDescendants(t *testing.T) {
	pids, err := descendants(os.Getppid())
	if err != nil || !slices.Contains(pids, os.Getpid()) {
		t.Errorf("%v, %v", pids, err)
	}
}
