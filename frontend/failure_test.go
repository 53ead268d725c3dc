package frontend

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/org/slimfile/sensor/manifest"
)

func TestStepErrorIsOneScreen(t *testing.T) {
	err := &StepError{Step: "trace", Failure: manifest.Failure{
		Phase: "probe", Message: "the app gave another answer than expected",
		Probe: "http /hello status=200", Expected: "status 200", Got: "500 Internal Server Error\noops",
		Remedy: "look at the app's log", Log: []string{"Traceback:", "  boom"},
	}}
	want := `slim trace failed: the app gave another answer than expected
  probe     http /hello status=200
  expected  status 200
  got       500 Internal Server Error
            oops
  remedy    look at the app's log
the app's last lines:
  | Traceback:
  |   boom`
	if got := err.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestStepErrorLeavesOutWhatIsNotKnown(t *testing.T) {
	err := &StepError{Step: "pack", Failure: manifest.Failure{Message: "disk full"}}
	if got, want := err.Error(), "slim pack failed: disk full"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithSource(t *testing.T) {
	sm := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", []byte("FROM a\n# slim: probe http /\nCMD [\"b\"]\n"))
	sm.Definition = &llb.Definition{}
	at := func(line int) *manifest.Location { return &manifest.Location{Line: line, Column: 2, EndColumn: 9} }
	for _, tc := range []struct {
		name string
		err  error
		line int32 // 0: no source
	}{
		{"nothing", nil, 0},
		{"plain", errors.New("x"), 0},
		{"converter's", parser.WithLocation(errors.New("x"), []parser.Range{{Start: parser.Position{Line: 3}, End: parser.Position{Line: 3}}}), 3},
		{"step's", fmt.Errorf("wrapped: %w", &StepError{Failure: manifest.Failure{Source: at(2)}}), 2},
		{"step's without a line", &StepError{}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := withSource(tc.err, sm)
			if (err == nil) != (tc.err == nil) || (err != nil && err.Error() != tc.err.Error()) {
				t.Fatalf("error became %v", err)
			}
			sources := errdefs.Sources(err)
			if tc.line == 0 {
				if len(sources) > 0 {
					t.Fatalf("sources %v", sources)
				}
				return
			}
			if len(sources) != 1 || sources[0].Ranges[0].Start.Line != tc.line {
				t.Fatalf("sources %v, want line %d", sources, tc.line)
			}
			var shown strings.Builder
			if err := sources[0].Print(&shown); err != nil || !strings.Contains(shown.String(), ">>>") {
				t.Fatalf("shown %q, %v", shown.String(), err)
			}
		})
	}
}

func TestWithSourceKeepsTheFirst(t *testing.T) {
	sm := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", []byte("FROM a\nRUN b\n"))
	sm.Definition = &llb.Definition{}
	err := &StepError{Failure: manifest.Failure{Source: &manifest.Location{Line: 2}}}
	once := withSource(err, sm)
	if twice := withSource(once, sm); len(errdefs.Sources(twice)) != 1 {
		t.Fatal("the same place is shown twice")
	}
}

func TestNotEntitled(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"another", errors.New("failed to load LLB: network.host is not allowed"), false},
		{"this", errors.New("failed to load LLB: security.insecure is not allowed"), true},
	} {
		if got := notEntitled(tc.err); got != tc.want {
			t.Errorf("%s: %t, want %t", tc.name, got, tc.want)
		}
	}
}
