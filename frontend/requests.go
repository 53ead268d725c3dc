package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	stocklint "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/frontend/lint"
)

// answer answers a subrequest (`docker buildx build --call`). What is not about
// rules is BuildKit's to answer.
func (b *build) answer(ctx context.Context, id string) (*gwclient.Result, error) {
	if b.cfg != nil && b.cfg.Mode == config.ModeOff {
		return stock(ctx, b.client)
	}
	switch id {
	case subrequests.RequestSubrequestsDescribe:
		return describe()
	case stocklint.RequestLint:
		return b.check(ctx)
	case targets.RequestTargets:
		return b.targets(ctx)
	}
	return stock(ctx, b.client)
}

// describe lists what can be asked. BuildKit's own list lacks lint.
func describe() (*gwclient.Result, error) {
	list, err := json.MarshalIndent([]subrequests.Request{
		outline.SubrequestsOutlineDefinition,
		targets.SubrequestsTargetsDefinition,
		stocklint.SubrequestLintDefinition,
		subrequests.SubrequestsDescribeDefinition,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(list, &text); err != nil {
		return nil, err
	}
	res := gwclient.NewResult()
	res.AddMeta("result.json", list)
	res.AddMeta("result.txt", text.Bytes())
	res.AddMeta("version", []byte(subrequests.SubrequestsDescribeDefinition.Version))
	return res, nil
}

// check answers `--call=check`.
func (b *build) check(ctx context.Context) (*gwclient.Result, error) {
	found, err := b.findings(ctx)
	results := &stocklint.LintResults{}
	source := results.AddSource(b.src.SourceMap)
	if err != nil {
		var located *parser.LocationError
		if !errors.As(err, &located) {
			return nil, err
		}
		results.Error = &stocklint.BuildError{Message: err.Error()}
		results.Error.Location.SourceIndex = int32(source)
		for _, at := range located.Locations {
			results.Error.Location.Ranges = append(results.Error.Location.Ranges, ranges(at)...)
		}
	}
	status := "0"
	for _, f := range found {
		index := source
		if len(f.Ranges) == 0 {
			index = -1 // about the file as a whole
		}
		results.AddWarning(f.Rule.Name, f.Rule.Summary, f.Rule.URL(), f.Message, index, f.Ranges)
		if f.Severity >= lint.Warn {
			status = "1"
		}
	}
	if results.Error != nil {
		status = "1"
	}
	res, err := results.ToResult(nil)
	if err != nil {
		return nil, err
	}
	res.AddMeta("result.statuscode", []byte(status))
	return res, nil
}

// targets answers `--call=targets`. BuildKit's own answer crashes on a
// "# check=" comment below the first FROM, so it does not get to see them.
func (b *build) targets(ctx context.Context) (*gwclient.Result, error) {
	list, err := dockerfile2llb.ListTargets(ctx, lint.WithoutChecks(b.src.Data))
	if err != nil {
		return nil, err
	}
	list.Sources = [][]byte{b.src.Data}
	return list.ToResult()
}
