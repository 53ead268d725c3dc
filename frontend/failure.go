package frontend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

// maxFailure bounds what is read of a failed step's report.
const maxFailure = 1 << 20

// StepError is a step of ours that refused to go on.
type StepError struct {
	Step    string // trace, pack or verify
	Failure manifest.Failure
	// Causes are what the rules found to be to blame.
	Causes []lint.Finding
}

// maxMissing bounds what a message lists as missing.
const maxMissing = 6

// Error is one screen: what failed, what the slim image lacks, expected and got, what to do, the app's
// last lines.
func (e *StepError) Error() string {
	f := e.Failure
	var out strings.Builder
	fmt.Fprintf(&out, "slim %s failed: %s", e.Step, f.Message)
	var missing []string
	for i, m := range f.Missing {
		if i == maxMissing {
			missing = append(missing, fmt.Sprintf("and %d more", len(f.Missing)-i))
			break
		}
		missing = append(missing, describeMissing(m))
	}
	type row struct{ name, text string }
	rows := []row{{"missing", strings.Join(missing, "\n")}, {"probe", f.Probe}, {"expected", f.Expected}, {"got", f.Got}}
	for _, c := range e.Causes {
		rows = append(rows, row{"cause", linter.LintFormatShort(c.Rule.Name, c.Message, c.Line())})
	}
	if len(e.Causes) == 0 { // which say what to do
		rows = append(rows, row{"remedy", f.Remedy})
	}
	for _, row := range rows {
		if row.text != "" {
			fmt.Fprintf(&out, "\n  %-9s %s", row.name, strings.ReplaceAll(row.text, "\n", "\n            "))
		}
	}
	if len(f.Log) > 0 {
		out.WriteString("\nthe app's last lines:")
		for _, line := range f.Log {
			out.WriteString("\n  | " + line)
		}
	}
	return out.String()
}

// failed turns a failed solve into what the step itself has to say of it. An
// error of somebody else's step (a RUN of the Dockerfile) is returned as it is.
//
// What BuildKit's own error says is put into words and not wrapped: of a wrapped
// gRPC error only its own message would reach the client (util/grpcerrors,
// ToGRPC).
func (b *build) failed(ctx context.Context, err error) error {
	var se *errdefs.SolveError
	if !errors.As(err, &se) {
		return err
	}
	step := stepOf(se.Op.GetExec().GetMeta().GetArgs())
	if step == "" {
		return err
	}
	f, readErr := b.readFailure(ctx, se)
	if readErr != nil {
		text := fmt.Sprintf("slim %s failed, its log above says why (no report: %s): %s", step, readErr.Error(), err.Error())
		if strings.Contains(text, "no space left on device") { // ENOSPC of the builder's Linux
			text += "\n  remedy    free space on the build machine, for example with \"docker buildx prune\", and build again"
		}
		return errors.New(text)
	}
	blame(f, b.cfg.Rules)
	return &StepError{Step: step, Failure: *f}
}

// stepOf tells a step of ours by its command line; empty for any other.
func stepOf(args []string) string {
	switch {
	case len(args) == 2 && args[0] == llbgen.Sensor:
		return args[1]
	case len(args) == 2 && args[0] == llbgen.Packer:
		return args[1]
	case len(args) == 1 && args[0] == llbgen.Packer:
		return "pack"
	}
	return ""
}

// readFailure reads the report off the failed step's output mount. Needs
// BuildKit 0.27; an older one leaves the step's log.
func (b *build) readFailure(ctx context.Context, se *errdefs.SolveError) (*manifest.Failure, error) {
	id := ""
	for i, m := range se.Op.GetExec().GetMounts() {
		if m.Dest == manifest.OutputDir && i < len(se.MountIDs) {
			id = se.MountIDs[i]
		}
	}
	if id == "" {
		return nil, errors.New("the step left no output")
	}
	ctr, err := b.client.NewContainer(ctx, gwclient.NewContainerRequest{
		Mounts: []gwclient.Mount{{ResultID: id, Dest: "/"}},
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = ctr.Release(context.WithoutCancel(ctx)) }()
	data, err := ctr.ReadFile(ctx, gwclient.ReadContainerRequest{ReadRequest: gwclient.ReadRequest{
		Filename: "/" + manifest.FailureFile,
		Range:    &gwclient.FileRange{Length: maxFailure},
	}})
	if err != nil {
		return nil, err
	}
	var f manifest.Failure
	if err := manifest.Decode(data, &f); err != nil {
		return nil, err
	}
	if f.Version != manifest.Version {
		return nil, fmt.Errorf("failure report of version %d, want %d", f.Version, manifest.Version)
	}
	return &f, nil
}

// notEntitled tells whether BuildKit refused a step for want of the
// security.insecure entitlement (util/entitlements has no typed error).
func notEntitled(err error) bool {
	return err != nil && strings.Contains(err.Error(), "security.insecure is not allowed")
}

// entitlementError says everything that has to be granted, where; err is not
// wrapped for the reason given at failed.
func entitlementError(err error) error {
	return fmt.Errorf(`the fanotify sensor was demanded, and this build may not use security.insecure
  docker buildx build      add --allow security.insecure
  docker buildx create     add --buildkitd-flags '--allow-insecure-entitlement security.insecure'
  buildkitd.toml           insecure-entitlements = [ "security.insecure" ]
  build-push-action        allow: security.insecure (and buildkitd-flags in setup-buildx-action)
  slimfile build           add --allow security.insecure
or let the unprivileged recorder do alone: SLIM_SENSOR=auto
%s`, err.Error())
}

// maxQuoted bounds the places of the Dockerfile that are shown with an error.
const maxQuoted = 3

// withSource points an error at the lines of the Dockerfile that it is about.
func withSource(err error, sm *llb.SourceMap) error {
	if err == nil || len(errdefs.Sources(err)) > 0 {
		return err
	}
	var located *parser.LocationError
	if errors.As(err, &located) {
		for _, at := range located.Locations {
			err = atLines(err, sm, ranges(at))
		}
		return err
	}
	var broken *RulesError
	if errors.As(err, &broken) {
		return atFindings(err, sm, broken.Findings)
	}
	var step *StepError
	switch {
	case !errors.As(err, &step):
	case len(step.Causes) > 0:
		return atFindings(err, sm, step.Causes)
	case step.Failure.Source != nil:
		return atLines(err, sm, location(*step.Failure.Source))
	}
	return err
}

func atFindings(err error, sm *llb.SourceMap, found []lint.Finding) error {
	quoted := map[int]bool{}
	for _, f := range found {
		if line := f.Line(); !quoted[line] && len(quoted) < maxQuoted {
			quoted[line] = true
			err = atLines(err, sm, ranges(f.Ranges))
		}
	}
	return err
}

func atLines(err error, sm *llb.SourceMap, at []*pb.Range) error {
	if sm == nil || len(at) == 0 {
		return err
	}
	return errdefs.WithSource(err, &errdefs.Source{
		Info: &pb.SourceInfo{
			Data: sm.Data, Filename: sm.Filename, Language: sm.Language, Definition: sm.Definition.ToPB(),
		},
		Ranges: at,
	})
}

func ranges(at []parser.Range) []*pb.Range {
	var out []*pb.Range
	for _, r := range at {
		out = append(out, &pb.Range{
			Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Character)},
			End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Character)},
		})
	}
	return out
}

func location(l manifest.Location) []*pb.Range {
	return []*pb.Range{{
		Start: &pb.Position{Line: int32(l.Line), Character: int32(l.Column)},
		End:   &pb.Position{Line: int32(max(l.Line, l.EndLine)), Character: int32(l.EndColumn)},
	}}
}
