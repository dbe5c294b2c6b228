package client

import (
	"net/netip"
	"slices"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	errSyntax = "ERR syntax error"

	// The kinds of clients that there are.
	KindNormal  = "normal"
	KindPubSub  = "pubsub"
	KindReplica = "replica"
	KindMaster  = "master"
)

// Addresses are both ends of a client's connection.
type Addresses interface {
	Peer() netip.AddrPort
	Local() netip.AddrPort
}

// Kill is whom CLIENT KILL means; zero fields mean everybody.
type Kill struct {
	ID          uint64
	Addr, Local string // ip:port
	Kind, User  string
	SkipMe      bool
	Old         bool // CLIENT KILL ip:port: its answer is OK or an error
}

// ParseKill reads what stands behind CLIENT KILL; known tells whether there is such a user.
func ParseKill(args [][]byte, known func(user string) bool) (Kill, string) {
	if len(args) == 1 {
		return Kill{Addr: string(args[0]), Old: true}, ""
	}
	k := Kill{SkipMe: true}
	if len(args)%2 != 0 {
		return k, errSyntax
	}
	for ; len(args) > 0; args = args[2:] {
		if wrong := k.option(strings.ToLower(string(args[0])), string(args[1]), known); wrong != "" {
			return k, wrong
		}
	}
	return k, ""
}

func (k *Kill) option(word, value string, known func(user string) bool) string {
	switch word {
	case "id":
		id, ok := resp.ParseNumber([]byte(value))
		if !ok || id < 1 {
			return "ERR client-id should be greater than 0"
		}
		k.ID = uint64(id)
	case "type":
		kind, ok := ParseKind(value)
		if !ok {
			return unknownKind(value)
		}
		k.Kind = kind
	case "addr":
		k.Addr = value
	case "laddr":
		k.Local = value
	case "user":
		if !known(value) {
			return "ERR No such user " + command.Quote([]byte(value))
		}
		k.User = value
	case "skipme":
		switch strings.ToLower(value) {
		case "yes":
			k.SkipMe = true
		case "no":
			k.SkipMe = false
		default:
			return errSyntax
		}
	default:
		return errSyntax
	}
	return ""
}

// Chooses tells whether the client with this id, kind, user and connection is meant. Whether it is the asking one itself is for the caller to see (SkipMe).
func (k *Kill) Chooses(id uint64, kind, user string, c Addresses) bool {
	return (k.ID == 0 || k.ID == id) &&
		(k.Addr == "" || k.Addr == c.Peer().String()) &&
		(k.Local == "" || k.Local == c.Local().String()) &&
		(k.Kind == "" || k.Kind == kind) &&
		(k.User == "" || k.User == user)
}

// ParseKind reads a kind of client in any case; "slave" is "replica".
func ParseKind(word string) (kind string, ok bool) {
	switch kind = strings.ToLower(word); kind {
	case KindNormal, KindPubSub, KindMaster, KindReplica:
		return kind, true
	case "slave":
		return KindReplica, true
	default:
		return "", false
	}
}

func unknownKind(word string) string { return "ERR Unknown client type " + command.Quote([]byte(word)) }

// List is whom CLIENT LIST asks for.
type List struct {
	All  bool
	IDs  []uint64 // if not All: these; empty: nobody
	Kind string   // if not empty: those of this kind
}

// Chooses tells whether the client with this id, of this kind, is meant.
func (l *List) Chooses(id uint64, kind string) bool {
	if l.Kind != "" {
		return l.Kind == kind
	}
	return l.All || slices.Contains(l.IDs, id)
}

// ParseList reads what stands behind CLIENT LIST.
func ParseList(args [][]byte) (List, string) {
	switch {
	case len(args) == 0:
		return List{All: true}, ""
	case len(args) == 2 && strings.EqualFold(string(args[0]), "type"):
		kind, ok := ParseKind(string(args[1]))
		if !ok {
			return List{}, unknownKind(string(args[1]))
		}
		return List{Kind: kind}, ""
	case len(args) > 1 && strings.EqualFold(string(args[0]), "id"):
		var l List
		for _, arg := range args[1:] {
			id, ok := resp.ParseNumber(arg)
			if !ok {
				return List{}, "ERR Invalid client ID"
			}
			l.IDs = append(l.IDs, uint64(id))
		}
		return l, ""
	default:
		return List{}, errSyntax
	}
}
