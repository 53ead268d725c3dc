package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/org/slimfile/sensor/manifest"
)

// resolve fills chain. Names are resolved as BuildKit does: the target in any
// case, a base only as the stage name in lower case and only to stages above.
func (doc *document) resolve(in Input, escape rune) error {
	stage := len(doc.stages) - 1
	if in.Target != "" {
		stage = doc.lastNamed(strings.ToLower(in.Target), len(doc.stages))
		if stage < 0 {
			return fmt.Errorf("target stage %q could not be found%s", in.Target, hint(in.Target, doc.stageNames()))
		}
	}
	lex := shell.NewLex(escape)
	env := doc.fromArgs(in.BuildArgs, lex)
	for stage >= 0 {
		doc.chain = append(doc.chain, stage)
		base, err := lex.ProcessWordWithMatches(doc.stages[stage].BaseName, env)
		if err != nil || len(base.Unmatched) > 0 {
			doc.refuseUnknownBase(stage)
			break
		}
		stage = doc.lastNamed(base.Result, stage)
	}
	slices.Reverse(doc.chain)
	return nil
}

// lastNamed is the last stage of that name before number end, or -1.
func (doc *document) lastNamed(name string, end int) int {
	for i := end - 1; i >= 0; i-- {
		if name != "" && strings.ToLower(doc.stages[i].Name) == name {
			return i
		}
	}
	return -1
}

func (doc *document) stageNames() []string {
	var names []string
	for _, stage := range doc.stages {
		if stage.Name != "" {
			names = append(names, stage.Name)
		}
	}
	return names
}

// fromArgs are the variables that a FROM can use: build arguments, and the
// defaults of the ARGs before the first FROM.
func (doc *document) fromArgs(buildArgs map[string]string, lex *shell.Lex) shell.EnvGetter {
	vars := maps.Clone(buildArgs)
	if vars == nil {
		vars = map[string]string{}
	}
	for _, cmd := range doc.metaArgs {
		for _, arg := range cmd.Args {
			if _, given := vars[arg.Key]; given || arg.Value == nil {
				continue
			}
			if value, err := lex.ProcessWordWithMatches(*arg.Value, envGetter(vars)); err == nil {
				vars[arg.Key] = value.Result
			}
		}
	}
	return envGetter(vars)
}

func envGetter(vars map[string]string) shell.EnvGetter {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return shell.EnvsFromSlice(env)
}

// refuseUnknownBase fails if a stage with directives may be the base of
// stage, which cannot be told: its directives must not get lost.
func (doc *document) refuseUnknownBase(stage int) {
	for i := range stage {
		if len(doc.scopes[i+1]) > 0 && doc.stages[i].Name != "" {
			loc := doc.stages[stage].Location[0]
			doc.errs = append(doc.errs, doc.file.fail(manifest.Location{Line: loc.Start.Line, EndLine: loc.End.Line},
				"cannot tell which stage %s is, so whether the directives of stage %s count: repeat them in this stage, or above the first FROM",
				doc.stages[stage].BaseName, doc.stages[i].Name))
			return
		}
	}
}
