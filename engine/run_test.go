package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"larder/engine"
	"larder/internal/peers"
)

// within bounds every wait of these tests.
const within = time.Minute

// served is a node on a socket.
type served struct {
	*engine.Node
	t      *testing.T
	cancel func()
	ended  chan struct{}
	err    error // of Run, once ended is closed
}

func serve(t *testing.T, log *slog.Logger, reg prometheus.Registerer, change func(*engine.Options)) *served {
	t.Helper()
	o := engine.DefaultOptions()
	o.Listen = "127.0.0.1:0"
	if change != nil {
		change(&o)
	}
	n, err := engine.New(o, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{Node: n, t: t, cancel: cancel, ended: make(chan struct{})}
	go func() {
		s.err = n.Run(ctx)
		close(s.ended)
	}()
	t.Cleanup(s.stop)
	select {
	case <-n.Ready():
	case <-s.ended:
		t.Fatalf("Run: %v", s.err)
	case <-time.After(within):
		t.Fatal("not ready")
	}
	return s
}

// stop ends the node and waits.
func (s *served) stop() {
	s.cancel()
	s.wait()
}

// wait waits for Run to end.
func (s *served) wait() {
	s.t.Helper()
	select {
	case <-s.ended:
		if s.err != nil {
			s.t.Errorf("Run: %v", s.err)
		}
	case <-time.After(within):
		s.t.Error("Run does not end")
	}
}

func TestServe(t *testing.T) {
	s := serve(t, quiet(), nil, nil)
	c := peers.Dial(t, s.Addr(), 3)
	if got := string(c.Do("SET", "a", "1")); got != "+OK\r\n" {
		t.Errorf("SET: %q", got)
	}
	if got := string(c.Do("GET", "a")); got != "$1\r\n1\r\n" {
		t.Errorf("GET: %q", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.Healthy(ctx); err != nil {
		t.Errorf("Healthy: %v", err)
	}
	s.stop()
	if err := s.Healthy(ctx); err == nil {
		t.Error("healthy after its end")
	}
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		conn.Close()
		t.Error("still listening")
	}
}

func TestHealthyBeforeRun(t *testing.T) {
	n, err := engine.New(engine.DefaultOptions(), quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if n.Healthy(context.Background()) == nil {
		t.Error("healthy before it runs")
	}
	if err := n.Assign(0, topology(t, 3, 1)); err != nil {
		t.Errorf("Assign before Run: %v", err)
	}
}

// SHUTDOWN ends Run in order; the client gets no reply, as in Redis.
func TestShutdown(t *testing.T) {
	s := serve(t, quiet(), nil, nil)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	fmt.Fprint(conn, "PING\r\nSHUTDOWN NOSAVE\r\nPING\r\n")
	got, _ := io.ReadAll(conn) // the end may come as a reset: what stood behind SHUTDOWN is not read
	if string(got) != "+PONG\r\n" {
		t.Errorf("got %q", got)
	}
	s.wait()
}

func TestClientsMax(t *testing.T) {
	s := serve(t, quiet(), nil, func(o *engine.Options) { o.ClientsMax = 2 })
	peers.Dial(t, s.Addr(), 2)
	peers.Dial(t, s.Addr(), 2)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	if got, _ := io.ReadAll(conn); string(got) != "-ERR max number of clients reached\r\n" {
		t.Errorf("got %q", got)
	}
}

// Strangers are closed before a byte is read, and logged with their address, but not each of them.
func TestStrangers(t *testing.T) {
	var log peers.Output
	reg := prometheus.NewRegistry()
	s := serve(t, slog.New(slog.NewTextHandler(&log, nil)), reg, func(o *engine.Options) { o.Access = []string{"192.0.2.0/24"} })
	for range 20 {
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(within))
		if got, _ := io.ReadAll(conn); len(got) > 0 {
			t.Errorf("a stranger was told %q", got)
		}
		conn.Close()
	}
	if n := strings.Count(log.String(), "address=127.0.0.1"); n < 1 || n > 10 {
		t.Errorf("20 strangers made %d lines", n)
	}
	s.stop()
	want := "# HELP larder_engine_clients_refused_total Connections from addresses that no access list names.\n# TYPE larder_engine_clients_refused_total counter\nlarder_engine_clients_refused_total 20\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "larder_engine_clients_refused_total"); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := serve(t, quiet(), reg, nil)
	c := peers.Dial(t, s.Addr(), 2)
	for range 5 {
		c.Do("SET", "a", "1", "EX", "1000")
	}
	c.Do("INCR", "a", "b")
	c.Do("SETRANGE", "a", "-1", "x")
	c.Do("NOSUCH")
	s.stop()
	want := `
# HELP larder_engine_commands_total Commands answered, by name and outcome.
# TYPE larder_engine_commands_total counter
larder_engine_commands_total{command="hello",outcome="error"} 0
larder_engine_commands_total{command="hello",outcome="ok"} 1
larder_engine_commands_total{command="incr",outcome="error"} 1
larder_engine_commands_total{command="incr",outcome="ok"} 0
larder_engine_commands_total{command="set",outcome="error"} 0
larder_engine_commands_total{command="set",outcome="ok"} 5
larder_engine_commands_total{command="setrange",outcome="error"} 1
larder_engine_commands_total{command="setrange",outcome="ok"} 0
larder_engine_commands_total{command="unknown",outcome="error"} 1
larder_engine_commands_total{command="unknown",outcome="ok"} 0
# HELP larder_engine_keys Keys in all databases.
# TYPE larder_engine_keys gauge
larder_engine_keys 1
# HELP larder_engine_expiring_keys Keys with a time to live.
# TYPE larder_engine_expiring_keys gauge
larder_engine_expiring_keys 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "larder_engine_commands_total", "larder_engine_keys", "larder_engine_expiring_keys"); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// TestAsRedis compares what depends on a password, which the suite that compares all commands does without.
func TestAsRedis(t *testing.T) {
	real := peers.Dial(t, peers.StartRedis(t, "--requirepass", "pw"), 0)
	ours := peers.Dial(t, serve(t, quiet(), nil, func(o *engine.Options) { o.Password = "pw" }).Addr(), 0)
	for _, line := range []string{
		"GET a", "GET", "NOSUCH", "CLIENT", "CLIENT NOSUCH", "HELLO", "HELLO 3", "HELLO 9", "HELLO 3 FOO", "HELLO 3 AUTH bad bad", "HELLO 3 AUTH bad bad FOO", "HELLO 2 SETNAME x",
		"AUTH", "AUTH bad", "AUTH bad pw", "AUTH default bad", "AUTH a b c", "COMMAND COUNT x", "RESET", "CONFIG GET port", "SELECT 1", "AUTH pw", "CLIENT GETNAME",
		"SELECT 2", "SET a 1", "RESET", "GET a", "HELLO 3 AUTH default pw FOO", "GET a", "SELECT 2", "GET a", "CONFIG GET requirepass", "CONFIG SET requirepass other",
		"AUTH pw", "AUTH other", "GET a", "RESET", "GET a", "AUTH default other", "CONFIG SET requirepass \"\"", "AUTH x", "AUTH default x", "RESET", "GET b", "CLIENT KILL TYPE normal SKIPME yes",
	} {
		want, got := string(real.Do(words(line)...)), string(ours.Do(words(line)...))
		if got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

// TestManyClients: what clients send at the same time is answered in each one's order.
func TestManyClients(t *testing.T) {
	s := serve(t, quiet(), nil, nil)
	const clients, rounds = 20, 50
	errs := make(chan error, clients)
	for i := range clients {
		go func() { errs <- converse(s.Addr(), i, rounds) }()
	}
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	c := peers.Dial(t, s.Addr(), 2)
	if got, want := string(c.Do("GET", "sum")), fmt.Sprint(clients*rounds); !strings.Contains(got, "\r\n"+want+"\r\n") {
		t.Errorf("sum: %q, want %s", got, want)
	}
}

// converse sends pipelines cut at odd places and checks their replies.
func converse(addr string, id, rounds int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	for i := range rounds {
		key, value := fmt.Sprint("k", id), fmt.Sprint(i)
		say := fmt.Sprintf("SET %s %s\r\nGET %s\r\nINCRBY sum 1\r\nECHO %s\r\n", key, value, key, value)
		if _, err := io.WriteString(conn, say[:11]); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, say[11:]); err != nil {
			return err
		}
		bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(value), value)
		var got strings.Builder
		buf := make([]byte, 256)
		for strings.Count(got.String(), "\r\n") < 6 {
			n, err := conn.Read(buf)
			if err != nil {
				return err
			}
			got.Write(buf[:n])
		}
		if !strings.HasPrefix(got.String(), "+OK\r\n"+bulk+":") || !strings.HasSuffix(got.String(), "\r\n"+bulk) {
			return fmt.Errorf("client %d round %d: %q", id, i, got.String())
		}
	}
	return nil
}
