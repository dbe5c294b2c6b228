package configs

import (
	"larder/backends/remote"
	"larder/proxy/mirror"
)

// Shadow is what a gateway mirrors to.
type Shadow struct {
	From     string // where clients are served from, as users write it
	To       string // what is tried
	Share    string
	Filled   bool
	Dir      string // empty = the role's own choice
	QueueMax int64
}

func defaultShadow() Shadow {
	return Shadow{Share: "100%", QueueMax: mirror.DefaultOptions().QueueBytes}
}

func shadowSettings(c *Config) []setting {
	s := &c.Shadow
	return []setting{
		{
			key: "shadow.from", kind: checked{text{&s.From}, "an address such as redis://host:6379, redis+cluster://host:7000 or redis+sentinel://host:26379/name", checkServer}, flag: "from", roles: RoleShadow, secret: true,
			meaning: "The cache that serves, until it is switched: where clients' commands go. A password may stand in it.",
		},
		{
			key: "shadow.to", kind: checked{text{&s.To}, "an address such as redis://host:6379", checkServer}, flag: "to", roles: RoleShadow, secret: true,
			meaning: "The cluster that is tried: a Larder endpoint, or one node. A share of the commands is said to it too; nobody waits for what it answers.",
		},
		{
			key: "shadow.share", kind: checked{text{&s.Share}, "a share of the keys such as 10% or 0.1, more than 0", checkShare}, flag: "share", roles: RoleShadow,
			meaning: "The share of the keys whose commands are mirrored, by slot: keys with one hash tag all or none.",
		},
		{
			key: "shadow.filled", kind: boolean{&s.Filled}, flag: "filled", roles: RoleShadow,
			meaning: "Whether both have the same data to begin with, as after larder migrate: then every key is compared. Else a key is compared from its first whole write on, or when both are found to have the same.",
		},
		{
			key: "shadow.dir", kind: path{text{&s.Dir}}, flag: "dir", roles: RoleShadow,
			meaning: "The folder in which a running shadow leaves its address and key for larder shadow report, and what it was switched to. Empty = $XDG_DATA_HOME/larder-shadow or ~/.local/share/larder-shadow.",
		},
		{
			key: "shadow.queue-max", kind: size[int64]{&s.QueueMax},
			meaning: "Bytes of commands and replies that wait to be said to the shadow; what is beyond is not mirrored, and counted.",
		},
	}
}

func checkServer(s string) error {
	if s == "" {
		return nil
	}
	_, err := remote.Parse(s)
	return err
}

func checkShare(s string) error {
	_, err := mirror.ParseShare(s)
	return err
}
