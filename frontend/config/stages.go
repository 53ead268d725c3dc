package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

// Bases that are no stage above.
const (
	noStage       = -1
	platformStage = -2 // which one, a variable says that the caller did not tell
)

// resolve fills chain. Names are resolved as BuildKit does: the target in any
// case, a base only as the stage name in lower case and only to the last such
// stage above.
func (doc *document) resolve(in Input, escape rune) error {
	lex := shell.NewLex(escape)
	env := doc.fromArgs(in.BuildArgs, lex)
	names := map[string]int{}
	bases := make([]int, len(doc.stages))
	for i, stage := range doc.stages {
		bases[i] = baseOf(stage.BaseName, names, lex, env)
		if stage.Name != "" {
			names[strings.ToLower(stage.Name)] = i
		}
	}
	stage := len(doc.stages) - 1
	if in.Target != "" {
		var ok bool
		if stage, ok = names[strings.ToLower(in.Target)]; !ok {
			return fmt.Errorf("target stage %q could not be found%s", in.Target, spell.Hint(in.Target, doc.stageNames()))
		}
	}
	for ; stage >= 0; stage = bases[stage] {
		doc.chain = append(doc.chain, stage)
		if bases[stage] == platformStage {
			doc.refusePlatformBase(stage)
		}
	}
	slices.Reverse(doc.chain)
	return nil
}

// baseOf is the number of the stage that a FROM names, among those above it.
func baseOf(name string, above map[string]int, lex *shell.Lex, env shell.EnvGetter) int {
	base, err := lex.ProcessWordWithMatches(name, env)
	if err != nil {
		return noStage // the conversion of the Dockerfile fails with the same error
	}
	for variable := range base.Unmatched {
		if strings.HasPrefix(variable, "TARGET") || strings.HasPrefix(variable, "BUILD") {
			return platformStage
		}
	}
	if i, ok := above[base.Result]; ok {
		return i
	}
	return noStage
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

// refusePlatformBase fails if a stage with directives may be the base of
// stage, which cannot be told: its directives must not get lost.
func (doc *document) refusePlatformBase(stage int) {
	for i := range stage {
		if len(doc.scopes[i+1]) > 0 && doc.stages[i].Name != "" {
			doc.errs = append(doc.errs, doc.file.fail(doc.fromOf(stage),
				"the platform decides which stage %s is, so whether the directives of stage %s count: repeat them in this stage, or above the first FROM",
				doc.stages[stage].BaseName, doc.stages[i].Name))
			return
		}
	}
}
