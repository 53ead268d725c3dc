package testenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is a build's image as an OCI layout.
type Image struct {
	Result
	// Dir is the layout's folder.
	Dir string
	// Target is what the layout's index names: a manifest or an index.
	Target ocispecs.Descriptor
}

// unknownPlatform marks attestation manifests in an index.
const unknownPlatform = "unknown"

func openImage(t testing.TB, dir string, res Result) *Image {
	t.Helper()
	var index ocispecs.Index
	readJSON(t, filepath.Join(dir, ocispecs.ImageIndexFile), &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("the OCI layout holds %d images, want 1", len(index.Manifests))
	}
	return &Image{Result: res, Dir: dir, Target: index.Manifests[0]}
}

// Blob decodes a JSON blob: a manifest, an index, a configuration, a statement.
func (i *Image) Blob(t testing.TB, dgst digest.Digest, v any) {
	t.Helper()
	readJSON(t, i.blobPath(dgst), v)
}

func (i *Image) blobPath(dgst digest.Digest) string {
	return filepath.Join(i.Dir, ocispecs.ImageBlobsDir, dgst.Algorithm().String(), dgst.Encoded())
}

// Platforms lists the image's platforms in the order of its index; attestations
// are no platform. An image without an index has the platform of its
// configuration.
func (i *Image) Platforms(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, m := range i.manifests(t) {
		names = append(names, platforms.FormatAll(*m.Platform))
	}
	return names
}

// Manifest returns the manifest for a platform; "" is the machine's own, or the
// only one.
func (i *Image) Manifest(t testing.TB, platform string) ocispecs.Manifest {
	t.Helper()
	var manifest ocispecs.Manifest
	manifests := i.manifests(t)
	if platform == "" && len(manifests) == 1 {
		i.Blob(t, manifests[0].Digest, &manifest)
		return manifest
	}
	want := platforms.DefaultSpec()
	if platform != "" {
		var err error
		if want, err = platforms.Parse(platform); err != nil {
			t.Fatal(err)
		}
	}
	match := platforms.OnlyStrict(want)
	for _, m := range manifests {
		if match.Match(*m.Platform) {
			i.Blob(t, m.Digest, &manifest)
			return manifest
		}
	}
	t.Fatalf("the image has no platform %s, only %v", platforms.FormatAll(want), i.Platforms(t))
	return manifest
}

// Config returns the image configuration for a platform, as in Manifest.
func (i *Image) Config(t testing.TB, platform string) ocispecs.Image {
	t.Helper()
	var config ocispecs.Image
	i.Blob(t, i.Manifest(t, platform).Config.Digest, &config)
	return config
}

// Unpack applies the layers to a new folder, with owners, modes, times and
// extended attributes.
func (i *Image) Unpack(t testing.TB, platform string) string {
	t.Helper()
	root := t.TempDir()
	for _, layer := range i.Manifest(t, platform).Layers {
		if err := applyLayer(t, root, i.blobPath(layer.Digest)); err != nil {
			t.Fatalf("unpack layer %s: %v", layer.Digest, err)
		}
	}
	// t.TempDir is for its owner alone, but the image's users enter its root.
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func applyLayer(t testing.TB, root, blob string) error {
	f, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer f.Close()
	layer, err := compression.DecompressStream(f)
	if err != nil {
		return err
	}
	_, err = archive.Apply(t.Context(), root, layer)
	return errors.Join(err, layer.Close())
}

// manifests lists the image's manifests, each with its platform.
func (i *Image) manifests(t testing.TB) []ocispecs.Descriptor {
	t.Helper()
	var index ocispecs.Index
	i.Blob(t, i.Target.Digest, &index)
	if index.MediaType != ocispecs.MediaTypeImageIndex {
		var manifest ocispecs.Manifest
		i.Blob(t, i.Target.Digest, &manifest)
		var config ocispecs.Image
		i.Blob(t, manifest.Config.Digest, &config)
		only := i.Target
		only.Platform = &config.Platform
		return []ocispecs.Descriptor{only}
	}
	var found []ocispecs.Descriptor
	for _, m := range index.Manifests {
		if m.Platform != nil && m.Platform.OS != unknownPlatform {
			found = append(found, m)
		}
	}
	return found
}

// Paths lists what is below an unpacked root, as paths relative to it in lexical
// order; folders end in a slash.
func Paths(t testing.TB, root string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if entry.IsDir() {
			rel += "/"
		}
		paths = append(paths, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("read %s: %w", path, err))
	}
}
