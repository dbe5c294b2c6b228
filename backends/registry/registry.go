// Package registry is where desired state, topology and membership live, as an interface with two forms: Consul, and
// the embedded one. What must hold: a form behaves as the comments here say and as the one suite for all forms checks;
// where Consul is loose (a watch that wakes for nothing, a session that ends late) the contract is as loose, so that
// nobody comes to rely on more. All methods may be called from any goroutine and block until done or until their
// context ends. Callers are cmd/app, the adapters in backends, and later the controller and hosts; nothing on a
// command's way waits for a registry.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What callers decide on, by errors.Is. A method returns only the ones its comment names, ErrInvalid for arguments
// outside the limits below, the context's own error, ErrDenied or ErrUnavailable.
var (
	// ErrNotFound: there is no entry under the key, or no service with the id.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the entry is not at the version that the caller named.
	ErrConflict = errors.New("changed by somebody else")
	// ErrHeld: another session has the lock, or had it and its delay is not over (LockDelayMax).
	ErrHeld = errors.New("held by another session")
	// ErrNotHeld: the session does not hold the lock.
	ErrNotHeld = errors.New("not held by this session")
	// ErrSessionLost: the session was never opened, or has ended. What it held is free.
	ErrSessionLost = errors.New("session lost")
	// ErrInvalid: a key, value or duration outside the limits. Nothing happened.
	ErrInvalid = errors.New("invalid")
	// ErrDenied: this process is not allowed to; any method of a registry with access control may say so. Nothing happened.
	ErrDenied = errors.New("not allowed")
	// ErrUnavailable: the registry could not be reached, or could not keep what it was told. A change may have happened.
	ErrUnavailable = errors.New("registry unavailable")
)

// Limits, the narrower of all forms.
const (
	// KeyMaxBytes is the longest key.
	KeyMaxBytes = 512
	// ValueMaxBytes is the largest value. Consul takes 512 KiB for a transaction with its values in base64.
	ValueMaxBytes = 380_000
	// TTLMin and TTLMax bound a session's time to live (Consul's own limits). A session that is not renewed ends
	// between one and two TTLs after the last renewal, later if the registry itself was in trouble.
	TTLMin = 10 * time.Second
	TTLMax = 24 * time.Hour
	// LockDelayMax is the longest Session.LockDelay.
	LockDelayMax = 20 * time.Second
	// FencesMax is how many fences a CompareAndSet may have. Consul's transactions have 128 operations.
	FencesMax = 64
	// ForgottenAfter is how long a service stays listed that counts as failing; then the registry may forget it.
	ForgottenAfter = time.Hour
)

// Entry is what stands under a key.
type Entry struct {
	Key     string
	Value   []byte    // the caller's own copy
	Version uint64    // raised by each change of the entry (writing what stands there need not be one); versions of one key only grow, also over a deletion
	Holder  SessionID // who holds the key as a lock; empty = nobody
}

// SessionID names an open session.
type SessionID string

// Fence is a condition of a CompareAndSet: the session holds the lock under Key.
type Fence struct {
	Key     string
	Session SessionID
}

// Registry is all of it.
type Registry interface {
	Store
	Sessions
	Services
	// Close ends the registry for this process: calls that wait and later ones return ErrUnavailable. Sessions end as
	// if not renewed.
	Close() error
}

// Store keeps entries.
type Store interface {
	// Get returns the newest entry. Errors: ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Put writes whatever stood there before. The holder of a lock stays.
	Put(ctx context.Context, key string, value []byte) error
	// CompareAndSet writes if the entry is at version (0: if there is none) and every fence holds, and returns the new
	// version. Errors: ErrConflict; ErrNotHeld for a fence.
	CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...Fence) (uint64, error)
	// Delete removes the entry and a lock on it; no entry is no error.
	Delete(ctx context.Context, key string) error
	// List returns the entries whose keys begin with prefix, in order of their keys.
	List(ctx context.Context, prefix string) ([]Entry, error)
	// Watch waits until something under prefix has changed since the call that returned after, and returns what List
	// would, with the number for the next call. after = 0 returns at once. It may return without a change, and may join
	// several changes into one; the last state is never missed.
	Watch(ctx context.Context, prefix string, after uint64) ([]Entry, uint64, error)
}

// Sessions are how a process says that it lives. Locks and entries hang on them.
type Sessions interface {
	// OpenSession begins a session. The name is for people.
	OpenSession(ctx context.Context, s Session) (SessionID, error)
	// Renew begins the TTL anew; call it at a third of the TTL. Errors: ErrSessionLost.
	Renew(ctx context.Context, id SessionID) error
	// EndSession ends it and releases what it holds, without delay if it was opened here; a session that is gone is no
	// error. Anybody may end anybody's.
	EndSession(ctx context.Context, id SessionID) error
	// Acquire makes the session the holder of the lock under key and writes value there; if it is already, it only
	// writes. It does not wait: see Lock. Errors: ErrHeld, ErrSessionLost.
	Acquire(ctx context.Context, key string, value []byte, id SessionID) error
	// Release gives the lock up; the entry stays. Errors: ErrNotHeld.
	Release(ctx context.Context, key string, id SessionID) error
}

// Session is what OpenSession is told.
type Session struct {
	Name      string
	TTL       time.Duration
	Ephemeral bool // entries that it holds are deleted when it ends; else they stay and are only released
	// LockDelay is how long what it held stays closed to others after it was lost, to LockDelayMax, so that what its
	// process still has under way can end; fences need none. What was released is free at once.
	LockDelay time.Duration
}

// Services say to others (Consul's DNS, load balancers) what runs here. They live as long as somebody reports.
type Services interface {
	// Register adds the service or replaces the one with its id. It counts as failing until the first Report, or as what
	// the last report said about the one replaced.
	Register(ctx context.Context, s Service) error
	// Report says how the service is; without one for Service.TTL it counts as failing. note is for people.
	// Errors: ErrNotFound: register again (an agent that was restarted forgets).
	Report(ctx context.Context, id string, health Health, note string) error
	// Deregister removes it; no such service is no error.
	Deregister(ctx context.Context, id string) error
	// Instances lists the services of that name, in order of their ids, with their health, but not their TTL and Probe. What was
	// said a moment ago may be missing; a note may come minutes later where the health is as before.
	Instances(ctx context.Context, name string) ([]Instance, error)
	// WatchInstances waits until something about the services of that name has changed since the call that returned after,
	// and returns what Instances would, with the number for the next call; otherwise as Watch.
	WatchInstances(ctx context.Context, name string, after uint64) ([]Instance, uint64, error)
}

// Service is one process's offer under a name that several may share.
type Service struct {
	ID   string // unique
	Name string // "cache-orders-gateway"
	Addr string // host:port; an empty host, or one that stands for every address, is the registry's for this machine
	Tags []string
	TTL  time.Duration // how long a Report is good for; 0: there are none, and it counts as passing as long as Probe finds nothing wrong
	// Probe is how often the registry itself looks whether something listens at Addr; 0: never. Where nothing does, the service counts as failing.
	// A form that cannot look believes the reports.
	Probe time.Duration
}

// Health is what a Report says.
type Health int

// Failing is the state before the first Report and after a TTL without one.
const (
	Failing Health = iota
	Warning        // serves, but somebody should look; still offered to clients
	Passing
)

// String is the word that Consul uses.
func (h Health) String() string {
	switch h {
	case Passing:
		return "passing"
	case Warning:
		return "warning"
	default:
		return "critical"
	}
}

// Instance is a service with how it is.
type Instance struct {
	Service
	Health Health
	Note   string
}

// CheckKey wants a key that every form can hold: 1 to KeyMaxBytes bytes of UTF-8 without control characters, parts
// between slashes that are neither empty (but the last) nor dots, as in paths of URLs. The error is an ErrInvalid.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("key is empty: %w", ErrInvalid)
	case len(key) > KeyMaxBytes:
		return fmt.Errorf("key of %d bytes, at most %d: %w", len(key), KeyMaxBytes, ErrInvalid)
	case strings.HasPrefix(key, "/"):
		return fmt.Errorf("key %q begins with a slash: %w", key, ErrInvalid)
	case !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Errorf("key %q: want UTF-8 without control characters: %w", key, ErrInvalid)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "." || part == ".." {
			return fmt.Errorf("key %q has a part %q: %w", key, part, ErrInvalid)
		}
	}
	if strings.Contains(key, "//") {
		return fmt.Errorf("key %q has an empty part: %w", key, ErrInvalid)
	}
	return nil
}

// CheckValue wants at most ValueMaxBytes. The error is an ErrInvalid.
func CheckValue(value []byte) error {
	if len(value) > ValueMaxBytes {
		return fmt.Errorf("value of %d bytes, at most %d: %w", len(value), ValueMaxBytes, ErrInvalid)
	}
	return nil
}

// CheckFences wants at most FencesMax. The error is an ErrInvalid.
func CheckFences(fences []Fence) error {
	if len(fences) > FencesMax {
		return fmt.Errorf("%d fences, at most %d: %w", len(fences), FencesMax, ErrInvalid)
	}
	return nil
}

// CheckSession wants a TTL from TTLMin to TTLMax and a lock delay to LockDelayMax. The error is an ErrInvalid.
func CheckSession(s Session) error {
	if s.TTL < TTLMin || s.TTL > TTLMax {
		return fmt.Errorf("session %q: ttl %s, want %s to %s: %w", s.Name, s.TTL, TTLMin, TTLMax, ErrInvalid)
	}
	if s.LockDelay < 0 || s.LockDelay > LockDelayMax {
		return fmt.Errorf("session %q: lock delay %s, want 0 to %s: %w", s.Name, s.LockDelay, LockDelayMax, ErrInvalid)
	}
	return nil
}

// CheckService wants an id and a name without slashes, blanks and control characters, an address, and a TTL or a Probe.
// The error is an ErrInvalid.
func CheckService(s Service) error {
	if s.ID == "" || s.Name == "" || s.TTL < time.Millisecond && s.Probe < time.Millisecond {
		return fmt.Errorf("service %q with id %q, ttl %s and probe %s: want a name, an id, and one of both: %w", s.Name, s.ID, s.TTL, s.Probe, ErrInvalid)
	}
	if s.TTL < 0 || s.Probe < 0 {
		return fmt.Errorf("service %q with id %q: ttl %s and probe %s: want none below 0: %w", s.Name, s.ID, s.TTL, s.Probe, ErrInvalid)
	}
	for _, word := range append([]string{s.ID, s.Name}, s.Tags...) {
		if !utf8.ValidString(word) || strings.ContainsFunc(word, func(c rune) bool { return c == '/' || unicode.IsSpace(c) || unicode.IsControl(c) }) {
			return fmt.Errorf("service %q with id %q: %q has a slash, a blank or a control character: %w", s.Name, s.ID, word, ErrInvalid)
		}
	}
	if _, _, err := s.HostPort(); err != nil {
		return fmt.Errorf("service %q with id %q: %w", s.Name, s.ID, err)
	}
	return nil
}

// HostPort is the service's address in parts; the host is empty if it is the machine's own. The error is an ErrInvalid.
func (s Service) HostPort() (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(s.Addr)
	n, bad := strconv.ParseUint(digits, 10, 16)
	if err != nil || bad != nil || n == 0 {
		return "", 0, fmt.Errorf("address %q: want host:port with a port from 1 to 65535: %w", s.Addr, ErrInvalid)
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = ""
	}
	return host, int(n), nil
}
