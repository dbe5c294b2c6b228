package loop

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"
)

// slicer asks for its next slice at the end of each, for ever, and answers what clients say.
type slicer struct {
	l      *Loop
	slices int
}

func (s *slicer) slice() {
	s.slices++
	s.l.Later(s.slice)
}

func (s *slicer) Accept(*Conn) Handler {
	if s.slices == 0 {
		s.slice()
	}
	return s
}
func (s *slicer) Tick(time.Time) {}
func (s *slicer) Stop()          {}

func (s *slicer) Data(c *Conn) {
	c.Out = append(c.Out, c.In()...)
	c.Took(len(c.In()))
	c.Touch()
}
func (s *slicer) Flush(*Conn)         {}
func (s *slicer) Drained(*Conn)       {}
func (s *slicer) Ended(*Conn) bool    { return false }
func (s *slicer) Closed(*Conn, error) {}

// Work in slices without an end leaves room for connections between any two of them.
func TestLaterLeavesRoom(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	s := &slicer{}
	go func() {
		ended <- Run(ctx, Options{Listen: "127.0.0.1:0", Loops: 1, Logger: slog.New(slog.DiscardHandler), Ready: func(a net.Addr) { ready <- a }}, func(l *Loop) Part {
			s.l = l
			return s
		})
	}()
	conn, err := net.Dial("tcp", (<-ready).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	for range 200 {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.slices == 0 {
		t.Error("no slice ran")
	}
}
