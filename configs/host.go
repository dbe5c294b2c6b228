package configs

import "errors"

// Host is what hosts and controllers know of each other.
type Host struct {
	KeyFile string // with the key that all of a fleet share
}

func hostSettings(c *Config) []setting {
	return []setting{
		{
			key: "host.key-file", kind: path{text{&c.Host.KeyFile}}, flag: "key-file", roles: RoleControl,
			meaning: "A file with the fleet's key, in one line: hosts obey who shows it. The same in all hosts and controllers.",
		},
	}
}

var errHostKey = errors.New("host.key-file: hosts obey who has the fleet's key: must be given with --key-file FILE")
