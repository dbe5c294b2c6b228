// Command larder is every role of Larder: one subcommand a role, and a few for people. A subcommand reads its
// configuration and calls cmd/app; it has no logic of its own. An error ends the process with exit code 1 and is said in
// plain lines on stderr.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the process but for its signals; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(stderr, "larder:", line)
		}
		return 1
	}
	return 0
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "larder",
		Short:         "A cache gateway: one Redis endpoint over a fleet of nodes",
		Long:          "Larder is a cache gateway appliance. Point any Redis client at its endpoint; the keys live, sharded, on nodes behind it.\n\nBegin with: larder dev",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())
	})
	root.AddCommand(devCommand(), engineCommand(), gatewayCommand(), controlCommand(), shadowCommand(), snapshotCommand(), migrateCommand(), rdbCommand(), aofCommand(), configCommand(), healthcheckCommand(), versionCommand())
	root.AddCommand(clusterCommand(), nodeCommand(), hostCommand(), endpointCommand(), parametersCommand(), eventsCommand(), topologyCommand())
	return root
}
