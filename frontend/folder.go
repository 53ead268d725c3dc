package frontend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
)

// folder is a tree of files that the build reads.
type folder interface {
	// find lists the regular files at a path and below, as paths that open takes.
	find(ctx context.Context, top string) ([]string, error)
	open(ctx context.Context, name string) (io.ReadCloser, error)
}

// maxFound bounds what find lists.
const maxFound = 1 << 18

// readAll reads a file of less than limit bytes; of a larger one, its beginning.
func readAll(ctx context.Context, f folder, name string, limit int64) ([]byte, error) {
	in, err := f.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, limit))
}

// ownFolder is the frontend's own file system; paths are absolute.
type ownFolder struct{}

func (ownFolder) open(_ context.Context, name string) (io.ReadCloser, error) { return os.Open(name) }

func (ownFolder) find(ctx context.Context, top string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		if err == nil && len(names) > maxFound {
			err = errTooMany(top)
		}
		if err == nil {
			err = ctx.Err()
		}
		return err
	})
	return names, err
}

func errTooMany(top string) error { return fmt.Errorf("%s has more than %d files", top, maxFound) }

// builtFolder is what BuildKit has: a build context.
type builtFolder struct{ ref gwclient.Reference }

func (f builtFolder) find(ctx context.Context, top string) ([]string, error) {
	info, err := f.ref.StatFile(ctx, gwclient.StatRequest{Path: top})
	if err != nil {
		return nil, err
	}
	if mode := fs.FileMode(info.Mode); mode.IsRegular() {
		return []string{top}, nil
	}
	var names []string
	for folders := []string{top}; len(folders) > 0; {
		dir := folders[0]
		folders = folders[1:]
		entries, err := f.ref.ReadDir(ctx, gwclient.ReadDirRequest{Path: dir})
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := path.Join(dir, path.Base(e.Path))
			switch mode := fs.FileMode(e.Mode); {
			case mode.IsRegular():
				names = append(names, name)
			case mode.IsDir():
				folders = append(folders, name)
			}
		}
		if len(names)+len(folders) > maxFound {
			return nil, errTooMany(top)
		}
	}
	return names, nil
}

// chunk is how much of a file is asked for at once: a message of BuildKit's has at
// most 16 MiB (containerd, defaults.DefaultMaxRecvMsgSize).
const chunk = 4 << 20

func (f builtFolder) open(ctx context.Context, name string) (io.ReadCloser, error) {
	read := func(offset int) ([]byte, error) {
		return f.ref.ReadFile(ctx, gwclient.ReadRequest{Filename: name, Range: &gwclient.FileRange{Offset: offset, Length: chunk}})
	}
	data, err := read(0)
	if err != nil {
		return nil, err
	}
	if len(data) < chunk {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	return io.NopCloser(&chunks{read: read, data: data, offset: len(data)}), nil
}

// chunks reads a file piece by piece.
type chunks struct {
	read   func(offset int) ([]byte, error)
	data   []byte // not given out yet
	offset int    // behind it
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		data, err := c.read(c.offset)
		if err != nil {
			return 0, err
		}
		if len(data) == 0 {
			return 0, io.EOF
		}
		c.data, c.offset = data, c.offset+len(data)
	}
	n := copy(p, c.data)
	c.data = c.data[n:]
	return n, nil
}
