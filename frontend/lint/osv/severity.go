package osv

import (
	"math"
	"strconv"
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// Severity of a vulnerability.
type Severity uint8

// Severities, from the least to the most.
const (
	Unknown Severity = iota // nobody has rated it
	Low
	Medium
	High
	Critical
)

// Severities are the names, in their order.
func Severities() []string { return []string{"unknown", "low", "medium", "high", "critical"} }

// String is the name.
func (s Severity) String() string { return Severities()[s] }

func firstKnown(list ...Severity) Severity {
	for _, s := range list {
		if s != Unknown {
			return s
		}
	}
	return Unknown
}

// worded is a severity by one of the words that databases use: GitHub's,
// Ubuntu's, Red Hat's, Debian's urgencies.
func worded(word string) Severity {
	switch strings.ToLower(strings.TrimRight(word, "*")) {
	case "critical":
		return Critical
	case "high", "important":
		return High
	case "medium", "moderate":
		return Medium
	case "low", "minor", "negligible", "unimportant":
		return Low
	}
	return Unknown
}

// rating is a score as an advisory gives it.
type rating struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// rated is the worst of the ratings.
func rated(list []rating) Severity {
	worst := Unknown
	for _, r := range list {
		s := worded(r.Score)
		if s == Unknown {
			s = scored(score(r.Score))
		}
		worst = max(worst, s)
	}
	return worst
}

// score is the base score of a CVSS vector, or a number; negative for neither.
func score(text string) float64 {
	switch {
	case strings.HasPrefix(text, "CVSS:4.0/"):
		if v, err := cvss40.ParseVector(text); err == nil {
			return v.Score()
		}
	case strings.HasPrefix(text, "CVSS:3.1/"):
		if v, err := cvss31.ParseVector(text); err == nil {
			return v.BaseScore()
		}
	case strings.HasPrefix(text, "CVSS:3.0/"):
		if v, err := cvss30.ParseVector(text); err == nil {
			return v.BaseScore()
		}
	default:
		if v, err := cvss20.ParseVector(text); err == nil {
			return v.BaseScore()
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(n) {
			return n
		}
	}
	return -1
}

// scored is the severity of a score (CVSS 3.1, 5 Qualitative Severity Rating
// Scale).
func scored(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score >= 0:
		return Low
	}
	return Unknown
}
