package lint

import (
	"strings"
	"testing"
)

// TestSettings holds what comments ignore against what the settings let them.
func TestSettings(t *testing.T) {
	off := func(reason string) []Override {
		return []Override{{Rule: "DL3002", Severity: Off, Reason: reason, Stage: EveryStage}}
	}
	exempt := func(stage string) func(string, string) bool {
		return func(rule, in string) bool { return rule == "NonRootUser" && in == stage }
	}
	const root = "FROM debian:13 AS app\nUSER root\n"
	for _, tc := range []struct {
		name, file string
		set        Settings
		found      bool
		message    string // a part of it
	}{
		{"plain", root, Settings{}, true, ""},
		{"check", "# check=skip=NonRootUser\n" + root, Settings{}, false, ""},
		{"check lacks the reason", "# check=skip=NonRootUser\n" + root, Settings{ReasonRequired: true}, true, "gives no reason"},
		{"all lacks the reason", "# check=skip=all\n" + root, Settings{ReasonRequired: true}, true, "gives no reason"},
		{"hadolint", "FROM debian:13 AS app\n# hadolint ignore=DL3002\nUSER root\n", Settings{}, false, ""},
		{"hadolint lacks the reason", "FROM debian:13 AS app\n# hadolint ignore=DL3002\nUSER root\n", Settings{ReasonRequired: true}, true, "gives no reason"},
		{"hadolint with reason", "FROM debian:13 AS app\n# hadolint ignore=DL3002 # binds port 80\nUSER root\n", Settings{ReasonRequired: true}, false, ""},
		{"global with reason", "# hadolint global ignore=DL3002 # binds port 80\n" + root, Settings{ReasonRequired: true}, false, ""},
		{"hadolint of another rule", "FROM debian:13 AS app\n# hadolint ignore=DL3008\nUSER root\n", Settings{ReasonRequired: true}, true, ""},
		{"ignores off", "# check=skip=NonRootUser\n" + root, Settings{IgnoresOff: true}, true, ""},
		{"locked", "# check=skip=NonRootUser\n" + root, Settings{Locked: map[string]bool{"NonRootUser": true}}, true, ""},
		{"override", root, Settings{Overrides: off("")}, false, ""},
		{"override lacks the reason", root, Settings{Overrides: off(""), ReasonRequired: true}, true, "gives no reason"},
		{"override with reason", root, Settings{Overrides: off("port 80"), ReasonRequired: true}, false, ""},
		{"exempt", root, Settings{Exempt: exempt("app")}, false, ""},
		{"exempt though locked", root, Settings{Exempt: exempt("app"), Locked: map[string]bool{"NonRootUser": true}}, false, ""},
		{"another stage exempt", root, Settings{Exempt: exempt("build")}, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found, err := Check(Input{Filename: "Dockerfile", Data: []byte(tc.file)}, tc.set)
			if err != nil {
				t.Fatal(err)
			}
			var messages []string
			for _, f := range found {
				if f.Rule.Name == "NonRootUser" {
					messages = append(messages, f.Message)
				}
			}
			text := strings.Join(messages, "\n")
			if (text != "") != tc.found || !strings.Contains(text, tc.message) || tc.message == "" && strings.Contains(text, "reason") {
				t.Errorf("found %q", text)
			}
		})
	}
}
