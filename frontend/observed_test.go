package frontend_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
)

// testObserved: the report says what the app did, when, and what each probe is
// the only one to need.
func testObserved(t *testing.T, s suite) {
	for _, granted := range []bool{true, false} {
		t.Run(fmt.Sprintf("granted=%t", granted), func(t *testing.T) {
			b := s.app(nil,
				`COPY fixture /second`, `COPY fixture /both`, `EXPOSE 8080`, `CMD ["serve"]`,
				`# slim: probe http /both`, `# slim: probe http /second`, `# slim: probe exec /fixture read /both`)
			b.Insecure = granted
			dir, _ := s.export(t, args(b, "SLIM_OUTPUT=report"))
			var report manifest.Report
			readJSON(t, dir, "report.json", &report)
			if report.Traced == nil || report.Verified == nil {
				t.Fatalf("runs %+v, %+v", report.Traced, report.Verified)
			}
			touched := map[manifest.Path]manifest.Touched{}
			for _, k := range report.Kept {
				if k.Touched != nil {
					touched[k.Path] = *k.Touched
				}
			}
			for path, want := range map[manifest.Path][]int{"/fixture": {0, 3}, "/both": {1, 3}, "/second": {2}} {
				if got := touched[path].Phases; !slices.Equal(got, want) {
					t.Errorf("%s: phases %v, want %v", path, got, want)
				}
			}
			for _, run := range []*manifest.RunReport{report.Traced, report.Verified} {
				checkObserved(t, *run)
			}
			if calls := report.Traced.Phases[0].Calls; calls != nil {
				t.Errorf("calls %q of the traced run", calls)
			}
			verified := report.Verified
			if calls := verified.Phases[0].Calls; !slices.Contains(calls, "execve") || !slices.Contains(calls, "bind") {
				t.Errorf("calls %q until the app is ready", calls)
			}
			if slices.Contains(verified.Phases[1].Calls, "bind") || !slices.Contains(verified.AssumedCalls, "read") {
				t.Errorf("calls %q of the first probe, assumed %q", verified.Phases[1].Calls, verified.AssumedCalls)
			}
		})
	}
}

func checkObserved(t *testing.T, run manifest.RunReport) {
	t.Helper()
	var names []string
	for _, p := range run.Phases {
		names = append(names, p.Name)
	}
	if want := []string{"start", "probe 1", "probe 2", "probe 3", "stop"}; !slices.Equal(names, want) {
		t.Errorf("phases %q, want %q", names, want)
	}
	programs := []manifest.Program{{Exe: "/fixture", Argv0: "/fixture", By: -1, Runs: 2, EUIDs: []uint32{0}}}
	if !reflect.DeepEqual(run.Programs, programs) || run.Main != 0 || !run.Root {
		t.Errorf("programs %+v, main %d, root %t", run.Programs, run.Main, run.Root)
	}
	listening := []manifest.Socket{{Protocol: "tcp", Address: "::", Port: 8080, Phases: []int{0}}}
	if !reflect.DeepEqual(run.Listening, listening) || len(run.Outbound) > 0 {
		t.Errorf("listening %+v, outbound %+v", run.Listening, run.Outbound)
	}
	if want := (manifest.Stopping{Signal: "SIGTERM", InTime: true}); run.Stop == nil || *run.Stop != want {
		t.Errorf("stop %+v, want %+v", run.Stop, want)
	}
	if len(run.Changes) > 0 || len(run.Zombies) > 0 || run.Omitted != (manifest.Omitted{}) {
		t.Errorf("changes %+v, zombies %q, omitted %+v", run.Changes, run.Zombies, run.Omitted)
	}
}
