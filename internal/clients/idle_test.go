package clients_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
)

// TestIdleClientsAreSmall: 10,000 clients that have spoken and now say nothing cost a gateway at most 5 KiB each, and its lanes stay as they are.
func TestIdleClientsAreSmall(t *testing.T) {
	const idle, most = 10_000, 5 << 10
	node := larder.Engine(t)
	gateway := larder.Gateway(t, []*clients.Process{node}, "--set", "metrics.pprof=yes", "--set", "gateway.clients-max=12000", "--set", "gateway.loops=2")
	w := open(t, gateway.Addr)
	ask(t, w, "SET", "k", "v")
	settle(t, gateway)
	before := gateway.RSS(t)
	for i := range idle {
		conn, err := net.Dial("tcp", gateway.Addr)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		t.Cleanup(func() { conn.Close() })
		const command, reply = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$1\r\nv\r\n"
		if _, err := conn.Write([]byte(command)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, len(reply))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are counted", func() bool { return clients.Number(t, clients.Info(t, w), "connected_clients") > idle })
	var each int64
	holds(peers.Patience, func() bool { // Go gives memory back after a while
		time.Sleep(100 * time.Millisecond)
		settle(t, gateway)
		each = (gateway.RSS(t) - before) / idle
		return each <= most
	})
	const lanesMax = 4 // one a loop, and some to spare
	if lanes := metric(t, gateway, "larder_gateway_lanes"); lanes > lanesMax {
		t.Errorf("there are %.0f lanes", lanes)
	}
	t.Logf("%d bytes a client", each)
	if each > most {
		t.Errorf("an idle client costs %d bytes, more than %d", each, most)
	}
}

// settle has the process collect its garbage.
func settle(t *testing.T, p *clients.Process) {
	t.Helper()
	reply, err := http.Get("http://" + p.Metrics + "/debug/pprof/heap?gc=1")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", reply.Status, err)
	}
}
