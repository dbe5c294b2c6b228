package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

// healthcheckWithin is how long the answer may take; a container's health check gives up after 30 s.
const healthcheckWithin = 3 * time.Second

func healthcheckCommand() *cobra.Command {
	loader := configs.NewLoader(configs.RoleNone)
	var target string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a Larder on this machine whether it serves",
		Long:  "Exit code 0: it serves; 1: it does not, and why is said. Without --url it asks /readyz at metrics.listen, or says PING at gateway.listen if metrics.listen is not set.",
		Example: `  larder healthcheck
  larder healthcheck --url http://127.0.0.1:9121/readyz
  larder healthcheck --url redis://127.0.0.1:6380`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&target, "url", "", "`URL` to ask: http://host:port/readyz, or redis://host:port for a PING")
	cmd.Flags().AddFlagSet(loader.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := loader.Load()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), healthcheckWithin)
		defer cancel()
		return app.Healthcheck(ctx, loaded.Config, target)
	}
	return cmd
}
