package configs

import (
	"errors"
	"fmt"
	"strings"

	"larder/router"
)

// checks look at the whole configuration, after each value alone has been found good.
var checks = []func(*Config) error{
	func(c *Config) error { return c.Gateway.Validate() },
	func(c *Config) error { return c.Engine.Validate() },
	checkTopology,
	checkConsul,
	checkDrain,
	checkDev,
	checkAPI,
	checkPatience,
	checkSelection,
	checkHostSizes,
}

// checkSelection refuses a selection of nothing: what was to be restored in part must not come as a whole.
func checkSelection(c *Config) error {
	if c.Restore == "" && c.Selection != (Selection{}) {
		return errors.New("it is said which keys are restored, and not from where: must be with data.restore")
	}
	_, err := router.ParseSelection(c.Selection.DB, c.Selection.Prefix, c.Selection.Slots)
	return err
}

func checkTopology(c *Config) error {
	if len(c.Nodes) > 0 && c.Topology != "" {
		return errors.New("nodes are given both ways: must be one of them")
	}
	return nil
}

func checkDev(c *Config) error {
	if c.Dev.Shards < 1 || c.Dev.Shards > router.ShardsMax {
		return fmt.Errorf("%d shards: must be from 1 to %d", c.Dev.Shards, router.ShardsMax)
	}
	if c.Dev.Replicas < 0 || c.Dev.Replicas > router.ReplicasMax {
		return fmt.Errorf("%d replicas: must be from 0 to %d", c.Dev.Replicas, router.ReplicasMax)
	}
	return nil
}

// check runs the checks and names the settings that are to blame.
func (l *Loaded) check(role Role) error {
	var problems []error
	for _, check := range checks {
		if err := check(&l.Config); err != nil {
			problems = append(problems, l.blame(check, err))
		}
	}
	if role == RoleGateway && len(l.Config.Nodes) == 0 && l.Config.Topology == "" && l.Config.Consul.Address == "" {
		problems = append(problems, errors.New("gateway.nodes: a gateway needs nodes: must be given with --nodes ADDR,..., --topology FILE or --consul URL"))
	}
	if role == RoleShadow && (l.Config.Shadow.From == "" || l.Config.Shadow.To == "") {
		problems = append(problems, errors.New("shadow.from, shadow.to: what serves and what is tried must be given with --from ADDR and --to ADDR"))
	}
	if role == RoleControl {
		problems = append(problems, checkControl(&l.Config)...)
	}
	if role == RoleHost {
		problems = append(problems, checkHost(&l.Config)...)
	}
	return errors.Join(problems...)
}

// blame finds the settings that somebody made and without which the failure would be gone, or be another. The parts
// check their own Options and know no keys; this way their limits need not be written down twice.
func (l *Loaded) blame(check func(*Config) error, failure error) error {
	var culprits []string
	for i, s := range settings(&l.Config) {
		source, set := l.sources[s.key]
		if !set {
			continue
		}
		without, standard := l.Config, defaults()
		if err := settings(&without)[i].kind.set(settings(&standard)[i].kind.String()); err != nil {
			continue // no default fails its own check
		}
		without.spread()
		if err := check(&without); err == nil || err.Error() != failure.Error() {
			culprits = append(culprits, source+": "+s.key)
		}
	}
	if len(culprits) == 0 {
		return failure
	}
	return fmt.Errorf("%s: %w", strings.Join(culprits, " with "), failure)
}
