package controller

import "time"

// missingAfter is how long a host may be away, behind the 10 to 20 seconds that its session takes to end, before its nodes do not count as members any more.
// Limits.ReplaceAfter is when others are put in their places.
const missingAfter = 5 * time.Second

// Host is a machine that runs nodes, as it announces itself.
type Host struct {
	ID      string `json:"id"`
	Zone    string `json:"zone,omitempty"`
	Addr    string `json:"addr"`    // where it is asked
	Memory  int64  `json:"memory"`  // bytes for all its nodes
	Session string `json:"session"` // its process's own name, another one at each start
}

// HostSays is what a host says of what it runs. It is told again and again; what is older than what was heard, or of another session than the announced one,
// counts for nothing.
type HostSays struct {
	Host    string
	Session string
	At      time.Time         // when it answered; the asker's to set
	Number  uint64            // grows with each
	State   uint64            // grows with each change of what it says: who has seen one can wait for the next
	Obeyed  map[string]uint64 // the version of the newest order, of each cluster of which it has ever had one
	Nodes   []Running         // all that it has, be it running or not
}

// Running is a node that a host has.
type Running struct {
	Cluster, Node string
	Run           string // of its process; empty: none runs now
	Addr          string // where it is reached
	Exited        string // the run before, which is known to have ended
	Memory        int64  // that it may take
	Settings      int    // the number of what it is set to
	Failed        string // why the host has given up starting it
}

func (HostSays) event() {}

// host is what is known of one.
type host struct {
	Host
	there    bool      // it is announced
	draining bool      // it is to be
	lost     time.Time // since when it is not announced
	heard    bool      // it has said something in its session
	says     HostSays
	mute     muted
}

// runs finds a node among those that the host has.
func (h *host) runs(node string) *Running {
	if h == nil || !h.there || !h.heard {
		return nil
	}
	for i := range h.says.Nodes {
		if h.says.Nodes[i].Node == node {
			return &h.says.Nodes[i]
		}
	}
	return nil
}

// usable tells whether a node may be placed on it.
func (h *host) usable() bool { return h.there && h.heard && !h.draining }
