package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// printBases is the subcommand bases, for hack/apps.sh: it prints the images that
// the applications of those names, or all, are built from.
func printBases(_ context.Context, args []string) error {
	var r runner
	flags := flag.NewFlagSet("bases [APP]...", flag.ContinueOnError)
	flags.StringVar(&r.repo, "repo", "", "`folder` of the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names, err := r.names(flags.Args())
	if err != nil {
		return err
	}
	var images []string
	for _, name := range names {
		stages, err := readStages(filepath.Join(r.folder(name), "Dockerfile"))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for i := range stages {
			images = append(images, root(stages, i))
		}
	}
	slices.Sort(images)
	for _, image := range slices.Compact(images) {
		fmt.Println(image)
	}
	return nil
}

// baseImage is the image that the last stage of a Dockerfile stands on.
func baseImage(dockerfile string) (string, error) {
	stages, err := readStages(dockerfile)
	if err != nil {
		return "", err
	}
	return root(stages, len(stages)-1), nil
}

// root is the image that a stage stands on, if need be by way of earlier stages.
func root(stages []instructions.Stage, i int) string {
	base := stages[i].BaseName
	for earlier := range i {
		if strings.EqualFold(stages[earlier].Name, base) {
			return root(stages, earlier)
		}
	}
	return base
}

func readStages(dockerfile string) ([]instructions.Stage, error) {
	f, err := os.Open(dockerfile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parsed, err := parser.Parse(f)
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, errors.New("the Dockerfile has no stage")
	}
	return stages, nil
}
