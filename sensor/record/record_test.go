package record

import (
	"testing"

	"github.com/org/slimfile/sensor/launch"
)

func TestSmoke(t *testing.T) {
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			out := run(t, job{Mode: m, Spec: launch.Spec{Path: "/bin/cat", Args: []string{"cat", "/etc/hostname", "/nope/x"}, Dir: "/tmp"}})
			t.Logf("%+v", out)
		})
	}
}
