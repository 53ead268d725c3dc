package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
)

// TestReport joins the folders of a build, with and without a verifying run.
func TestReport(t *testing.T) {
	for _, verified := range []bool{true, false} {
		dir := t.TempDir()
		r := report{trace: dir + "/trace", verify: dir + "/verify", packed: dir + "/packed", output: dir + "/out"}
		for _, sub := range []string{r.trace, r.packed, r.output} {
			must(t, os.Mkdir(sub, 0o755))
		}
		run, err := json.Marshal(manifest.RunReport{Version: manifest.Version, Stopped: "exit 0"})
		must(t, err)
		must(t, os.WriteFile(filepath.Join(r.trace, manifest.SidecarFile), run, 0o600))
		if verified {
			must(t, os.Mkdir(r.verify, 0o755))
			must(t, os.WriteFile(filepath.Join(r.verify, manifest.SidecarFile), run, 0o600))
		}
		must(t, os.WriteFile(filepath.Join(r.packed, manifest.ReportFile), []byte(`{"kept":[{"path":"/a","type":"file","reasons":["opened"]}],"version":1}`), 0o600))
		f, err := os.Create(filepath.Join(r.trace, manifest.TouchFile))
		must(t, err)
		must(t, manifest.WriteTouches(f, 1, slices.Values([]manifest.Touch{{Path: "/a", Ops: manifest.Opened, Phases: []int{4}}})))
		must(t, f.Close())
		must(t, r.run())
		var got manifest.Report
		data, err := os.ReadFile(filepath.Join(r.output, manifest.ReportFile))
		must(t, err)
		must(t, manifest.Decode(data, &got))
		if len(got.Kept) != 1 || got.Kept[0].Touched == nil || got.Kept[0].Touched.Phases[0] != 4 || got.Traced == nil || (got.Verified != nil) != verified {
			t.Errorf("verified %t: %s", verified, data)
		}
	}
}

// TestReportRefuses: a run's report of another version is none.
func TestReportRefuses(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, manifest.SidecarFile), []byte(`{"version":2}`), 0o600))
	if err := (report{trace: dir, verify: dir, packed: dir, output: dir}).run(); err == nil {
		t.Error("no error")
	}
}
