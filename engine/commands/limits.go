package commands

import (
	"larder/algebra/hll"
	"larder/engine/hashes"
	"larder/engine/lists"
	"larder/engine/sets"
	"larder/engine/streams"
	"larder/engine/zsets"
)

// Limits say up to where collections keep their small forms.
type Limits struct {
	Hash   hashes.Limits
	HLL    hll.Limits
	List   lists.Limits
	Set    sets.Limits
	ZSet   zsets.Limits
	Stream streams.Limits // of the blocks that approximate trimming takes away
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits {
	return Limits{Hash: hashes.DefaultLimits(), HLL: hll.DefaultLimits(), List: lists.DefaultLimits(), Set: sets.DefaultLimits(), ZSet: zsets.DefaultLimits(), Stream: streams.DefaultLimits()}
}
