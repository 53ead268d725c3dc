package pack

// File is a file that the image lacks.
type File struct {
	Path           string
	Mode, UID, GID uint32
	Data           []byte
}
