package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/format"
)

// maxRounds bounds how often a file is mended: fixes that touch each other need
// a round each.
const maxRounds = 10

// mend applies the safe fixes to the judged file at path until none is left, and
// returns it as it is then. The file is written only if it can be judged after.
func (j *judge) mend(ctx context.Context, path string, f format.File) format.File {
	was := f.Data
	total := 0
	for range maxRounds {
		data, n := lint.Fix(f.Data, f.Findings)
		if n == 0 {
			break
		}
		found, err := j.findings(ctx, path, data)
		if err != nil {
			f.Err = fmt.Errorf("the fixes are wrong, the file was left as it is: %w", err)
			f.Data = was
			return f
		}
		f.Data, f.Findings = data, found
		total += n
	}
	if bytes.Equal(f.Data, was) {
		return f
	}
	if f.Err = replace(path, f.Data); f.Err == nil {
		j.note("%s: fixed %d\n", f.Filename, total)
	}
	return f
}

func (j *judge) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.Stderr, format, args...)
}

// replace gives a file a new content at once, through a link to it, and keeps its
// mode and owner.
func replace(path string, data []byte) (err error) {
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = keepOwner(tmp, info)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
