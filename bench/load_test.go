package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// okServer answers each SET of three arguments (seven lines) with +OK until the test ends.
func okServer(t *testing.T) string {
	return answered(t, answerOK)
}

// answered is the address of a server that gives each connection to answer, on a goroutine of its own, until the test ends.
func answered(t *testing.T, answer func(net.Conn)) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return l.Addr().String()
}

func answerOK(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		for range 7 {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
		}
		if _, err := io.WriteString(c, "+OK\r\n"); err != nil {
			return
		}
	}
}

func TestGenerator(t *testing.T) {
	w := Workload{Op: "SET", Keys: 1, Value: 8, Depth: 2}
	g, err := newGenerator([]string{okServer(t)}, 5, w, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if n, err := g.closed(101, time.Hour); n != 101 || err != nil || g.errors != 0 {
		t.Fatalf("closed: %d answered, %v, %d wrong %s", n, err, g.errors, g.sample)
	}
	g.reset()
	for range 2 { // chunk after chunk, as the probing of a burst does
		if n, err := g.paced(schedule{perSecond: 2000}, 50); n != 50 || err != nil {
			t.Fatalf("paced: %d answered, %v", n, err)
		}
	}
	if g.hist.TotalCount() != 100 || g.late.TotalCount() != 100 || g.written != 0 {
		t.Errorf("%d latencies, %d latenesses, %d written; want 100, 100, 0", g.hist.TotalCount(), g.late.TotalCount(), g.written)
	}
	g.reset()
	if n, err := g.closed(10, time.Hour); n != 10 || err != nil || g.hist.TotalCount() != 10 {
		t.Errorf("closed again: %d answered, %v, %d latencies", n, err, g.hist.TotalCount())
	}
	g.reset()
	g.writers = 3
	if n, err := g.paced(schedule{perSecond: 500}, 50); n != 50 || err != nil {
		t.Fatalf("paced beside writers: %d answered, %v", n, err)
	}
	if g.hist.TotalCount() != 50 || g.written < 6 {
		t.Errorf("beside writers: %d latencies, want 50; they were answered %d times", g.hist.TotalCount(), g.written)
	}
}

func TestFill(t *testing.T) {
	addr := okServer(t)
	p := plan{conns: 3, stopped: func() error { return nil }}
	if err := p.fill(addr, fill{value: 8, first: 7, keys: 1000}); err != nil {
		t.Error(err)
	}
	if err := p.fill("127.0.0.1:1", fill{value: 8, keys: 1}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("nobody listens: %v", err)
	}
}
