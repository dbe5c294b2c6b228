package peers

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed module/larder.c
var moduleSource []byte

// Module builds a module for redis-server with commands that nobody else has (module/larder.c), and gives the file that --loadmodule takes.
func Module(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	source, file := filepath.Join(dir, "larder.c"), filepath.Join(dir, "larder.so")
	if err := os.WriteFile(source, moduleSource, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "gcc", "-O1", "-shared", "-fPIC", "-o", file, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc must be installed (make test does it): %v: %s", err, out)
	}
	return file
}
