package configs

import (
	"fmt"
	"strconv"

	"larder/control/controller"
	"larder/persistence/snapshot"
)

// Snapshots is where snapshots go and when they are taken.
type Snapshots struct {
	Store       string // a folder or a URL; empty = snapshots in the data folder
	AccessKey   string
	SecretKey   string
	EncryptTo   string
	Identity    string
	Level       int   // of zstd
	BytesPerSec int64 // of a shard's data; 0 = as many as come
	Window      string
	Retain      int
}

func snapshotSettings(c *Config) []setting {
	s := &c.Snapshots
	return []setting{
		{
			key: "snapshots.store", kind: text{&s.Store}, flag: "snapshots", roles: RoleDev | RoleControl,
			meaning: "The object store that snapshots go to: a folder, or a URL such as s3://bucket/prefix?endpoint=https://host:9000&region=eu-1 (docs/objectstores.md). Empty = the folder snapshots in the data folder; of a fleet, which has no such folder: none, and no snapshots.",
		},
		{
			key: "snapshots.access-key", kind: text{&s.AccessKey},
			meaning: "The key of an S3-compatible store. Empty = as the URL's credentials says, or from AWS_ACCESS_KEY_ID, the AWS tools' file, or the machine's role.",
		},
		{
			key: "snapshots.secret-key", kind: text{&s.SecretKey}, secret: true,
			meaning: "The secret that belongs to it.",
		},
		{
			key: "snapshots.encrypt-to", kind: text{&s.EncryptTo},
			meaning: "age recipients, or files of them, with commas between, to whom snapshots are encrypted before they leave this machine. Empty = they are not.",
		},
		{
			key: "snapshots.identity", kind: text{&s.Identity},
			meaning: "Files of age identities, with commas between, by which encrypted snapshots are read.",
		},
		{
			key: "snapshots.level", kind: between{number{&s.Level}, snapshot.LevelMin, snapshot.LevelMax},
			meaning: "How hard zstd tries, 1 to 22: more takes more of a processor, and snapshots get a little smaller (docs/snapshots.md).",
		},
		{
			key: "snapshots.bytes-per-second", kind: size[int64]{&s.BytesPerSec},
			meaning: "Bytes of a shard's data that a snapshot takes a second at most, before they are compressed. 0 = as many as come.",
		},
		{
			key: "snapshots.window", kind: checked{text{&s.Window}, "two times of a day in UTC, at least an hour apart, such as 03:00-05:00", checkWindow},
			meaning: "When automatic snapshots are taken, each day, in UTC. One that was missed is made up for.",
		},
		{
			key: "snapshots.retain", kind: number{&s.Retain},
			meaning: "How many automatic snapshots are kept; older ones are deleted. 0 = none is taken.",
		},
	}
}

func checkWindow(s string) error {
	_, err := controller.ParseWindow(s)
	return err
}

// between is a number within limits.
type between struct {
	number
	least, most int
}

func (k between) want() string { return fmt.Sprintf("a whole number from %d to %d", k.least, k.most) }

func (k between) set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < k.least || n > k.most {
		return mustBe(k)
	}
	*k.to = n
	return nil
}
