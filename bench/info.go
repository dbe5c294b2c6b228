package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// info is the text of a section of INFO; field finds a line in it.
func (s *Server) info(section string) ([]byte, error) {
	c, err := net.DialTimeout("tcp4", s.Addr, time.Second)
	if err != nil {
		return nil, fmt.Errorf("ask %s for INFO %s: %w", s.Name, section, err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(readyMax))
	if _, err := io.WriteString(c, "INFO "+section+"\r\n"); err != nil {
		return nil, fmt.Errorf("ask %s for INFO %s: %w", s.Name, section, err)
	}
	r := bufio.NewReader(c)
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("ask %s for INFO %s: %w", s.Name, section, err)
	}
	n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(head), "$"))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("INFO %s: %s answers %q", section, s.Name, head)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("ask %s for INFO %s: %w", s.Name, section, err)
	}
	return text, nil
}

// infoField is one field of a section.
func (s *Server) infoField(section, name string) (string, error) {
	text, err := s.info(section)
	if err != nil {
		return "", err
	}
	return field(text, name, ":"), nil
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

// infoEvery is how long a wait for INFO rests between two looks.
const infoEvery = 5 * time.Millisecond
