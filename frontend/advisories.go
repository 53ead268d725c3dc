package frontend

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/osv"
	"github.com/org/slimfile/sensor/manifest"
)

// advise tells the rules what advisories say of the packages that remain, if the
// policy bounds that.
func (b *build) advise(ctx context.Context, built *lint.Built, packages manifest.Packages) error {
	if b.settings.Vulnerabilities == nil {
		return nil
	}
	matcher, err := osv.NewMatcher(built.Facts.OS, packages)
	if err != nil {
		built.NoAdvisories = err.Error()
		return nil //nolint:nilerr // the rule says so, which the policy may excuse
	}
	if err := b.readAdvisories(ctx, matcher); err != nil {
		return fmt.Errorf("read the advisories that the policy %s names: %s", b.policy.name, err.Error()) // see failed
	}
	result := matcher.Result()
	if result.Relevant == 0 && matcher.Ecosystem() != "" {
		built.NoAdvisories = fmt.Sprintf("none of the %d advisories is about %s", result.Advisories, matcher.Ecosystem())
		return nil
	}
	built.Vulnerabilities = &result
	return nil
}

// Bounds on reading advisories.
const (
	maxAdvisoryFiles = 8 // read at once
	advisoryFile     = ".json"
)

func (b *build) readAdvisories(ctx context.Context, matcher *osv.Matcher) error {
	files, top, err := b.advisoryFolder(ctx)
	if err != nil {
		return err
	}
	names, err := files.find(ctx, top)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name != top && path.Ext(name) != advisoryFile })
	if len(names) == 0 {
		return fmt.Errorf("%s has no file that ends in %s", top, advisoryFile)
	}
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(maxAdvisoryFiles)
	for _, name := range names {
		eg.Go(func() error {
			in, err := files.open(ctx, name)
			if err != nil {
				return err
			}
			defer in.Close()
			if err := matcher.Read(in); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return eg.Wait()
}

// advisoryFolder is where the policy says that the advisories are.
func (b *build) advisoryFolder(ctx context.Context) (files folder, top string, err error) {
	place := b.advisories
	if place.Context == "" {
		top = path.Join(path.Dir(b.policy.name), place.Path)
		files, err = b.policy.folder(ctx, top)
		return files, top, err
	}
	files, err = b.namedFolder(ctx, place.Context)
	if err == nil && files == nil {
		err = fmt.Errorf("there is no build context %q: add --build-context %s=DIR", place.Context, place.Context)
	}
	return files, cmp.Or(place.Path, "."), err
}
