package keepset

import (
	"regexp"
	"strings"
)

var glibcFamilies = []family{
	{rule: "glibc", name: regexp.MustCompile(`^libc\.so\.6$`), keep: keepByLibc, needed: true},
}

// unwinder is what glibc loads for the first pthread_exit or pthread_cancel of
// a process, which it aborts without it, and for backtrace (glibc,
// misc/unwind-link.c). Whether a run comes to that is a matter of timing: an
// interpreter ends its threads so when it is stopped.
const unwinder = "libgcc_s.so.1"

// keepByLibc keeps what glibc loads by itself: the modules that
// /etc/nsswitch.conf names (nsswitch.conf(5)), and the unwinder.
func keepByLibc(b *builder, f familyFile) error {
	services := []string{"files", "dns"}
	conf, err := b.readSmall("/etc/nsswitch.conf")
	if err != nil {
		return err
	}
	if conf != nil {
		services = parseNSSwitch(conf)
	}
	libc, err := b.readELF(f.path)
	if err != nil || libc == nil {
		return err
	}
	libraries := []string{unwinder}
	for _, s := range services {
		libraries = append(libraries, "libnss_"+s+".so.2")
	}
	o := b.loader.Object(f.path, libc, nil)
	for _, name := range libraries {
		paths, err := b.loader.Find(name, o)
		if err != nil {
			return err
		}
		if err := b.followAll(LinkedLibrary, f.id, paths...); err != nil {
			return err
		}
	}
	return nil
}

// maxServices bounds the services of nsswitch.conf.
const maxServices = 64

// parseNSSwitch returns the services that any database names, each once.
func parseNSSwitch(conf []byte) []string {
	var services []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(conf)) {
		line, _, _ = strings.Cut(line, "#")
		_, list, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		list = actions.ReplaceAllString(list, " ")
		for _, s := range strings.Fields(list) {
			if !seen[s] && !strings.Contains(s, "/") && len(services) < maxServices {
				seen[s] = true
				services = append(services, s)
			}
		}
	}
	return services
}

// actions are the "[NOTFOUND=return]" of nsswitch.conf.
var actions = regexp.MustCompile(`\[[^]]*\]`)
