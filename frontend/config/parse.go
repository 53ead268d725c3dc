package config

// Parse reads the settings and directives of in. Its error is the Dockerfile
// parser's own where the file is no Dockerfile; otherwise it holds an Errors
// with everything that is wrong, inside a *parser.LocationError when a line
// of the Dockerfile is concerned.
func Parse(in Input) (*Config, error) {
	return nil, Errors{{Filename: in.Filename, Message: "not supported yet", Unsupported: true}}
}
