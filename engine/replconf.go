package engine

import (
	"strconv"
	"strings"

	"larder/protocol/resp"
)

// ipMax is how long an announced address may be (Redis 7.0 server.h, NET_HOST_STR_LEN).
const ipMax = 256

// replConf is what a replica says before it asks for the data, in pairs (Redis 7.0 replication.c, replconfCommand; 7.2's FACK; version as Valkey says it).
func replConf(s *session, args [][]byte) {
	if len(args)%2 == 0 {
		s.fail(errSyntax)
		return
	}
	if s.replica == nil {
		s.replica = &replica{s: s}
	}
	for ; len(args) > 2; args = args[2:] {
		switch word := lower(args[1]); word {
		case "ack":
			s.hushed = true // nobody but a replica means anything by it, and nobody is answered
			return
		case "getack":
			s.hushed = true
			return
		default:
			if wrong := s.replica.told.set(word, args[1], args[2]); wrong != "" {
				s.fail(wrong)
				return
			}
		}
	}
	if told := &s.replica.told; told.run+told.primary+told.reign != "" {
		s.okUnless(s.p.isFollowed(told))
		return
	}
	s.ok()
}

// isFollowed is why a managed node cannot follow this one as the primary that it takes it for, "" if it can.
func (p *part) isFollowed(told *announced) (wrong string) {
	if p.reign == nil {
		return "ERR this node takes no orders, and is no primary of a record"
	}
	return p.reign.serves(told)
}

// set notes one pair; what is not understood of capabilities is passed over.
func (a *announced) set(word string, asSaid, value []byte) (wrong string) {
	switch word {
	case "listening-port":
		port, ok := resp.ParseNumber(value)
		if !ok {
			return errNotInt
		}
		a.port = int(port)
	case "ip-address":
		if len(value) >= ipMax {
			return "ERR REPLCONF ip-address provided by replica instance is too long: " + strconv.Itoa(len(value)) + " bytes"
		}
		a.ip = string(value)
	case "capa":
		switch lower(value) {
		case "eof":
			a.eof = true
		case "psync2":
			a.psync2 = true
		}
	case "rdb-only":
		n, ok := resp.ParseNumber(value)
		switch {
		case !ok:
			return errNotInt
		case n < 0 || n > 1:
			return "ERR value is out of range, value must between 0 and 1"
		}
		a.rdbOnly = n == 1
	case "rdb-filter-only":
		return a.filter(string(value))
	case "version":
		a.version = string(value)
	case "larder-run":
		a.run = string(value)
	case "larder-primary":
		a.primary = string(value)
	case "larder-reign":
		a.reign = string(value)
	default:
		return "ERR Unrecognized REPLCONF option: " + string(asSaid)
	}
	return ""
}

// filter takes the parts of the data that are wanted.
func (a *announced) filter(value string) (wrong string) {
	for _, part := range strings.Fields(value) {
		if !strings.EqualFold(part, "functions") {
			return "ERR Unsupported rdb-filter-only option: " + part
		}
	}
	a.filtered = true
	a.functions = strings.TrimSpace(value) != ""
	return ""
}

// takesValkey tells whether the replica reads the form that Valkey has for hashes whose fields expire: Valkey says its version, and so does a node of ours.
func (a *announced) takesValkey() bool {
	const first = 9
	major, _, _ := strings.Cut(a.version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= first
}
