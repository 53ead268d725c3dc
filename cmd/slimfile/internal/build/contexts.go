package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/ociindex"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
)

const ociLayoutScheme = "oci-layout://"

// addContexts makes the named contexts of --build-context known.
func (b *Build) addContexts() error {
	for _, value := range b.o.BuildContexts {
		name, ref, ok := strings.Cut(value, "=")
		if !ok || name == "" || ref == "" {
			return fmt.Errorf("--build-context %s: want NAME=PATH, NAME=%sDIR[:TAG], NAME=docker-image://REF or NAME=URL", value, ociLayoutScheme)
		}
		if err := addContext(&b.opt, name, ref); err != nil {
			return fmt.Errorf("--build-context %s: %w", value, err)
		}
	}
	return nil
}

// addContext adds one named context: a folder or an OCI layout on this machine;
// everything else is the daemon's to fetch.
func addContext(opt *client.SolveOpt, name, ref string) error {
	key := "context:" + name
	if layout, ok := strings.CutPrefix(ref, ociLayoutScheme); ok {
		target, err := addLayout(opt, layout)
		if err != nil {
			return err
		}
		opt.FrontendAttrs[key] = target
		return nil
	}
	if strings.Contains(ref, "://") || strings.HasPrefix(ref, "target:") || isGit(ref) {
		opt.FrontendAttrs[key] = ref
		return nil
	}
	// The prefix keeps it apart from the mounts that the frontend knows.
	mount := "named-" + name
	if err := addMount(opt, mount, ref); err != nil {
		return err
	}
	opt.FrontendAttrs[key] = "local:" + mount
	return nil
}

// addMount lets the build read a folder of this machine.
func addMount(opt *client.SolveOpt, name, dir string) error {
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	if opt.LocalMounts == nil {
		opt.LocalMounts = map[string]fsutil.FS{}
	}
	opt.LocalMounts[name] = fs
	return nil
}

// addLayout lets the build read an image of an OCI layout and returns the
// frontend's name for it. layout is DIR, DIR:TAG or DIR@DIGEST.
func addLayout(opt *client.SolveOpt, layout string) (string, error) {
	dir, dgst, err := resolveLayout(layout)
	if err != nil {
		return "", err
	}
	store, err := local.NewStore(dir)
	if err != nil {
		return "", fmt.Errorf("open OCI layout %s: %w", dir, err)
	}
	if opt.OCIStores == nil {
		opt.OCIStores = map[string]content.Store{}
	}
	// The name must be one that an image could have.
	id := "layout" + strconv.Itoa(len(opt.OCIStores))
	opt.OCIStores[id] = store
	return ociLayoutScheme + id + "@" + dgst.String(), nil
}

func resolveLayout(layout string) (dir string, dgst digest.Digest, err error) {
	if dir, value, ok := strings.Cut(layout, "@"); ok {
		dgst, err = digest.Parse(value)
		return dir, dgst, err
	}
	dir, tag := layout, ""
	if i := strings.LastIndexByte(layout, ':'); i > strings.LastIndexByte(layout, '/') {
		dir, tag = layout[:i], layout[i+1:]
	}
	// Checked here, because reading the index leaves a lock file for a moment.
	if _, err := os.Stat(filepath.Join(dir, "index.json")); err != nil {
		return "", "", fmt.Errorf("%s is no OCI layout: %w", dir, err)
	}
	index := ociindex.NewStoreIndex(dir)
	if tag == "" {
		desc, err := index.GetSingle()
		if err != nil {
			return "", "", err
		}
		if desc != nil {
			return dir, desc.Digest, nil
		}
		tag = "latest"
	}
	desc, err := index.Get(tag)
	if err != nil {
		return "", "", err
	}
	if desc == nil {
		return "", "", errors.New("the OCI layout " + dir + " has no image " + strconv.Quote(tag) + ": name another as DIR:TAG or DIR@DIGEST")
	}
	return dir, desc.Digest, nil
}
