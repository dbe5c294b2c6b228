package clients_test

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

func threeEngines(t *testing.T, args ...string) (*clients.Process, []*clients.Process) {
	t.Helper()
	nodes := []*clients.Process{larder.Engine(t), larder.Engine(t), larder.Engine(t)}
	return larder.Gateway(t, nodes, args...), nodes
}

func dialPlain(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c.(*net.TCPConn)
}

// notAbove checks what a gateway took since its last ResetPeak.
func notAbove(t *testing.T, gateway *clients.Process, most int64) {
	t.Helper()
	peak := gateway.PeakRSS(t)
	t.Logf("the gateway took %d MB at most", peak>>20)
	if peak > most {
		t.Errorf("the gateway took %d MB at most, want up to %d", peak>>20, most>>20)
	}
}

// TestOnePipeline: a client that writes a million commands before it reads one reply is paused, not refused and not closed; while another reads it goes on.
func TestOnePipeline(t *testing.T) {
	gateway, _ := threeEngines(t)
	onePipeline(t, gateway, 1_000_000)
	notAbove(t, gateway, gatewayMax)
}

func onePipeline(t *testing.T, gateway *clients.Process, commands int) {
	t.Helper()
	gateway.ResetPeak(t)
	c := dialPlain(t, gateway.Addr)
	written := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(c, 1<<18)
		for i := range commands {
			fmt.Fprintf(w, "*3\r\n$3\r\nSET\r\n$9\r\nk%08d\r\n$5\r\nhello\r\n", i%100_000)
		}
		written <- w.Flush()
	}()
	// The reader begins late: the gateway must hold the writer back.
	time.Sleep(300 * time.Millisecond)
	got := 0
	buf := make([]byte, 1<<16)
	rest := commands * len("+OK\r\n")
	for got < rest {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", got, rest, err)
		}
		for i, b := range buf[:n] {
			if b != "+OK\r\n"[(got+i)%5] {
				t.Fatalf("at byte %d: %q", got, buf[max(0, i-20):min(n, i+100)])
			}
		}
		got += n
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

// TestSlowShardPausesClients: with one shard frozen, a client that goes on sending to it fills its limits, not the gateway's memory.
func TestSlowShardPausesClients(t *testing.T) {
	t.Parallel()
	gateway, nodes := threeEngines(t, "--set", "gateway.upstream.reply-timeout=20s")
	warm := peers.Dial(t, gateway.Addr, 2)
	want(t, warm, "+OK\r\n", "SET", keyOn(1, 0), "v")
	gateway.ResetPeak(t)
	nodes[1].Freeze(t)
	const senders = 4
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range senders {
		c := dialPlain(t, gateway.Addr)
		_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second))
		group.Go(func() {
			command := resp.AppendCommandStrings(nil, "SET", keyOn(1, 0), strings.Repeat("x", 10_000))
			for range 100_000 {
				if _, err := c.Write(command); err != nil {
					break // paused: the deadline came
				}
			}
			<-stop
		})
	}
	other := peers.Dial(t, gateway.Addr, 2)
	for range 100 {
		want(t, other, "+OK\r\n", "SET", keyOn(0, 0), "v")
		time.Sleep(20 * time.Millisecond)
	}
	close(stop)
	group.Wait()
	notAbove(t, gateway, gatewayMax)
	nodes[1].Thaw(t)
	eventually(t, "the shard that goes on", func() bool { return string(other.Do("SET", keyOn(1, 1), "w")) == "+OK\r\n" })
}

// TestSlowReader: a client that asks for more than it reads is closed at its output limit.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	gateway, _ := threeEngines(t, "--set", "gateway.output-max=1mb")
	limited := larder.Engine(t, "--set", "engine.output-max=1mb")
	for _, x := range []struct {
		name   string
		server *clients.Process
	}{{"gateway", gateway}, {"node", limited}} {
		t.Run(x.name, func(t *testing.T) {
			admin := peers.Dial(t, x.server.Addr, 2)
			want(t, admin, "+OK\r\n", "SET", keyOn(0, 0), strings.Repeat("x", 4000))
			x.server.ResetPeak(t)
			askAndNotRead(t, x.server.Addr)
			notAbove(t, x.server, gatewayMax)
			want(t, admin, "+PONG\r\n", "PING")
		})
	}
}

// askAndNotRead asks for replies, reads none, and waits until the server has had enough.
func askAndNotRead(t *testing.T, addr string) {
	t.Helper()
	c := dialPlain(t, addr)
	_ = c.SetReadBuffer(4 << 10)
	_ = c.SetWriteDeadline(time.Now().Add(30 * time.Second))
	get := resp.AppendCommandStrings(nil, "GET", keyOn(0, 0))
	many := bytes.Repeat(get, 1000)
	for range 1000 {
		if _, err := c.Write(many); err != nil {
			if os.IsTimeout(err) || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a client that does not read is neither closed nor read")
			}
			return
		}
	}
	t.Fatal("a client that does not read may ask for 4 GB")
}

// TestSlowReaderOfLargeReply: it holds a lane for a while, and only what was already out on it. Others go on, and in the end it is closed.
func TestSlowReaderOfLargeReply(t *testing.T) {
	t.Parallel()
	gateway, _ := threeEngines(t)
	admin := peers.Dial(t, gateway.Addr, 2)
	want(t, admin, "+OK\r\n", "SET", keyOn(0, 0), strings.Repeat("x", 32<<20))
	want(t, admin, "+OK\r\n", "SET", keyOn(0, 1), "v")
	gateway.ResetPeak(t)
	closed := 0
	calmly(t, func() error {
		closed++
		c := dialPlain(t, gateway.Addr)
		_ = c.SetReadBuffer(4 << 10)
		_, _ = c.Write(resp.AppendCommandStrings(nil, "GET", keyOn(0, 0)))
		first := make([]byte, 1)
		if _, err := c.Read(first); err != nil {
			t.Fatal(err)
		}
		longest := time.Duration(0)
		eventually(t, "the end of a client that reads nothing more", func() bool {
			at := time.Now()
			want(t, admin, "$1\r\nv\r\n", "GET", keyOn(0, 1))
			longest = max(longest, time.Since(at))
			return strings.Contains(scrape(t, gateway.Metrics), fmt.Sprintf("larder_gateway_clients_slow_closed_total %d\n", closed))
		})
		const little = 300 * time.Millisecond
		if longest > little {
			return fmt.Errorf("a small reply of the same shard took %v", longest)
		}
		return nil
	})
	notAbove(t, gateway, gatewayMax)
}

// TestBigValues: 512 MB go in and come out, byte for byte, and pass through the gateway without staying in it.
func TestBigValues(t *testing.T) {
	gateway, _ := threeEngines(t)
	gateway.ResetPeak(t)
	const size = 512 << 20
	if err := bigValue(gateway.Addr, keyOn(1, 0), size); err != nil {
		t.Fatal(err)
	}
	notAbove(t, gateway, gatewayMax)
}

// pattern is the bytes of a big value: no two pieces are alike. It is made by stretches, not by bytes, which the race detector would look at one by one.
func pattern(piece []byte, at int) {
	for len(piece) > 0 {
		part := patternStretch[at%len(patternStretch):]
		part = part[:min(len(part), len(piece))]
		n := at / len(patternStretch)
		subtle.XORBytes(piece, part, bytes.Repeat([]byte{byte(n)*7 ^ byte(n>>8)}, len(part)))
		piece, at = piece[len(part):], at+len(part)
	}
}

// patternStretch is what all stretches are made of.
var patternStretch = func() (stretch [64 << 10]byte) {
	for i := range stretch {
		stretch[i] = byte(i) ^ byte(i>>8)
	}
	return stretch
}()

// bigValue sets a value of size bytes, reads it back, deletes it, and says what was wrong.
func bigValue(addr, key string, size int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	in := bufio.NewReaderSize(conn, 1<<18)
	if err := setBig(conn, in, key, size); err != nil {
		return fmt.Errorf("SET of %d bytes: %w", size, err)
	}
	if err := getBig(conn, in, key, size); err != nil {
		return fmt.Errorf("GET of %d bytes: %w", size, err)
	}
	fmt.Fprintf(conn, "DEL %s\r\nPING\r\n", key)
	return errors.Join(line(in, ":1\r\n"), line(in, "+PONG\r\n"))
}

func line(in *bufio.Reader, want string) error {
	got, err := in.ReadString('\n')
	if err != nil || got != want {
		return fmt.Errorf("%.100q, %v, want %q", got, err, want)
	}
	return nil
}

func setBig(conn net.Conn, in *bufio.Reader, key string, size int) error {
	if _, err := fmt.Fprintf(conn, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n", len(key), key, size); err != nil {
		return err
	}
	piece := make([]byte, 1<<18)
	for at := 0; at < size; at += len(piece) {
		piece = piece[:min(len(piece), size-at)]
		pattern(piece, at)
		if _, err := conn.Write(piece); err != nil {
			return fmt.Errorf("at %d: %w", at, err)
		}
	}
	if _, err := conn.Write([]byte("\r\n")); err != nil {
		return err
	}
	return line(in, "+OK\r\n")
}

func getBig(conn net.Conn, in *bufio.Reader, key string, size int) error {
	fmt.Fprintf(conn, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
	if err := line(in, fmt.Sprintf("$%d\r\n", size)); err != nil {
		return err
	}
	got, want := make([]byte, 1<<18), make([]byte, 1<<18)
	for at := 0; at < size; {
		n, err := in.Read(got[:min(len(got), size-at)])
		if err != nil {
			return fmt.Errorf("at %d: %w", at, err)
		}
		pattern(want[:n], at)
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("other bytes behind %d", at)
		}
		at += n
	}
	return line(in, "\r\n")
}

// TestSmallPiecesAreLinear: a large SET in pieces of 1 KiB costs a time that grows with its size, not with its square.
func TestSmallPiecesAreLinear(t *testing.T) {
	for _, s := range []string{"gateway", "node"} {
		t.Run(s, func(t *testing.T) {
			gateway, nodes := threeEngines(t)
			addr := gateway.Addr
			if s == "node" {
				addr = nodes[0].Addr
			}
			const size = 64 << 20
			smallPieces(t, addr, size/16) // warms up
			calmly(t, func() error {
				quarter := min(smallPieces(t, addr, size/4), smallPieces(t, addr, size/4))
				whole := min(smallPieces(t, addr, size), smallPieces(t, addr, size))
				t.Logf("%d MB: %v, %d MB: %v", size>>22, quarter, size>>20, whole)
				const most = 8 // 4 is linear, 16 the square
				if whole > most*quarter {
					return fmt.Errorf("four times the bytes took %.1f times as long", float64(whole)/float64(quarter))
				}
				return nil
			})
		})
	}
}

func smallPieces(t *testing.T, addr string, size int) time.Duration {
	t.Helper()
	c := dialPlain(t, addr)
	began := time.Now()
	fmt.Fprintf(c, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", size)
	piece := make([]byte, 1<<10)
	for range size / len(piece) {
		if _, err := c.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = c.Write([]byte("\r\n"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "+OK\r\n" {
		t.Fatalf("SET: %q, %v", got, err)
	}
	return time.Since(began)
}

// TestStrangers: a connection from an address that no list names is closed before a byte of it is read, and counted.
func TestStrangers(t *testing.T) {
	t.Parallel()
	node := larder.Engine(t, "--allow", "127.0.0.1/32")
	gateway := larder.Gateway(t, []*clients.Process{node}, "--allow", "127.0.0.1/32")
	for _, p := range []*clients.Process{gateway, node} {
		for range 5 {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: peers.Patience}
			c, err := d.Dial("tcp", p.Addr)
			if err != nil {
				continue // closed as early as that
			}
			_ = c.SetDeadline(time.Now().Add(peers.Patience))
			_, _ = c.Write([]byte("PING\r\n"))
			if got, _ := io.ReadAll(c); len(got) != 0 {
				t.Errorf("%s says %q to a stranger", p.Addr, got)
			}
			c.Close()
		}
		want(t, peers.Dial(t, p.Addr, 2), "+PONG\r\n", "PING")
	}
	counted(t, gateway.Metrics, "larder_gateway_clients_refused_total 5")
	counted(t, node.Metrics, "larder_engine_clients_refused_total 5")
}

func scrape(t *testing.T, addr string) string {
	t.Helper()
	c := dialPlain(t, addr)
	fmt.Fprintf(c, "GET /metrics HTTP/1.0\r\n\r\n")
	text, err := io.ReadAll(c)
	if err != nil && !os.IsTimeout(err) {
		t.Fatal(err)
	}
	return string(text)
}
