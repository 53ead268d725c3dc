package build

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// contextDir has a Dockerfile, and is the current folder during the test.
func contextDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"Dockerfile", "other.Dockerfile", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// newBuild is New for a test whose streams do not matter.
func newBuild(t *testing.T, o Options) (*Build, error) {
	t.Helper()
	if o.Stdin == nil {
		o.Stdin = strings.NewReader("")
	}
	o.Stderr = os.Stderr
	b, err := New(o)
	if err == nil {
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return b, err
}

func TestNew(t *testing.T) {
	dockerfile := map[string]string{"dockerfilekey": "dockerfile"}
	for _, tc := range []struct {
		name   string
		o      Options
		env    map[string]string
		attrs  map[string]string // besides dockerfile
		mounts []string          // besides context and dockerfile
		check  func(*Build) bool
	}{
		{name: "plain", o: Options{Context: "."}},
		{name: "target", o: Options{Context: ".", Target: "test"}, attrs: map[string]string{"target": "test"}},
		{name: "platforms", o: Options{Context: ".", Platforms: []string{"linux/amd64", "linux/arm64"}},
			attrs: map[string]string{"platform": "linux/amd64,linux/arm64"}},
		{name: "build arguments", o: Options{Context: ".", BuildArgs: []string{"A=1", "B", "UNSET_HERE"}}, env: map[string]string{"B": "2"},
			attrs: map[string]string{"build-arg:A": "1", "build-arg:B": "2"}},
		{name: "epoch", o: Options{Context: "."}, env: map[string]string{"SOURCE_DATE_EPOCH": "7"},
			attrs: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "7"}},
		{name: "labels", o: Options{Context: ".", Labels: []string{"a=b=c", "d"}},
			attrs: map[string]string{"label:a": "b=c", "label:d": ""}},
		{name: "no cache", o: Options{Context: ".", NoCache: true}, attrs: map[string]string{"no-cache": ""}},
		{name: "no cache of stages", o: Options{Context: ".", NoCacheFilter: []string{"a", "slim"}}, attrs: map[string]string{"no-cache": "a,slim"}},
		{name: "pull", o: Options{Context: ".", Pull: true}, attrs: map[string]string{"image-resolve-mode": "pull"}},
		{name: "attestations", o: Options{Context: ".", Attests: []string{"type=provenance,mode=max"}, SBOM: "true"},
			attrs: map[string]string{"attest:provenance": "mode=max", "attest:sbom": ""}},
		{name: "attestation off again", o: Options{Context: ".", Attests: []string{"type=sbom", "type=provenance,disabled=true"}, SBOM: "false"}},
		{name: "sbom generator", o: Options{Context: ".", SBOM: "generator=x/y"}, attrs: map[string]string{"attest:sbom": "generator=x/y"}},
		{name: "local context", o: Options{Context: ".", BuildContexts: []string{"lib=."}},
			attrs: map[string]string{"context:lib": "local:named-lib"}, mounts: []string{"named-lib"}},
		{name: "remote contexts", o: Options{Context: ".", BuildContexts: []string{"a=docker-image://x:1", "b=https://e/x.git"}},
			attrs: map[string]string{"context:a": "docker-image://x:1", "context:b": "https://e/x.git"}},
		{name: "other Dockerfile", o: Options{Context: ".", File: "other.Dockerfile"}, attrs: map[string]string{"filename": "other.Dockerfile"}},
		{name: "entitlement", o: Options{Context: ".", Allow: []string{"security.insecure"}},
			check: func(b *Build) bool { return slices.Equal(b.opt.AllowedEntitlements, []string{"security.insecure"}) }},
		{name: "cache", o: Options{Context: ".", CacheFrom: []string{"type=registry,ref=r/c"}, CacheTo: []string{"type=local,dest=d,mode=max"}},
			check: func(b *Build) bool {
				return len(b.opt.CacheImports) == 1 && b.opt.CacheImports[0].Attrs["ref"] == "r/c" &&
					len(b.opt.CacheExports) == 1 && b.opt.CacheExports[0].Attrs["dest"] == "d"
			}},
		{name: "secret", o: Options{Context: ".", Secrets: []string{"id=s,src=secret"}},
			check: func(b *Build) bool { return len(b.opt.Session) == 2 }},
		{name: "stdin Dockerfile with context", o: Options{Context: ".", File: "-", Stdin: strings.NewReader("FROM x\n")},
			check: func(b *Build) bool { return dockerfileText(t, b) == "FROM x\n" }},
		{name: "stdin Dockerfile alone", o: Options{Context: "-", Stdin: strings.NewReader("FROM y\n")},
			check: func(b *Build) bool { return dockerfileText(t, b) == "FROM y\n" && b.source.context != "." }},
		{name: "image", o: Options{Image: "nginx:1.25", Directives: []string{"probe http /", "keep /etc/x"}},
			check: func(b *Build) bool {
				return dockerfileText(t, b) == "FROM nginx:1.25\n# slim: probe http /\n# slim: keep /etc/x\n"
			}, attrs: map[string]string{"build-arg:SLIM_FAIL_ON": "never"}},
		{name: "image under the rules", o: Options{Image: "nginx:1.25", BuildArgs: []string{"SLIM_FAIL_ON=error"}},
			attrs: map[string]string{"build-arg:SLIM_FAIL_ON": "error"}},
		{name: "image with context", o: Options{Image: "nginx", Context: "."}, attrs: map[string]string{"build-arg:SLIM_FAIL_ON": "never"},
			check: func(b *Build) bool { return b.source.context == "." }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("SOURCE_DATE_EPOCH", "")
			if err := os.Unsetenv("SOURCE_DATE_EPOCH"); err != nil {
				t.Fatal(err)
			}
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			contextDir(t)
			b, err := newBuild(t, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			want := maps.Clone(dockerfile)
			maps.Copy(want, tc.attrs)
			if !maps.Equal(b.opt.FrontendAttrs, want) {
				t.Errorf("options %v, want %v", b.opt.FrontendAttrs, want)
			}
			mounts := slices.Sorted(slices.Values(append([]string{"context", "dockerfile"}, tc.mounts...)))
			if got := slices.Sorted(maps.Keys(b.opt.LocalMounts)); !slices.Equal(got, mounts) {
				t.Errorf("mounts %v, want %v", got, mounts)
			}
			if tc.check != nil && !tc.check(b) {
				t.Errorf("unexpected request: %+v", b.opt)
			}
		})
	}
}

func dockerfileText(t *testing.T, b *Build) string {
	t.Helper()
	return readFile(t, filepath.Join(b.source.dockerfile, "Dockerfile"))
}

func TestNewRemoteContext(t *testing.T) {
	contextDir(t)
	for _, tc := range []struct {
		name  string
		o     Options
		attrs map[string]string
	}{
		{"git", Options{Context: "https://example.com/x.git#main"}, map[string]string{"context": "https://example.com/x.git#main"}},
		{"git with file", Options{Context: "https://example.com/x.git", File: "sub/Dockerfile"},
			map[string]string{"context": "https://example.com/x.git", "filename": "sub/Dockerfile"}},
		{"tar", Options{Context: "https://example.com/x.tar"}, map[string]string{"context": "https://example.com/x.tar"}},
		{"own Dockerfile", Options{Context: "https://example.com/x.git", File: "-", Stdin: strings.NewReader("FROM x\n")},
			map[string]string{"context": "https://example.com/x.git", "dockerfilekey": "dockerfile"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := newBuild(t, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(b.opt.FrontendAttrs, tc.attrs) {
				t.Errorf("options %v, want %v", b.opt.FrontendAttrs, tc.attrs)
			}
			if _, ok := b.opt.LocalMounts["context"]; ok {
				t.Error("a folder of this machine is given to the build")
			}
		})
	}
}

func TestNewTarOnStdin(t *testing.T) {
	b, err := newBuild(t, Options{Context: "-", Stdin: strings.NewReader("Dockerfile" + strings.Repeat("\x00", 600))})
	if err != nil {
		t.Fatal(err)
	}
	if ref := b.opt.FrontendAttrs["context"]; !strings.HasPrefix(ref, "http://buildkit-session/") {
		t.Errorf("the context is %q", ref)
	}
}

func TestNewErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"no context", Options{Context: "missing"}, "find the build context"},
		{"context is a file", Options{Context: "secret"}, "is a file"},
		{"no Dockerfile", Options{Context: "empty"}, "name the Dockerfile with -f"},
		{"no such Dockerfile", Options{Context: ".", File: "nope"}, "nope does not exist"},
		{"stdin twice", Options{Context: "-", File: "-"}, "stdin cannot be both"},
		{"two Dockerfiles", Options{Context: "-", File: "x", Stdin: strings.NewReader("FROM x\n")}, "so is what -f names"},
		{"slim without image", Options{Context: ".", Directives: []string{"keep /x"}}, "`# slim: keep /x`"},
		{"image and file", Options{Image: "x", File: "Dockerfile"}, "-f does not go with it"},
		{"bad image", Options{Image: "x\nRUN evil"}, "invalid reference format"},
		{"image with option", Options{Image: "--platform=x y"}, "invalid reference format"},
		{"directive of two lines", Options{Image: "x", Directives: []string{"keep /x\nRUN evil"}}, "is one line"},
		{"no layout", Options{Image: "oci-layout://missing"}, "is no OCI layout"},
		{"no cache twice", Options{Context: ".", NoCache: true, NoCacheFilter: []string{"a"}}, "give one of them"},
		{"bad context", Options{Context: ".", BuildContexts: []string{"x"}}, "want NAME=PATH"},
		{"missing context", Options{Context: ".", BuildContexts: []string{"x=missing"}}, "--build-context x=missing"},
		{"bad entitlement", Options{Context: ".", Allow: []string{"everything"}}, "--allow"},
		{"bad secret", Options{Context: ".", Secrets: []string{"nonsense"}}, "--secret"},
		{"missing secret", Options{Context: ".", Secrets: []string{"id=x,src=missing"}}, "--secret"},
		{"bad attestation", Options{Context: ".", Attests: []string{"type=vex"}}, "--attest"},
		{"bad sbom", Options{Context: ".", SBOM: "maybe"}, "--sbom"},
		{"bad cache", Options{Context: ".", CacheTo: []string{"type=gha,x"}}, "--cache-to"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := contextDir(t)
			if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
				t.Fatal(err)
			}
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			if _, err := newBuild(t, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

func FuzzImageDockerfile(f *testing.F) {
	for _, seed := range [][2]string{{"nginx:1.25", "probe http /"}, {"a@b", "keep /x\\"}, {"x<<EOF", "x\x00"}, {"$IMAGE", "<<EOF"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, image, directive string) {
		text, err := imageDockerfile(image, []string{directive})
		if err != nil {
			return
		}
		parsed, err := parser.Parse(strings.NewReader(text))
		if err != nil {
			return // too long a line
		}
		if n := len(parsed.AST.Children); n != 1 {
			t.Errorf("%q and %q give %d instructions", image, directive, n)
		}
		if got := strings.TrimSpace(parsed.AST.Children[0].Original); got != "FROM "+image {
			t.Errorf("%q became %q", image, got)
		}
	})
}
