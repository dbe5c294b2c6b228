package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
	"larder/control/migrate"
)

// migrationStart is larder migrate start, and larder migrate --from.
type migrationStart struct {
	*operator
	from, by       string
	replace, watch bool
	scan           migrate.Scan
}

func (s *migrationStart) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.from, "from", "", "the `SERVER` that is followed")
	f.StringVar(&s.by, "by", "replication", "how: `WAY` is replication, or scan for servers that refuse it")
	f.StringVar(&s.scan.Notifications, "notifications", "ask", "by scan, how changes are heard of: `HOW` is ask, where the source is told to tell them; assume, where somebody has set that; or none")
	f.IntVar(&s.scan.Rate, "rate", 0, "by scan, how many `KEYS` a second are read of the source at most; 0 = as many as there can be")
	f.BoolVar(&s.replace, "replace", false, "delete what the cluster has")
}

func (s *migrationStart) command() *cobra.Command {
	own := &migrationStart{operator: s.operator}
	cmd := &cobra.Command{
		Use: "start --from SERVER", Short: "Begin a migration", Args: cobra.NoArgs,
		Long: "Begins to fill the cluster, which must be empty, or is emptied with --replace. The appliance goes on by itself: larder migrate status shows how far it is.",
		RunE: func(cmd *cobra.Command, _ []string) error { return own.run(cmd) },
	}
	own.flags(cmd)
	cmd.Flags().BoolVar(&own.watch, "watch", false, "show how far it is until it is over")
	return cmd
}

func (s *migrationStart) run(cmd *cobra.Command) error {
	if s.from == "" {
		return errors.New("say which server is followed: --from redis://HOST:PORT")
	}
	if _, err := serverOf("--from", s.from, fromPasswordVariable); err != nil {
		return err
	}
	c, cluster, err := s.connect(cmd.Context())
	if err != nil {
		return err
	}
	m, err := c.StartMigration(cmd.Context(), cluster, migrate.Request{From: s.from, Password: os.Getenv(fromPasswordVariable), By: s.by, Replace: s.replace, Scan: s.scan})
	if err != nil {
		return err
	}
	if s.watch {
		return s.watchMigration(cmd, c, cluster, m)
	}
	return s.tellMigration(cmd, m, "the migration has begun: larder migrate status --watch shows it, larder migrate cutover ends it\n")
}

// tellMigration prints one, as JSON or by a text.
func (o *operator) tellMigration(cmd *cobra.Command, m migrate.Migration, text string) error {
	if o.json {
		return printJSON(cmd.OutOrStdout(), m)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

func (o *operator) migrationStatusCommand() *cobra.Command {
	var watch bool
	cmd := o.command("status", "Tell how far a migration is", "", 0, func(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
		m, err := c.Migration(cmd.Context(), cluster, migrate.Current)
		switch {
		case err != nil:
			return err
		case watch && m.State == migrate.Running:
			return o.watchMigration(cmd, c, cluster, m)
		}
		return o.tellMigration(cmd, m, migrationText(m))
	})
	cmd.Flags().BoolVar(&watch, "watch", false, "go on until it is over")
	return cmd
}

func (o *operator) cutoverCommand() *cobra.Command {
	var noPause bool
	var timeout, hold time.Duration
	cmd := o.command("cutover", "Stop the source's writes, and have the cluster be equal",
		"Pauses the source's writes (CLIENT PAUSE WRITE), waits until the cluster has all, and ends the migration. If that takes longer than --timeout, the source writes again and the migration\n"+
			"goes on. Afterwards the source stays paused for --hold: in that time clients are moved. larder migrate abort ends that sooner.", 0,
		func(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
			m, err := c.CutOver(cmd.Context(), cluster, migrate.Current, api.Cutover{NoPause: noPause, TimeoutMS: timeout.Milliseconds(), HoldMS: hold.Milliseconds()})
			if err != nil {
				return err
			}
			return o.tellMigration(cmd, m, migrationText(m))
		})
	f := cmd.Flags()
	f.BoolVar(&noPause, "no-pause", false, "somebody else has stopped the source's writes")
	f.DurationVar(&timeout, "timeout", cutoverTimeout, "for how long writes may be stopped in vain")
	f.DurationVar(&hold, "hold", time.Minute, "for how long the source stays paused after it")
	return cmd
}

const cutoverTimeout = 5 * time.Second

func (o *operator) abortMigrationCommand() *cobra.Command {
	return o.command("abort", "End a migration", "Ends a migration; what the cluster has got by then stays. After a cutover it lets the source write again.", 0,
		func(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
			m, err := c.AbortMigration(cmd.Context(), cluster, migrate.Current)
			if err != nil {
				return err
			}
			return o.tellMigration(cmd, m, migrationText(m))
		})
}

// migrationText tells people of a migration.
func migrationText(m migrate.Migration) string {
	s := m.Status
	head := fmt.Sprintf("migration %s from %s by %s: ", m.ID, m.From, m.By)
	switch m.State {
	case migrate.Running:
		return head + statusText(s) + "\n"
	case migrate.Done:
		text := head + fmt.Sprintf("cut over\nthe source's writes were stopped for %s until the cluster had all; %d keys were written in that time\n", m.Cut.Stopped.Round(time.Microsecond), m.Cut.Keys)
		if m.Held != nil {
			text += fmt.Sprintf("the source stays paused until %s UTC, then it takes writes again, which nobody follows: point the clients to the cluster before (larder migrate abort lets it write now)\n",
				m.Held.UTC().Format(time.TimeOnly))
		}
		return text
	case migrate.Failed:
		return head + "failed: " + m.Error + "\n"
	case migrate.Aborted:
	}
	return head + "aborted; what the cluster has got stays\n"
}

// statusText is one line.
func statusText(s migrate.Status) string {
	text := string(s.Phase)
	switch s.Phase {
	case migrate.Copying:
		if s.Expected > 0 {
			text += fmt.Sprintf(", %d keys of about %d written, %s", s.Keys, s.Expected, sizeOf(s.Bytes))
		}
	case migrate.Following, migrate.Broken:
		text += fmt.Sprintf(", %d keys written, %s; lag %s", s.Keys, sizeOf(s.Bytes), sizeOf(s.LagBytes))
		if s.LagKeys > 0 {
			text += fmt.Sprintf(", %d keys", s.LagKeys)
		}
		text += fmt.Sprintf(", %s", s.Lag.Round(time.Millisecond))
	case migrate.CutOver:
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	return text
}

const migrationEvery = time.Second

// watchMigration shows how far one is until it is over. A signal ends the watching, not the migration.
func (o *operator) watchMigration(cmd *cobra.Command, c *client.Client, cluster string, m migrate.Migration) error {
	ctx, last := cmd.Context(), ""
	for m.State == migrate.Running {
		switch text := statusText(m.Status); {
		case o.json:
			if err := printJSON(cmd.OutOrStdout(), m); err != nil {
				return err
			}
		case text != last:
			fmt.Fprintln(cmd.OutOrStdout(), time.Now().Format(time.TimeOnly), text)
			last = text
		}
		_ = pause(ctx, migrationEvery) // if ctx ends, the next answer is that
		next, err := answered(ctx, awayMax, func(ctx context.Context) (migrate.Migration, error) { return c.Migration(ctx, cluster, m.ID) })
		if ctx.Err() != nil {
			_, err := fmt.Fprintln(cmd.ErrOrStderr(), "larder: the migration goes on: larder migrate status, cutover, abort")
			return err
		}
		if err != nil {
			return err
		}
		m = next
	}
	if err := o.tellMigration(cmd, m, migrationText(m)); err != nil {
		return err
	}
	if m.State == migrate.Failed {
		return errors.New("the migration has failed")
	}
	return nil
}
