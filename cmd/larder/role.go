package main

import (
	"context"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
)

// serve makes a command of a role: its flags, and what runs with the configuration that they and others make.
func serve(cmd *cobra.Command, role configs.Role, run func(context.Context, configs.Config, app.Env) error) *cobra.Command {
	loader := configs.NewLoader(role)
	cmd.Flags().SortFlags = false
	cmd.Flags().AddFlagSet(loader.Flags())
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := loader.Load()
		if err != nil {
			return err
		}
		c := loaded.Config
		return run(cmd.Context(), c, app.Env{Out: cmd.OutOrStdout(), Log: app.Logger(cmd.ErrOrStderr(), c.Log), Loaded: loaded})
	}
	return cmd
}
