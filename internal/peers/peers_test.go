package peers_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"larder/internal/peers"
)

func TestRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--requirepass", "x"), 0)
	for _, want := range []string{"-NOAUTH", "+OK", "+PONG"} {
		word := map[string][]string{"-NOAUTH": {"GET", "a"}, "+OK": {"AUTH", "x"}, "+PONG": {"PING"}}[want]
		if got := string(c.Do(word...)); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %s", word, got, want)
		}
	}
	c.Send([]byte("PING a\r\nPING b\r\n"))
	if got := string(c.Reply()) + string(c.Reply()); got != "$1\r\na\r\n$1\r\nb\r\n" {
		t.Errorf("two at once: %q", got)
	}
}

func TestMemcached(t *testing.T) {
	conn, err := net.Dial("tcp", peers.StartMemcached(t, "-m", "8"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "version\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "VERSION ") {
		t.Errorf("%q, %v", line, err)
	}
}

func TestNutcracker(t *testing.T) {
	servers := []string{peers.StartRedis(t), peers.StartRedis(t)}
	c := peers.Dial(t, peers.StartNutcracker(t, servers, "timeout: 4000"), 0)
	for i := range 20 {
		if got := string(c.Do("SET", fmt.Sprint(i), "v")); got != "+OK\r\n" {
			t.Fatalf("SET: %q", got)
		}
	}
	if got := string(c.Do("DEL", "1", "2", "3", "none")); got != ":3\r\n" {
		t.Errorf("DEL: %q", got)
	}
}

func TestReplyPastABuffer(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 3)
	c.Do("SETRANGE", "k", "1000000", "x")
	if n := len(c.Do("GET", "k")); n != 1000001+len("$1000001\r\n\r\n") {
		t.Errorf("%d bytes", n)
	}
	if got := string(c.Do("GET", "none")); got != "_\r\n" {
		t.Errorf("null of protocol 3: %q", got)
	}
}
