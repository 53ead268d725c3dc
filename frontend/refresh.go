package frontend

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/lint/shell"
)

// A step that applies the updates of the system's packages does something else
// every day, but BuildKit's cache keeps the first result for ever. Such steps get
// a date as a part of their cache key; nothing else does.

// date names the span of time, as long as the refresh window, that the build
// falls into. With SOURCE_DATE_EPOCH it is that moment's: the same source is
// built with the same key.
func (b *build) date(epoch *time.Time) string {
	now := time.Now()
	if epoch != nil {
		now = *epoch
	}
	return now.UTC().Truncate(max(b.cfg.Refresh, 1)).Format("2006-01-02T150405Z")
}

// dated tells the steps that get a date.
func (b *build) dated(exec *pb.ExecOp) bool {
	return b.cfg.Refresh > 0 && appliesUpdates(exec.GetMeta().GetArgs())
}

// appliesUpdates tells whether a command line applies the updates of the
// system's packages.
func appliesUpdates(args []string) bool {
	words, err := json.Marshal(args)
	if err != nil {
		return false
	}
	script := shell.Parse(shell.Source{Lines: []string{"RUN " + string(words)}, Line: 1})
	return slices.ContainsFunc(script.Commands, (*shell.Command).UpdatesOS)
}
