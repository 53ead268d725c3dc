package trace

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/record"
)

// TestObserved: what a run did beside touching paths is in its report, and when
// and by whom a path was touched in a file beside.
func TestObserved(t *testing.T) {
	for _, insecure := range []bool{false, true} {
		t.Run(fmt.Sprintf("insecure=%t", insecure), func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"start", "probe", "old"} {
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			run := service(t, "handle", "open:"+dir+"/start", "fork:say:hi", "fork:fork:say:hi", "http:127.0.0.1:8008")
			run.Privileged = insecure
			if insecure {
				run.Fanotify = manifest.FanotifyDemand
			}
			script := "cd " + dir + "; read x <probe; read x <start; echo new >made; mv old renamed"
			run.Probes = []manifest.Probe{get("/hello"), {
				Name: "exec sh", TimeoutSeconds: 20, Exec: &manifest.ExecProbe{
					Command: manifest.Command{Args: []string{"/bin/sh", "-c", script}, Env: fixture(t).Env},
				},
			}}
			order := sensorOrder{Insecure: insecure, Dirs: Dirs{Input: t.TempDir(), Output: t.TempDir()}}
			got := contain(t, run, order)
			got.good(t, Trace)
			checkReport(t, *got.report, dir)
			checkTouched(t, filepath.Join(order.Dirs.Output, manifest.TouchFile), dir, got)
		})
	}
}

// TestNoise: neither the sensor nor its probes' own side is recorded. The same
// app touches the same with and without probes.
func TestNoise(t *testing.T) {
	for _, insecure := range []bool{false, true} {
		t.Run(fmt.Sprintf("insecure=%t", insecure), func(t *testing.T) {
			touched := func(probes ...manifest.Probe) map[manifest.Path]manifest.Ops {
				run := service(t, "handle", "http:127.0.0.1:8008")
				run.Probes = probes
				run.Privileged = insecure
				if insecure {
					run.Fanotify = manifest.FanotifyDemand
				}
				got := contain(t, run, sensorOrder{Insecure: insecure})
				got.good(t, Trace)
				if len(got.report.Outbound) > 0 || len(got.report.Witness) > 0 || len(got.report.Programs) != 1 {
					t.Errorf("outbound %+v, witness %+v, programs %+v", got.report.Outbound, got.report.Witness, got.report.Programs)
				}
				return got.paths
			}
			tcp := manifest.Probe{Name: "tcp", TimeoutSeconds: 5, TCP: &manifest.TCPProbe{Port: 8008}}
			without, with := touched(), touched(get("/hello"), tcp)
			if !maps.Equal(without, with) {
				t.Errorf("without probes %v, with probes %v", without, with)
			}
		})
	}
}

func checkReport(t *testing.T, r manifest.RunReport, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	phases := []manifest.Phase{{Name: "start"}, {Name: "probe 1", Probe: "http /hello"}, {Name: "probe 2", Probe: "exec sh"}, {Name: "stop"}}
	if !reflect.DeepEqual(r.Phases, phases) {
		t.Errorf("phases %+v", r.Phases)
	}
	if r.Main < 0 || string(r.Programs[r.Main].Exe) != self || r.Programs[r.Main].By != -1 {
		t.Errorf("main %d of %+v", r.Main, r.Programs)
	}
	shell := slices.IndexFunc(r.Programs, func(p manifest.Program) bool { return p.Argv0 == "/bin/sh" })
	if shell < 0 || r.Programs[shell].Phase != 2 || r.Programs[shell].By != -1 {
		t.Errorf("the probe's shell is %d of %+v", shell, r.Programs)
	}
	if !r.Root || r.LargestEUID != 0 {
		t.Errorf("root %t, largest euid %d", r.Root, r.LargestEUID)
	}
	listening := []manifest.Socket{{Protocol: "tcp", Address: "127.0.0.1", Port: 8008, Phases: []int{0}, Program: r.Main}}
	if !reflect.DeepEqual(r.Listening, listening) || len(r.Outbound) > 0 {
		t.Errorf("listening %+v, outbound %+v", r.Listening, r.Outbound)
	}
	changed := map[string]string{}
	for _, c := range r.Changes {
		if rest, ok := strings.CutPrefix(string(c.Path), dir+"/"); ok {
			changed[rest] = fmt.Sprint(c.Ops, c.Phases)
		}
	}
	want := map[string]string{"made": "created [2]", "old": "deleted,renamed [2]", "renamed": "created,renamed [2]"}
	if !reflect.DeepEqual(changed, want) {
		t.Errorf("changes %v, want %v", changed, want)
	}
	if names := []string{"exe", "exe", "exe"}; !slices.Equal(r.Zombies, names) {
		t.Errorf("zombies %q, want %q", r.Zombies, names)
	}
	if want := (manifest.Stopping{Signal: "SIGTERM", InTime: true}); r.Stop == nil || *r.Stop != want {
		t.Errorf("stop %+v, want %+v", r.Stop, want)
	}
}

// checkTouched looks into the file of touches.
func checkTouched(t *testing.T, name, dir string, got contained) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[manifest.Path][]int{manifest.Path(dir + "/start"): {0, 2}, manifest.Path(dir + "/probe"): {2}}
	n := 0
	for touch, err := range manifest.ReadTouches(f) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if got.paths[touch.Path] != touch.Ops {
			t.Errorf("%s: %v, in the trace it is %v", touch.Path, touch.Ops, got.paths[touch.Path])
		}
		if phases, ok := want[touch.Path]; ok && !slices.Equal(touch.Phases, phases) {
			t.Errorf("%s: phases %v, want %v", touch.Path, touch.Phases, phases)
		}
		delete(want, touch.Path)
	}
	if n != len(got.paths) || len(want) > 0 {
		t.Errorf("%d touches of %d paths, without %v", n, len(got.paths), want)
	}
}

// TestStopObserved: how the app takes STOPSIGNAL.
func TestStopObserved(t *testing.T) {
	for _, tt := range []struct {
		name  string
		verbs []string
		grace float64 // seconds, enough for one that ends
		want  *manifest.Stopping
	}{
		{"ignored", []string{"ignore", "http:127.0.0.1:8008"}, 1, &manifest.Stopping{Signal: "SIGTERM", Unhandled: true}},
		{"in the background", []string{"fork:handle+http:127.0.0.1:8008"}, 30, &manifest.Stopping{Signal: "SIGTERM", InTime: true, Background: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := service(t, tt.verbs...)
			run.Stop.GraceSeconds = tt.grace
			got := contain(t, run, sensorOrder{})
			got.good(t, Trace)
			if !reflect.DeepEqual(got.report.Stop, tt.want) {
				t.Errorf("%+v, want %+v", got.report.Stop, tt.want)
			}
		})
	}
	got := contain(t, tool(t, "say:bye"), sensorOrder{})
	got.good(t, Trace)
	if got.report.Stop != nil {
		t.Errorf("what ends by itself: %+v", got.report.Stop)
	}
}

// TestChangesBound: an app that writes ever new files is listed up to a bound.
func TestChangesBound(t *testing.T) {
	many := func(n, length int) *record.Result {
		return &record.Result{Touches: func(yield func(manifest.Touch) bool) {
			for range n {
				if !yield(manifest.Touch{Path: manifest.Path(strings.Repeat("x", length)), Ops: manifest.Written}) {
					return
				}
			}
		}}
	}
	if list, omitted := changes(many(maxChanges+7, 5)); len(list) != maxChanges || omitted != 7 {
		t.Errorf("%d listed, %d omitted", len(list), omitted)
	}
	if list, omitted := changes(many(maxChanges, 4096)); len(list) != maxChangeBytes/4096 || omitted != maxChanges-maxChangeBytes/4096 {
		t.Errorf("%d long ones listed, %d omitted", len(list), omitted)
	}
}

func TestZombieOf(t *testing.T) {
	for _, tt := range []struct {
		stat, name string
		ok         bool
	}{
		{"12 (sh) Z 7 12 12 0", "sh", true},
		{"12 (a) Z 7 (b) Z 7 12", "a) Z 7 (b", true},
		{"12 (sh) S 7 12 12 0", "", false},
		{"12 (sh) Z 8 12 12 0", "", false},
		{"12 (sh", "", false},
		{"", "", false},
	} {
		if name, ok := zombieOf(tt.stat, 7); name != tt.name || ok != tt.ok {
			t.Errorf("%q: %q, %t", tt.stat, name, ok)
		}
	}
}
