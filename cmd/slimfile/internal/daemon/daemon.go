// Package daemon keeps a private BuildKit daemon for builds on a machine that
// has no other one. It is started for the first build that needs it, shared by
// builds that run at the same time, and ended by the last of them; its state
// stays, so that the next build finds a warm cache. Imported by
// cmd/slimfile/internal/builder.
package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrUnavailable says that this machine cannot run a private daemon.
var ErrUnavailable = errors.New("no private buildkitd")

// Config says which daemon to run and where.
type Config struct {
	// Dir holds the daemon's state, socket, log and locks.
	Dir string
	// Buildkitd and Runc are the programs' paths.
	Buildkitd, Runc string
	// Settings is a buildkitd.toml; empty means BuildKit's own default file.
	Settings string
	// Notes takes one line for each thing that makes the user wait.
	Notes io.Writer
}

// Find fills a Config for the current user: programs from PATH, else from the
// cache folder that hack/tools.sh of a slimfile checkout builds them into. Its
// error is an ErrUnavailable that names what is missing.
func Find(notes io.Writer) (Config, error) {
	cfg := Config{Notes: notes}
	data, err := userDir("XDG_DATA_HOME", ".local/share")
	if err != nil {
		return cfg, err
	}
	cfg.Dir = filepath.Join(data, "buildkitd")
	cache, err := userDir("XDG_CACHE_HOME", ".cache")
	if err != nil {
		return cfg, err
	}
	toolsDir := filepath.Join(cache, "tools")
	if cfg.Buildkitd, err = findProgram(toolsDir, "buildkitd"); err != nil {
		return cfg, err
	}
	if cfg.Runc, err = findProgram(toolsDir, "buildkit-runc", "runc"); err != nil {
		return cfg, err
	}
	settings, err := userDir("XDG_CONFIG_HOME", ".config")
	if err != nil {
		return cfg, err
	}
	settings = filepath.Join(settings, "buildkitd.toml")
	if _, err := os.Stat(settings); err == nil {
		cfg.Settings = settings
	}
	return cfg, nil
}

// userDir is slimfile's folder below the one that the XDG variable names, or
// below its default in the home folder (XDG Base Directory Specification 0.8:
// a relative path in the variable is invalid and ignored).
func userDir(variable, fallback string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, "slimfile"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w: set HOME or %s", ErrUnavailable, err, variable)
	}
	return filepath.Join(home, fallback, "slimfile"), nil
}

// findProgram finds the first of names that PATH or dir has.
func findProgram(dir string, names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	for _, name := range names {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	name := names[len(names)-1]
	return "", fmt.Errorf("%w: %s is neither in PATH nor in %s: install it (https://github.com/moby/buildkit/releases has both buildkitd and runc), "+
		"or run hack/tools.sh in a checkout of slimfile", ErrUnavailable, name, dir)
}
