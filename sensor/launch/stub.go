package launch

import "os"

// stubName is argv[0] of the stub.
const stubName = "slimfile-stub"

// IsStub reports whether this process was started to become a traced program;
// main must then call StubMain before anything else.
func IsStub(args []string) bool { return len(args) > 0 && args[0] == stubName }

// StubMain turns this process into the program that the parent asks for. It
// does not return.
func StubMain() {
	os.Exit(1)
}
