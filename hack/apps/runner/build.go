package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/sensor/manifest"
)

// app is one application at work.
type app struct {
	*runner
	name, folder string
	work         string // scratch folder
}

// image is a built image, unpacked.
type image struct {
	root, config string // a folder and a file
	seconds      float64
	summary      manifest.Summary
	verified     bool
	warnings     []string
	checks       int // of the acceptance test
}

func (a *app) dockerfile() string { return filepath.Join(a.folder, "Dockerfile") }

// buildTimeout bounds one build, cold, on a busy machine.
const buildTimeout = 20 * time.Minute

// build builds the image called what, at a granularity if one is given.
func (a *app) build(ctx context.Context, what, granularity string, args ...string) (*image, *failure) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	img, log, err := a.tryBuild(ctx, filepath.Join(a.work, what), granularity, args)
	if err != nil {
		return nil, &failure{What: "build", Detail: fmt.Sprintf("%v\n%s", err, tail(log, 40))}
	}
	return img, nil
}

func (a *app) tryBuild(ctx context.Context, dir, granularity string, args []string) (*image, string, error) {
	layout, metadata := filepath.Join(dir, "layout"), filepath.Join(dir, "metadata.json")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", err
	}
	dockerfile, err := os.ReadFile(a.dockerfile())
	if err != nil {
		return nil, "", err
	}
	if granularity != "" && granularity != "file" {
		dockerfile = fmt.Appendf(dockerfile, "\n# slim: granularity %s\n", granularity)
	}
	modules, err := a.npmModules(ctx)
	if err != nil {
		return nil, "", err
	}
	args = append(args, modules...)
	args = append([]string{
		"build", "--progress", "plain", "--metadata-file", metadata, "--file", "-",
		"--output", "type=oci,tar=false,compression=uncompressed,dest=" + layout,
	}, args...)
	cmd := exec.CommandContext(ctx, a.slimfile, append(args, a.folder)...)
	cmd.Stdin = bytes.NewReader(dockerfile)
	begin := time.Now()
	log, err := cmd.CombinedOutput()
	seconds := time.Since(begin).Seconds()
	if err != nil {
		return nil, string(log), err
	}
	img := &image{root: filepath.Join(dir, "root"), config: filepath.Join(dir, "image.json"), seconds: seconds}
	img.warnings = slimWarnings(string(log))
	if err := img.readMetadata(metadata); err != nil {
		return nil, string(log), err
	}
	if err := img.unpack(ctx, layout); err != nil {
		return nil, string(log), fmt.Errorf("unpack: %w", err)
	}
	return img, string(log), os.RemoveAll(layout)
}

// slimWarnings are what a build warned of, but for its rules.
func slimWarnings(log string) (warnings []string) {
	for line := range strings.Lines(log) {
		if text, ok := strings.CutPrefix(line, "WARNING: slim: "); ok {
			warnings = append(warnings, strings.TrimSpace(text))
		}
	}
	return warnings
}

// npmModules are the options that replace the stage "modules" of an application
// with a package-lock.json: builds may reach no npm registry.
func (a *app) npmModules(ctx context.Context) ([]string, error) {
	if _, err := os.Stat(filepath.Join(a.folder, "package-lock.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	out, err := exec.CommandContext(ctx, a.modules, a.folder).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.modules, err)
	}
	return []string{"--build-context", "modules=" + strings.TrimSpace(string(out))}, nil
}

// readMetadata reads what a slim build tells about itself; a fat one does not.
func (i *image) readMetadata(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var metadata struct {
		Message string          `json:"frontend.result.inlinemessage"`
		Report  json.RawMessage `json:"frontend.slim.report"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if metadata.Report == nil {
		return nil
	}
	i.verified = strings.Contains(metadata.Message, "verified")
	return manifest.Decode(metadata.Report, &i.summary)
}

// unpack applies the layers of an OCI layout's one image to i.root, and writes
// its configuration.
func (i *image) unpack(ctx context.Context, layout string) error {
	var index ocispecs.Index
	if err := readJSON(filepath.Join(layout, ocispecs.ImageIndexFile), &index); err != nil {
		return err
	}
	if len(index.Manifests) != 1 {
		return fmt.Errorf("the layout holds %d images", len(index.Manifests))
	}
	blob := func(d digest.Digest) string {
		return filepath.Join(layout, ocispecs.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
	}
	var m ocispecs.Manifest
	if err := readJSON(blob(index.Manifests[0].Digest), &m); err != nil {
		return err
	}
	if err := os.Rename(blob(m.Config.Digest), i.config); err != nil {
		return err
	}
	if err := os.Mkdir(i.root, 0o755); err != nil {
		return err
	}
	for _, l := range m.Layers {
		if err := applyLayer(ctx, i.root, blob(l.Digest)); err != nil {
			return fmt.Errorf("layer %s: %w", l.Digest, err)
		}
	}
	return nil
}

// applyLayer unpacks a layer with owners, modes, times, extended attributes and
// whiteouts.
func applyLayer(ctx context.Context, root, blob string) error {
	f, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer f.Close()
	layer, err := compression.DecompressStream(f) // a base's stays as it is
	if err != nil {
		return err
	}
	_, err = archive.Apply(ctx, root, layer)
	return errors.Join(err, layer.Close())
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
