package main

import (
	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

func devCommand() *cobra.Command {
	return serve(&cobra.Command{
		Use:   "dev",
		Short: "Run a whole cluster in this process",
		Long:  "Runs a gateway and its nodes in one process: nothing else to install. When all serve it prints what there is and what to try.",
		Example: `  larder dev
  larder dev --listen 127.0.0.1:7000 --shards 5 --dir /tmp/larder --metrics off`,
	}, configs.RoleDev, app.Dev)
}
