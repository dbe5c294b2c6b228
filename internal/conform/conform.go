// Package conform is the differential test: the same commands go to a real redis-server and to one of our forms (a node, a gateway over some shards),
// over real sockets, and the replies must be the same bytes.
//
// Commands come from two places. Scripts (testdata/*.txt, see Parse) are read by people: one command a line, in redis-cli's quoting. Generators draw
// from the command table and its argument trees, so that a new command joins by having a row. Where we mean to differ stands in Differences, with a
// reason each; an entry that is not needed fails.
//
// What must hold: a player sends the same bytes to both sides, and to each side's connection in one order; a reply is compared before the next batch
// is sent. Only tests use this package. A Player is used by one goroutine.
package conform

import "fmt"

// Endpoint is a server that a player talks to.
type Endpoint struct {
	Name string // in messages
	Addr string // host:port
	Tags []string
}

// The tags that scripts can ask for with only= and not=.
const (
	TagRedis   = "redis"   // a redis-server itself
	TagNode    = "node"    // a Larder node
	TagGateway = "gateway" // a gateway, whatever is behind it
	TagSharded = "sharded" // several shards: keys that can't be split must share a slot
	TagSteps   = "steps"   // several shards, and writes over them are done in steps
	TagStock   = "stock"   // redis-servers in the place of nodes
)

// Has reports whether the endpoint has the tag.
func (e *Endpoint) Has(tag string) bool {
	for _, t := range e.Tags {
		if t == tag {
			return true
		}
	}
	return false
}

// hasAny reports whether the endpoint has one of the tags.
func (e *Endpoint) hasAny(tags []string) bool {
	for _, t := range tags {
		if e.Has(t) {
			return true
		}
	}
	return false
}

// Mismatch is a reply that is not what it should be.
type Mismatch struct {
	Where   string // script:line, or which generated command
	Target  string
	Proto   int
	Command string // as a script writes it
	Want    string // the real server's reply
	Got     string
	Why     string // of a comparison that is not by bytes
	At      int    // index of the step in its section
}

// replyShown is how much of a reply a message shows, in bytes.
const replyShown = 600

func (m *Mismatch) String() string {
	why := ""
	if m.Why != "" {
		why = " (" + m.Why + ")"
	}
	return fmt.Sprintf("%s RESP%d %s: %.400s%s\n  redis  %s\n  larder %s", m.Target, m.Proto, m.Where, m.Command, why, shown(m.Want), shown(m.Got))
}

func shown(reply string) string {
	if len(reply) <= replyShown {
		return fmt.Sprintf("%q", reply)
	}
	return fmt.Sprintf("%q… (%d bytes)", reply[:replyShown], len(reply))
}
