package scan

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/backends/remote"
)

const (
	notifySetting = "notify-keyspace-events"
	notifyWanted  = "KA" // events by key, of all kinds
	notifyAll     = "g$lshzxetd"
)

// ear is a connection to a primary on which it tells what changes.
type ear struct {
	conn  *remote.Conn
	pongs chan string // what was answered to PING: all that was told before is noted
}

// listen turns notifications on, where that is to be done, and subscribes to them.
func (w *Way) listen(ctx context.Context, addr string) (*ear, error) {
	if w.o.Notifications == Ask {
		if err := w.turnOn(ctx, addr); err != nil {
			return nil, err
		}
	}
	a := w.o.Source
	a.DB = remote.AllDBs
	c, err := a.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	pattern := "__keyspace@*__:*"
	if w.o.Source.DB != remote.AllDBs {
		pattern = fmt.Sprintf("__keyspace@%d__:*", w.o.Source.DB)
	}
	if _, err := c.Do("PSUBSCRIBE", pattern); err != nil {
		c.Close()
		if remote.Denied(err) {
			return nil, fmt.Errorf("%w: %w (its user must be allowed PSUBSCRIBE and the channels %s: ACL SETUSER … +psubscribe &__keyspace@*)", ErrNotifications, err, pattern)
		}
		return nil, err
	}
	c.Patience = forever // nothing may change for long
	return &ear{conn: c, pongs: make(chan string, 1)}, nil
}

// turnOn sees to it that the source tells of changes.
func (w *Way) turnOn(ctx context.Context, addr string) error {
	a := w.o.Source
	a.DB = remote.AllDBs
	c, err := a.Dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	was, err := w.setting(c)
	if err != nil {
		return err
	}
	if tellsAll(was) {
		return nil
	}
	_, err = c.Do("CONFIG", "SET", notifySetting, was+notifyWanted)
	if remote.Denied(err) {
		return fmt.Errorf("%w: %w. Its %s is %q: set it to %s there, or say --notifications none: then all keys are read again and again",
			ErrNotifications, err, notifySetting, was, notifyWanted)
	}
	if err != nil {
		return err
	}
	if _, known := w.restored[addr]; !known {
		w.restored[addr] = was
	}
	w.o.Log.Info("the source tells what changes", "server", addr, "setting", notifySetting, "old", was, "new", was+notifyWanted)
	return nil
}

// setting asks what a server tells of.
func (w *Way) setting(c *remote.Conn) (string, error) {
	reply, err := c.Do("CONFIG", "GET", notifySetting)
	if remote.Denied(err) {
		return "", fmt.Errorf("%w, or it cannot be seen: %w. Set %s to %s there (on a managed service in its parameter group) and say --notifications assume, "+
			"or say --notifications none: then all keys are read again and again", ErrNotifications, err, notifySetting, notifyWanted)
	}
	if err != nil {
		return "", err
	}
	words := remote.Texts(reply)
	if len(words) != 2 {
		return "", fmt.Errorf("%w: it knows no %s", ErrNotifications, notifySetting)
	}
	return words[1], nil
}

// tellsAll tells whether a setting has events by key, of all kinds.
func tellsAll(setting string) bool {
	if !strings.Contains(setting, "K") {
		return false
	}
	for _, kind := range notifyAll {
		if !strings.ContainsRune(setting, kind) && !strings.Contains(setting, "A") && kind != 'd' {
			return false
		}
	}
	return true
}

// putBack gives the sources the setting that they had.
func (w *Way) putBack(ctx context.Context) {
	for addr, was := range w.restored {
		a := w.o.Source
		a.DB = remote.AllDBs
		c, err := a.Dial(ctx, addr)
		if err == nil {
			_, err = c.Do("CONFIG", "SET", notifySetting, was)
			c.Close()
		}
		if err != nil {
			w.o.Log.Warn("the source's setting could not be put back", "server", addr, "setting", notifySetting, "to", was, "error", err)
		}
	}
}

// hear notes what is told until the connection ends.
func (w *Way) hear(e *ear) error {
	for {
		reply, err := e.conn.Reply()
		if err != nil {
			return err
		}
		words := remote.Texts(reply)
		switch {
		case len(words) == 4 && words[0] == "pmessage":
			if p, ok := placeOf(words[2]); ok {
				w.changed.add(p, w.o.Now())
			}
		case len(words) == 2 && words[0] == "pong":
			select { // one that nobody waits for any more makes room
			case <-e.pongs:
			default:
			}
			e.pongs <- words[1]
		case reply.Kind().IsError():
			text, _ := reply.Bytes()
			return errors.New(string(text))
		}
	}
}

// placeOf reads a channel: __keyspace@DB__:KEY.
func placeOf(channel string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(channel, "__keyspace@")
	if !ok {
		return p, false
	}
	number, key, ok := strings.Cut(rest, "__:")
	db, err := strconv.Atoi(number)
	return place{db, key}, ok && err == nil
}
