package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"

	"larder/protocol/resp"
)

// infoEvery is how long a wait for something that a server tells rests between two looks.
const infoEvery = 5 * time.Millisecond

// ask says one command on a connection of its own and returns the whole reply as it came.
func (s *Server) ask(args ...string) ([]byte, error) {
	failed := func(err error) ([]byte, error) { return nil, fmt.Errorf("ask %s for %s: %w", s.Name, args[0], err) }
	c, err := net.DialTimeout("tcp4", s.Addr, time.Second)
	if err != nil {
		return failed(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(readyMax))
	if _, err := c.Write(resp.AppendCommandStrings(nil, args...)); err != nil {
		return failed(err)
	}
	var replies resp.Replies
	for in, have := make([]byte, 64<<10), 0; ; {
		n, err := c.Read(in[have:])
		if err != nil {
			return failed(err)
		}
		have += n
		switch _, kind, state := replies.Next(in[:have]); {
		case state == resp.Failed:
			return failed(errors.New(replies.Err()))
		case state == resp.Done && kind == resp.KindError:
			return failed(fmt.Errorf("it answers %q", bytes.TrimSpace(in[:have])))
		case state == resp.Done:
			return in[:have], nil
		case have == len(in):
			return failed(fmt.Errorf("the reply is longer than %d bytes", have))
		}
	}
}

// infoField is one field of a section of INFO.
func (s *Server) infoField(section, name string) (string, error) {
	text, err := s.ask("INFO", section)
	return field(text, name, ":"), err
}

// awaitInfo waits until a field of INFO has a value.
func (s *Server) awaitInfo(p plan, section, name, want string, most time.Duration) error {
	for end := time.Now().Add(most); ; time.Sleep(infoEvery) {
		got, err := s.infoField(section, name)
		switch {
		case err != nil:
			return err
		case got == want:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%s: %s is %q %s later, want %q; it said:\n%s", s.Name, name, got, most, want, s.tail())
		}
		if err := p.stopped(); err != nil {
			return err
		}
	}
}
