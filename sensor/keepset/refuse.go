package keepset

import (
	"fmt"
	"slices"

	"github.com/org/slimfile/sensor/keepset/shellcmd"
	"github.com/org/slimfile/sensor/manifest"
)

// Refuse says no to a slim image that is nonsense: sum is what evidence counted
// of it. The error is a *manifest.Failure that says what to declare.
func (s *Set) Refuse(sum manifest.Summary) error {
	declare := "say what the app does: # slim: probe http /path, probe tcp PORT or probe exec CMD"
	command := slices.Concat(s.pack.Image.Entrypoint, s.pack.Image.Cmd)
	switch {
	case sum.KeptBytes > sum.TotalBytes:
		return failure(nil, "build with SLIM=off and report this: a slim image must be a part of the fat one",
			"the slim image would be larger (%d bytes) than the fat one (%d bytes)", sum.KeptBytes, sum.TotalBytes)
	case s.pack.Lock == manifest.LockFrozen:
		return nil // the run that the lock was made by has been judged
	case s.probes == 0 && isBareShell(command):
		return failure(nil, declare, "the image's command is the bare shell %q and no probe ran: nothing tells what to keep", command[0])
	case s.probes == 0 && sum.TotalBytes > 0 && sum.KeptBytes < sum.TotalBytes/20:
		removed := 100 - 100*float64(sum.KeptBytes)/float64(sum.TotalBytes)
		return failure(nil, declare, "%s of the image would be removed and no probe ran: nothing tells whether the rest is enough", fmt.Sprintf("%.1f %%", removed))
	}
	return nil
}

// isBareShell says whether the command starts a shell that reads from a
// terminal.
func isBareShell(command []string) bool {
	if len(command) == 0 || !shellcmd.IsShell(command[0]) {
		return false
	}
	script, file := shellcmd.Arguments(command[1:])
	return script == "" && file == ""
}
