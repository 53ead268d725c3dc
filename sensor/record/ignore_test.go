package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestIgnored counts how many of five accesses to a file are reported.
func TestIgnored(t *testing.T) {
	read := func(name string) error {
		_, err := os.ReadFile(name)
		return err
	}
	for _, tt := range []struct {
		name   string
		links  int
		access func(name string) error
		want   int
	}{
		{"a file", 1, read, 2},
		{"a file with two names", 2, read, 5},
		{"a folder", 0, func(name string) error {
			_, err := os.ReadDir(name)
			return err
		}, 5},
		{"a program", 1, func(name string) error { return exec.Command(name).Run() }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "it")
			group := fanotifyGroup(t, filepath.Dir(name))
			if tt.links == 0 {
				if err := os.Mkdir(name, 0o755); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if tt.links == 2 {
				if err := os.Link(name, name+"2"); err != nil {
					t.Fatal(err)
				}
			}
			i := ignored{opened: map[inode]struct{}{}}
			if _, err := reported(group, &i); err != nil { // of the making
				t.Fatal(err)
			}
			clear(i.opened)
			got := 0
			for range 5 {
				if err := tt.access(name); err != nil {
					t.Fatal(err)
				}
				n, err := reported(group, &i)
				if err != nil {
					t.Fatal(err)
				}
				got += min(n, 1)
			}
			if i.refused {
				skip(t, "marks that the kernel may evict (Linux 5.19)")
			}
			if got != tt.want {
				t.Errorf("%d of 5 are reported, not %d", got, tt.want)
			}
		})
	}
}

// fanotifyGroup watches what is in a folder.
func fanotifyGroup(t *testing.T, dir string) int {
	t.Helper()
	group, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	if errors.Is(err, unix.EPERM) {
		skip(t, "CAP_SYS_ADMIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Close(group); err != nil {
			t.Error(err)
		}
	})
	if err := unix.FanotifyMark(group, unix.FAN_MARK_ADD, fanotifyEvents|unix.FAN_EVENT_ON_CHILD, unix.AT_FDCWD, dir); err != nil {
		t.Fatal(err)
	}
	return group
}

// reported takes the events of a group, whose files the recorder has all.
func reported(group int, i *ignored) (n int, err error) {
	buf := make([]byte, 4096)
	for {
		size, err := unix.Read(group, buf)
		if errors.Is(err, unix.EAGAIN) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		for rest := buf[:size]; len(rest) > 0; n++ {
			var event unix.FanotifyEventMetadata
			if err := binary.Read(bytes.NewReader(rest), binary.LittleEndian, &event); err != nil {
				return n, err
			}
			var st unix.Statx_t
			if err := unix.Statx(int(event.Fd), "", unix.AT_EMPTY_PATH, ignoredStat, &st); err != nil {
				return n, err
			}
			i.known(group, &event, &st)
			if err := unix.Close(int(event.Fd)); err != nil {
				return n, err
			}
			rest = rest[event.Event_len:]
		}
	}
}
