package mirror

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const manifest = `{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`

// writeLayout makes an OCI layout whose only blob is manifest, named name.
func writeLayout(t *testing.T, dir, name string) digest.Digest {
	t.Helper()
	dgst := digest.FromString(manifest)
	index, err := json.Marshal(ocispecs.Index{Manifests: []ocispecs.Descriptor{{
		Digest: dgst, Annotations: map[string]string{imageName: name},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{
		"index.json":                     string(index),
		"blobs/sha256/" + dgst.Encoded(): manifest,
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dgst
}

func TestMirror(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	dgst := writeLayout(t, filepath.Join(first, "debian"), "docker.io/library/debian:bookworm-slim")
	writeLayout(t, filepath.Join(second, "image"), "docker.io/org/slimfile:latest")
	if err := os.WriteFile(filepath.Join(first, "secret"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := Mirror{Folders: []string{first, second, filepath.Join(first, "missing")}}

	const octets = "application/octet-stream"
	for _, test := range []struct {
		name, method, path string
		status             int
		mediaType          string
	}{
		{"version check", "GET", "/v2/", 200, ""},
		{"manifest by tag", "GET", "/v2/library/debian/manifests/bookworm-slim", 200, ocispecs.MediaTypeImageManifest},
		{"manifest of the second folder", "GET", "/v2/org/slimfile/manifests/latest", 200, ocispecs.MediaTypeImageManifest},
		{"manifest by digest", "GET", "/v2/library/debian/manifests/" + dgst.String(), 200, ocispecs.MediaTypeImageManifest},
		{"blob", "GET", "/v2/library/debian/blobs/" + dgst.String(), 200, octets},
		{"head of a manifest", "HEAD", "/v2/library/debian/manifests/bookworm-slim", 200, ocispecs.MediaTypeImageManifest},
		{"unknown tag", "GET", "/v2/library/debian/manifests/trixie", 404, ""},
		{"unknown repository", "GET", "/v2/library/alpine/manifests/latest", 404, ""},
		{"unknown blob", "GET", "/v2/library/debian/blobs/" + digest.FromString("other").String(), 404, ""},
		{"malformed digest", "GET", "/v2/library/debian/blobs/sha256:beef", 404, ""},
		{"way out of the layout", "GET", "/v2/library/debian/blobs/sha256:../../../../secret", 404, ""},
		{"other address", "GET", "/secret", 404, ""},
		{"upload", "POST", "/v2/library/debian/blobs/uploads/", 405, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			m.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
			resp := w.Result()
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != test.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, test.status, body)
			}
			if test.mediaType == "" {
				return
			}
			if got := resp.Header.Get("Content-Type"); got != test.mediaType {
				t.Errorf("type %q, want %q", got, test.mediaType)
			}
			if got := resp.Header.Get("Docker-Content-Digest"); got != dgst.String() {
				t.Errorf("digest %q, want %q", got, dgst)
			}
			if want := manifest; test.method == http.MethodGet && string(body) != want {
				t.Errorf("body %q, want %q", body, want)
			}
		})
	}
}

func TestMirrorSeesNewLayouts(t *testing.T) {
	folder := t.TempDir()
	m := Mirror{Folders: []string{folder}}
	get := func() int {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/example/app/manifests/1", nil))
		return w.Code
	}
	if got := get(); got != http.StatusNotFound {
		t.Errorf("status %d before there is a layout", got)
	}
	writeLayout(t, filepath.Join(folder, "app"), "docker.io/example/app:1")
	if got := get(); got != http.StatusOK {
		t.Errorf("status %d once there is a layout", got)
	}
}
