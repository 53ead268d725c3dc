package lint

import (
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// userRules are about who the image's program runs as.
func userRules() []*Rule {
	return []*Rule{
		{
			Name:    "NonRootUser",
			Summary: "The image runs as root",
			Why: "A program that is taken over has all that root has: it can change every file of the image, " +
				"and whatever the kernel lets slip is root's on the host too.",
			Remedy:  "End the last stage with USER and an unprivileged user, by number if the image has none by name.",
			Bad:     "FROM debian:12.9-slim\nCMD [\"/app\"]\n",
			Good:    "FROM debian:12.9-slim\nUSER 65534:65534\nCMD [\"/app\"]\n",
			Default: Error,
			Aliases: []string{"DL3002", "CIS-4.1", "CIS-DI-0001", "DS-0002", "CKV_DOCKER_3", "CKV_DOCKER_8"},
			check:   checkNonRootUser,
		},
		{
			Name:    "NumericUser",
			Summary: "USER is a name, which orchestrators cannot tell from root",
			Why:     "Kubernetes' runAsNonRoot refuses an image whose USER is a name: it cannot look the name up.",
			Remedy:  "Write the number, such as USER 65534:65534.",
			Bad:     "FROM debian:12.9-slim\nUSER nobody\n",
			Good:    "FROM debian:12.9-slim\nUSER 65534\n",
			Default: Info,
			Aliases: []string{"DL3066"},
			check:   checkNumericUser,
		},
	}
}

func checkNonRootUser(p *pass) {
	if image, known := p.shipped.image(); known && isWindows(image) {
		return // there is no root
	}
	end := p.shipped.end
	switch user, _, _ := strings.Cut(end.user, ":"); {
	case end.userAt == nil && p.UserKnown:
		if base, _, _ := strings.Cut(p.User, ":"); base != "" && base != "root" && base != "0" {
			return
		}
		p.report(p.shipped.at, "the image runs as root: add USER with an unprivileged user")
	case end.userAt == nil:
		if image, known := p.shipped.image(); known && unprivilegedBase(image) {
			return
		}
		p.report(p.shipped.at, "the image runs as root unless its base says otherwise: add USER with an unprivileged user")
	case user == "root" || user == "0":
		p.report(end.userAt.at, "the last USER is root: end with an unprivileged one")
	}
}

// unprivilegedBase tells whether an image says by its name that it is not root's.
func unprivilegedBase(image string) bool {
	return strings.Contains(image, "nonroot") || strings.Contains(image, "unprivileged") || strings.Contains(image, "rootless")
}

func checkNumericUser(p *pass) {
	at := p.shipped.end.userAt
	if at == nil {
		return
	}
	user, _, _ := strings.Cut(at.cmd.(*instructions.UserCommand).User, ":")
	if _, err := strconv.ParseUint(user, 10, 32); err != nil && !strings.Contains(user, "$") {
		p.report(at.at, "USER "+user+" is a name: write its number, which an orchestrator can check")
	}
}
