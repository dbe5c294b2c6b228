package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Ports below those that the system gives to connections (32768 and up) are cut into blocks. A test program takes a block for itself while it runs: so it may
// stop a server and start it again at its address, and nobody, be it the tests of another package, has taken that meanwhile.
const (
	portFirst  = 10_000
	blockPorts = 1000
	blocks     = 22
)

// portBlock is a test program's.
type portBlock struct {
	lock  *os.File // ends with the program, however that ends
	first int
}

// ownPorts takes this program's block, once.
var ownPorts = sync.OnceValues(takeBlock)

// portsGiven counts the ports that FreePort has looked at.
var portsGiven atomic.Uint32

// FreePort gives a port of 127.0.0.1 that nobody listens at and no other test program gives. One is given again only when all have been.
func FreePort(t testing.TB) int {
	t.Helper()
	own, err := ownPorts()
	if err != nil {
		t.Fatal(err)
	}
	for range blockPorts {
		port := own.first + int(portsGiven.Add(1)%blockPorts)
		if probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = probe.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// FreePorts gives the first of n ports in a row that no other test is given meanwhile, for a server that chooses among them.
func FreePorts(t testing.TB, n int) (first int) {
	t.Helper()
	own, err := ownPorts()
	if err != nil {
		t.Fatal(err)
	}
	for {
		end := int(portsGiven.Add(uint32(n)) % blockPorts)
		if end >= n {
			return own.first + end - n + 1
		}
	}
}

// takeBlock finds a block that no other test program has.
func takeBlock() (portBlock, error) {
	for i := range blocks {
		first := portFirst + i*blockPorts
		path := filepath.Join(os.TempDir(), fmt.Sprintf("larder-test-ports-%d", first))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return portBlock{}, fmt.Errorf("ports for a test: %w", err)
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return portBlock{lock: f, first: first}, nil
		}
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return portBlock{}, fmt.Errorf("ports for a test: lock %s: %w", path, err)
		}
	}
	return portBlock{}, fmt.Errorf("ports for a test: all %d blocks are taken by other test programs", blocks)
}
