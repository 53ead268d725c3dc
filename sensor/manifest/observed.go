package manifest

// What a run was seen to do beside touching paths. It is part of RunReport and
// so of report.json, and none of it feeds a cache key. All lists have a bound
// and an order that does not depend on timing. What the sensor itself and its
// probes' client side do is not in them.

// Phase is a part of the run. Others name it by its index in RunReport.Phases,
// where the start comes first, then the probes in their order, then the stop.
type Phase struct {
	// Name is "start" (until the app is ready), "probe 1" and so on, "stop".
	Name string `json:"name"`
	// Probe is the probe as the user typed it; empty for start and stop.
	Probe string `json:"probe,omitempty"`
	// Calls are the names of the system calls made in the phase, sorted; those
	// of another ABI than the machine's own with it in front: "i386:open". Nil
	// in a run that was not asked for them (Run.Calls).
	Calls []string `json:"calls,omitempty"`
}

// Program is a program that was executed, however often and by however many
// processes. Forks count as the program that forked.
type Program struct {
	// Exe is the physical path of the executable; for a script that of its
	// interpreter, and Script its own.
	Exe    Path `json:"exe"`
	Script Path `json:"script,omitempty"`
	// Argv0 is its name for itself, at most 256 bytes of it.
	Argv0 Path `json:"argv0"`
	// By is the program that executed it, as an index into RunReport.Programs:
	// of its parent process, or before it in the same process. -1 is the sensor,
	// which starts the app and what exec probes run, or one that is not listed.
	By int `json:"by"`
	// Phase is the one in which it was first executed.
	Phase int   `json:"phase"`
	Runs  int64 `json:"runs"`
	// EUIDs are the effective user ids its processes were seen with, sorted, at
	// most 16: at the execve, after a change of user, at the end of a phase.
	EUIDs []uint32 `json:"euids"`
}

// Socket is an Internet address that programs listened on or sought.
type Socket struct {
	// Protocol is "tcp", "udp", or what the kernel calls it, in lower case.
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
	// Port is 0 where the kernel chose it.
	Port   int   `json:"port"`
	Phases []int `json:"phases"`
	// Program is the first to use it, -1 if it is not listed.
	Program int `json:"program"`
}

// Omitted counts what the lists of a RunReport had no room for.
type Omitted struct {
	Programs  int64 `json:"programs,omitempty"`  // executions of programs that are not listed
	Listening int64 `json:"listening,omitempty"` // calls with addresses that are not listed
	Outbound  int64 `json:"outbound,omitempty"`  // likewise
	Changes   int64 `json:"changes,omitempty"`
	Zombies   int64 `json:"zombies,omitempty"`
	Missing   int64 `json:"missing,omitempty"`
}

// Stopping is how the app took STOPSIGNAL. RunReport.StopMS says how long.
type Stopping struct {
	Signal string `json:"signal"` // "SIGTERM"
	// InTime says that what it was sent to ended within the grace time.
	InTime bool `json:"inTime"`
	// Background says that the first process had ended before and left others
	// behind, which the signal was sent to.
	Background bool `json:"background,omitempty"`
	// Unhandled says that the first process has no handler for the signal: as
	// process 1 of a container it would have ignored it.
	Unhandled bool `json:"unhandled,omitempty"`
	// Failed says that the signal made the first process fail: it ended with
	// another code than 0, or by another signal, such as that of abort(3).
	Failed bool `json:"failed,omitempty"`
}
