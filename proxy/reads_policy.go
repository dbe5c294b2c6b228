package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"larder/access/users"
)

// Where a session's reads go, and what they must show: docs/reads.md. Who says so first of these decides: the connection (READONLY, READWRITE), its user,
// the gateway's settings.

// readFrom is which nodes of a shard are read.
type readFrom uint8

const (
	fromPrimary   readFrom = iota
	fromReplica            // the primary only where no replica has what a read must show, or can be reached
	preferReplica          // the same: nobody is told an error for want of replicas
	leastLoaded            // whoever has the fewest commands of this loop to answer
	sameZone               // who stands in the gateway's zone; then as preferReplica
)

// readLevel is what a read from a replica must show.
type readLevel uint8

const (
	levelEventual readLevel = iota // nothing in particular
	levelSession                   // what the session has written and read
	levelGateway                   // what any session of this gateway has written
)

// ReadFroms are the values of Options.ReadFrom, ReadLevels those of Options.ReadLevel.
func ReadFroms() []string {
	return []string{"primary", "replica", "prefer-replica", "least-loaded", "same-zone-first"}
}

// ReadLevels are the values of Options.ReadLevel.
func ReadLevels() []string { return []string{"eventual", "session", "gateway"} }

// readPolicy is both.
type readPolicy struct {
	from  readFrom
	level readLevel
}

// readLagMin is the least that can be told apart from no lag: nodes that say nothing are asked ten times a second.
const readLagMin = 500 * time.Millisecond

// readRules are what all of a gateway's sessions go by; immutable once stored.
type readRules struct {
	readPolicy
	users    map[string]readPolicy
	maxLagNS int64 // a replica further behind is not read; 0: however far it is
	zone     string
	zones    map[string]string // of nodes, by id
}

// ParseReadUser reads "USER=FROM" or "USER=FROM:LEVEL", an entry of Options.ReadUsers.
func ParseReadUser(text string) (user, from, level string, err error) {
	user, rest, ok := strings.Cut(text, "=")
	from, level, named := strings.Cut(rest, ":")
	switch {
	case !ok || user == "" || strings.ContainsAny(user, " \t"):
		err = fmt.Errorf("%q: want USER=FROM or USER=FROM:LEVEL", text)
	case !slices.Contains(ReadFroms(), from):
		err = fmt.Errorf("%q: FROM is %q: must be one of %s", text, from, strings.Join(ReadFroms(), ", "))
	case named && !slices.Contains(ReadLevels(), level):
		err = fmt.Errorf("%q: LEVEL is %q: must be one of %s", text, level, strings.Join(ReadLevels(), ", "))
	}
	return user, from, level, err
}

// ParseNodeZone reads "NODE=ZONE", an entry of Options.Zones.
func ParseNodeZone(text string) (node, zone string, err error) {
	node, zone, _ = strings.Cut(text, "=")
	if node == "" || zone == "" {
		err = fmt.Errorf("%q: want NODE=ZONE", text)
	}
	return node, zone, err
}

// validateReads names the first option about reads that cannot work.
func (o *Options) validateReads() error {
	switch {
	case !slices.Contains(ReadFroms(), o.ReadFrom):
		return fmt.Errorf("read from is %q: must be one of %s", o.ReadFrom, strings.Join(ReadFroms(), ", "))
	case !slices.Contains(ReadLevels(), o.ReadLevel):
		return fmt.Errorf("read level is %q: must be one of %s", o.ReadLevel, strings.Join(ReadLevels(), ", "))
	case o.ReadMaxLag != 0 && o.ReadMaxLag < readLagMin:
		return fmt.Errorf("read max lag is %v: must be 0 or at least %v", o.ReadMaxLag, readLagMin)
	}
	for _, text := range o.ReadUsers {
		if _, _, _, err := ParseReadUser(text); err != nil {
			return fmt.Errorf("read users: %w", err)
		}
	}
	for _, text := range o.Zones {
		if _, _, err := ParseNodeZone(text); err != nil {
			return fmt.Errorf("zones: %w", err)
		}
	}
	return nil
}

// readRules are those of the options, which were validated.
func (o *Options) readRules() *readRules {
	r := &readRules{readPolicy: policyOf(o.ReadFrom, o.ReadLevel), maxLagNS: int64(o.ReadMaxLag), users: map[string]readPolicy{}, zone: o.Zone, zones: map[string]string{}}
	for _, text := range o.ReadUsers {
		user, from, level, _ := ParseReadUser(text)
		if level == "" {
			level = o.ReadLevel
		}
		r.users[user] = policyOf(from, level)
	}
	for _, text := range o.Zones {
		node, zone, _ := ParseNodeZone(text)
		r.zones[node] = zone
	}
	return r
}

func policyOf(from, level string) readPolicy {
	return readPolicy{readFrom(max(0, slices.Index(ReadFroms(), from))), readLevel(max(0, slices.Index(ReadLevels(), level)))}
}

// splits tells whether anybody's reads may go to replicas by these rules alone.
func (r *readRules) splits() bool {
	for _, one := range r.users {
		if one.from != fromPrimary {
			return true
		}
	}
	return r.from != fromPrimary
}

// of is a user's policy.
func (r *readRules) of(u *users.User) readPolicy {
	if one, named := r.users[u.Name]; named {
		return one
	}
	return r.readPolicy
}
