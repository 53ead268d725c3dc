package keepset

import (
	"path"
	"regexp"
)

var javaFamilies = []family{
	{rule: "java", name: regexp.MustCompile(`^libjvm\.so$`), folder: regexp.MustCompile(`/lib/(server|client|zero)$`), keep: keepJava},
}

// keepJava keeps the lib and conf folders of the Java installation of libjvm.
func keepJava(b *builder, f familyFile) error {
	home := path.Dir(path.Dir(f.dir))
	for _, pattern := range []string{"lib/**", "conf/**", "release"} {
		if err := b.keepUnder(home, pattern, RuntimeRule, f.id); err != nil {
			return err
		}
	}
	return nil
}
