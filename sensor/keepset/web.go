package keepset

import (
	"path"
	"regexp"
	"strings"
)

// webFamilies are the configurations of web servers, which name what is read
// only when a request asks for it.
var webFamilies = []family{
	{rule: "web server's files", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^(/usr/local)?/etc/(nginx|apache2|httpd|lighttpd|caddy)(/|$)`), keep: whenTouched(keepServed)},
	{rule: "web server's files", name: regexp.MustCompile(`^(nginx.*\.conf|httpd.*\.conf|lighttpd.*\.conf|Caddyfile)$`), keep: whenTouched(keepServed)},
	{rule: "web server's files", name: regexp.MustCompile(`.`), folder: regexp.MustCompile(`^/usr/local/apache2/conf(/|$)`), keep: whenTouched(keepServed)},
}

// keepServed keeps the files and folders that a configuration serves from and,
// where it has CGI, what starts them.
func keepServed(b *builder, f familyFile) error {
	conf, err := b.readSmall(f.path)
	if err != nil {
		return err
	}
	why := RuntimeRule
	if cgi.Match(conf) {
		why |= Script
		for _, m := range handlers.FindAllSubmatch(conf, maxServed) {
			if _, _, err := b.keepProgram(string(m[1]), Script, f.id); err != nil {
				return err
			}
		}
	}
	for _, path := range parseServed(conf) {
		t, ok, err := b.follow(path, why, f.id)
		if err := ignoreAbsent(err); err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := b.keepContent(t, why, f.id); err != nil {
			return err
		}
	}
	return nil
}

// cgi are the directives with which Apache httpd and lighttpd start programs
// among what they serve (RFC 3875); handlers are the programs that lighttpd
// names for that.
var (
	cgi      = regexp.MustCompile(`(?im)(?:^|[{;])[ \t]*(?:ScriptAlias|Options[ \t][^\n]*ExecCGI|AddHandler[ \t]+cgi-script|cgi\.assign|fastcgi\.server|scgi\.server)`)
	handlers = regexp.MustCompile(`=>[ \t]*"(/[^"\s]+)`)
)

// served are the directives of nginx, Apache httpd, lighttpd and Caddy whose
// argument is a file or folder that answers are made from.
var served = regexp.MustCompile(`(?im)(?:^|[{;])[ \t]*(?:` +
	`(?:Alias|ScriptAlias)[ \t]+\S+[ \t]+` +
	`|(?:root|alias|auth_basic_user_file|DocumentRoot|AuthUserFile|AuthGroupFile)[ \t]+(?:\*[ \t]+)?` +
	`|server\.(?:document-root|errorfile-prefix)[ \t]*=[ \t]*)` +
	`["']?(/[^"';\s]*)`)

// maxServed bounds the paths of one configuration.
const maxServed = 256

// parseServed returns the paths that a configuration serves from, but for those
// with variables and the folders that hold the system.
func parseServed(conf []byte) []string {
	var paths []string
	for _, m := range served.FindAllSubmatch(conf, maxServed) {
		p := path.Clean(string(m[1]))
		if !strings.ContainsAny(p, "$%{") && !systemFolder.MatchString(p) {
			paths = append(paths, p)
		}
	}
	return paths
}

// systemFolder matches folders that hold more than one application.
var systemFolder = regexp.MustCompile(`^/(|(proc|sys|dev)(/.*)?|bin|boot|etc|home|lib\d*|mnt|opt|root|run|sbin|tmp|usr|usr/[^/]+|usr/local/[^/]+|var|var/(lib|cache|log|run|tmp))$`)
