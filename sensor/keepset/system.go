package keepset

import (
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/manifest"
)

// systemFiles are always there if the image has them.
var systemFiles = []string{
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/host.conf",
	"/etc/os-release", "/usr/lib/os-release", "/etc/localtime",
	"/tmp", "/run", "/var/run", "/var/tmp",
}

// keepSystem keeps the small set that programs take for granted. The zones of
// the world are in it where the run asked for the local one: whoever starts the
// container chooses another by TZ.
func (b *builder) keepSystem() error {
	paths := slices.Concat(systemFiles, b.loader.ConfigFiles())
	if tz := strings.TrimPrefix(b.env["TZ"], ":"); tz != "" {
		if !strings.HasPrefix(tz, "/") {
			tz = "/usr/share/zoneinfo/" + tz
		}
		paths = append(paths, tz)
	}
	if err := b.followAll(System, 0, paths...); err != nil || !b.clock || b.pack.Granularity == manifest.GranularityStrict {
		return err
	}
	return b.keepUnder("/usr/share/zoneinfo", zones, System, 0)
}

// zones matches all zones but the copies that count leap seconds or that do not.
const zones = "[A-Z]*"

// keepConfig keeps what the image config names: the programs of its commands,
// the folders, and the content of volumes, which a runtime copies into them.
func (b *builder) keepConfig() error {
	img := b.pack.Image
	if err := b.keepCommands(); err != nil {
		return err
	}
	home, err := b.home()
	if err != nil {
		return err
	}
	if err := b.followAll(Config, 0, b.abs(img.WorkingDir), b.abs(home)); err != nil {
		return err
	}
	for _, volume := range slices.Sorted(slices.Values(img.Volumes)) {
		t, ok, err := b.follow(b.abs(volume), Config, 0)
		if err != nil {
			return err
		}
		if !ok || t.path == "/" {
			continue
		}
		if err := b.keepContent(t, Config, 0); err != nil {
			return err
		}
	}
	return nil
}

// home returns the home folder of the image's user: HOME, or what /etc/passwd
// says; "/" when neither tells.
func (b *builder) home() (string, error) {
	if home := b.env["HOME"]; home != "" {
		return home, nil
	}
	passwd, err := b.readSmall("/etc/passwd")
	if err != nil {
		return "", err
	}
	user, _, _ := strings.Cut(b.pack.Image.User, ":")
	return homeOf(passwd, user), nil
}

// homeOf finds the home folder of a user, by name or number, in passwd(5).
func homeOf(passwd []byte, user string) string {
	if user == "" {
		user = "0"
	}
	for line := range strings.Lines(string(passwd)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) >= 6 && (fields[0] == user || fields[2] == user) && strings.HasPrefix(fields[5], "/") {
			return fields[5]
		}
	}
	return "/"
}
