package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	stocklint "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/format"
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
	if name, ok := strings.CutPrefix(id, "frontend.slim."); ok && slices.Contains(format.Names(), name) {
		found, err := b.findings(ctx)
		return b.print(name, found, err)
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

// check answers `--call=check`: BuildKit's lint.LintResults with more keys.
func (b *build) check(ctx context.Context) (*gwclient.Result, error) {
	found, err := b.findings(ctx)
	list, writeErr := b.format("json", found, err)
	if writeErr != nil {
		return nil, writeErr
	}
	res, err := b.print("text", found, err)
	if err != nil {
		return nil, err
	}
	res.AddMeta("result.json", list)
	return res, nil
}

// print is the answer to `--call=slim.FORMAT`: the findings as that format has
// them. cannot is why the Dockerfile could not be judged.
func (b *build) print(name string, found []lint.Finding, cannot error) (*gwclient.Result, error) {
	text, err := b.format(name, found, cannot)
	if err != nil {
		return nil, err
	}
	status := "0"
	if cannot != nil || slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Severity >= lint.Warn }) {
		status = "1"
	}
	res := gwclient.NewResult()
	res.AddMeta("result.txt", text)
	res.AddMeta("result.statuscode", []byte(status))
	res.AddMeta("version", []byte(stocklint.SubrequestLintDefinition.Version))
	return res, nil
}

func (b *build) format(name string, found []lint.Finding, cannot error) ([]byte, error) {
	var out bytes.Buffer
	err := format.Write(&out, name, []format.File{{Filename: b.src.Filename, Data: b.src.Data, Findings: found, Err: cannot}})
	return out.Bytes(), err
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
