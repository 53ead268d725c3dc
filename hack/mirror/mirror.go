// Package mirror serves OCI image layouts as a read-only container registry, so
// that a BuildKit daemon on a machine without a registry resolves
// "FROM debian:bookworm-slim" to an image made on that machine.
//
// The protocol is the pull half of the OCI distribution specification, section
// "Pull". Used by the development daemon in hack/ and by the integration tests.
package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageName is the annotation under which BuildKit's OCI exporter stores an
// image's whole reference, as in docker.io/library/debian:bookworm-slim.
const imageName = "io.containerd.image.name"

// maxManifest is what registries accept at most (distribution specification,
// "Pushing Manifests").
const maxManifest = 4 << 20

// paths are /v2/REPOSITORY/manifests/TAG-OR-DIGEST and
// /v2/REPOSITORY/blobs/DIGEST.
var paths = regexp.MustCompile(`^/v2/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/(manifests|blobs)/([A-Za-z0-9_][A-Za-z0-9_.:-]*)$`)

// Mirror answers for docker.io from the OCI layouts in some folders.
type Mirror struct {
	// Folders hold one OCI layout per subfolder. They are read anew for each
	// request: layouts may come and go.
	Folders []string
}

// ServeHTTP implements http.Handler.
func (m Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "read only", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/v2/" {
		return
	}
	match := paths.FindStringSubmatch(r.URL.Path)
	if match == nil {
		http.NotFound(w, r)
		return
	}
	err := m.serve(w, r, match[1], match[2] == "manifests", match[3])
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (m Mirror) serve(w http.ResponseWriter, r *http.Request, repository string, isManifest bool, ref string) error {
	dgst, err := digest.Parse(ref)
	if err != nil {
		if !isManifest {
			return fs.ErrNotExist
		}
		if dgst, err = m.resolve("docker.io/" + repository + ":" + ref); err != nil {
			return err
		}
	}
	blob, err := m.open(dgst)
	if err != nil {
		return err
	}
	defer blob.Close()
	mediaType := "application/octet-stream"
	if isManifest {
		if mediaType, err = manifestType(blob); err != nil {
			return fmt.Errorf("manifest %s: %w", dgst, err)
		}
	}
	st, err := blob.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", dgst.String())
	http.ServeContent(w, r, "", st.ModTime(), blob)
	return nil
}

// resolve finds an image by its whole reference; the error is fs.ErrNotExist if
// no layout has it.
func (m Mirror) resolve(name string) (digest.Digest, error) {
	layouts, err := m.layouts()
	if err != nil {
		return "", err
	}
	for _, dir := range layouts {
		data, err := os.ReadFile(filepath.Join(dir, ocispecs.ImageIndexFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		var index ocispecs.Index
		if err := json.Unmarshal(data, &index); err != nil {
			return "", fmt.Errorf("index of %s: %w", dir, err)
		}
		for _, desc := range index.Manifests {
			if desc.Annotations[imageName] == name {
				return desc.Digest, nil
			}
		}
	}
	return "", fs.ErrNotExist
}

func (m Mirror) open(dgst digest.Digest) (*os.File, error) {
	layouts, err := m.layouts()
	if err != nil {
		return nil, err
	}
	for _, dir := range layouts {
		f, err := os.Open(filepath.Join(dir, ocispecs.ImageBlobsDir, dgst.Algorithm().String(), dgst.Encoded()))
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, fs.ErrNotExist
}

func (m Mirror) layouts() ([]string, error) {
	var dirs []string
	for _, folder := range m.Folders {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() {
				dirs = append(dirs, filepath.Join(folder, e.Name()))
			}
		}
	}
	return dirs, nil
}

// manifestType reads the media type that a manifest declares of itself, and
// rewinds it.
func manifestType(r io.ReadSeeker) (string, error) {
	var typed struct {
		MediaType string `json:"mediaType"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&typed); err != nil {
		return "", err
	}
	if typed.MediaType == "" {
		return "", errors.New("no media type")
	}
	_, err := r.Seek(0, io.SeekStart)
	return typed.MediaType, err
}
