package shell

import (
	"slices"
	"strings"
	"testing"
)

func TestCall(t *testing.T) {
	tests := []struct {
		line     string
		tool     string
		sub      string
		operands string
		options  string // name=value
		opaque   bool
	}{
		{"apt-get -qy install a b", "apt-get", "install", "a b", "-q= -y=", false},
		{"apt-get install -y a --no-install-recommends", "apt-get", "install", "a", "-y= --no-install-recommends=", false},
		{"apt-get -o X=Y -oA=B --option C=D -q=2 install a=1", "apt-get", "install", "a=1", "-o=X=Y -o=A=B --option=C=D -q=2", false},
		{"apt -t stable install -- -a", "apt", "install", "-a", "-t=stable", false},
		{"apk add -t .deps --virtual=x --no-cache a", "apk", "add", "a", "-t=.deps --virtual=x --no-cache=", false},
		{"yum -y --enablerepo epel install a", "yum", "install", "a", "-y= --enablerepo=epel", false},
		{"dnf install --setopt=install_weak_deps=False a", "dnf", "install", "a", "--setopt=install_weak_deps=False", false},
		{"pip3 --quiet install -r f a==1", "pip", "install", "a==1", "--quiet= -r=f", false},
		{"python3.11 -u -m pip install a", "pip", "install", "a", "", false},
		{"python f.py -m pip", "python", "", "f.py pip", "-m=", false},
		{"npm i -g a@1", "npm", "i", "a@1", "-g=", false},
		{"go install -tags x a@v1", "go", "install", "a@v1", "-tags=x", false},
		{"wget -nv -qO- u", "wget", "", "u", "-n=v -q= -O=-", false},
		{"curl -fsSLko f u", "curl", "", "u", "-f= -s= -S= -L= -k= -o=f", false},
		{"apt-get install $X", "apt-get", "install", "?", "", true},
		{"apt-get $X install a", "apt-get", "install", "a", "", true},
		{"apt-get install -y$X a", "apt-get", "install", "a", "-y=", true},
		{"apt-get install a$X \"b=$X\"", "apt-get", "install", "a? b=?", "", false},
		{"apt-get --option $X install", "apt-get", "install", "", "--option=?", false},
		{"apt-get", "apt-get", "", "", "", false},
		{"gem install a -- --with-b", "gem", "install", "a", "", false},
		{"frob -x --y=1 z", "frob", "", "z", "-x= --y=1", false},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			s := parse("RUN "+tt.line, nil)
			if s.Err != nil || len(s.Commands) != 1 {
				t.Fatalf("commands %q, %v", show(s), s.Err)
			}
			c := s.Commands[0].Call()
			var operands, options []string
			for _, w := range c.Operands {
				operands = append(operands, w.Text+strings.Repeat("?", map[bool]int{false: 1}[w.Known]))
			}
			for _, o := range c.Options {
				options = append(options, o.Name+"="+o.Value+strings.Repeat("?", map[bool]int{false: 1}[o.Known]))
			}
			if c.Tool != tt.tool || c.Sub != tt.sub || strings.Join(operands, " ") != tt.operands || strings.Join(options, " ") != tt.options || c.Opaque != tt.opaque {
				t.Errorf("got %q %q %q %q %v", c.Tool, c.Sub, operands, options, c.Opaque)
			}
		})
	}
}

func TestUpdatesOS(t *testing.T) {
	for line, want := range map[string]bool{
		"apt-get upgrade": true, "apt-get -y dist-upgrade": true, "apt -qq full-upgrade -y": true, "apt-get update": false,
		"apt-get install upgrade": false, "apt-get -s upgrade": false, "aptitude safe-upgrade": true,
		"unattended-upgrade -v": true, "unattended-upgrade --dry-run": false,
		"apk upgrade": true, "apk -U upgrade": true, "apk --no-cache upgrade": true, "apk add --upgrade a": false, "apk upgrade a": false,
		"apk upgrade --available": true, "dnf -y upgrade": true, "dnf upgrade --refresh a": false, "yum -y update": true, "yum update -y --security": true,
		"microdnf update -y": true, "tdnf -y upgrade": true, "dnf check-update": false, "dnf distro-sync": true,
		"zypper -n up": true, "zypper --non-interactive patch": true, "zypper dup": true, "zypper refresh": false,
		"pacman -Syu --noconfirm": true, "pacman -Sy a": false, "pacman --sync --sysupgrade": true,
		"sudo apt-get upgrade": true, "sh -c 'apk upgrade'": true, "echo apk upgrade": false, "npm update": false, "$X upgrade": false,
	} {
		s := parse("RUN "+line, nil)
		if got := slices.ContainsFunc(s.Commands, (*Command).UpdatesOS); s.Err != nil || got != want {
			t.Errorf("%s: got %v, %v", line, got, s.Err)
		}
	}
}
