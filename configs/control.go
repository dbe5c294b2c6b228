package configs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// API is the management API.
type API struct {
	Listen    string // host:port, or Off
	Advertise string // host:port where other controllers reach it; empty = where it listens
	Key       string // what who asks must have; empty = the role's own choice, or as KeyFile says
	KeyFile   string
}

// controlListen is where a controller's API listens when nobody says: at a place that operators can know.
const controlListen = "127.0.0.1:7480"

// keyBytesMin is the shortest key: whoever has it may do everything.
const keyBytesMin = 16

func apiSettings(c *Config) []setting {
	a := &c.API
	return []setting{
		{
			key: "api.listen", kind: address{text{&a.Listen}, true}, flag: "listen", roles: RoleControl,
			meaning: "Where the management API listens, which the operator's commands ask; off = nowhere. Port 0 = any that is free: dev leaves the address and the key in api.json in its data folder. Where nobody says it, control " +
				"listens at " + controlListen + ".",
		},
		{
			key: "api.advertise", kind: checked{text{&a.Advertise}, "host:port with a port from 1 to 65535, or empty", checkAdvertise}, flag: "advertise", roles: RoleControl,
			meaning: "Where other controllers reach this one's API: those that do not lead pass on to the leader what they are asked, and see by it whether it lives. Empty = where it listens.",
		},
		{
			key: "api.key", kind: text{&a.Key}, secret: true,
			meaning: "What whoever asks the management API must have, at least 16 characters, the same in all controllers. The operator's commands take the same variable. Empty = as api.key-file says, and in dev one that is made.",
		},
		{
			key: "api.key-file", kind: path{text{&a.KeyFile}}, flag: "api-key-file", roles: RoleControl,
			meaning: "A file with the key.",
		},
	}
}

// Control is how long a controller waits for who is silent.
type Control struct {
	DownAfter    time.Duration // a node
	ReplaceAfter time.Duration // a host
}

// downAfterMin is the least patience with nodes: a node may be busy with one command for as long, and a packet may be lost.
const downAfterMin = 100 * time.Millisecond

func controlSettings(c *Config) []setting {
	return []setting{
		{
			key: "control.down-after", kind: duration{&c.Control.DownAfter}, flag: "down-after", roles: RoleControl,
			meaning: "For how long a node may not answer before it counts as down: a primary is followed by another then, and a replica is not waited for any more. That its process has ended its host tells at once. From 100ms.",
		},
		{
			key: "control.replace-after", kind: duration{&c.Control.ReplaceAfter}, flag: "replace-after", roles: RoleControl,
			meaning: "For how long a host may be away, behind the 10 to 20 seconds that its session takes to end, before its nodes are replaced on others. From 1s.",
		},
	}
}

func checkPatience(c *Config) error {
	switch {
	case c.Control.DownAfter < downAfterMin:
		return fmt.Errorf("control.down-after: %s: must be at least %s", c.Control.DownAfter, downAfterMin)
	case c.Control.ReplaceAfter < time.Second:
		return fmt.Errorf("control.replace-after: %s: must be at least 1s", c.Control.ReplaceAfter)
	}
	return nil
}

// TheKey is the API's key, from wherever it is said; empty: nowhere.
func (a API) TheKey() (string, error) {
	key := a.Key
	if a.KeyFile != "" {
		text, err := os.ReadFile(a.KeyFile)
		if err != nil {
			return "", fmt.Errorf("api.key-file: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	if key != "" && len(key) < keyBytesMin || a.KeyFile != "" && key == "" {
		return "", fmt.Errorf("the management API's key has %d characters: must be at least %d (api.key, api.key-file)", len(key), keyBytesMin)
	}
	return key, nil
}

func checkAPI(c *Config) error {
	if c.API.Key != "" && c.API.KeyFile != "" {
		return errors.New("the management API's key is given both ways: must be one of them")
	}
	return nil
}

// checkControl wants of a controller what it cannot be without.
func checkControl(c *Config) (problems []error) {
	if c.Consul.Address == "" {
		problems = append(problems, errors.New("consul.address: a controller keeps the fleet in Consul: must be given with --consul URL (larder dev needs none)"))
	}
	if c.API.Key == "" && c.API.KeyFile == "" {
		problems = append(problems, errors.New("api.key: whoever manages the fleet must show a key: must be given with --api-key-file FILE or LARDER_API_KEY"))
	}
	if c.API.Listen == Off {
		problems = append(problems, errors.New("api.listen: a controller is managed by its API: must be an address"))
	}
	if c.Host.KeyFile == "" {
		problems = append(problems, errHostKey)
	}
	return problems
}
