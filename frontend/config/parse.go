package config

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/manifest"
)

// Parse reads the settings and directives of in. Its error is the Dockerfile
// parser's own where the file is no Dockerfile; otherwise it holds an Errors
// with everything that is wrong, inside a *parser.LocationError when a line
// of the Dockerfile is concerned.
//
// Each layer overrides the ones before it: defaults, image environment,
// syntax line, directives, build arguments.
func Parse(in Input) (*Config, error) {
	f := file{name: in.Filename, lines: lines(in.Dockerfile)}
	image := fromEnv(in.ImageEnv)
	syntax, syntaxErrs := fromSyntax(in.Syntax, f, in.Dockerfile)
	args := fromMap(in.BuildArgs, "build argument")
	c := defaults(f)
	if turnedOff(args, syntax, image) {
		c.Mode = ModeOff
		return c, nil
	}
	doc, err := parseDockerfile(in, f)
	if err != nil {
		return nil, err
	}
	args = slices.DeleteFunc(args, func(a assignment) bool { return isUnknown(a.name) && doc.declares(a.name) })

	errs := syntaxErrs
	apply := func(list []assignment) {
		for _, a := range list {
			if err := a.set(c, f); err != nil {
				errs = append(errs, err)
			}
		}
	}
	apply(image)
	apply(syntax)
	errs = append(errs, doc.apply(c)...)
	apply(args)
	c.settleLock()
	if len(errs) > 0 {
		slices.SortStableFunc(errs, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Location.Line, b.Location.Line), cmp.Compare(a.Location.Column, b.Location.Column))
		})
		return nil, errs.located()
	}
	return c, nil
}

func defaults(f file) *Config {
	return &Config{
		Mode:    ModeOn,
		Sensor:  SensorAuto,
		Output:  OutputImage,
		Timeout: DefaultTimeout,
		Verify:  VerifyOn,
		Network: NetworkNone,
		Refresh: DefaultRefresh,
		FailOn:  "error",
		file:    f,
		places:  map[string]manifest.Location{},
	}
}

// settleLock decides what nobody has: who names a lock wants it to count.
func (c *Config) settleLock() {
	if c.Lock == "" {
		c.Lock = LockOff
		if c.LockFile != "" {
			c.Lock = LockAuto
		}
	}
	c.LockFile = cmp.Or(c.LockFile, DefaultLockFile)
}

// lines splits a Dockerfile as BuildKit's parser does.
func lines(dockerfile []byte) []string {
	dockerfile = bytes.TrimPrefix(dockerfile, []byte("\xef\xbb\xbf"))
	var list []string
	for line := range strings.Lines(string(dockerfile)) {
		list = append(list, strings.TrimRight(line, "\r\n"))
	}
	return list
}

// turnedOff tells whether SLIM is off in the first of layers that sets it.
func turnedOff(layers ...[]assignment) bool {
	for _, layer := range layers {
		for _, a := range slices.Backward(layer) {
			if a.name == "SLIM" {
				return a.value == string(ModeOff)
			}
		}
	}
	return false
}

func isUnknown(name string) bool { return !slices.Contains(settingNames(), name) }
