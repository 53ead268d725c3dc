package cli

import (
	"github.com/spf13/cobra"

	"github.com/org/slimfile/cmd/slimfile/internal/lint"
	rules "github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/format"
	"github.com/org/slimfile/frontend/lint/policy"
)

// Exit statuses of slimfile lint.
const (
	lintFailed = 1
	lintBroken = 2
)

func lintCommand(s streams) *cobra.Command {
	o := lint.Options{Stdin: s.in, Stdout: s.out, Stderr: s.err}
	cmd := &cobra.Command{
		Use:   "lint [flags] [PATH...]",
		Short: "Judge Dockerfiles by the rules, with no daemon",
		Long: `Judge Dockerfiles by the rules that a build enforces, with no daemon. What only
a build can know is left to the build.

A PATH is a Dockerfile, a folder, or - for stdin; without one, it is this folder.
In a folder, and below it, these are judged: Dockerfile, Dockerfile.*,
*.Dockerfile and Containerfile. Hidden files and folders are passed over.

A part of a Dockerfile without its FROM is judged as far as it goes.

The exit status is 0 if nothing fails, 1 if something was found that does, and 2
if a file could not be judged, or cannot be built.`,
		Example: `  # Judge all Dockerfiles below this folder
  slimfile lint

  # Mend what can be mended without changing what the image does
  slimfile lint --fix app/Dockerfile

  # Hold a release against the team's policy, for GitHub's code scanning
  slimfile lint --policy policy.yaml --profile release -f sarif > lint.sarif

  # Judge what an editor holds
  slimfile lint -f json -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Paths = args
			result, err := lint.Run(cmd.Context(), o)
			switch {
			case err != nil:
				return &exitError{lintBroken, err}
			case result == lint.Broken:
				return &exitError{lintBroken, nil}
			case result == lint.Failed:
				return &exitError{lintFailed, nil}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{lintBroken, err} })
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.Format, "format", "f", "text", "how to print: text, json, sarif, github, codeclimate or checkstyle")
	flags.StringVar(&o.Policy, "policy", "", "policy `file` to hold them against (default: the one that the Dockerfile names)")
	flags.StringVar(&o.Profile, "profile", "", "how strictly: dev, default or release (default: as the policy says)")
	flags.StringVar(&o.FailOn, "fail-on", "error", "the least severity that fails: error, warn or never")
	flags.StringArrayVar(&o.Rules, "rule", nil, "severity of a rule, `NAME=SEVERITY`: off, info, warn or error")
	flags.BoolVar(&o.Fix, "fix", false, "mend what can be mended safely, in the files")
	complete(cmd, "format", cobra.ShellCompDirectiveNoFileComp, format.Names)
	complete(cmd, "profile", cobra.ShellCompDirectiveNoFileComp, profileNames)
	complete(cmd, "fail-on", cobra.ShellCompDirectiveNoFileComp, lint.FailOn)
	complete(cmd, "rule", cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace, ruleNames)
	return cmd
}

// complete lets the shell complete a flag's value.
func complete(cmd *cobra.Command, flag string, how cobra.ShellCompDirective, words func() []string) {
	// It fails only for a flag that the command lacks.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), how
	})
}

func profileNames() []string {
	var names []string
	for _, p := range policy.Profiles() {
		names = append(names, string(p))
	}
	return names
}

func ruleNames() []string {
	var names []string
	for _, r := range rules.Rules() {
		names = append(names, r.Name+"=")
	}
	return names
}
