// Package files writes a process's small files on disk.
//
// What must hold: whoever reads a file sees its old content or its new, never a part. Any goroutine may call it.
package files

import (
	"fmt"
	"os"
)

// Replace writes a file that only its owner may read.
func Replace(name, content string) error {
	const ownerOnly = 0o600
	next := name + ".new"
	if err := os.WriteFile(next, []byte(content), ownerOnly); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(next, name); err != nil {
		return fmt.Errorf("replace file: %w", err)
	}
	return nil
}
