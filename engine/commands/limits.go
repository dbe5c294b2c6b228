package commands

import "larder/engine/hashes"

// Limits say up to where collections keep their small forms.
type Limits struct {
	Hash hashes.Limits
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits {
	return Limits{Hash: hashes.DefaultLimits()}
}
