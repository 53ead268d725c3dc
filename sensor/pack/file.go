package pack

// File is an entry that the image lacks.
type File struct {
	Path  string
	Mode  uint32
	UID   uint32
	GID   uint32
	Mtime int64
	Data  []byte
}
