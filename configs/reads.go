package configs

import "larder/proxy"

// readSettings are about reads from replicas.
func readSettings(c *Config) []setting {
	g := &c.Gateway
	return []setting{
		{
			key: "gateway.read-from", kind: choice{text{&g.ReadFrom}, proxy.ReadFroms()}, flag: "read-from", roles: RoleGateway | RoleDev, managed: atOnce,
			meaning: "Which nodes of a shard answer commands that only read (docs/reads.md): primary; replica or prefer-replica = replicas, and the primary what they cannot show yet or where none answers; " +
				"least-loaded = whoever has the fewest commands to answer, the primary included; same-zone-first = those in gateway.zone, then as prefer-replica. " +
				"READONLY and READWRITE change it for one connection.",
		},
		{
			key: "gateway.read-level", kind: choice{text{&g.ReadLevel}, proxy.ReadLevels()}, managed: atOnce,
			meaning: "What a read from a replica must show: eventual = nothing in particular; session = what its connection has written and read; " +
				"gateway = what any connection of this gateway has written. Where a replica is not known to have it, the primary answers.",
		},
		{
			key: "gateway.read-max-lag", kind: duration{&g.ReadMaxLag}, managed: atOnce,
			meaning: "A replica that lacks what its primary had so long ago is not read, at any level. At least 500ms. 0 = however far behind it is. It is not known of stock servers.",
		},
		{
			key: "gateway.read-users", kind: list{&g.ReadUsers, "users and where their reads go, as in report=replica:eventual", "USER=FROM[:LEVEL]", checkReadUser}, managed: atOnce,
			meaning: "Users whose reads go elsewhere than gateway.read-from and gateway.read-level say.",
		},
		{
			key: "gateway.zone", kind: text{&g.Zone}, flag: "zone", roles: RoleGateway,
			meaning: "The zone in which the gateway stands, for same-zone-first. Empty = nobody says.",
		},
		{
			key: "gateway.zones", kind: list{&g.Zones, "nodes by their ids and where they stand, as in n0=a", "NODE=ZONE", checkNodeZone}, managed: atOnce,
			meaning: "The zones in which nodes stand, for same-zone-first.",
		},
	}
}

func checkNodeZone(text string) error {
	_, _, err := proxy.ParseNodeZone(text)
	return err
}

func checkReadUser(text string) error {
	_, _, _, err := proxy.ParseReadUser(text)
	return err
}
