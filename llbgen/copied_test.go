package llbgen

import (
	"context"
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"

	"github.com/org/slimfile/sensor/manifest"
)

func TestCopied(t *testing.T) {
	base := llb.Image("docker.io/library/debian:12")
	source := llb.Local("context")
	other := llb.Image("docker.io/library/nginx:1")
	built := base.Run(llb.Args([]string{"make"})).Root()
	whole := &llb.CopyInfo{CopyDirContentsOnly: true, AllowWildcard: true, CreateDestPath: true}
	parents := &llb.CopyInfo{IncludePatterns: []string{"conf/app.d", "src/*/static"}}
	tests := []struct {
		name  string
		image llb.State
		want  []manifest.Copy
	}{
		{"nothing", llb.Scratch(), nil},
		{"an image alone", base, nil},
		{"the context", base.File(llb.Copy(source, "/", "/app/", whole)), []manifest.Copy{{Dest: "/app"}}},
		{"files of one instruction", base.File(llb.Copy(source, "/a.py", "/app/", whole).Copy(source, "/lib/b.py", "/app/", whole)), []manifest.Copy{{Dest: "/app", Name: "a.py"}, {Dest: "/app", Name: "b.py"}}},
		{"a pattern", base.File(llb.Copy(source, "/src/*.js", "/app", whole)), []manifest.Copy{{Dest: "/app"}}},
		{"with parents", base.File(llb.Copy(source, "/", "/srv/", parents)), []manifest.Copy{{Dest: "/srv/conf/app.d"}, {Dest: "/srv/src"}}},
		{"another stage", base.File(llb.Copy(built, "/out/server", "/usr/local/bin/", whole)), []manifest.Copy{{Dest: "/usr/local/bin", Name: "server"}}},
		{"another image", base.File(llb.Copy(other, "/etc/nginx", "/etc/nginx", whole)), nil},
		{"before and after steps, in stages below", built.File(llb.Copy(source, "/x", "/one", whole)).Run(llb.Args([]string{"true"})).Root().File(llb.Mkdir("/two", 0o755)).File(llb.Copy(source, "/y", "/two", whole)),
			[]manifest.Copy{{Dest: "/one", Name: "x"}, {Dest: "/two", Name: "y"}}},
		{"what only a step mounts", base.Run(llb.Args([]string{"make"}), llb.AddMount("/src", llb.Scratch().File(llb.Copy(source, "/x", "/one", whole)))).Root(), nil},
		{"linked layers", llb.Merge([]llb.State{base.File(llb.Copy(source, "/a", "/one", whole)), llb.Scratch().File(llb.Copy(source, "/b", "/two", whole))}),
			[]manifest.Copy{{Dest: "/one", Name: "a"}, {Dest: "/two", Name: "b"}}},
		{"the same twice", base.File(llb.Copy(source, "/a", "/one", whole)).File(llb.Copy(source, "/a", "/one", whole)), []manifest.Copy{{Dest: "/one", Name: "a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Copied(context.Background(), tt.image)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}
