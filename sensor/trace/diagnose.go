package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/regular"
)

// entrypointFailure says that the program concerned is the image's own.
func entrypointFailure(err error) error {
	var f *manifest.Failure
	if !errors.As(err, &f) || f.Phase == phaseRecord {
		return err
	}
	f.Phase = phaseStart
	f.Message = "the image's entrypoint cannot be started: " + f.Message
	return f
}

// startFailure explains why a program did not start.
func startFailure(err error, spec launch.Spec) error {
	var start *launch.StartError
	if !errors.As(err, &start) {
		return err
	}
	name := spec.Args[0]
	switch {
	case start.Step == "chdir":
		return &manifest.Failure{
			Message: fmt.Sprintf("%s cannot enter WORKDIR %s: %s", account(spec), spec.Dir, plain(start.Err)),
			Remedy:  "let WORKDIR belong to USER, or be readable for all",
		}
	case start.Step != launch.StepExec:
		return &manifest.Failure{Message: err.Error()}
	case errors.Is(err, fs.ErrNotExist):
		return missing(spec)
	case errors.Is(err, fs.ErrPermission):
		return notExecutable(spec, spec.Path)
	case errors.Is(err, unix.ENOEXEC):
		return notProgram(spec)
	default:
		return &manifest.Failure{Message: fmt.Sprintf("%q: %s", name, plain(start.Err))}
	}
}

// missing explains ENOENT of execve(2): the file itself, or what it names as
// its interpreter, is not there.
func missing(spec launch.Spec) error {
	if _, err := os.Stat(spec.Path); err != nil {
		return &manifest.Failure{
			Message: fmt.Sprintf("%q does not exist in the image", spec.Path),
			Remedy:  "correct ENTRYPOINT or CMD, or COPY the file into the final stage",
		}
	}
	if script, ok := shebang(spec.Path); ok {
		interpreter, remedy := script.Interpreter, "install the interpreter, or correct the line"
		if script.CRLF {
			interpreter += "\r"
			remedy = "the script has Windows line ends: save it with LF, e.g. `*.sh text eol=lf` in .gitattributes"
		}
		return &manifest.Failure{
			Message: fmt.Sprintf("the first line of %s names the interpreter %q, which does not exist in the image", spec.Path, interpreter),
			Remedy:  remedy,
		}
	}
	return &manifest.Failure{
		Message: fmt.Sprintf("%s needs the loader %s, which does not exist in the image", spec.Path, loader(spec.Path)),
		Remedy:  "it was built for another system (glibc, musl): build it for the final stage's base, or link it statically",
	}
}

// notProgram explains ENOEXEC.
func notProgram(spec launch.Spec) error {
	f := &manifest.Failure{
		Message: fmt.Sprintf("%s is not a program that this machine can execute", spec.Path),
		Remedy:  "a script needs a first line like #!/bin/sh",
	}
	if machine, ok := elfMachine(spec.Path); ok {
		f.Message = fmt.Sprintf("%s is a program for %s, and this machine is %s", spec.Path, machine, runtime.GOARCH)
		f.Remedy = "build for the machine's platform, or install its emulator: docker run --privileged tonistiigi/binfmt --install all"
	}
	return f
}

// shebang is the first line of a script.
func shebang(name string) (program.Shebang, bool) {
	f, err := regular.Open(name)
	if err != nil {
		return program.Shebang{}, false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, program.MaxShebang))
	if err != nil {
		return program.Shebang{}, false
	}
	return program.ParseShebang(head)
}

// loader is the ELF interpreter that a program asks for.
func loader(name string) string {
	if f, err := readELF(name); err == nil && f.Interp != "" {
		return f.Interp
	}
	return "it was linked for"
}

func elfMachine(name string) (machine string, ok bool) {
	f, err := readELF(name)
	if err != nil {
		return "", false
	}
	return strings.TrimPrefix(f.Arch.Machine.String(), "EM_"), true
}

func readELF(name string) (*elfdyn.File, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return elfdyn.Read(f)
}
