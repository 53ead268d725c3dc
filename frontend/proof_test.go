package frontend

import (
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/sensor/manifest"
)

func answered(code int, kind, digest string, pieces ...string) manifest.RunReport {
	return manifest.RunReport{Probes: []manifest.ProbeResult{{Answer: &manifest.Answer{Code: code, Type: kind, Digest: digest, Pieces: pieces}}}}
}

func lacking(r manifest.RunReport, missing ...manifest.Missing) manifest.RunReport {
	r.Missing = missing
	return r
}

func TestProof(t *testing.T) {
	well := answered(200, "text/html", "1", "a", "b")
	badly := well
	badly.Stopped, badly.Stop = "signal 6 (SIGABRT)", &manifest.Stopping{Failed: true}
	said := func(r manifest.RunReport, lines ...string) manifest.RunReport {
		for _, line := range lines {
			r.Complaints = append(r.Complaints, manifest.Complaint{Line: line, Form: line})
		}
		return r
	}
	output := func(digest string) manifest.RunReport {
		return manifest.RunReport{Output: &manifest.Answer{Digest: digest, Pieces: []string{digest}}}
	}
	in := func(phase, path string) manifest.Missing {
		return manifest.Missing{Path: manifest.Path(path), Type: "file", During: []string{phase}, Program: "/app"}
	}
	for _, tc := range []struct {
		name             string
		traced, verified manifest.RunReport
		status           string   // of the probe
		fails            []string // in the message; nil: it does not fail
		warns            []string // one for each warning
	}{
		{name: "same", traced: well, verified: well},
		{name: "ends badly", traced: well, verified: badly, fails: []string{"failed when it was stopped", "signal 6"}},
		{name: "the fat one ends badly too", traced: badly, verified: badly},
		{name: "the fat one ends badly", traced: badly, verified: well},
		{name: "another body", traced: well, verified: answered(200, "text/html", "2", "a", "c"), warns: []string{`there "b"; here "c"`}},
		{
			name: "another body and a file missing", traced: well, verified: lacking(answered(200, "text/html", "2", "a"), in("probe 1", "/x")),
			fails: []string{"lacks /x:", "/x, asked for by /app in probe 1", `"b"`, "nothing else", "# slim: keep /x"},
			warns: []string{`"b"`, "asked for"},
		},
		{
			name: "another body and a file missing elsewhere", traced: well, verified: lacking(answered(200, "text/html", "2", "a"), in("start", "/x")),
			warns: []string{`"b"`, "/x, asked for by /app in start. To keep it: # slim: keep /x"},
		},
		{name: "another status", traced: well, verified: answered(303, "text/html", "1"), fails: []string{"status 200", "303"}, warns: []string{"differs"}},
		{name: "another status, both right", traced: well, verified: answered(303, "text/html", "1"), status: "200,303", warns: []string{"differs"}},
		{name: "another type", traced: well, verified: answered(200, "application/octet-stream", "1"), fails: []string{`"text/html"`, `"application/octet-stream"`}},
		{name: "another output", traced: output("1"), verified: output("2"), warns: []string{"the app's output"}},
		{name: "not comparable", traced: manifest.RunReport{Probes: make([]manifest.ProbeResult, 1)}, verified: well},
		{
			name: "complaint", traced: said(well, "x: no such file"), verified: said(well, "x: no such file", "y: no such file", "z: ENOENT", "1", "2", "3"),
			warns: []string{"y: no such file | z: ENOENT | 1 | and 2 more lines"},
		},
		{name: "dropped", traced: well, verified: lacking(well, in("probe 1", "/dropped/x"))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := proof{
				traced: tc.traced, verified: tc.verified,
				probes: []manifest.Probe{{Name: "http /", HTTP: &manifest.HTTPProbe{Status: tc.status}}},
				rules:  []manifest.Rule{{Kind: manifest.RuleDrop, Args: []string{"/other", "/dro*/"}, Source: &manifest.Location{Line: 7}}},
			}
			err := p.failure()
			if (err == nil) != (tc.fails == nil) {
				t.Fatalf("failure %v", err)
			}
			for _, part := range tc.fails {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the failure lacks %q:\n%s", part, err)
				}
			}
			warnings := p.warnings()
			if len(warnings) != len(tc.warns) {
				t.Fatalf("warnings %q, want %d", warnings, len(tc.warns))
			}
			for i, part := range tc.warns {
				if !strings.Contains(warnings[i], part) {
					t.Errorf("warning %q lacks %q", warnings[i], part)
				}
			}
		})
	}
}

func TestBlame(t *testing.T) {
	f := manifest.Failure{Message: "it failed", Missing: []manifest.Missing{
		{Path: "/lib/a", Package: "liba"}, {Path: "/lib/b", Package: "liba"}, {Path: "/lib/c", Package: "liba"},
		{Path: "/it's [1]\n", Package: "other"}, {Path: "/gone/x"},
	}}
	blame(&f, []manifest.Rule{
		{Kind: manifest.RuleKeep, Args: []string{"/**"}, Source: &manifest.Location{Line: 1}},
		{Kind: manifest.RuleDrop, Args: []string{"/gone"}, Source: &manifest.Location{Line: 9}},
	})
	if want := "the slim image lacks /lib/a and 4 more: it failed"; f.Message != want {
		t.Errorf("message %q, want %q", f.Message, want)
	}
	want := "/gone/x is dropped in line 9\n# slim: keep-package liba\n# slim: keep '/it'\\''s \\[1\\]\n'\nor a probe that makes the traced run ask for it"
	if f.Remedy != want {
		t.Errorf("remedy %q, want %q", f.Remedy, want)
	}
	if f.Source == nil || f.Source.Line != 9 {
		t.Errorf("source %+v", f.Source)
	}
}

// TestExcerpts: what was cut off is not called a difference.
func TestExcerpts(t *testing.T) {
	long := strings.Repeat("ü", maxExcerpt)
	whole, cut := &manifest.Answer{Pieces: []string{"a", "b", "x", long}}, &manifest.Answer{Pieces: []string{"a", "m"}, Cut: true}
	if got := onlyIn(whole, cut); got != `"b"` {
		t.Errorf("%s", got)
	}
	if got := onlyIn(whole, &manifest.Answer{}); !strings.HasSuffix(got, "…") || !slices.Equal(strings.Split(got, ", ")[:2], []string{`"a"`, `"b"`}) {
		t.Errorf("%s", got)
	}
	if got := onlyIn(whole, &manifest.Answer{Cut: true}); got != "" {
		t.Errorf("%s", got)
	}
}

func TestWritableFolders(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes []string
		omitted int64
		want    []string
		ok      bool
	}{
		{name: "nothing", ok: true},
		{name: "declared", changes: []string{"/tmp/x", "/data/a/b", "/tmp/y"}, want: []string{"/data", "/tmp"}, ok: true},
		{name: "the folder itself", changes: []string{"/tmp"}},
		{name: "like a declared one", changes: []string{"/tmpx/y"}},
		{name: "elsewhere", changes: []string{"/run/x", "/etc/x"}},
		{name: "more than is listed", changes: []string{"/run/x"}, omitted: 1, want: []string{"/run"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := manifest.RunReport{Omitted: manifest.Omitted{Changes: tc.omitted}}
			for _, c := range tc.changes {
				run.Changes = append(run.Changes, manifest.Touch{Path: manifest.Path(c), Ops: manifest.Written})
			}
			got, ok := writableFolders(run, declaredFolders(map[string]struct{}{"data/": {}}))
			if ok != tc.ok || !slices.Equal(got, tc.want) {
				t.Errorf("%q, %t, want %q, %t", got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestAdditions(t *testing.T) {
	got := additions([]manifest.Missing{
		{Path: "/b"}, {Path: "/a", Type: "dir"}, {Path: "/lib/module", Type: "dir", Line: "No module named 'module'"},
		{Path: "/known"}, {Path: "/dropped"}, {Path: "/b"},
	}, []manifest.Path{"/known"}, []manifest.Rule{{Kind: manifest.RuleDrop, Args: []string{"/dropped"}, Source: &manifest.Location{Line: 1}}})
	if want := []manifest.Path{"/a", "/b", "/lib/module/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
