package persistence

import (
	"fmt"
	"strings"
)

// Names are what all forms can keep: file systems and services differ in all else.
const (
	// NameBytesMax is the longest name; with a place's prefix before it, it is still a key that S3 takes (1,024 bytes).
	NameBytesMax = 512
	// PartBytesMax is the longest part of a name, with room for what a form adds to it in a file system (255 bytes).
	PartBytesMax = 200
)

// CheckName tells what is wrong with an object's name: parts between slashes, each of letters, digits and -_.+=@, and none beginning with a point.
// Errors: ErrInvalid.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("object name: %w: it is empty", ErrInvalid)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" {
			return fmt.Errorf("object name %q: %w: it has an empty part; parts have one slash between them, and none before or behind", name, ErrInvalid)
		}
	}
	return CheckPrefix(name)
}

// CheckPrefix tells whether a name can begin so; nothing, and a slash at the end, are fine. Errors: ErrInvalid.
func CheckPrefix(prefix string) error {
	if len(prefix) > NameBytesMax {
		return fmt.Errorf("object name %.40q…: %w: it has %d bytes, at most %d are possible", prefix, ErrInvalid, len(prefix), NameBytesMax)
	}
	if i := strings.IndexFunc(prefix, notInNames); i >= 0 {
		return fmt.Errorf("object name %q: %w: byte %d cannot be in a name; letters, digits, /, -, _, ., +, = and @ can", prefix, ErrInvalid, i)
	}
	if strings.HasPrefix(prefix, "/") || strings.Contains(prefix, "//") {
		return fmt.Errorf("object name %q: %w: it has an empty part; parts have one slash between them, and none before or behind", prefix, ErrInvalid)
	}
	for part := range strings.SplitSeq(prefix, "/") {
		switch {
		case strings.HasPrefix(part, "."):
			return fmt.Errorf("object name %q: %w: its part %q begins with a point", prefix, ErrInvalid, part)
		case len(part) > PartBytesMax:
			return fmt.Errorf("object name %q: %w: a part of it has %d bytes, at most %d are possible", prefix, ErrInvalid, len(part), PartBytesMax)
		}
	}
	return nil
}

func notInNames(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("/-_.+=@", r)
}
