package main

import (
	"github.com/spf13/cobra"

	"larder/configs"
)

func configCommand() *cobra.Command {
	loader := configs.NewLoader(configs.RoleNone)
	var explain string
	var secrets bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration, explained",
		Long: "Prints every setting as the file, the environment and the defaults make it, with its meaning and where it came from. What it prints is a file for --config. Settings from flags of another command are not seen.\n\n" +
			"The commands below are about the settings that all gateways of a fleet take from its registry, over what the file and the environment of each of them say.",
		Example: `  larder config > larder.yaml
  larder config --config larder.yaml
  larder config --explain gateway.output-max`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&explain, "explain", "", "tell all about one `KEY`")
	cmd.Flags().BoolVar(&secrets, "secrets", false, "show passwords")
	cmd.Flags().AddFlagSet(loader.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := loader.Load()
		if err != nil {
			return err
		}
		if explain != "" {
			return loaded.Explain(cmd.OutOrStdout(), explain)
		}
		return loaded.Write(cmd.OutOrStdout(), secrets)
	}
	cmd.AddCommand(configGet(), configSet(), configDiff(), configHistory(), configRollback())
	return cmd
}
