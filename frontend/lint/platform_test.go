package lint

import (
	"context"
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// armImages is a registry of images for arm64, whatever is asked for.
type armImages struct{}

func (armImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte(`{"os":"linux","architecture":"arm64","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:9f8e0e8bb1b3e0a1e3a4fce9e4e93a0d9d1ee1d0f1fb35fa1b25c2a0cf6ac1f0"]}}`), nil
}

// TestInvalidBaseImagePlatform: only the registry tells, so no testdata can.
func TestInvalidBaseImagePlatform(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []int
	}{
		{"the target's platform", "FROM debian:12.9\n", []int{1}},
		{"written", "FROM --platform=linux/amd64 debian:12.9\n", []int{1}},
		{"in a stage that is used", "FROM scratch AS a\nFROM --platform=$TARGETPLATFORM \\\n  debian:12.9 AS b\nFROM a\nCOPY --from=b x y\n", []int{2}},
		{"another is asked for", "FROM --platform=linux/arm64 debian:12.9\n", nil},
		{"by a variable", "ARG P=linux/arm64\nFROM --platform=$P debian:12.9\n", nil},
		{"in a stage that is not used", "FROM debian:12.9 AS unused\nFROM scratch\n", []int{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Filename: "Dockerfile", Data: []byte(tt.file)}
			nothing := llb.Scratch()
			source := llb.NewSourceMap(nil, in.Filename, "Dockerfile", in.Data)
			source.Definition = &llb.Definition{}
			results, err := dockerfile2llb.DockerfileLint(t.Context(), in.Data, dockerfile2llb.ConvertOpt{
				MainContext: &nothing, MetaResolver: armImages{}, SourceMap: source, TargetPlatform: &ocispecs.Platform{OS: "linux", Architecture: "amd64"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if in.Stock, err = FromStock(results); err != nil {
				t.Fatal(err)
			}
			found, err := Check(in, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, f := range found {
				if f.Rule.Name == "InvalidBaseImagePlatform" && f.Severity == Warn {
					got = append(got, f.Line())
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("found in lines %v, want %v", got, tt.want)
			}
		})
	}
}
