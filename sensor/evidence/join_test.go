package evidence_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/evidence"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

func touches(t testing.TB, list ...manifest.Touch) *bytes.Buffer {
	t.Helper()
	var file bytes.Buffer
	must(t, manifest.WriteTouches(&file, len(list), slices.Values(list)))
	return &file
}

// TestJoin: the report of the pack step, with when each thing was touched.
func TestJoin(t *testing.T) {
	root := rootfstest.Make(t, image())
	set := resolve(t, root, "/usr/bin/app", "/usr/lib/liba.so", "/hard/b", "/usr.d/\xff<&>\n")
	_, before, data := write(t, root, set)
	runs := evidence.Runs{
		Traced:   &manifest.RunReport{Version: manifest.Version, Phases: []manifest.Phase{{Name: "start"}, {Name: "probe 1", Probe: "<&>"}}},
		Verified: &manifest.RunReport{Version: manifest.Version, Stopped: "exit 0"},
		Touches: touches(t,
			manifest.Touch{Path: "/", Ops: manifest.Checked, Phases: []int{0}, Program: -1},
			manifest.Touch{Path: "/hard/b", Ops: manifest.Opened, Phases: []int{1}, Program: 3},
			manifest.Touch{Path: "/nowhere", Ops: manifest.Absent, Phases: []int{0}},
			manifest.Touch{Path: "/usr/bin/app", Ops: manifest.Executed, Phases: []int{0, 2}},
			manifest.Touch{Path: "/usr/lib/liba.so", Ops: manifest.Linked, Phases: []int{2, 3}, Program: 1},
			manifest.Touch{Path: "/usr.d/\xff<&>\n", Ops: manifest.Opened, Phases: []int{1}},
			manifest.Touch{Path: "/zzz", Ops: manifest.Created, Phases: []int{1}},
		),
	}
	var out bytes.Buffer
	must(t, evidence.Join(&out, bytes.NewReader(data), runs))
	var after manifest.Report
	must(t, manifest.Decode(out.Bytes(), &after))
	if !reflect.DeepEqual(after.Traced, runs.Traced) || !reflect.DeepEqual(after.Verified, runs.Verified) {
		t.Errorf("runs %+v, %+v", after.Traced, after.Verified)
	}
	got := map[manifest.Path]manifest.Touched{}
	for i, k := range after.Kept {
		if k.Touched != nil {
			got[k.Path] = *k.Touched
		}
		after.Kept[i].Touched = nil
	}
	want := map[manifest.Path]manifest.Touched{
		"/hard/b": {Phases: []int{1}, Program: 3}, "/usr/bin/app": {Phases: []int{0, 2}, Program: 0}, "/usr/lib/liba.so": {Phases: []int{2, 3}, Program: 1}, "/usr.d/\xff<&>\n": {Phases: []int{1}, Program: 0},
	}
	delete(got, "/") // kept or not, that is not the point
	if !reflect.DeepEqual(got, want) {
		t.Errorf("touched %v, want %v", got, want)
	}
	for i, p := range after.Packages {
		if want := map[string][]int{"app": {0, 2, 3}}[p.Name]; !slices.Equal(p.Phases, want) {
			t.Errorf("package %s: phases %v, want %v", p.Name, p.Phases, want)
		}
		after.Packages[i].Phases = nil
	}
	after.Traced, after.Verified = nil, nil
	if !reflect.DeepEqual(after, before) {
		t.Errorf("report\n%+v, want\n%+v", after, before)
	}
}

func TestJoinRefuses(t *testing.T) {
	const report = `{"kept":[{"path":"/a","type":"file","reasons":["opened"]}],"removed":{}}`
	touch := func(path manifest.Path) manifest.Touch {
		return manifest.Touch{Path: path, Ops: manifest.Opened, Phases: []int{0}}
	}
	for _, tc := range []struct {
		name, report, want string
		touches            *bytes.Buffer
	}{
		{"not a report", `[]`, "should be", touches(t)},
		{"another order", `{"packages":[],"kept":[]}`, "should be", touches(t)},
		{"cut off", report[:40], "EOF", touches(t)},
		{"entries of another form", `{"kept":[1]}`, "number", touches(t)},
		{"touches out of order", report, "order", touches(t, touch("/0"), touch("/-"), touch("/a"))},
		{"broken touches", report, "no header", &bytes.Buffer{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := evidence.Join(&bytes.Buffer{}, strings.NewReader(tc.report), evidence.Runs{Touches: tc.touches})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// FuzzJoin: what comes out without an error is one JSON document.
func FuzzJoin(f *testing.F) {
	f.Add([]byte(`{"kept":[{"path":"/a","package":"p"}],"packages":[{"name":"p"}],"x":1}`), []byte(`{"version":1,"entries":1}`+"\n"+`{"path":"/a","ops":"opened","phases":[0]}`))
	f.Fuzz(func(t *testing.T, report, touches []byte) {
		var out bytes.Buffer
		if err := evidence.Join(&out, bytes.NewReader(report), evidence.Runs{Touches: bytes.NewReader(touches)}); err == nil && !json.Valid(out.Bytes()) {
			t.Errorf("not JSON: %s", out.Bytes())
		}
	})
}
