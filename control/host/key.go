package host

import (
	"fmt"
	"os"
	"strings"
)

// How long the fleet's key may be, in bytes.
const (
	keyMin = 16
	keyMax = 1024
)

// ReadKey reads the key that hosts and controllers of a fleet share, from a file that has it in one line. No error has the key in it.
func ReadKey(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the fleet's key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < keyMin || len(key) > keyMax || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fmt.Errorf("the fleet's key in %s: must be %d to %d letters, digits and signs of ASCII without blanks, in one line", file, keyMin, keyMax)
	}
	return key, nil
}
