package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// testLayout has n images, tagged latest, t1, t2 and so on unless untagged.
func testLayout(t *testing.T, tags ...string) (dir string, digests []string) {
	t.Helper()
	dir = t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		img, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		img = mutate.MediaType(img, "application/vnd.oci.image.manifest.v1+json")
		var opts []layout.Option
		if tag != "" {
			opts = append(opts, layout.WithAnnotations(map[string]string{ocispecs.AnnotationRefName: tag}))
		}
		if err := path.AppendImage(img, opts...); err != nil {
			t.Fatal(err)
		}
		dgst, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, dgst.String())
	}
	return dir, digests
}

func TestResolveLayout(t *testing.T) {
	for _, tc := range []struct {
		name string
		tags []string
		ref  string // after the folder
		want int
		err  string
	}{
		{name: "the only one", tags: []string{""}},
		{name: "the only one, tagged", tags: []string{"x"}},
		{name: "latest", tags: []string{"x", "latest"}, want: 1},
		{name: "tag", tags: []string{"x", "y"}, ref: ":y", want: 1},
		{name: "no such tag", tags: []string{"x"}, ref: ":z", err: `no image "z"`},
		{name: "ambiguous", tags: []string{"x", "y"}, err: `no image "latest"`},
		{name: "bad digest", tags: []string{"x"}, ref: "@sha256:1", err: "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, digests := testLayout(t, tc.tags...)
			gotDir, got, err := resolveLayout(dir + tc.ref)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil || gotDir != dir || got.String() != digests[tc.want] {
				t.Errorf("got %s %s, %v, want %s", gotDir, got, err, digests[tc.want])
			}
			if gotDir, got, err := resolveLayout(dir + "@" + digests[0]); err != nil || gotDir != dir || got.String() != digests[0] {
				t.Errorf("by digest: got %s %s, %v", gotDir, got, err)
			}
		})
	}
}

func TestLayouts(t *testing.T) {
	contextDir(t)
	one, oneDigests := testLayout(t, "x")
	two, twoDigests := testLayout(t, "y")
	b, err := newBuild(t, Options{
		Context: ".", Image: "oci-layout://" + one + ":x",
		BuildContexts: []string{"base=oci-layout://" + two},
	})
	if err != nil {
		t.Fatal(err)
	}
	attrs := b.opt.FrontendAttrs
	if want := "oci-layout://layout0@" + twoDigests[0]; attrs["context:base"] != want {
		t.Errorf("context base is %s, want %s", attrs["context:base"], want)
	}
	if want := "oci-layout://layout1@" + oneDigests[0]; attrs["context:image-to-slim"] != want {
		t.Errorf("the image is %s, want %s", attrs["context:image-to-slim"], want)
	}
	if len(b.opt.OCIStores) != 2 {
		t.Errorf("%d stores, want 2", len(b.opt.OCIStores))
	}
	if text := dockerfileText(t, b); text != "FROM image-to-slim\n" {
		t.Errorf("the Dockerfile is %q", text)
	}
	if left, err := filepath.Glob(filepath.Join(one, "*.lock")); err != nil || len(left) > 0 {
		t.Errorf("left in the layout: %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(one, "index.json")); err != nil {
		t.Error(err)
	}
}
