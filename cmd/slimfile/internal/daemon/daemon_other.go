//go:build !linux

package daemon

import (
	"context"
	"fmt"
)

// Lease is one build's use of the daemon.
type Lease struct{}

// Acquire fails: BuildKit's daemon runs on Linux.
func Acquire(context.Context, Config) (*Lease, error) {
	return nil, fmt.Errorf("%w: it runs on Linux only: give the address of another BuildKit with --addr", ErrUnavailable)
}

// Addr is never called.
func (*Lease) Addr() string { return "" }

// Release is never called.
func (*Lease) Release() error { return nil }
