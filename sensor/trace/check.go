package trace

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/record"
)

// Check tells whether both recorders can work here, by arming them for a
// program as a run would. Nil means that they can; a recorder that cannot is a
// *record.UnavailableError, and of both errors each is on a line of its own.
func Check() error {
	err := arm(record.Options{Fanotify: true, Privileged: true})
	var unavailable *record.UnavailableError
	if errors.As(err, &unavailable) && unavailable.Recorder == record.Fanotify {
		return errors.Join(err, arm(record.Options{}))
	}
	return err
}

// arm goes as far as to the execve of a program that cannot be one.
func arm(opt record.Options) error {
	session, err := record.New(opt)
	if err != nil {
		return err
	}
	_, err = session.Start(launch.Spec{Path: "/", Args: []string{"/"}, Confine: opt.Privileged})
	var start *launch.StartError
	switch {
	case err == nil:
		err = errors.New("/ can be executed")
	case errors.As(err, &start) && start.Step == launch.StepExec:
		err = nil // the recorder was armed by then
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	if killErr := session.KillAll(ctx); killErr != nil {
		return errors.Join(err, fmt.Errorf("end all processes: %w", killErr))
	}
	_, closeErr := session.Close()
	return errors.Join(err, closeErr)
}
