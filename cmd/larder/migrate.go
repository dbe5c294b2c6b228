package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"larder/backends/remote"
)

func migrateCommand() *cobra.Command {
	o := &operator{}
	start := &migrationStart{operator: o}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move a live Redis into a cluster",
		Long: "Fills a running cluster from a live Redis or Valkey, follows what changes there, and on command stops the source's writes for some milliseconds and has the cluster be " +
			"equal: then clients can be moved. " + addressHelp + fromPasswordVariable + ".",
		Example: `  larder migrate --from redis://cache:6379          fill, follow, show how far it is
  larder migrate cutover
  larder migrate verify --from redis://cache:6379   compare both`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if start.from == "" {
				return cmd.Help()
			}
			start.watch = true
			return start.run(cmd)
		},
	}
	o.flags(cmd)
	start.flags(cmd)
	cmd.AddCommand(start.command(), o.migrationStatusCommand(), o.cutoverCommand(), o.abortMigrationCommand(), o.verifyMigrationCommand())
	return cmd
}

// addressHelp is how servers are named, for the help of commands.
const addressHelp = `A server is named as redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// for TLS; a Redis Cluster as redis+cluster://HOST:PORT[,HOST:PORT…], one behind
sentinels as redis+sentinel://HOST:PORT[,HOST:PORT…]/NAME. Without a database all are meant. Other users of this machine see command lines: a password is
better said by `

// serverOf reads an address that users gave; its password may stand in a variable instead.
func serverOf(flag, text, variable string) (remote.Address, error) {
	a, err := remote.Parse(text)
	if err != nil {
		return a, fmt.Errorf("%s: %w", flag, err)
	}
	if a.Login.Password == "" {
		a.Login.Password = os.Getenv(variable)
	}
	return a, nil
}
