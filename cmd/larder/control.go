package main

import (
	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

func controlCommand() *cobra.Command {
	return serve(&cobra.Command{
		Use:   "control",
		Short: "Look after a fleet, and answer its management API",
		Long: "Runs a controller: it decides which hosts run which nodes, who is a primary, and what gateways are told, and keeps that in Consul. Two or three run; one of them leads, and another takes its place within\n" +
			"two seconds when it dies. Each answers the management API, which the operator's commands ask (larder cluster …); those that do not lead pass on to the one that does.",
		Example: `  larder control --consul http://127.0.0.1:8500 --listen 10.0.0.5:7480 --api-key-file /etc/larder/api.key --key-file /etc/larder/fleet.key`,
	}, configs.RoleControl, app.Control)
}
