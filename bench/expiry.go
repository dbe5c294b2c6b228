package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// expiry compares how both servers let keys die: all at one moment, and a steady stream of them.
func (r *runner) expiry() error {
	defer r.bed.stop()
	ours, theirs, err := r.twins(fill{})
	if err != nil {
		return err
	}
	burst := BurstCell{Keys: r.plan.keys}
	stream := StreamCell{Keys: r.plan.keys, PerSecond: min(streamASecond, max(r.plan.keys/2, 1))}
	for range r.plan.rounds {
		if err := r.burstRound(&burst, ours, theirs); err != nil {
			return err
		}
		if err := r.streamRound(&stream, ours, theirs); err != nil {
			return err
		}
	}
	burst.say(r.out)
	stream.say(r.out)
	r.results.Burst, r.results.Stream = append(r.results.Burst, burst), append(r.results.Stream, stream)
	return nil
}

const (
	calmBefore = 1500 * time.Millisecond // between the last key's loading and the first one's end
	armTries   = 4                       // loads that took longer than thought
	goneMax    = 60 * time.Second        // for a server to be rid of expired keys
)

// armed loads keys that expire from a moment on, and returns that moment. It lies so far ahead that the load, which
// took about perKey each before, ends calmBefore earlier.
func (p plan) armed(s *Server, f fill, perKey time.Duration, perSecond int) (time.Time, error) {
	f.ttl, f.value = true, 64
	ahead := calmBefore + 3*perKey*time.Duration(f.keys)/2
	for range armTries {
		at := time.Now().Add(ahead).Truncate(time.Millisecond)
		f.expiry = expiry{fromMS: at.UnixMilli(), perSecond: perSecond}
		if err := p.fill(s.Addr, f); err != nil {
			return at, err
		}
		if time.Until(at) >= calmBefore {
			return at, nil
		}
		ahead *= 2
	}
	return time.Time{}, fmt.Errorf("loading %d keys into %s takes longer than the time left: another load on the machine?", f.keys, s.Name)
}

// alive is DBSIZE.
func (s *Server) alive() (int, error) {
	reply, err := call(s.Addr, "DBSIZE")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(reply, ":"))
	if err != nil {
		return 0, fmt.Errorf("DBSIZE: %q from %s", reply, s.Name)
	}
	return n, nil
}

// flush empties a server.
func (s *Server) flush() error {
	reply, err := call(s.Addr, "FLUSHALL")
	if err == nil && reply != "+OK" {
		err = fmt.Errorf("FLUSHALL: %q from %s", reply, s.Name)
	}
	return err
}

// sleepUntil waits in pieces, so that an interrupt is heard.
func (p plan) sleepUntil(at time.Time) error {
	for time.Until(at) > 0 {
		if err := p.stopped(); err != nil {
			return err
		}
		time.Sleep(min(time.Until(at), 100*time.Millisecond))
	}
	return nil
}

func (r *Results) expiryTables(w io.Writer) {
	for i := range r.Burst {
		r.Burst[i].table(w)
	}
	for i := range r.Stream {
		r.Stream[i].table(w)
	}
}
