package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/control/controller"
	"larder/process/files"
)

// How a host is announced: by an entry that its session holds, and that goes with it.
const (
	sessionName  = "session" // the file that says which session is this host's own
	sessionTTL   = registry.TTLMin
	sessionEvery = sessionTTL / 3
	answerWithin = 3 * time.Second // for one word with the registry
	againMin     = 200 * time.Millisecond
	againMax     = 5 * time.Second
)

// Announcement keeps a host announced in the registry. All exported fields must be given.
type Announcement struct {
	Host     controller.Host
	Registry registry.Registry
	Dir      string // where it remembers its session, so that its next process goes on with that, and nobody notices
	Log      *slog.Logger
	Chance   *rand.Rand // spreads the attempts of many at a registry that comes back; Run's own

	mu      sync.Mutex
	session registry.SessionID // of now; empty: none
	there   bool               // the entry is this session's
	written bool               // the entry has been this process's
	told    string             // what is wrong, as it was said last
}

// Leave takes the announcement back, for a host that ends with its nodes. A host whose nodes go on does not: its next process replaces it, and nobody misses it in
// between for as long as the session lives.
func (a *Announcement) Leave(ctx context.Context) error {
	a.mu.Lock()
	id := a.session
	a.session, a.there = "", false
	a.mu.Unlock()
	if id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return a.Registry.EndSession(ctx, id)
}

// There tells whether the host is announced, as far as is known.
func (a *Announcement) There() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.there
}

// Run keeps the host announced until ctx ends, and outlives a registry that fails.
func (a *Announcement) Run(ctx context.Context) {
	wait := againMin
	for ctx.Err() == nil {
		err := a.turn(ctx)
		if ctx.Err() != nil {
			return
		}
		a.say(err)
		if err == nil {
			wait = againMin
			pause(ctx, sessionEvery)
			continue
		}
		pause(ctx, wait/2+time.Duration(a.Chance.Int64N(int64(wait/2))))
		wait = min(2*wait, againMax)
	}
}

// say tells people what has changed.
func (a *Announcement) say(err error) {
	text := "announced"
	if err != nil {
		text = err.Error()
	}
	if text == a.told {
		return
	}
	a.told = text
	if err != nil {
		a.Log.Warn("the host is not announced, or its session is not renewed; its nodes go on", "host", a.Host.ID, "error", err)
		return
	}
	a.Log.Info("host is announced", "host", a.Host.ID, "zone", a.Host.Zone, "memory", controller.Bytes(a.Host.Memory), "addr", a.Host.Addr)
}

// turn renews the session, or opens one, and has it hold the entry.
func (a *Announcement) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	a.mu.Lock()
	id := a.session
	a.mu.Unlock()
	if id != "" {
		if err := a.Registry.Renew(ctx, id); err != nil {
			return a.lost(err)
		}
	} else if err := a.open(ctx); err != nil {
		return err
	}
	return a.hold(ctx)
}

// lost takes note that the session is over, if that is the matter: the next turn opens another.
func (a *Announcement) lost(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.there = false
	if errors.Is(err, registry.ErrSessionLost) {
		a.session = ""
	}
	return err
}

// open goes on with the session of this host's process before, or begins one.
func (a *Announcement) open(ctx context.Context) error {
	id, err := a.remembered()
	if err != nil {
		return err
	}
	if id != "" {
		err = a.Registry.Renew(ctx, id)
	}
	if id == "" || errors.Is(err, registry.ErrSessionLost) || errors.Is(err, registry.ErrInvalid) {
		id, err = a.Registry.OpenSession(ctx, registry.Session{Name: "larder-host " + a.Host.ID, TTL: sessionTTL, Ephemeral: true})
	}
	if err != nil {
		return fmt.Errorf("open the host's session: %w", err)
	}
	if err := a.remember(id); err != nil {
		a.Log.Warn("the host's session cannot be remembered: its next process is announced only when this one's has run out", "error", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session, a.written = id, false
	return nil
}

// hold has the session hold the entry, which says what this process is.
func (a *Announcement) hold(ctx context.Context) error {
	key := controller.HostKey(a.Host.ID)
	a.mu.Lock()
	id, written := a.session, a.written
	a.mu.Unlock()
	entry, err := a.Registry.Get(ctx, key)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return fmt.Errorf("read who is announced as host %s: %w", a.Host.ID, err)
	}
	var there controller.Host
	_ = json.Unmarshal(entry.Value, &there) // what cannot be read is nobody
	switch {
	case err == nil && entry.Holder == id && there == a.Host:
		a.isThere()
		return nil
	case err == nil && entry.Holder == id && written && there.Session != a.Host.Session:
		return a.notThere(fmt.Errorf("another process is announced as host %s, at %q, with this one's session: give each its own name (host.id) and folder", a.Host.ID, there.Addr))
	case err == nil && entry.Holder != id && entry.Holder != "":
		return a.notThere(fmt.Errorf("another host is announced as %s, at %q: if it is none that has just ended, give one of them another name (host.id)", a.Host.ID, there.Addr))
	}
	value, err := json.Marshal(a.Host)
	if err != nil {
		return err
	}
	if err := a.Registry.Acquire(ctx, key, value, id); err != nil {
		return a.lost(fmt.Errorf("announce host %s: %w", a.Host.ID, err))
	}
	a.isThere()
	return nil
}

func (a *Announcement) notThere(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.there = false
	return err
}

func (a *Announcement) isThere() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.there, a.written = a.session != "", true
}

func (a *Announcement) remember(id registry.SessionID) error {
	return files.Replace(filepath.Join(a.Dir, sessionName), string(id)+"\n")
}

func (a *Announcement) remembered() (registry.SessionID, error) {
	text, err := os.ReadFile(filepath.Join(a.Dir, sessionName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return registry.SessionID(strings.TrimSpace(string(text))), err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
