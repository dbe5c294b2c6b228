package stock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"

	"larder/backends"
)

// Role is what a server says of its part in replication (INFO).
type Role struct {
	Run     string // run_id
	Primary bool
	History string // master_replid
	Before  string // master_replid2: the history that its own went on from when it was promoted; empty: none
	Follows string // of a replica: its primary's address, as it calls it
	Linked  bool   // and is connected with it, and has all that it was sent at first
	Loading bool   // it reads its file and serves nothing yet
}

// Roles asks servers for their roles. It keeps a connection to each that it has asked. Any goroutine.
type Roles struct {
	auth backends.Auth

	mu     sync.Mutex
	kept   map[string]*backends.Admin
	closed bool
}

// NewRoles makes one. Whoever makes it closes it.
func NewRoles(auth backends.Auth) *Roles {
	return &Roles{auth: auth, kept: map[string]*backends.Admin{}}
}

// keptMax is how many connections are kept: those to the servers of many clusters.
const keptMax = 4096

// Close closes what is kept.
func (r *Roles) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, a := range r.kept {
		_ = a.Close()
	}
	clear(r.kept)
}

// Ask asks a server. An error says in words that stay the same why nothing can be said of it, or that nobody can route to it.
func (r *Roles) Ask(ctx context.Context, addr string) (Role, error) {
	r.mu.Lock()
	a := r.kept[addr]
	delete(r.kept, addr)
	r.mu.Unlock()
	if a != nil {
		info, err := a.Do(ctx, "INFO")
		if err == nil {
			r.keep(addr, a)
			return roleOf(info.Text)
		}
		_ = a.Close() // it may have been closed by a server that was started again
	}
	a, err := backends.Dial(ctx, addr, r.auth)
	if err != nil {
		return Role{}, inWords(ctx, err)
	}
	info, err := a.Do(ctx, "INFO")
	if err != nil {
		_ = a.Close()
		return Role{}, inWords(ctx, err)
	}
	r.keep(addr, a)
	return roleOf(info.Text)
}

func (r *Roles) keep(addr string, a *backends.Admin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.kept[addr] != nil || len(r.kept) >= keptMax {
		_ = a.Close()
		return
	}
	r.kept[addr] = a
}

// inWords leaves out of an error what is another each time, such as our own port.
func inWords(ctx context.Context, err error) error {
	var no syscall.Errno
	var lookup *net.DNSError
	var refused *backends.Refused
	switch {
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("it does not answer")
	case errors.As(err, &refused):
		return fmt.Errorf("it answers: %s", refused.Text)
	case errors.As(err, &no):
		return no
	case errors.As(err, &lookup):
		return fmt.Errorf("its name cannot be looked up: %s", lookup.Err)
	}
	return errors.New("the connection ended, or it speaks another protocol")
}

// roleOf reads INFO.
func roleOf(info string) (Role, error) {
	f := map[string]string{}
	for line := range strings.SplitSeq(info, "\n") {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":"); ok {
			f[name] = value
		}
	}
	switch {
	case f["redis_mode"] == "sentinel":
		return Role{}, errors.New("it is a Sentinel, which has no data")
	case f["cluster_enabled"] == "1":
		return Role{}, errors.New("it is in cluster mode, where it has slots of its own and sends clients elsewhere: larder migrate takes over the data of such a cluster")
	case f["role"] != "master" && f["role"] != "slave":
		return Role{}, errors.New("INFO says no role: it is no redis-server, or its user may not ask")
	}
	role := Role{Run: f["run_id"], Primary: f["role"] == "master", History: f["master_replid"], Before: f["master_replid2"], Loading: f["loading"] == "1" || f["async_loading"] == "1"}
	if strings.Trim(role.Before, "0") == "" {
		role.Before = ""
	}
	if !role.Primary {
		role.Follows = net.JoinHostPort(f["master_host"], f["master_port"])
		role.Linked = f["master_link_status"] == "up" && f["master_sync_in_progress"] != "1"
	}
	return role, nil
}
