package program

import (
	"strings"
	"testing"
)

func TestParseShebang(t *testing.T) {
	tests := []struct{ line, interpreter, argument, program string }{
		{"#!/bin/sh", "/bin/sh", "", ""},
		{"#! /bin/sh -e \nx", "/bin/sh", "-e", ""},
		{"#!/usr/bin/env python3\n", "/usr/bin/env", "python3", "python3"},
		{"#!/usr/bin/env -S A=1 node --x y\n", "/usr/bin/env", "-S A=1 node --x y", "node"},
		{"#!/bin/sh\x00junk", "/bin/sh", "", ""},
		{"#!", "", "", ""},
		{"# !/bin/sh", "", "", ""},
	}
	for _, tt := range tests {
		s, ok := ParseShebang([]byte(tt.line))
		program, _ := s.Program()
		if ok != (tt.interpreter != "") || s.Interpreter != tt.interpreter || s.Argument != tt.argument || program != tt.program {
			t.Errorf("%q: got %+v, %q", tt.line, s, program)
		}
	}
}

func FuzzShebang(f *testing.F) {
	f.Add([]byte("#! /usr/bin/env -S python3 -u\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if s, ok := ParseShebang(head); ok && strings.ContainsAny(s.Interpreter, " \t\n\x00") {
			t.Errorf("interpreter %q", s.Interpreter)
		}
	})
}
