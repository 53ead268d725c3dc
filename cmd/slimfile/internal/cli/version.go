package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of slimfile and of the BuildKit in it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("the program carries no build information")
			}
			fmt.Fprintln(cmd.OutOrStdout(), version(info))
			return nil
		},
	}
}

// version tells what the Go linker knows of the program (go help buildvcs).
func version(info *debug.BuildInfo) string {
	buildkit := "unknown"
	for _, dep := range info.Deps {
		if dep.Path == "github.com/moby/buildkit" {
			buildkit = dep.Version
		}
	}
	return fmt.Sprintf("slimfile %s, BuildKit %s, %s %s/%s",
		info.Main.Version, buildkit, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
