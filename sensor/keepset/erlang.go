package keepset

import (
	"path"
	"regexp"

	"github.com/org/slimfile/sensor/rootfs"
)

var erlangFamilies = []family{
	{rule: "erlang", name: regexp.MustCompile(`^beam(\.smp)?$`), folder: regexp.MustCompile(`/erts-[^/]+/bin$`), keep: named(
		"@/erl_child_setup", "@/inet_gethost", "@/erlexec", "@/heart", "@/../../bin/*.boot", "@/../../releases")},
	{rule: "erlang application", name: regexp.MustCompile(`\.(app|beam)$`), folder: regexp.MustCompile(`/ebin$`), keep: keepApplication},
	{rule: "erlang application", name: regexp.MustCompile(`\.app$`), folder: regexp.MustCompile(`/ebin$`), keep: keepNeededApplications},
	{rule: "rabbitmq commands", name: regexp.MustCompile(`^rabbitmq-env$`), folder: binFolder, keep: named(
		"@/rabbitmq*", "@/../escript", "/usr/sbin/rabbitmq*", "/usr/lib/rabbitmq/bin/rabbitmq*")},
}

// keepApplication keeps the modules of an application, which the code server
// loads when they are first called (code(3erl), interactive mode), and its priv
// folder.
func keepApplication(b *builder, f familyFile) error {
	if err := b.keepUnit(f.dir, nil, f.id); err != nil {
		return err
	}
	return b.keepUnit(path.Join(path.Dir(f.dir), "priv"), nil, f.id)
}

var (
	// neededApplications finds the applications that one needs (app(4)).
	neededApplications = regexp.MustCompile(`(?s)\{\s*(?:applications|included_applications)\s*,\s*\[([^\]]*)\]`)
	erlangAtom         = regexp.MustCompile(`[a-z][\w@]*`)
)

// maxApplications bounds the applications of one file.
const maxApplications = 256

// keepNeededApplications keeps the resource files of the applications that one
// needs; keepApplication does the rest. They are its neighbours, or Erlang's own.
func keepNeededApplications(b *builder, f familyFile) error {
	resource, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	libraries, err := b.folders("erlang", "/usr/lib/erlang/lib*", "/usr/lib64/erlang/lib*", "/usr/local/lib/erlang/lib*")
	if err != nil {
		return err
	}
	for _, dir := range append([]string{path.Dir(path.Dir(f.dir))}, libraries...) {
		names, err := b.applications(dir)
		if err != nil {
			return err
		}
		for _, needed := range parseApplications(resource) {
			name, ok := names[needed]
			if !ok {
				continue
			}
			resource := rootfs.Join(dir, name+"/ebin/"+needed+".app")
			if err := ignoreAbsent(b.followAll(RuntimeRule, f.id, resource)); err != nil {
				return err
			}
		}
	}
	return nil
}

// versioned splits the folder of an application into name and version.
var versioned = regexp.MustCompile(`^([a-z][\w@]*?)(-[\d.]+[\w.+-]*)?$`)

// applications returns the folder of each application below dir.
func (b *builder) applications(dir string) (map[string]string, error) {
	names, err := b.root.ReadDirNames(dir)
	if err := ignoreAbsent(err); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, name := range names {
		if m := versioned.FindStringSubmatch(name); m != nil {
			found[m[1]] = name
		}
	}
	return found, nil
}

// parseApplications returns the applications that a resource file asks for.
func parseApplications(resource []byte) []string {
	var names []string
	for _, m := range neededApplications.FindAllSubmatch(resource, -1) {
		for _, atom := range erlangAtom.FindAll(m[1], maxApplications) {
			names = append(names, string(atom))
		}
	}
	return names[:min(len(names), maxApplications)]
}
