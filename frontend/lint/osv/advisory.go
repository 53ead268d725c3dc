package osv

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// advisory is what is read of one.
type advisory struct {
	ID        string     `json:"id"`
	Modified  time.Time  `json:"modified"`
	Withdrawn time.Time  `json:"withdrawn"`
	Aliases   []string   `json:"aliases"`
	Upstream  []string   `json:"upstream"`
	Severity  []rating   `json:"severity"`
	Affected  []affected `json:"affected"`
	Database  specific   `json:"database_specific"`
}

// affected is about one package.
type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity []rating `json:"severity"`
	Ranges   []struct {
		Type   string  `json:"type"`
		Events []event `json:"events"`
	} `json:"ranges"`
	Versions  []string `json:"versions"`
	Ecosystem specific `json:"ecosystem_specific"`
	Database  specific `json:"database_specific"`
}

// event is where a range begins or ends; one field is set.
type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// version is the one that the event is about.
func (e event) version() string {
	switch {
	case e.Introduced != "":
		return e.Introduced
	case e.Fixed != "":
		return e.Fixed
	}
	return e.LastAffected
}

// specific is what databases add as they like: a word for the severity in most.
type specific struct{ severity, urgency string }

// UnmarshalJSON implements json.Unmarshaler: what has another form says nothing.
func (s *specific) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) == nil {
		_ = json.Unmarshal(fields["severity"], &s.severity)
		_ = json.Unmarshal(fields["urgency"], &s.urgency)
	}
	return nil
}

// vulnerabilities are the CVEs that an advisory is about, or itself.
func (a advisory) vulnerabilities() []string {
	isCVE := regexp.MustCompile(`^CVE-\d+-\d+$`).MatchString
	var ids []string
	for _, id := range slices.Concat([]string{a.ID}, a.Aliases, a.Upstream) {
		if isCVE(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return []string{a.ID}
	}
	return ids
}

// severity is what the advisory as a whole says.
func (a advisory) severity() Severity {
	return firstKnown(worded(a.Database.severity), rated(a.Severity))
}

// severity is what is said of this package: by the distribution before all.
func (a affected) severity() Severity {
	return firstKnown(worded(a.Ecosystem.severity), worded(a.Ecosystem.urgency), worded(a.Database.severity), rated(a.Severity))
}
