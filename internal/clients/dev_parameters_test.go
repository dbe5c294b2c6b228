package clients_test

import (
	"testing"

	"larder/internal/peers"
)

// TestParametersOfDev: a node of dev is started with its cluster's parameters, so that one that is killed reads the journal that a parameter had it write.
func TestParametersOfDev(t *testing.T) {
	dir := t.TempDir()
	d := larder.Dev(t, dir, "--shards", "1", "--set", "engine.save=3600 1")
	larder.Done(t, "parameters", "set", "durable", "appendonly=yes", "appendfsync=always", "--dir", dir)
	larder.Done(t, "cluster", "modify", "main", "--parameters", "durable", "--dir", dir)
	if got := string(peers.Dial(t, d.Node(t, "n0"), 0).Do("CONFIG", "GET", "appendonly")); got != "*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n" {
		t.Fatalf("the parameter is not set: %q", got)
	}
	for _, value := range []string{"one", "two"} {
		if got := string(peers.Dial(t, d.Addr, 0).Do("SET", "key", value)); got != "+OK\r\n" {
			t.Fatalf("SET: %q", got)
		}
		d.Kill()
		d.Start(t)
		if got := string(peers.Dial(t, d.Addr, 0).Do("GET", "key")); got != "$3\r\n"+value+"\r\n" {
			t.Errorf("GET: %q, not %s", got, value)
		}
	}
}
