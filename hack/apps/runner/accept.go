package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/hack/container"
)

const (
	acceptTimeout = 10 * time.Minute // bounds one acceptance test
	killTimeout   = 20 * time.Second // from its end to that of its containers
)

// accept runs the application's acceptance test on an image. Everything that
// the test starts and mounts ends with its namespaces.
func (a *app) accept(ctx context.Context, img, fat *image) (*failure, error) {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	work, err := os.MkdirTemp(a.work, "accept")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "unshare", "--net", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child",
		"bash", filepath.Join(a.apps(), "lib.sh"), filepath.Join(a.folder, "accept.sh"))
	cmd.Env = append(os.Environ(),
		"ROOT="+img.root, "IMAGE="+img.config, "FAT="+fat.root, "FAT_IMAGE="+fat.config, "WORK="+work,
		"ID=slimfile-apps-"+strconv.FormatInt(time.Now().UnixNano(), 36), "RUNC="+a.runc, "RUNNER="+a.self)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killTimeout
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("acceptance test of %s: %w", a.name, err)
	}
	var failed *failure
	img.checks, failed = parseTAP(string(out))
	if failed != nil && ctx.Err() != nil {
		failed.What = fmt.Sprintf("not done after %s, %d checks", acceptTimeout, img.checks)
	}
	return failed, nil
}

// parseTAP reads the output of an acceptance test: the number of checks and, if
// not all went well, what went wrong. A test that came to its end says how many
// checks it made (the "plan").
func parseTAP(out string) (checks int, failed *failure) {
	var bad, other []string
	failing, plan := false, false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "ok "):
			checks, failing = checks+1, false
		case strings.HasPrefix(line, "not ok "):
			checks, failing = checks+1, true
			bad = append(bad, line)
		case strings.HasPrefix(line, "1.."):
			plan = line == fmt.Sprintf("1..%d", checks)
			failing = false
		case strings.HasPrefix(line, "#") && (failing || plan):
			bad = append(bad, line)
		default:
			other = append(other, line)
		}
	}
	n := 0
	for _, line := range bad {
		if strings.HasPrefix(line, "not ok ") {
			n++
		}
	}
	detail := strings.Join(bad, "\n")
	switch {
	case !plan:
		return checks, &failure{What: fmt.Sprintf("ended after %d checks", checks), Detail: detail + "\n" + tail(strings.Join(other, "\n"), 20)}
	case checks == 0:
		return 0, &failure{What: "no checks"}
	case n > 0:
		return checks, &failure{What: fmt.Sprintf("%d of %d", n, checks), Detail: detail}
	}
	return checks, nil
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// printSpec is the subcommand spec, for lib.sh: it prints how runc is to run an
// image in a container and root of those names.
func printSpec(_ context.Context, args []string) error {
	var opts container.Options
	var program string
	flags := flag.NewFlagSet("spec [option]... CONTAINER ROOT IMAGE.JSON [ARGUMENT]...", flag.ContinueOnError)
	flags.Func("e", "`NAME=VALUE` to add to the environment", func(s string) error {
		opts.Env = append(opts.Env, s)
		return nil
	})
	flags.StringVar(&program, "p", "", "`program` that replaces ENTRYPOINT and CMD")
	flags.StringVar(&opts.User, "u", "", "`user` that replaces USER")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 3 {
		return errors.New("spec: not enough arguments")
	}
	var image ocispecs.Image
	if err := readJSON(flags.Arg(2), &image); err != nil {
		return err
	}
	config := image.Config
	if program != "" {
		config.Entrypoint, config.Cmd = []string{program}, nil
	}
	if rest := flags.Args()[3:]; len(rest) > 0 {
		config.Cmd = rest
	}
	if err := makeVolumes(flags.Arg(1), config); err != nil {
		return err
	}
	opts.SharedNetwork = true // the test's
	spec, err := container.Spec(flags.Arg(0), flags.Arg(1), config, opts)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(spec)
}

// makeVolumes makes the folders of VOLUMEs that the image has not, as Docker
// does when it mounts them.
func makeVolumes(dir string, config ocispecs.ImageConfig) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for volume := range config.Volumes {
		if err := root.MkdirAll(strings.TrimPrefix(path.Clean(volume), "/"), 0o755); err != nil {
			return fmt.Errorf("volume %s: %w", volume, err)
		}
	}
	return nil
}
