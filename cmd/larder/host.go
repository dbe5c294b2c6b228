package main

import (
	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

func hostCommand() *cobra.Command {
	cmd := serve(&cobra.Command{
		Use:   "host",
		Short: "Run nodes on this machine",
		Long: "Runs a host: it announces itself in Consul, and starts the nodes that the fleet's controller places on it, each a process of its own, within the memory that it has.\n" +
			"Its nodes go on when it ends, unless --stop-nodes is given, and it takes them over when it comes back.",
		Example: `  larder host --consul http://127.0.0.1:8500 --key-file fleet.key
  larder host --consul http://127.0.0.1:8500 --key-file fleet.key --zone b --memory 48gb --listen 0.0.0.0:7490 --advertise 10.0.0.7 --allow 10.0.0.0/8`,
	}, configs.RoleHost, app.Host)
	cmd.AddCommand(hostCommands()...)
	return cmd
}
