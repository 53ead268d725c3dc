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
		if err != nil {
			break // the conversion of the Dockerfile fails with the same error
		}
		if namesPlatform(base.Unmatched) {
			doc.refuseUnknownBase(stage)
			break
		}
		stage = doc.lastNamed(base.Result, stage)
	}
	slices.Reverse(doc.chain)
	return nil
}

// namesPlatform tells whether one of names is a variable that BuildKit gives
// every FROM: the caller did not tell its value.
func namesPlatform(names map[string]struct{}) bool {
	for name := range names {
		if strings.HasPrefix(name, "TARGET") || strings.HasPrefix(name, "BUILD") {
			return true
		}
	}
	return false
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

// fromOf is where the FROM of a stage stands.
func (doc *document) fromOf(stage int) manifest.Location {
	lines := doc.stages[stage].Location
	first, last := lines[0].Start.Line, lines[len(lines)-1].End.Line
	return manifest.Location{Line: first, EndLine: last, EndColumn: len(doc.file.lines[first-1])}
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
			doc.errs = append(doc.errs, doc.file.fail(doc.fromOf(stage),
				"the platform decides which stage %s is, so whether the directives of stage %s count: repeat them in this stage, or above the first FROM",
				doc.stages[stage].BaseName, doc.stages[i].Name))
			return
		}
	}
}
