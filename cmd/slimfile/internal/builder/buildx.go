package builder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxInstance bounds a builder's description; real ones have a few hundred bytes.
const maxInstance = 1 << 20

// instance is a builder as docker buildx stores it (its package store).
type instance struct {
	Driver string
	Nodes  []struct {
		Name, Endpoint string
		DriverOpts     map[string]string
	}
}

// buildxAddr is the BuildKit address of the first node of a builder that
// docker buildx create has made.
func buildxAddr(name string) (string, error) {
	if name == "default" {
		return AddrDocker, nil
	}
	dir, err := buildxDir()
	if err != nil {
		return "", err
	}
	inst, err := readInstance(filepath.Join(dir, "instances"), strings.ToLower(name))
	if err != nil {
		return "", fmt.Errorf("find buildx builder %q: %w", name, err)
	}
	if len(inst.Nodes) == 0 {
		return "", fmt.Errorf("buildx builder %q has no node", name)
	}
	node := inst.Nodes[0]
	switch inst.Driver {
	case "docker-container":
		return "docker-container://buildx_buildkit_" + node.Name, nil
	case "remote":
		if len(node.DriverOpts) > 0 {
			return "", fmt.Errorf("buildx builder %q has driver options, such as TLS keys, that slimfile does not take over: "+
				"connect to %s by other means and give --addr", name, node.Endpoint)
		}
		return node.Endpoint, nil
	case "docker":
		return AddrDocker, nil
	default:
		return "", fmt.Errorf("buildx builder %q has the driver %q; docker-container, remote and docker are supported: "+
			"give the address of its BuildKit with --addr", name, inst.Driver)
	}
}

// buildxDir is where docker buildx keeps its state.
func buildxDir() (string, error) {
	if dir := os.Getenv("BUILDX_CONFIG"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "buildx"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find docker buildx's builders: %w", err)
	}
	return filepath.Join(home, ".docker", "buildx"), nil
}

func readInstance(dir, name string) (*instance, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("docker buildx create has made no builder for this user")
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("there is none of that name, see docker buildx ls")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var inst instance
	if err := json.NewDecoder(io.LimitReader(f, maxInstance)).Decode(&inst); err != nil {
		return nil, err
	}
	return &inst, nil
}
