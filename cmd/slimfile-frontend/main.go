// Command slimfile-frontend is the entry point of the frontend image. BuildKit
// starts it for `# syntax=org/slimfile` and speaks gRPC with it over stdin and
// stdout: nothing else may be written there.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the gateway's codec

	"github.com/org/slimfile/frontend"
)

func main() {
	f := frontend.Frontend{Env: os.Environ()}
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), f.Build); err != nil {
		fmt.Fprintln(os.Stderr, "slimfile-frontend:", err)
		os.Exit(1)
	}
}
