package program_test

import (
	"debug/elf"
	"maps"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/internal/elftest"
	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/rootfs"
	"github.com/org/slimfile/sensor/rootfs/rootfstest"
)

const glibcLoader, muslLoader = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"

// debian is an image with a shell, a C library and programs, all of mode 755.
func debian() rootfstest.Image {
	bin := func(s elftest.Spec) string { return string(s.Bytes()) }
	return rootfstest.Image{
		"/etc/passwd":         "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n",
		"/bin":                rootfstest.Link("usr/bin"),
		glibcLoader:           bin(elftest.Spec{Soname: "ld-linux-x86-64.so.2"}),
		"/lib/libc.so.6":      bin(elftest.Spec{Soname: "libc.so.6", Needed: []string{"ld-linux-x86-64.so.2"}}),
		"/lib/libb.so":        bin(elftest.Spec{Soname: "libb.so", Needed: []string{"libc.so.6", "libgone.so.1"}}),
		"/usr/bin/sh":         bin(elftest.Spec{Interp: glibcLoader, Needed: []string{"libc.so.6", "linux-vdso.so.1"}}),
		"/usr/bin/env":        bin(elftest.Spec{Interp: glibcLoader, Needed: []string{"libc.so.6"}}),
		"/app/static":         bin(elftest.Spec{}),
		"/app/musl":           bin(elftest.Spec{Interp: muslLoader, Needed: []string{"libc.musl-x86_64.so.1"}}),
		"/app/lib":            bin(elftest.Spec{Interp: glibcLoader, Needed: []string{"libgone.so.1", "libc.so.6"}}),
		"/app/deep":           bin(elftest.Spec{Interp: glibcLoader, Needed: []string{"libb.so"}}),
		"/app/origin":         bin(elftest.Spec{Interp: glibcLoader, Needed: []string{"libown.so", "libown2.so"}, Runpath: "$ORIGIN/own"}),
		"/usr/bin/origin":     rootfstest.Link("/app/origin"),
		"/app/own/libown.so":  bin(elftest.Spec{Soname: "libown.so", Needed: []string{"libown2.so"}}),
		"/app/own/libown2.so": bin(elftest.Spec{Soname: "libown2.so"}),
		"/app/arm":            bin(elftest.Spec{Machine: elf.EM_AARCH64}),
		"/app/good.sh":        "#!/bin/sh -e\ntrue\n",
		"/app/crlf.sh":        "#!/bin/sh\r\ntrue\r\n",
		"/app/none.sh":        "#!/bin/bash\ntrue\n",
		"/app/env.py":         "#!/usr/bin/env python3\n",
		"/app/musl.sh":        "#!/app/musl\n",
		"/app/plain":          "echo hello\n",
		"/app/empty":          "",
		"/app/loop":           "#!/app/loop\n",
		"/app/dir":            rootfstest.Dir{},
	}
}

func TestCommand(t *testing.T) {
	obstacle := func(kind, program, needs, by string) manifest.Obstacle {
		return manifest.Obstacle{Kind: kind, Program: manifest.Path(program), Needs: manifest.Path(needs), By: manifest.Path(by)}
	}
	for _, tt := range []struct {
		name string
		args []string
		want manifest.Obstacle // zero for none
	}{
		{name: "nothing"},
		{name: "in PATH", args: []string{"sh"}},
		{name: "through a link", args: []string{"/bin/sh"}},
		{name: "relative to WORKDIR", args: []string{"./good.sh"}},
		{name: "static", args: []string{"/app/static"}},
		{name: "own library", args: []string{"/app/origin"}},
		{name: "own library, through a link", args: []string{"origin"}},
		{name: "not in PATH", args: []string{"nginx", "-g"}, want: obstacle(manifest.ObstacleMissing, "nginx", "", "")},
		{name: "not there", args: []string{"/app/nothing"}, want: obstacle(manifest.ObstacleMissing, "/app/nothing", "", "")},
		{name: "below a file", args: []string{"/app/plain/x"}, want: obstacle(manifest.ObstacleMissing, "/app/plain/x", "", "")},
		{name: "folder", args: []string{"/app/dir"}, want: obstacle(manifest.ObstacleRights, "/app/dir", "", "")},
		{name: "not executable", args: []string{"/app/data"}, want: obstacle(manifest.ObstacleRights, "/app/data", "", "")},
		{name: "for root alone", args: []string{"/app/private"}, want: obstacle(manifest.ObstacleRights, "/app/private", "", "")},
		{name: "in a folder for root alone", args: []string{"/root/tool"}, want: obstacle(manifest.ObstacleRights, "/root/tool", "", "")},
		{name: "no first line", args: []string{"/app/plain"}, want: obstacle(manifest.ObstacleFormat, "/app/plain", "", "")},
		{name: "empty", args: []string{"/app/empty"}, want: obstacle(manifest.ObstacleFormat, "/app/empty", "", "")},
		{name: "Windows line ends", args: []string{"/app/crlf.sh"}, want: obstacle(manifest.ObstacleCRLF, "/app/crlf.sh", "", "")},
		{name: "no interpreter", args: []string{"/app/none.sh"}, want: obstacle(manifest.ObstacleInterpreter, "/app/none.sh", "/bin/bash", "")},
		{name: "no interpreter for env", args: []string{"/app/env.py"}, want: obstacle(manifest.ObstacleInterpreter, "/app/env.py", "python3", "")},
		{name: "interpreter without a loader", args: []string{"/app/musl.sh"}, want: obstacle(manifest.ObstacleLoader, "/app/musl", muslLoader, "")},
		{name: "interpreter of itself", args: []string{"/app/loop"}},
		{name: "other machine", args: []string{"/app/arm"}, want: obstacle(manifest.ObstacleMachine, "/app/arm", "AARCH64", "")},
		{name: "other C library", args: []string{"/app/musl"}, want: obstacle(manifest.ObstacleLoader, "/app/musl", muslLoader, "")},
		{name: "no library", args: []string{"/app/lib"}, want: obstacle(manifest.ObstacleLibrary, "/app/lib", "libgone.so.1", "/app/lib")},
		{name: "no library of a library", args: []string{"/app/deep"}, want: obstacle(manifest.ObstacleLibrary, "/app/deep", "libgone.so.1", "/lib/libb.so")},
		{name: "shell", args: []string{"sh", "-c", "curl -f http://localhost || exit 1"}, want: obstacle(manifest.ObstacleMissing, "curl", "", "")},
		{name: "shell, further on", args: []string{"sh", "-c", "sh -c x && curl http://localhost"}},
		{name: "shell, no first line", args: []string{"sh", "-c", "/app/plain"}},
		{name: "shell, not a script", args: []string{"sh", "-c", "if"}},
		{name: "shell, file", args: []string{"/bin/sh", "-e", "start.sh"}, want: obstacle(manifest.ObstacleMissing, "/app/start.sh", "", "")},
		{name: "shell, file is there", args: []string{"/bin/sh", "-e", "crlf.sh"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := check(t, debian(), "linux/amd64").Command(tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if (o == nil) != (tt.want == manifest.Obstacle{}) || o != nil && *o != tt.want {
				t.Errorf("got %+v, want %+v", o, tt.want)
			}
		})
	}
}

// check makes the checker of an image for the user app.
func check(t *testing.T, image rootfstest.Image, platform string) *program.Checker {
	t.Helper()
	dir := rootfstest.MakeDir(t, image)
	for name, entry := range image {
		if _, link := entry.(rootfstest.Link); !link {
			must(t, unix.Chmod(dir+name, 0o755))
		}
	}
	for name, mode := range map[string]os.FileMode{"/app/data": 0o644, "/app/private": 0o700, "/root/tool": 0o755} {
		must(t, os.MkdirAll(dir+rootfs.Parent(name), 0o755))
		must(t, os.WriteFile(dir+name, []byte("#!/bin/sh\n"), 0o600))
		must(t, os.Chmod(dir+name, mode))
	}
	must(t, os.Chmod(dir+"/root", 0o700))
	root, err := rootfs.Open(dir)
	must(t, err)
	t.Cleanup(root.Close)
	config := manifest.Image{Env: []string{"PATH=/usr/bin"}, WorkingDir: "/app", User: "app"}
	account := program.ReadAccount(root, config.User)
	if os.Getuid() == 1000 {
		t.Fatal("the files of this test must not belong to the user with the id 1000")
	}
	c, err := program.NewChecker(root, config, account, platform)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestMusl: musl's loader is its C library, by whatever name.
func TestMusl(t *testing.T) {
	image := debian()
	maps.Copy(image, rootfstest.Image{
		muslLoader:  string(elftest.Spec{Soname: "libc.musl-x86_64.so.1"}.Bytes()),
		"/app/more": string(elftest.Spec{Interp: muslLoader, Needed: []string{"libc.so", "libpthread.so", "libz.so.1"}}.Bytes()),
	})
	c := check(t, image, "linux/amd64")
	if o, err := c.Command([]string{"/app/musl"}); o != nil || err != nil {
		t.Errorf("got %+v, %v", o, err)
	}
	if o, err := c.Command([]string{"/app/more"}); err != nil || o == nil || o.Needs != "libz.so.1" {
		t.Errorf("got %+v, %v", o, err)
	}
}

// TestProgram: what no program is needs nothing.
func TestProgram(t *testing.T) {
	c := check(t, debian(), "linux/amd64")
	for path, want := range map[string]bool{"/app/lib": true, "/lib/libb.so": false, "/app/none.sh": false, "/app/origin": false, "/app/empty": false} {
		if o, err := c.Program(path); err != nil || (o != nil) != want {
			t.Errorf("%s: %+v, %v", path, o, err)
		}
	}
}

func TestAccount(t *testing.T) {
	root := rootfstest.Make(t, rootfstest.Image{"/etc/passwd": "app:x:1000:50::/:\n", "/etc/group": "staff:x:50:\nmore:x:60:app\n"})
	file := func(uid, gid, mode uint32) rootfs.Info {
		return rootfs.Info{UID: uid, GID: gid, Mode: unix.S_IFREG | mode}
	}
	for _, tt := range []struct {
		user string
		info rootfs.Info
		what uint32
		want bool
	}{
		{"app", file(0, 0, 0o644), 4, true},
		{"app", file(0, 0, 0o640), 4, false},
		{"app", file(0, 50, 0o640), 4, true},
		{"app", file(0, 60, 0o640), 4, true},
		{"app", file(1000, 0, 0o044), 4, false},
		{"1000:7", file(0, 50, 0o640), 4, false},
		{"", file(5, 5, 0), 2, true},
		{"", file(5, 5, 0o644), 1, false},
		{"nobody", file(5, 5, 0), 4, true},
	} {
		if got := program.ReadAccount(root, tt.user).May(tt.info, tt.what); got != tt.want {
			t.Errorf("%q may %d of %o: %v", tt.user, tt.what, tt.info.Mode, got)
		}
	}
}
