package main

import (
	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

func gatewayCommand() *cobra.Command {
	return serve(&cobra.Command{
		Use:   "gateway",
		Short: "Run an endpoint over nodes",
		Long:  "Runs a gateway: clients connect to it, nodes hold the keys. It holds none, so any number of gateways may serve the same nodes.",
		Example: `  larder gateway --nodes 127.0.0.1:7001,127.0.0.1:7002
  larder gateway --listen 0.0.0.0:6379 --allow 10.0.0.0/8 --topology topology.json
  larder gateway --listen 0.0.0.0:6379 --allow 10.0.0.0/8 --consul http://127.0.0.1:8500 --cluster orders`,
	}, configs.RoleGateway, app.Gateway)
}
