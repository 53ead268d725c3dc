package build

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/session/upload/uploadprovider"
	"github.com/opencontainers/go-digest"
)

const (
	// maxDockerfile bounds a Dockerfile from stdin; BuildKit takes no larger
	// one from elsewhere.
	maxDockerfile = 16 << 20
	// imageContext is the named context that an image of an OCI layout is.
	imageContext = "image-to-slim"
)

// source is where the Dockerfile and the build context come from.
type source struct {
	context    string    // folder; empty: none of this machine
	url        string    // context that BuildKit fetches
	upload     io.Reader // context as a tar stream
	dockerfile string    // folder of the Dockerfile; empty: in the context
	filename   string    // of the Dockerfile in its folder
	layout     string    // OCI layout of the image to slim

	temp []string // folders to remove
}

// openSource finds the sources; their contents are read when BuildKit asks.
func openSource(o Options) (*source, error) {
	s := &source{}
	err := s.open(o)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *source) open(o Options) error {
	switch {
	case o.Image != "":
		return s.openImage(o)
	case len(o.Directives) > 0:
		return errors.New("--slim goes with --image: in a Dockerfile the same is a line `# slim: " + o.Directives[0] + "`")
	case o.Context == "-":
		return s.openStdin(o)
	}
	if err := s.openContext(o.Context); err != nil {
		return err
	}
	switch {
	case o.File == "-":
		return s.writeDockerfile(o.Stdin)
	case s.context == "" && !filepath.IsAbs(o.File):
		s.filename = o.File // inside the remote context
		return nil
	case o.File == "":
		s.dockerfile = s.context
	default:
		s.dockerfile, s.filename = filepath.Split(filepath.Clean(o.File))
		if s.dockerfile == "" {
			s.dockerfile = "."
		}
	}
	return s.findDockerfile()
}

// openContext takes a folder or a URL.
func (s *source) openContext(ref string) error {
	info, err := os.Stat(ref)
	switch {
	case err == nil && info.IsDir():
		s.context = ref
		return nil
	case err == nil:
		return fmt.Errorf("the build context %s is a file: give its folder, or the file with -f", ref)
	case isGit(ref) || strings.HasPrefix(ref, "http://") || strings.HasPrefix(ref, "https://"):
		s.url = ref
		return nil
	default:
		return fmt.Errorf("find the build context: %w", err)
	}
}

func isGit(ref string) bool {
	_, ok, err := dfgitutil.ParseGitRef(ref)
	return ok && err == nil
}

// findDockerfile fails early, and with a remedy, when there is none.
func (s *source) findDockerfile() error {
	names := []string{s.filename}
	if s.filename == "" {
		names = []string{dockerui.DefaultDockerfileName, strings.ToLower(dockerui.DefaultDockerfileName)}
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(s.dockerfile, name)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s does not exist: name the Dockerfile with -f, or slim a finished image with --image",
		filepath.Join(s.dockerfile, names[0]))
}

// openStdin takes a Dockerfile without a context, or a context as a tar file.
func (s *source) openStdin(o Options) error {
	if o.File == "-" {
		return errors.New("stdin cannot be both the build context and the Dockerfile")
	}
	in := bufio.NewReader(o.Stdin)
	head, err := in.Peek(512) // a tar header; compressed ones have zeros earlier
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read stdin: %w", err)
	}
	if strings.ContainsRune(string(head), 0) {
		s.upload, s.filename = in, o.File
		return nil
	}
	if o.File != "" {
		return errors.New("stdin is a Dockerfile and so is what -f names: give one of them")
	}
	if err := s.emptyContext(); err != nil {
		return err
	}
	return s.writeDockerfile(in)
}

// openImage writes the Dockerfile that an image to slim stands for.
func (s *source) openImage(o Options) error {
	if o.File != "" {
		return errors.New("--image slims an image without a Dockerfile: -f does not go with it")
	}
	image := o.Image
	if layout, ok := strings.CutPrefix(image, ociLayoutScheme); ok {
		s.layout, image = layout, imageContext
	}
	text, err := imageDockerfile(image, o.Directives)
	if err != nil {
		return err
	}
	if o.Context == "" {
		err = s.emptyContext()
	} else {
		err = s.openContext(o.Context)
	}
	if err != nil {
		return err
	}
	return s.writeDockerfile(strings.NewReader(text))
}

// imageDockerfile is the Dockerfile of an image as it is, with directives. That
// an image's name is one and that a directive is one line is checked, so that
// neither can add instructions.
func imageDockerfile(image string, directives []string) (string, error) {
	if _, err := reference.ParseNormalizedNamed(image); err != nil {
		return "", fmt.Errorf("--image %s: %w", image, err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "FROM %s\n", image)
	for _, directive := range directives {
		if strings.ContainsAny(directive, "\n\r") {
			return "", fmt.Errorf("--slim %q: a directive is one line", directive)
		}
		fmt.Fprintf(&text, "# slim: %s\n", directive)
	}
	return text.String(), nil
}

func (s *source) emptyContext() (err error) {
	s.context, err = s.tempDir()
	return err
}

func (s *source) writeDockerfile(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxDockerfile+1))
	if err != nil {
		return fmt.Errorf("read the Dockerfile from stdin: %w", err)
	}
	if len(data) > maxDockerfile {
		return fmt.Errorf("the Dockerfile from stdin is larger than %d MiB", maxDockerfile>>20)
	}
	if s.dockerfile, err = s.tempDir(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dockerfile, dockerui.DefaultDockerfileName), data, 0o600)
}

func (s *source) tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "slimfile-")
	if err == nil {
		s.temp = append(s.temp, dir)
	}
	return dir, err
}

func (s *source) close() error {
	var errs []error
	for _, dir := range s.temp {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// apply adds the sources to the request.
func (s *source) apply(opt *client.SolveOpt) error {
	if s.filename != "" {
		opt.FrontendAttrs["filename"] = s.filename
	}
	if s.url != "" {
		opt.FrontendAttrs["context"] = s.url
	}
	if s.upload != nil {
		up := uploadprovider.New()
		opt.FrontendAttrs["context"] = up.Add(io.NopCloser(s.upload))
		opt.Session = append(opt.Session, up)
	}
	if s.layout != "" {
		target, err := addLayout(opt, s.layout)
		if err != nil {
			return fmt.Errorf("--image: %w", err)
		}
		opt.FrontendAttrs["context:"+imageContext] = target
	}
	if s.context != "" {
		if err := addMount(opt, dockerui.DefaultLocalNameContext, s.context); err != nil {
			return err
		}
		abs, err := filepath.Abs(s.context)
		if err != nil {
			return err
		}
		// BuildKit sends only what changed since the last build of this folder.
		opt.SharedKey = digest.FromString(abs).Encoded()
	}
	if s.dockerfile != "" {
		opt.FrontendAttrs["dockerfilekey"] = dockerui.DefaultLocalNameDockerfile
		return addMount(opt, dockerui.DefaultLocalNameDockerfile, s.dockerfile)
	}
	return nil
}
