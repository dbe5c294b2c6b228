package main

import (
	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

func engineCommand() *cobra.Command {
	return serve(&cobra.Command{
		Use:     "engine",
		Short:   "Run one node",
		Long:    "Runs one node: it holds keys and serves gateways, or clients directly.",
		Example: `  larder engine --listen 127.0.0.1:7001 --maxmemory 512mb`,
	}, configs.RoleEngine, app.Engine)
}
