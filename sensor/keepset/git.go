package keepset

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

var gitFamilies = []family{
	{rule: "git helpers", name: regexp.MustCompile(`^git$`), folder: binFolder, keep: keepGit},
	{rule: "git helpers", name: regexp.MustCompile(`^git-sh-setup$`), folder: gitCore, keep: whenRun(named("@/git-sh-i18n", "@/git-sh-i18n--envsubst"))},
}

// gitCore matches the folder of git's helpers (git(1), --exec-path).
var gitCore = regexp.MustCompile(`/(lib|libexec)/git-core$`)

var (
	// gitServers are the helpers that serve repositories to others.
	gitServers = []string{"git-daemon", "git-http-backend", "git-shell"}
	// gitForeign matches the helpers that nothing but their own name starts, and
	// the adapters of graphical tools.
	gitForeign = regexp.MustCompile(`^(git-(daemon|shell|cvsserver|imap-send|http-push|gui.*|citool)|scalar|mergetools)(/|$)`)
	// gitRemote are the commands that speak to other repositories.
	gitRemote = []string{"archive", "clone", "fetch", "ls-remote", "pull", "push", "remote", "submodule"}
)

// keepGit keeps the helpers of git by how git is used: all of them where it is
// the image's command, which anything may be asked of; where it serves
// repositories or a script names its commands, the names of git itself and what
// a new repository is made from; for other programs that started it, what it
// needs to speak to others as well.
func keepGit(b *builder, f familyFile) error {
	if err := named("@/../share/git-core/templates")(b, f); err != nil {
		return err
	}
	n := b.tree.at(f.id)
	for _, core := range b.gitFoldersOf(f.dir) {
		if n.reasons&(Config|User) != 0 {
			if err := b.keepUnit(core, gitForeign, f.id); err != nil {
				return err
			}
			continue
		}
		if err := b.keepGitNames(core, f); err != nil {
			return err
		}
		if n.reasons&touched == 0 || b.servesGit(core) {
			continue
		}
		if err := b.keepGitRemote(core, f.id); err != nil {
			return err
		}
	}
	return nil
}

// gitFolders are where the image's git looks for its helpers.
func (b *builder) gitFolders() ([]string, error) {
	git, err := b.finder.Look("git")
	if err != nil || git == "" {
		return nil, err
	}
	return b.gitFoldersOf(path.Dir(git)), b.tried.err
}

// gitFoldersOf are where a git in the folder bin looks for its helpers.
func (b *builder) gitFoldersOf(bin string) []string {
	var found []string
	for _, dir := range []string{"../lib/git-core", "../libexec/git-core"} {
		if core := path.Join(bin, dir); b.tried.IsDir(core) {
			found = append(found, core)
		}
	}
	return found
}

// keepGitNames keeps git's own name in the folder of its helpers, and the links
// to it, by which scripts call its commands.
func (b *builder) keepGitNames(core string, f familyFile) error {
	for _, name := range b.tried.Names(core) {
		link := rootfs.Join(core, name)
		info, err := b.near.Lstat(link)
		if err != nil {
			return err
		}
		if name != "git" && !info.IsLink() {
			continue
		}
		t, ok, err := b.resolved(link)
		if err != nil {
			return err
		}
		if ok && (t.path == f.path || rootfs.Base(t.path) == "git") {
			if err := b.followAll(RuntimeRule, f.id, link); err != nil {
				return err
			}
		}
	}
	return b.tried.err
}

// servesGit says whether the run used git to serve repositories.
func (b *builder) servesGit(core string) bool {
	return slices.ContainsFunc(gitServers, func(name string) bool {
		id := b.tree.find(rootfs.Join(core, name))
		return id != 0 && b.tree.at(id).reasons&touched != 0
	})
}

// keepGitRemote keeps what git starts to speak to other repositories.
func (b *builder) keepGitRemote(core string, via nodeID) error {
	if err := b.keepUnder(core, "git-remote-*", RuntimeRule, via); err != nil {
		return err
	}
	return b.keepWord("ssh", via)
}

// keepGitCommand keeps what a command of git needs that is named by a script:
// "git-clone" for git clone.
func (b *builder) keepGitCommand(command string, via nodeID) error {
	folders, err := b.gitFolders()
	if err != nil {
		return err
	}
	for _, core := range folders {
		if err := b.followAll(Script, via, rootfs.Join(core, command)); err != nil {
			return err
		}
		if slices.Contains(gitRemote, strings.TrimPrefix(command, "git-")) {
			if err := b.keepGitRemote(core, via); err != nil {
				return err
			}
		}
	}
	return nil
}
