package commands

import "larder/engine/sets"

// Limits say up to where collections keep their small forms.
type Limits struct {
	Set sets.Limits
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits {
	return Limits{Set: sets.DefaultLimits()}
}
