package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"larder/backends/remote"
)

func migrateCommand() *cobra.Command {
	o := &operator{}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move a live Redis into a cluster",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.flags(cmd)
	cmd.AddCommand(o.verifyMigrationCommand())
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
