// Package keepset decides which entries of an image the slim image ships, and
// on what grounds: what the traced run touched, what that needs in turn (links,
// libraries, interpreters), what is always there, and what the user says.
//
// It stands between the trace and the copier: slimfile-pack calls Resolve and
// hands the Set to sensor/pack and sensor/evidence. It reads the image as
// built through rootfs and never runs anything of it.
package keepset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/keepset/dpkg"
	"github.com/org/slimfile/sensor/keepset/elfdyn"
	"github.com/org/slimfile/sensor/keepset/jsmodule"
	"github.com/org/slimfile/sensor/keepset/ldso"
	"github.com/org/slimfile/sensor/keepset/program"
	"github.com/org/slimfile/sensor/keepset/spawn"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs"
)

// Resolve works out the keep set of the image root from the trace (in the
// format of manifest.ReadTrace), the entries of a lock and pack, which says what
// the lock is for. With manifest.LockFrozen there is no trace. An error that is
// the user's to mend is a *manifest.Failure.
func Resolve(ctx context.Context, root *rootfs.Root, trace io.Reader, locked []lock.Entry, pack manifest.Pack) (_ *Set, err error) {
	if pack.Lock == manifest.LockFrozen {
		pack.Rules, pack.Granularity = nil, ""
	}
	b := (&builder{
		ctx: ctx, root: root, near: root.Reader(), pack: pack, env: environment(pack.Image.Env),
		finder: program.NewFinder(root, pack.Image), parsed: map[string]*elfdyn.File{},
		found: map[string][]string{}, installed: map[string]map[string][]string{}, data: map[string]map[string][]string{},
	}).restarted()
	defer b.near.Close()
	b.tried = newFolders(root)
	steps := []func() error{
		b.prepare,
		func() error { return b.readTrace(trace) },
		func() error { return b.addLocked(locked) },
		b.keepAdded,
		b.keepByGranularity,
		b.applyRules,
		b.keepConfig,
		b.keepSystem,
		b.close,
		b.describePackages,
		b.finish,
	}
	if pack.Lock == manifest.LockFrozen {
		steps = []func() error{
			b.prepare,
			func() error { return b.keepLocked(locked) },
			b.describePackages,
			b.finish,
		}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
		if b.tree.full() {
			return nil, fmt.Errorf("keep set of more than %d entries", maxNodes)
		}
	}
	set := b.set()
	if b.tree.count <= maxEstimated && pack.Lock != manifest.LockFrozen {
		set.levels, err = b.estimate()
	}
	return set, err
}

// builder is a keep set in the making.
type builder struct {
	ctx    context.Context
	root   *rootfs.Root
	near   *rootfs.Reader // for look-ups in sorted order
	pack   manifest.Pack
	env    map[string]string
	tree   *arena
	drops  []string
	loader *ldso.Loader
	finder *program.Finder
	db     *dpkg.DB
	header manifest.Header

	cursor    nodeID                     // nodes below it have been inspected
	again     []nodeID                   // inspected nodes that turned out to be run
	parsed    map[string]*elfdyn.File    // by physical path
	objects   map[[sha256.Size]byte]bool // libraries seen to by keepLinked, with what they inherit
	rule      ruleID                     // of the family that is at work
	local     localRules
	tried     *folders
	modules   *jsmodule.Resolver
	skipped   []string            // folders of data beyond measure
	inherited int                 // of objects, how many inherit folders
	scripts   map[string]bool     // shell scripts parsed
	seen      map[string]bool     // things that a rule has dealt with
	found     map[string][]string // folders that a rule has looked for
	// installed are the metadata folders of Python's distributions, by the
	// site folder and the module's top name.
	installed map[string]map[string][]string
	// tops are the folders of sys.path by the names in them.
	tops map[string][]string
	// data are the folders of data of Python's packages, by name.
	data    map[string]map[string][]string
	sources map[*spawn.Language]*ownSources
	// wordNodes are the programs that only a word of a script speaks for.
	wordNodes map[nodeID]bool

	copied    []copied
	names     map[string][]string // links to programs, by where they lead
	clock     bool                // the run asked for the local time
	sockets   []string
	listed    []lostEntries // the folders that the run listed, worst first
	generated []File
	warnings  []string
}

// restarted returns a builder of another set of the same image: it knows what
// was read of the image, and has kept nothing yet.
func (b *builder) restarted() *builder {
	e := *b
	e.tree, e.cursor, e.again = newArena(), rootID+1, nil
	e.objects, e.inherited = map[[sha256.Size]byte]bool{}, 0
	e.rule, e.local = 0, localRules{}
	e.scripts, e.seen, e.wordNodes = map[string]bool{}, map[string]bool{}, map[nodeID]bool{}
	e.sources = map[*spawn.Language]*ownSources{}
	return &e
}

// prepare reads what later steps ask for.
func (b *builder) prepare() (err error) {
	if err := b.readDrops(); err != nil {
		return err
	}
	global, err := b.globalModules()
	if err != nil {
		return err
	}
	b.modules = jsmodule.NewResolver(b.tried, global)
	b.loader, err = ldso.New(b.root, b.env["LD_LIBRARY_PATH"], b.pack.Image.WorkingDir)
	if err != nil {
		return err
	}
	if b.db, err = dpkg.Read(b.root); err != nil {
		return err
	}
	b.copied, err = b.copies()
	return err
}

// readTrace keeps what the run touched and the image as built has.
func (b *builder) readTrace(trace io.Reader) (err error) {
	n := 0
	b.header, err = manifest.ReadTrace(trace, func(e manifest.Entry) error {
		if n++; n%1024 == 0 && b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		return b.touch(e)
	})
	return err
}

// keepAdded keeps what verifying found missing.
func (b *builder) keepAdded() error {
	for _, p := range b.pack.Added {
		path, whole := strings.CutSuffix(string(p), "/")
		if err := b.keepNamed(path, Verify); err != nil {
			return fmt.Errorf("added by verify repair: %w", err)
		}
		t, ok, err := b.follow(path, Verify, 0)
		if err == nil && ok && whole {
			err = b.keepContent(t, Verify, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writes are the operations that need the folder of the path.
const writes = manifest.Written | manifest.Created | manifest.Deleted

func (b *builder) touch(e manifest.Entry) error {
	b.clock = b.clock || e.Path == "/etc/localtime" && e.Ops&(manifest.Opened|manifest.Linked|manifest.Absent) != 0
	err := b.keepNamed(string(e.Path), reasonsOf(e.Ops))
	var absent *rootfs.AbsentError
	if errors.As(err, &absent) && e.Ops&writes != 0 {
		// The run made it; what it needs to be able to is the folder.
		return b.keepPhysical(rootfs.Parent(absent.Path), System, 0)
	}
	return ignoreAbsent(err)
}

// keepNamed keeps what stands at path: a link itself, with the links in its
// folders. It fails when nothing is there.
func (b *builder) keepNamed(path string, why Reasons) error {
	var links []string
	physical, info, err := b.near.ResolveLink(path, func(link string) { links = append(links, link) })
	if err != nil {
		return err
	}
	for _, link := range links {
		if err := b.keepPhysical(link, Link, 0); err != nil {
			return err
		}
	}
	_, err = b.keep(physical, info, why, 0)
	return err
}

// pin, among the reasons given to keep, makes the entry immune to drop
// directives.
const pin Reasons = 1 << 31

// keep adds the physical path, described by info, to the set, and every folder
// above it. It returns 0 for what is not shipped whatever asks for it.
func (b *builder) keep(path string, info rootfs.Info, why Reasons, via nodeID) (nodeID, error) {
	if info.Type() == "socket" {
		b.sockets = append(b.sockets, fmt.Sprintf("%q", path))
		return 0, nil
	}
	if path == "/" {
		b.tree.at(rootID).reasons |= why &^ pin
		return rootID, nil
	}
	if b.isForeign(path, info, why) {
		return 0, nil
	}
	id := b.node(path)
	n := b.tree.at(id)
	if n.reasons == 0 {
		n.via, n.rule = via, b.rule
	}
	n.kind = kindOf(info)
	if n.reasons&runs == 0 && why&runs != 0 && id < b.cursor {
		b.again = append(b.again, id)
	}
	n.reasons |= why &^ pin
	if why&pin != 0 {
		for up := id; up != 0; up = b.tree.at(up).parent {
			b.tree.at(up).flags |= pinned
		}
	}
	return id, nil
}

// node returns the node of a physical path and makes it, with the folders
// above, if need be. A new node has no reason yet.
func (b *builder) node(path string) nodeID {
	id := rootID
	for end := 0; end < len(path); {
		start := end + 1
		if end = strings.IndexByte(path[start:], '/') + start; end < start {
			end = len(path)
		}
		b.tree.at(id).reasons |= Traversed
		child := b.tree.child(id, path[start:end])
		if child == 0 {
			child = b.tree.add(id, path[start:end], directory)
			if b.tree.at(id).flags&dropped != 0 || b.isDropped(path[:end]) {
				b.tree.at(child).flags |= dropped
			}
		}
		id = child
	}
	return id
}

// keepPhysical is keep for a path that has not been looked at yet.
func (b *builder) keepPhysical(path string, why Reasons, via nodeID) error {
	info, err := b.root.Lstat(path)
	if err == nil {
		_, err = b.keep(path, info, why, via)
	}
	return err
}

// target is where a path led.
type target struct {
	path string // physical
	info rootfs.Info
	id   nodeID // 0 when it is not shipped
}

// follow keeps where an absolute path leads, with the links on the way. ok is
// false when the image has nothing there; nothing is kept then.
func (b *builder) follow(path string, why Reasons, via nodeID) (t target, ok bool, err error) {
	var links []string
	t.path, t.info, err = b.root.Resolve(path, func(link string) { links = append(links, link) })
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	for _, link := range links {
		if err := b.keepPhysical(link, Link|why&pin, via); err != nil {
			return t, false, err
		}
	}
	t.id, err = b.keep(t.path, t.info, why, via)
	return t, err == nil, err
}

// followAll is follow for paths of which some may be absent.
func (b *builder) followAll(why Reasons, via nodeID, paths ...string) error {
	for _, path := range paths {
		if _, _, err := b.follow(path, why, via); err != nil {
			return err
		}
	}
	return nil
}

// isForeign says whether something else than the image provides the path at
// run time: the container runtime, or describePackages.
func (b *builder) isForeign(path string, info rootfs.Info, why Reasons) bool {
	if why&User != 0 {
		return false
	}
	if rootfs.FromRuntime(path) {
		// Builders leave empty files there as mount points.
		return why&touched == 0 || !info.IsRegular() || info.Size == 0
	}
	return b.db.IsStatus(path) || b.isLock(path, info)
}

// environment turns K=V words into a map; the first of several wins, as in
// getenv(3).
func environment(env []string) map[string]string {
	m := map[string]string{}
	for _, kv := range env {
		key, value, _ := strings.Cut(kv, "=")
		if _, ok := m[key]; !ok {
			m[key] = value
		}
	}
	return m
}

// abs makes a path of the image's config absolute.
func (b *builder) abs(path string) string { return b.finder.Abs(path) }

// finish brings the tree into order and counts.
func (b *builder) finish() error {
	b.tree.sort()
	if len(b.sockets) > 0 {
		b.warn("not shipped, for a socket is of use only to the process that made it: %s", enumerate(b.sockets))
	}
	if len(b.skipped) > 0 {
		b.warn("modules name folders of data that are too large to keep on suspicion; keep them if the app reads them: %s", enumerate(b.skipped))
	}
	return b.countListed()
}

func (b *builder) warn(format string, args ...any) {
	b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
}

// countListed counts the directories that the run listed and that have lost
// entries.
func (b *builder) countListed() error {
	for id := rootID; uint32(id) < b.tree.count; id++ {
		if n := b.tree.at(id); n.reasons&Listed == 0 || n.kind != directory {
			continue
		}
		names, err := b.root.ReadDirNames(b.tree.path(id))
		if err != nil {
			return err
		}
		kept := 0
		for c := b.tree.at(id).child; c != 0; c = b.tree.at(c).sibling {
			kept++
		}
		if kept < len(names) {
			b.listed = append(b.listed, lostEntries{folder: id, entries: len(names) - kept})
		}
	}
	slices.SortStableFunc(b.listed, func(x, y lostEntries) int { return cmp.Compare(y.entries, x.entries) })
	return nil
}

// lostEntries says how many entries a folder has lost.
type lostEntries struct {
	folder  nodeID
	entries int
}

func (b *builder) set() *Set {
	return &Set{
		tree: b.tree, generated: b.generated, warnings: b.warnings,
		named: b.namedPrograms(), pack: b.pack, probes: b.header.Probes, listed: b.listed, db: b.db,
	}
}
