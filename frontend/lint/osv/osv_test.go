package osv

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/manifest"
)

// debian is an image with two packages of one source, and one more.
func debian(t testing.TB) *Matcher {
	t.Helper()
	m, err := NewMatcher(manifest.OS{ID: "debian", VersionID: "12"}, manifest.Packages{Total: 9, Kept: []manifest.Package{
		{Name: "libssl3", Version: "3.0.11-1~deb12u2", Source: "openssl", SourceVersion: "3.0.11-1~deb12u2"},
		{Name: "openssl", Version: "3.0.11-1~deb12u2", Source: "openssl", SourceVersion: "3.0.11-1~deb12u2"},
		{Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Source: "zlib", SourceVersion: "1:1.2.13.dfsg-1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// dsa is about openssl in Debian 12 before u3, and in Debian 11.
const dsa = `{"id": "DSA-5532-1", "modified": "2026-11-20T10:00:00Z", "upstream": ["CVE-2024-1", "DEBIAN-CVE-2024-1", "CVE-2024-2"],
 "affected": [{"package": {"ecosystem": "Debian:12", "name": "openssl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.11-1~deb12u3"}]}]},
              {"package": {"ecosystem": "Debian:11", "name": "openssl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}]}]}`

// cve is the same as one of dsa's, and says how bad it is.
const cve = `{"id": "DEBIAN-CVE-2024-1", "modified": "2026-11-01T10:00:00.5Z", "upstream": ["CVE-2024-1"],
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected": [{"package": {"ecosystem": "Debian:12", "name": "openssl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}], "ecosystem_specific": {"urgency": "not yet assigned"}}]}`

func TestRead(t *testing.T) {
	critical := Vulnerability{
		ID: "CVE-2024-1", Advisory: "DSA-5532-1", Package: "libssl3", Source: "openssl", Installed: "3.0.11-1~deb12u2", Fixed: "3.0.11-1~deb12u3", Severity: Critical,
	}
	other := critical
	other.ID, other.Severity = "CVE-2024-2", Unknown
	for _, tt := range []struct {
		name  string
		files []string
		want  []Vulnerability
		read  int
	}{
		{"nothing", nil, nil, 0},
		{"empty", []string{"", " \n", "[]"}, nil, 0},
		{"one after the other", []string{dsa, cve}, []Vulnerability{critical, other}, 2},
		{"in another order", []string{cve, dsa}, []Vulnerability{critical, other}, 2},
		{"list", []string{"\n[" + dsa + "," + cve + "]\n"}, []Vulnerability{critical, other}, 2},
		{"lines", []string{dsa + "\n" + cve}, []Vulnerability{critical, other}, 2},
		{"withdrawn", []string{strings.Replace(dsa, `"modified"`, `"withdrawn": "2026-11-20T10:00:00Z", "modified"`, 1)}, nil, 1},
		{"other release", []string{strings.ReplaceAll(dsa, "Debian:12", "Debian:13")}, nil, 1},
		{"other package", []string{strings.ReplaceAll(dsa, `"openssl"`, `"nginx"`)}, nil, 1},
		{"fixed in it", []string{strings.ReplaceAll(dsa, "deb12u3", "deb12u2")}, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := debian(t)
			for _, text := range tt.files {
				if err := m.Read(strings.NewReader(text)); err != nil {
					t.Fatal(err)
				}
			}
			got := m.Result()
			if !reflect.DeepEqual(got.Found, tt.want) || got.Advisories != tt.read {
				t.Errorf("got %+v", got)
			}
		})
	}
	m := debian(t)
	for _, text := range []string{dsa, cve, `{"id": "CVE-2024-2", "severity": [{"type": "CVSS_V2", "score": "AV:L/AC:H/Au:N/C:N/I:P/A:P"}]}`} {
		if err := m.Read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Result()
	if got.Found[1].Severity != Low || got.Relevant != 2 || !got.Newest.Equal(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v", got)
	}
}

func TestReadErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		text io.Reader
		want string
	}{
		"no JSON":         {strings.NewReader("CVE-2024-1"), "invalid character"},
		"cut off":         {strings.NewReader(dsa[:len(dsa)-1]), "unexpected EOF"},
		"list cut off":    {strings.NewReader("[" + dsa), "EOF"},
		"behind a list":   {strings.NewReader("[] {"), ""},
		"no advisory":     {strings.NewReader(`{"name": "x"}`), "no id"},
		"not an object":   {strings.NewReader(`["x"]`), "cannot unmarshal"},
		"endless":         {io.MultiReader(strings.NewReader(`{"id": "`), endless('x')), "larger than"},
		"endless spaces":  {endless(' '), "larger than"},
		"a date is wrong": {strings.NewReader(`{"id": "x", "modified": "yesterday"}`), "yesterday"},
	} {
		t.Run(name, func(t *testing.T) {
			err := debian(t).Read(tt.text)
			if tt.want == "" {
				return // what is read first counts
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// endless is a reader of one character.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestAffects(t *testing.T) {
	for _, tt := range []struct {
		os             string
		version        string
		events         string
		versions, want string // the version that is fixed, "-" for none, "" if not affected
	}{
		{"debian", "1.2-1", `{"introduced":"0"}`, "", "-"},
		{"debian", "1.2-1", `{"introduced":"0"},{"fixed":"1.2-1+deb12u1"}`, "", "1.2-1+deb12u1"},
		{"debian", "1.2-1+deb12u1", `{"introduced":"0"},{"fixed":"1.2-1+deb12u1"}`, "", ""},
		{"debian", "1.2~rc1-1", `{"introduced":"0"},{"fixed":"1.2-1"}`, "", "1.2-1"},
		{"debian", "1:1.0-1", `{"introduced":"0"},{"fixed":"2.0-1"}`, "", ""},
		{"debian", "1.0-1", `{"introduced":"1.1-1"},{"fixed":"2.0-1"}`, "", ""},
		{"debian", "2.5-1", `{"fixed":"2.0-1"},{"introduced":"0"},{"fixed":"3.0-1"},{"introduced":"2.4-1"}`, "", "3.0-1"},
		{"debian", "2.2-1", `{"introduced":"0"},{"fixed":"2.0-1"},{"introduced":"2.4-1"},{"fixed":"3.0-1"}`, "", ""},
		{"debian", "2.0-1", `{"introduced":"0"},{"last_affected":"2.0-1"}`, "", "-"},
		{"debian", "2.0-2", `{"introduced":"0"},{"last_affected":"2.0-1"}`, "", ""},
		{"debian", "2.0-2", ``, "2.0-2", "-"},
		{"debian", "2.0-2", ``, "2.0-1", ""},
		{"debian", "2.0-2", `{"introduced":"0"},{"fixed":"no version"}`, "", "-"},
		{"alpine", "3.3.1-r0", `{"introduced":"0"},{"fixed":"3.3.1-r1"}`, "", "3.3.1-r1"},
		{"alpine", "3.3.1-r10", `{"introduced":"0"},{"fixed":"3.3.1-r9"}`, "", ""},
		{"alpine", "1.0_rc1-r0", `{"introduced":"0"},{"fixed":"1.0-r0"}`, "", "1.0-r0"},
		{"alpine", "1.0-r0", `{"introduced":"0"},{"fixed":"0"}`, "", ""},
	} {
		t.Run(tt.version+" "+tt.events, func(t *testing.T) {
			m, err := NewMatcher(manifest.OS{ID: tt.os, VersionID: "3.20"}, manifest.Packages{Total: 1, Kept: []manifest.Package{{Name: "p", Source: "s", SourceVersion: tt.version}}})
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`{"id":"X","affected":[{"package":{"ecosystem":%q,"name":"s"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"ECOSYSTEM","events":[%s]}],"versions":[%q]}]}`,
				m.Ecosystem(), tt.events, tt.versions)
			if err := m.Read(strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, v := range m.Result().Found {
				if got = v.Fixed; got == "" {
					got = "-"
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewMatcher(t *testing.T) {
	for _, tt := range []struct {
		os    manifest.OS
		total int
		want  string // ecosystem, or part of the error
	}{
		{manifest.OS{}, 0, ""},
		{manifest.OS{ID: "debian", VersionID: "12"}, 1, "Debian:12"},
		{manifest.OS{ID: "ubuntu", VersionID: "24.04"}, 1, "Ubuntu:24.04:LTS"},
		{manifest.OS{ID: "alpine", VersionID: "3.20.1"}, 1, "Alpine:v3.20"},
		{manifest.OS{ID: "alpine", VersionID: "3.21.0_alpha20240923"}, 1, "Alpine:edge"},
		{manifest.OS{ID: "wolfi"}, 1, "Wolfi"},
		{manifest.OS{ID: "chainguard"}, 1, "Chainguard"},
		{manifest.OS{ID: "debian", VersionID: "12", Name: "Debian 12"}, 0, "says that it is Debian 12, and does not say which packages"},
		{manifest.OS{ID: "debian"}, 1, "the image is debian"},
		{manifest.OS{ID: "fedora", VersionID: "40"}, 0, "the image is fedora 40"},
		{manifest.OS{}, 3, "does not give its name"},
	} {
		m, err := NewMatcher(tt.os, manifest.Packages{Total: tt.total})
		switch {
		case err != nil && (tt.want == "" || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%+v: %v, want %q", tt.os, err, tt.want)
		case err == nil && m.Ecosystem() != tt.want:
			t.Errorf("%+v: %q, want %q", tt.os, m.Ecosystem(), tt.want)
		}
	}
}

func TestSeverity(t *testing.T) {
	for text, want := range map[string]Severity{
		`{}`: Unknown,
		`{"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]}`:                                                    Critical,
		`{"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}`:                                                                       High,
		`{"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N"}]}`:                                                                       Medium,
		`{"severity":[{"type":"CVSS_V2","score":"AV:L/AC:H/Au:N/C:N/I:P/A:P"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}`:               High,
		`{"severity":[{"type":"Ubuntu","score":"negligible"}]}`:                                                                                                          Low,
		`{"severity":[{"type":"CVSS_V3","score":"7.5"}]}`:                                                                                                                High,
		`{"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/nonsense"}]}`:                                                                                                  Unknown,
		`{"database_specific":{"severity":"MODERATE"},"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`:                           Medium,
		`{"database_specific":["x"],"affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"versions":["1"],"ecosystem_specific":{"urgency":"low**"}}]}`:         Low,
		`{"database_specific":{"severity":3},"affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"versions":["1"],"database_specific":{"severity":"High"}}]}`: High,
	} {
		m, err := NewMatcher(manifest.OS{ID: "debian", VersionID: "12"}, manifest.Packages{Total: 1, Kept: []manifest.Package{{Name: "z", Source: "zlib", SourceVersion: "1"}}})
		if err != nil {
			t.Fatal(err)
		}
		text = strings.Replace(text, "{", `{"id":"CVE-1-1",`, 1)
		text = strings.Replace(text, ",}", "}", 1)
		if !strings.Contains(text, "affected") {
			text = text[:len(text)-1] + `,"affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"versions":["1"]}]}`
		}
		if err := m.Read(strings.NewReader(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if found := m.Result().Found; len(found) != 1 || found[0].Severity != want {
			t.Errorf("%s: got %+v, want %s", text, found, want)
		}
	}
}

// TestScratch: an image of no distribution has no package that advisories are
// about.
func TestScratch(t *testing.T) {
	m, err := NewMatcher(manifest.OS{}, manifest.Packages{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Read(strings.NewReader(dsa)); err != nil || len(m.Result().Found) != 0 {
		t.Errorf("got %+v, %v", m.Result(), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(dsa))
	f.Add([]byte("[" + cve + "," + dsa + "]"))
	f.Add([]byte(`{"id":"x","severity":[{"score":"CVSS:4.0/"}],"affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"~"},{"fixed":"1:99999999999999999999-1"}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := debian(t)
		if err := m.Read(strings.NewReader(string(data))); err != nil {
			return
		}
		for _, v := range m.Result().Found {
			if v.ID == "" || v.Source == "" || int(v.Severity) >= len(Severities()) {
				t.Errorf("found %+v", v)
			}
		}
	})
}

func FuzzVersions(f *testing.F) {
	f.Add("1:1.2-3~deb12u1", "1.2_rc1-r3")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, compare := range []func(a, b string) (int, bool){compareDeb, compareAPK} {
			forth, ok := compare(a, b)
			back, okBack := compare(b, a)
			if ok != okBack {
				t.Errorf("%q, %q: %v and %v", a, b, ok, okBack)
			}
			_, _ = forth, back
		}
	})
}
