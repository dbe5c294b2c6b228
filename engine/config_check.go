package engine

import (
	"errors"
	"slices"
	"strings"

	"larder/protocol/client"
)

// notForGroups are parameters that a node can be told one by one, and that must not be the same for the nodes of many clusters or lie open where groups are kept.
var notForGroups = []string{"masterauth", "masteruser", "requirepass"}

// CheckParameter tells what is wrong with a value that a node is to be set to, as CONFIG SET would, before there is a node.
func CheckParameter(name, value string) error {
	if slices.Contains(notForGroups, name) {
		return errors.New("it is a secret, or who has it, and stands in the configuration of hosts")
	}
	at := slices.IndexFunc(parameters, func(p client.Parameter[*session, settings]) bool { return p.Name == name })
	switch {
	case at < 0:
		return errors.New("nodes have no such parameter")
	case parameters[at].Set == nil:
		return errors.New("it cannot be changed while a node runs")
	}
	o := DefaultOptions()
	set := newSettings(&o)
	if wrong := parameters[at].Set(&set, value); wrong != "" {
		return errors.New(strings.TrimPrefix(wrong, "argument ") + ": " + value)
	}
	return nil
}
