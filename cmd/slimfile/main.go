// Command slimfile builds Dockerfiles into slim images with slimfile's frontend
// in-process, on any BuildKit.
package main

import (
	"os"

	"github.com/org/slimfile/cmd/slimfile/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
