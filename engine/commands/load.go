package commands

import (
	"errors"
	"fmt"

	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

// What Load answers.
var (
	// ErrForeign says that a value is of a kind that only other servers have.
	ErrForeign = errors.New("a value that Larder does not have")
	// ErrBroken says that a value's bytes are not what its type is made of.
	ErrBroken = errors.New("a corrupt value")
)

// Load puts a key and its value, as an RDB file has them, into DB, in place of what the key has there. What it answers is ErrForeign or ErrBroken, and then it
// has changed nothing. It tells nobody of the key: no events, no watchers.
func (c *Call) Load(v *rdb.Value) error {
	if v.Type == rdb.TypeString {
		return c.loadText(v)
	}
	load := loaderOf(v.Type)
	if load == nil {
		return foreign(v)
	}
	if !load(c, incoming{t: v.Type, value: v.Body, key: v.Key, expiryMS: v.ExpiryMS}) {
		return broken(v)
	}
	c.trim()
	c.known(v)
	return nil
}

// loadText is Load for strings, which most keys are. They may be longer than clients may make them.
func (c *Call) loadText(v *rdb.Value) error {
	text, ok := c.wholeString(v.Body)
	if !ok {
		return broken(v)
	}
	c.DB.Set(v.Key, text, store.FormAny, v.ExpiryMS, c.NowMS)
	c.trim()
	c.known(v)
	return nil
}

// known notes what the file says of how a key was used.
func (c *Call) known(v *rdb.Value) {
	if v.IdleS < 0 && v.Freq < 0 || v.ExpiryMS != store.NoExpiry && v.ExpiryMS <= c.NowMS { // whoever looks at a dead key may remove it
		return
	}
	it, found := c.DB.Peek(v.Key, c.NowMS)
	if !found {
		return
	}
	if v.IdleS >= 0 {
		it.SetIdle(v.IdleS, c.NowMS)
	}
	if v.Freq >= 0 {
		it.SetFreq(int64(v.Freq))
	}
}

func foreign(v *rdb.Value) error {
	if v.Type == rdb.TypeModule {
		number, _, _ := rdb.Length(v.Body)
		name, version := rdb.ModuleName(number)
		return fmt.Errorf("key %.64q is data of the module type %q (version %d): %w; delete such keys where they are and save again", v.Key, name, version, ErrForeign)
	}
	return fmt.Errorf("key %.64q is of type %d: %w", v.Key, v.Type, ErrForeign)
}

func broken(v *rdb.Value) error {
	return fmt.Errorf("key %.64q of type %d: %w", v.Key, v.Type, ErrBroken)
}
