package clients_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// tape is what a node told a replica: its first copy, and all of its stream behind. It is how what a node had at any offset is known without asking it.
type tape struct {
	id   string // of the history
	from int64  // the offset of the copy
	copy []byte

	conn   net.Conn
	ended  sync.WaitGroup
	mu     sync.Mutex
	stream []byte
}

// record follows a node until the test ends.
func record(t *testing.T, addr string) *tape {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := &tape{conn: conn}
	in := bufio.NewReader(conn)
	line := func() string {
		text, err := in.ReadString('\n')
		for err == nil && strings.TrimSpace(text) == "" { // signs of life before the copy
			text, err = in.ReadString('\n')
		}
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(text)
	}
	if _, err := conn.Write(resp.AppendCommandStrings(resp.AppendCommandStrings(nil, "REPLCONF", "capa", "psync2"), "PSYNC", "?", "-1")); err != nil {
		t.Fatal(err)
	}
	if got := line(); got != "+OK" {
		t.Fatal(got)
	}
	if got := line(); !strings.HasPrefix(got, "+FULLRESYNC ") {
		t.Fatal(got)
	} else if n, err := fmt.Sscanf(got, "+FULLRESYNC %s %d", &r.id, &r.from); n != 2 {
		t.Fatal(got, err)
	}
	size, err := strconv.Atoi(strings.TrimPrefix(line(), "$"))
	if err != nil {
		t.Fatal(err)
	}
	r.copy = make([]byte, size)
	if _, err := io.ReadFull(in, r.copy); err != nil {
		t.Fatal(err)
	}
	r.ended.Go(func() {
		piece := make([]byte, 1<<16)
		acked := time.Now()
		for {
			n, err := in.Read(piece)
			r.mu.Lock()
			r.stream = append(r.stream, piece[:n]...)
			end := r.from + int64(len(r.stream))
			r.mu.Unlock()
			if err != nil {
				return
			}
			if time.Since(acked) > time.Second {
				acked = time.Now()
				_, _ = conn.Write(resp.AppendCommandStrings(nil, "REPLCONF", "ACK", strconv.FormatInt(end, 10)))
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		r.ended.Wait()
	})
	return r
}

// upTo is the stream up to an offset, once it is there.
func (r *tape) upTo(t *testing.T, offset int64) []byte {
	t.Helper()
	var got []byte
	eventually(t, "the tape has offset "+strconv.FormatInt(offset, 10), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if int64(len(r.stream)) < offset-r.from {
			return false
		}
		got = bytes.Clone(r.stream[:offset-r.from])
		return true
	})
	return got
}

// replay has a redis-server follow the tape up to an offset, and nothing behind.
func (r *tape) replay(t *testing.T, offset int64) *clients.Process {
	t.Helper()
	stream := r.upTo(t, offset)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { r.serve(conn, stream) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		served.Wait()
	})
	server := follower(t, listener.Addr().String())
	c := peers.Dial(t, server.Addr, 2)
	eventually(t, "the tape is at its end", func() bool { return info(t, c, "slave_repl_offset") == strconv.FormatInt(offset, 10) })
	return server
}

// serve is a primary that has only the tape.
func (r *tape) serve(conn net.Conn, stream []byte) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	for in.Scan() {
		switch strings.ToUpper(strings.TrimSpace(in.Text())) {
		case "PING":
			fmt.Fprint(conn, "+PONG\r\n")
		case "REPLCONF":
			if !acks(in) {
				fmt.Fprint(conn, "+OK\r\n")
			}
		case "PSYNC":
			fmt.Fprintf(conn, "+FULLRESYNC %s %d\r\n$%d\r\n", r.id, r.from, len(r.copy))
			_, _ = conn.Write(r.copy)
			_, _ = conn.Write(stream)
		}
	}
}

// acks tells whether what follows REPLCONF is ACK, which has no reply: a bulk's length, then the word.
func acks(in *bufio.Scanner) bool {
	in.Scan()
	in.Scan()
	return strings.EqualFold(strings.TrimSpace(in.Text()), "ack")
}
