package clients_test

import (
	"net"
	"testing"
	"time"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// TestDebugEndsTheProcess: what is to crash a node does, and nothing else does.
func TestDebugEndsTheProcess(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PANIC", "SEGFAULT", "ASSERT", "OOM"} {
		node := larder.Engine(t, "--enable-debug-command", "local")
		c, err := net.Dial("tcp", node.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(peers.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(resp.AppendCommandStrings(nil, "DEBUG", name)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 100)); err == nil {
			t.Errorf("%s: %d bytes were answered", name, n)
		} else if e, timeout := err.(net.Error); timeout && e.Timeout() {
			t.Errorf("%s: the node lives on", name)
		}
		eventually(t, "the end of the process", func() bool {
			c, err := net.Dial("tcp", node.Addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
	}
}
