package osv

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	apkversion "github.com/knqyf263/go-apk-version"
	debversion "github.com/knqyf263/go-deb-version"

	"github.com/org/slimfile/sensor/manifest"
)

// system is a distribution as the advisories know it.
type system struct {
	// ecosystems are the names it goes by (OSV schema, affected[].package field).
	ecosystems []string
	// compare orders versions; false for what is none.
	compare func(a, b string) (int, bool)
}

// systemOf finds the distribution.
func systemOf(os manifest.OS) (system, error) {
	major, rest, _ := strings.Cut(os.VersionID, ".")
	minor, _, _ := strings.Cut(rest, ".")
	switch {
	case os.ID == "debian" && major != "":
		return system{[]string{"Debian:" + major}, compareDeb}, nil
	case os.ID == "ubuntu" && os.VersionID != "":
		return system{[]string{"Ubuntu:" + os.VersionID + ":LTS", "Ubuntu:" + os.VersionID}, compareDeb}, nil
	case os.ID == "alpine" && strings.Contains(os.VersionID, "_"): // 3.21.0_alpha20240923
		return system{[]string{"Alpine:edge"}, compareAPK}, nil
	case os.ID == "alpine" && minor != "":
		return system{[]string{"Alpine:v" + major + "." + minor}, compareAPK}, nil
	case os.ID == "wolfi":
		return system{[]string{"Wolfi"}, compareAPK}, nil
	case os.ID == "chainguard":
		return system{[]string{"Chainguard"}, compareAPK}, nil
	}
	name := cmp.Or(os.Name, strings.TrimSpace(os.ID+" "+os.VersionID), "a distribution that does not give its name")
	return system{}, fmt.Errorf("the image is %s, and advisories are matched for Debian, Ubuntu, Alpine, Wolfi and Chainguard only", name)
}

func compareDeb(a, b string) (int, bool) {
	x, errX := debversion.NewVersion(a)
	y, errY := debversion.NewVersion(b)
	if errX != nil || errY != nil {
		return 0, false
	}
	return x.Compare(y), true
}

func compareAPK(a, b string) (int, bool) {
	x, errX := apkversion.NewVersion(a)
	y, errY := apkversion.NewVersion(b)
	if errX != nil || errY != nil {
		return 0, false
	}
	return x.Compare(y), true
}

// affects tells whether an advisory is about a version, and which later one is
// fixed: OSV schema, "Evaluation". What cannot be compared counts as affected.
func (s system) affects(about affected, version string) (hit bool, fixed string) {
	hit = slices.Contains(about.Versions, version)
	for _, r := range about.Ranges {
		if r.Type != "ECOSYSTEM" {
			continue
		}
		in, until := s.within(r.Events, version)
		if hit = hit || in; in && until != "" {
			fixed = until
		}
	}
	return hit, fixed
}

// within tells whether a version lies in the range that events make, and its end
// if that is a fix.
func (s system) within(events []event, version string) (in bool, fixed string) {
	events = slices.Clone(events)
	ordered := true
	order := func(a, b string) int {
		if a == b {
			return 0
		}
		if a == "0" { // before any version
			return -1
		}
		if b == "0" {
			return 1
		}
		n, ok := s.compare(a, b)
		ordered = ordered && ok
		return n
	}
	slices.SortStableFunc(events, func(a, b event) int { return order(a.version(), b.version()) })
	for _, e := range events {
		at := order(version, e.version())
		switch {
		case e.Introduced != "" && at >= 0:
			in, fixed = true, ""
		case e.Fixed != "" && at >= 0, e.LastAffected != "" && at > 0:
			in = false
		case e.Fixed != "" && in && fixed == "":
			fixed = e.Fixed
		}
	}
	if !ordered {
		return true, fixed
	}
	return in, fixed
}
