package proxy

import (
	"crypto/sha1" //nolint:gosec // the name that Redis gives a script
	"encoding/hex"
	"hash/maphash"
	"maps"
	"sync/atomic"
)

// scriptText is a Lua script as a client sent it; immutable.
type scriptText struct {
	sha       string // its SHA1 in hex, by which Redis names it
	body      []byte
	publishes bool // it names PUBLISH
}

// texts are the scripts that a gateway knows, so that a node that lacks one can be told it. A value is never changed; who adds to it makes a new one. What
// SCRIPT LOAD has brought stays until SCRIPT FLUSH. What came with EVAL is kept in two generations: when the young one is full it becomes the old one, whose
// place it takes, and what is used of the old one becomes young again.
type texts struct {
	flushes     uint64 // grows with each SCRIPT FLUSH
	loaded      map[string]*scriptText
	loadedBytes int
	young, old  generation
}

type generation struct {
	byHash map[uint64]*scriptText // of the body: a script that comes again need not be hashed as Redis does it
	bySHA  map[string]*scriptText
	bytes  int
}

// generationMax is how many scripts a generation has at most.
const generationMax = 512

// scriptCache hangs on the gateway: one for all loops.
type scriptCache struct {
	now     atomic.Pointer[texts]
	seed    maphash.Seed
	most    atomic.Int64  // bytes of all
	refused atomic.Uint64 // scripts that found no room
}

// newScriptCache keeps at most bytes.
func newScriptCache(bytes int) *scriptCache {
	c := &scriptCache{seed: maphash.MakeSeed()}
	c.limit(bytes)
	c.now.Store(&texts{})
	return c
}

// limit has at most so many bytes kept from now on: a half for what was loaded, which stays if it is more already, a quarter for each generation.
func (c *scriptCache) limit(bytes int) { c.most.Store(int64(bytes)) }

func (c *scriptCache) maxText() int { return int(c.most.Load() / 32) } // bytes of one script that came with EVAL; longer ones are not kept
func (c *scriptCache) maxAge() int  { return int(c.most.Load() / 4) }  // bytes of a generation
func (c *scriptCache) maxLoad() int { return int(c.most.Load() / 2) }  // bytes of all that SCRIPT LOAD brought

// evaluated notes the script of an EVAL. Nil: it is too long to be kept.
func (c *scriptCache) evaluated(body []byte) *scriptText {
	hash := maphash.Bytes(c.seed, body)
	if t := c.now.Load().young.byHash[hash]; t != nil {
		return t
	}
	if len(body) > c.maxText() {
		c.refused.Add(1)
		return nil
	}
	return c.note(hash, body)
}

func (c *scriptCache) note(hash uint64, body []byte) *scriptText {
	for {
		have := c.now.Load()
		t := have.old.byHash[hash]
		if t == nil {
			t = newScriptText(body)
		}
		if c.now.CompareAndSwap(have, have.with(hash, t, c.maxAge())) {
			return t
		}
	}
}

func newScriptText(body []byte) *scriptText {
	sum := sha1.Sum(body) //nolint:gosec // see above
	return &scriptText{sha: hex.EncodeToString(sum[:]), body: append([]byte(nil), body...), publishes: publishes(body)}
}

// with is the set with one more young script.
func (s *texts) with(hash uint64, t *scriptText, maxAge int) *texts {
	next := *s
	if len(s.young.byHash) >= generationMax || s.young.bytes+len(t.body) > maxAge && s.young.bytes > 0 {
		next.old, next.young = s.young, generation{}
	}
	y := &next.young
	if y.byHash == nil {
		y.byHash, y.bySHA = map[uint64]*scriptText{}, map[string]*scriptText{}
	} else {
		y.byHash, y.bySHA = maps.Clone(y.byHash), maps.Clone(y.bySHA)
	}
	y.byHash[hash], y.bySHA[t.sha] = t, t
	y.bytes += len(t.body)
	return &next
}

// named finds a script by its SHA1, in any case. Nil: the gateway does not know it.
func (c *scriptCache) named(sha []byte) *scriptText {
	if len(sha) != shaLen {
		return nil
	}
	if t := c.find(sha); t != nil {
		return t
	}
	var lower [shaLen]byte
	for i, b := range sha {
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		lower[i] = b
	}
	return c.find(lower[:])
}

// find is named for a name in small letters. What is used of the old generation becomes young.
func (c *scriptCache) find(sha []byte) *scriptText {
	s := c.now.Load()
	if t := s.loaded[string(sha)]; t != nil {
		return t
	}
	if t := s.young.bySHA[string(sha)]; t != nil {
		return t
	}
	t := s.old.bySHA[string(sha)]
	if t != nil {
		c.note(maphash.Bytes(c.seed, t.body), t.body)
	}
	return t
}

const shaLen = 40

// load keeps a script that all shards have taken. It is not kept if a SCRIPT FLUSH came after flushes, or if there is no room.
func (c *scriptCache) load(t *scriptText, flushes uint64) {
	for {
		have := c.now.Load()
		if have.flushes != flushes || have.loaded[t.sha] != nil {
			return
		}
		if have.loadedBytes+len(t.body) > c.maxLoad() {
			c.refused.Add(1)
			return
		}
		next := *have
		next.loaded = maps.Clone(have.loaded)
		if next.loaded == nil {
			next.loaded = map[string]*scriptText{}
		}
		next.loaded[t.sha] = t
		next.loadedBytes += len(t.body)
		if c.now.CompareAndSwap(have, &next) {
			return
		}
	}
}

// flush forgets all scripts.
func (c *scriptCache) flush() {
	for {
		have := c.now.Load()
		if c.now.CompareAndSwap(have, &texts{flushes: have.flushes + 1}) {
			return
		}
	}
}

// size is what is kept: scripts and their bytes, some perhaps counted twice.
func (c *scriptCache) size() (scripts, bytes int) {
	s := c.now.Load()
	return len(s.loaded) + len(s.young.byHash) + len(s.old.byHash), s.loadedBytes + s.young.bytes + s.old.bytes
}
