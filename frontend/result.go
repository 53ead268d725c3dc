package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/sensor/manifest"
)

// Keys of the result's metadata. Only those with the prefix "frontend." reach
// the client; buildx prints the first after the build.
const (
	metaMessage = "frontend.result.inlinemessage"
	metaReport  = "frontend.slim.report"
)

// labelPrefix is that of the labels that say what an image was made from.
const labelPrefix = "org.slimfile."

// result is what the build hands to the exporter for one platform.
func (b *build) result(ctx context.Context, s *slimmed) (*dockerui.BuildResult, error) {
	ref, err := solve(ctx, b.client, b.shipped(s), gwclient.SolveRequest{CacheImports: b.bc.CacheImports})
	if err != nil {
		return nil, err
	}
	res := &dockerui.BuildResult{Reference: ref, Epoch: s.fat.Epoch}
	switch b.cfg.Output {
	case config.OutputFat:
		res.Image, res.BaseImage = s.fat.Image, s.fat.BaseImage
	case config.OutputImage:
		res.Image = slimImage(s)
	default: // files: an image of them has nothing to run
		res.Image = &dockerspec.DockerOCIImage{Image: ocispecs.Image{Platform: s.fat.Image.Platform}}
	}
	return res, nil
}

// shipped is the root that SLIM_OUTPUT asks for.
func (b *build) shipped(s *slimmed) llb.State {
	switch b.cfg.Output {
	case config.OutputFat:
		return s.fatState
	case config.OutputReport:
		return s.steps.Report(s.traced, s.packed, s.verified, s.lock)
	case config.OutputLock:
		return s.lock
	default:
		return s.packed.Root
	}
}

// slimImage is the fat image's config for the slim root. History and layers are
// the exporter's to fill in: none of the fat ones is left.
func slimImage(s *slimmed) *dockerspec.DockerOCIImage {
	img := *s.fat.Image
	img.History = nil
	img.RootFS.DiffIDs = nil
	img.Config.Labels = map[string]string{}
	for k, v := range s.fat.Image.Config.Labels {
		img.Config.Labels[k] = v
	}
	sum, run := s.summary, s.judged()
	labels := map[string]string{
		"version":     strconv.Itoa(manifest.Version),
		"files.kept":  strconv.FormatInt(sum.KeptFiles, 10),
		"files.total": strconv.FormatInt(sum.TotalFiles, 10),
		"bytes.kept":  strconv.FormatInt(sum.KeptBytes, 10),
		"bytes.total": strconv.FormatInt(sum.TotalBytes, 10),
		"probes":      strconv.Itoa(len(run.Probes)),
		"verified":    strconv.FormatBool(s.verified != nil),
		"readonly":    strconv.FormatBool(s.proof.ReadOnly),
	}
	if s.traced != nil {
		labels["sensors"] = strings.Join(s.run.Recorders, ",")
	}
	if sum.Lock != "" {
		labels["lock"] = sum.Lock
	}
	for k, v := range labels {
		img.Config.Labels[labelPrefix+k] = v
	}
	return &img
}

// judged is the run that tells what the app does: the traced one, or where a lock
// stands in for that, the verifying one.
func (s *slimmed) judged() manifest.RunReport {
	if s.traced == nil {
		return s.proof
	}
	return s.run
}

// describe adds the summary lines and the machine-readable summaries.
func (b *build) describe(res interface{ AddMeta(string, []byte) }) error {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(b.done)) {
		s := b.done[id]
		data, err := json.Marshal(s.summary)
		if err != nil {
			return fmt.Errorf("encode summary: %w", err)
		}
		line, key := b.line(s), metaReport
		if b.bc.MultiPlatformRequested {
			line, key = id+" "+line, key+"/"+id
		}
		res.AddMeta(key, data)
		lines = append(lines, line)
	}
	res.AddMeta(metaMessage, []byte(strings.Join(lines, "\n")))
	return nil
}

// line is the one line that sums up a platform's build.
func (b *build) line(s *slimmed) string {
	sum := s.summary
	parts := []string{
		fmt.Sprintf("slim: kept %s of %s files", thousands(sum.KeptFiles), thousands(sum.TotalFiles)),
		fmt.Sprintf("%s of %s (%.1fx)", megabytes(sum.KeptBytes), megabytes(sum.TotalBytes),
			float64(sum.TotalBytes)/float64(max(sum.KeptBytes, 1))),
	}
	if sum.TotalPackages > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d packages", sum.KeptPackages, sum.TotalPackages))
	}
	if v := s.vulnerabilities; v != nil {
		parts = append(parts, fmt.Sprintf("%d known vulnerabilities (%s)", len(v.Found), v.Age(time.Now())))
	}
	passed, probes := len(s.judged().Probes), "probes"
	if passed == 1 {
		probes = "probe"
	}
	parts = append(parts, fmt.Sprintf("%d %s passed", passed, probes))
	switch {
	case s.verified == nil:
	case s.proof.ReadOnly:
		parts = append(parts, "verified with a read-only root")
	default:
		parts = append(parts, "verified")
	}
	if s.traced != nil {
		parts = append(parts, "sensors "+strings.Join(s.run.Recorders, "+"))
	}
	if sum.Lock != "" {
		parts = append(parts, "lock: "+sum.Lock)
	}
	return strings.Join(parts, ", ") + levels(sum)
}

// levels says what other granularities would come to: less, and more.
func levels(sum manifest.Summary) string {
	var parts []string
	last := sum.KeptBytes
	if size, ok := sum.Levels[manifest.GranularityStrict]; ok && megabytes(size) != megabytes(last) {
		parts = append(parts, manifest.GranularityStrict+": "+megabytes(size))
	}
	for _, name := range []string{manifest.GranularityPackage, manifest.GranularityApp} {
		if size := sum.Levels[name]; size > last {
			parts = append(parts, name+": "+megabytes(size))
			last = size
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (granularity " + strings.Join(parts, ", ") + ")"
}

// warn tells the user what the steps found worth telling.
func (b *build) warn(ctx context.Context, s *slimmed) {
	for _, text := range slices.Concat(s.run.Warnings, s.summary.Warnings, s.warnings) {
		b.src.Warn(ctx, "slim: "+text, gwclient.WarnOpts{Level: 1})
	}
}

// thousands writes 18422 as 18,422.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
