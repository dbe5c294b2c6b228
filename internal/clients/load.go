package clients

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// Load sends commands 0 to n-1, a hundred at a time, and calls reply with what each is answered, a view. It is for the test's goroutine.
func Load(t testing.TB, addr string, n int, command func(i int) []string, reply func(i int, reply []byte)) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const depth = 100
	var out, in []byte
	var replies resp.Replies
	read := make([]byte, 64<<10)
	for i := 0; i < n; i += depth {
		last := min(i+depth, n)
		out = out[:0]
		for j := i; j < last; j++ {
			out = resp.AppendCommandStrings(out, command(j)...)
		}
		_ = conn.SetDeadline(time.Now().Add(peers.Patience))
		if _, err := conn.Write(out); err != nil {
			t.Fatal(err)
		}
		for j := i; j < last; {
			size, _, state := replies.Next(in)
			if state == resp.Done {
				reply(j, in[:size])
				in = append(in[:0], in[size:]...)
				j++
				continue
			}
			got, err := conn.Read(read)
			if state == resp.Failed || err != nil {
				t.Fatalf("command %d is answered %.100q: %v", j, in, err)
			}
			in = append(in, read[:got]...)
		}
	}
}

// Fine fails the test at a reply that is an error.
func Fine(t testing.TB) func(int, []byte) {
	return func(i int, reply []byte) {
		t.Helper()
		if reply[0] == '-' {
			t.Fatalf("command %d is answered %q", i, reply)
		}
	}
}

// Info is INFO's fields.
func Info(t testing.TB, w *Wire) map[string]string {
	t.Helper()
	reply, err := w.Do("INFO", "everything")
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(reply)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// Number is a field of INFO as a number.
func Number(t testing.TB, info map[string]string, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(info[name], 10, 64)
	if err != nil {
		t.Fatalf("%s is %q", name, info[name])
	}
	return n
}

// Probe is a client that asks again and again, one command at a time, and notes how long it waited.
type Probe struct {
	stop, ended chan struct{}
	longest     time.Duration
	err         error
}
