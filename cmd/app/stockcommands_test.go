package app_test

import (
	"path/filepath"
	"testing"

	"larder/cmd/app"
	"larder/configs"
	"larder/internal/peers"
)

// TestStockCommands: a gateway over stock servers knows the commands of their modules before its first client comes, and learns of modules that are loaded later.
func TestStockCommands(t *testing.T) {
	module := peers.Module(t)
	with, without := peers.StartRedis(t, "--loadmodule", module), peers.StartRedis(t, "--enable-module-command", "yes")
	path := filepath.Join(t.TempDir(), "topology.json")
	writeTopology(t, path, 1, with)
	r := start(t, app.Gateway, config(t, configs.RoleGateway, "--topology", path))
	k := peers.Dial(t, r.endpoint(t), 0)
	r.find(t, r.log, `(commands of stock servers adopted)`)
	if got := string(k.Do("m.set", "a", "1")); got != "+OK\r\n" {
		t.Errorf("m.set: %q", got)
	}

	writeTopology(t, path, 2, without)
	eventually(t, "the module is gone with its server", func() bool { return string(k.Do("COMMAND", "INFO", "m.get")) == "*1\r\n$-1\r\n" })
	peers.Dial(t, without, 0).Do("MODULE", "LOAD", module)
	eventually(t, "the module is there", func() bool { return string(k.Do("m.get", "a")) == "$-1\r\n" })
}
