package record

// programID numbers a program of the run; 0 is unknown.
type programID uint16
