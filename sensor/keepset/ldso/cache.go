package ldso

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// cache is the content of ld.so.cache in the format of glibc 2.2 and later
// (sysdeps/generic/dl-cache.h): a header, fixed-size entries, strings. It is
// searched as it stands: building an index would cost more than it gains.
type cache struct {
	data    []byte // from the header on: string offsets count from there
	order   binary.ByteOrder
	entries []byte
}

const (
	cacheFile    = "/etc/ld.so.cache"
	cacheMagic   = "glibc-ld.so.cache1.1"
	cacheHeader  = 48 // bytes
	cacheEntry   = 24 // bytes: flags, key, value, osversion, 8 of hwcap
	oldMagic     = "ld.so-1.7.0"
	oldHeader    = 16
	oldEntry     = 12
	maxCacheName = 4096
)

func (l *Loader) readCache() error {
	data, err := l.readConfig(cacheFile)
	l.cache = parseCache(data)
	return err
}

// parseCache returns an empty cache for data it cannot read.
func parseCache(data []byte) cache {
	data = skipOldFormat(data)
	if len(data) < cacheHeader || string(data[:len(cacheMagic)]) != cacheMagic {
		return cache{}
	}
	// The flags byte says the byte order (2 little, 3 big, since glibc 2.32);
	// before that, only one order gives a count that fits.
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if flag := data[28] & 3; flag == 3 && order != binary.BigEndian {
			continue
		}
		n := uint64(order.Uint32(data[20:]))
		if n <= uint64(len(data)-cacheHeader)/cacheEntry {
			return cache{data: data, order: order, entries: data[cacheHeader:][:n*cacheEntry]}
		}
	}
	return cache{}
}

// skipOldFormat skips the libc5 cache that older ldconfigs wrote first.
func skipOldFormat(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte(oldMagic)) {
		return data
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if len(data) < oldHeader {
			break
		}
		end := oldHeader + uint64(order.Uint32(data[12:]))*oldEntry
		end = (end + 7) &^ 7 // the new header is aligned as a 64-bit word
		if end < uint64(len(data)) && bytes.HasPrefix(data[end:], []byte(cacheMagic)) {
			return data[end:]
		}
	}
	return nil
}

// cached is one entry of the cache.
type cached struct {
	path string
	// variant says that only some processors may load it.
	variant bool
}

// lookup yields the entries of the library name in the cache's order.
func (c cache) lookup(name string) iter.Seq[cached] {
	return func(yield func(cached) bool) {
		for e := c.entries; len(e) >= cacheEntry; e = e[cacheEntry:] {
			if !c.isString(c.order.Uint32(e[4:]), name) {
				continue
			}
			path := c.str(c.order.Uint32(e[8:]))
			if path == "" || path[0] != '/' {
				continue
			}
			if !yield(cached{path: path, variant: c.order.Uint64(e[16:]) != 0}) {
				return
			}
		}
	}
}

func (c cache) isString(off uint32, s string) bool {
	end := uint64(off) + uint64(len(s))
	return end < uint64(len(c.data)) && c.data[end] == 0 && string(c.data[off:end]) == s
}

func (c cache) str(off uint32) string {
	if uint64(off) >= uint64(len(c.data)) {
		return ""
	}
	s := c.data[off:]
	s = s[:min(len(s), maxCacheName)]
	if end := bytes.IndexByte(s, 0); end >= 0 {
		return string(s[:end])
	}
	return ""
}
