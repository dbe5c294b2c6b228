package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"larder/persistence/journal"
	"larder/persistence/rdb"
)

func aofCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "aof",
		Short: "Look into a journal (an append-only folder)",
		Long:  "Reads what appendonly keeps on the disk, Larder's or that of a Redis, and tells whether it is whole. No server is needed.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(aofCheckCommand())
	return cmd
}

func aofCheckCommand() *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "check PATH",
		Short: "Say whether a journal can be loaded, and cut off what cannot",
		Long: "PATH is the folder (appendonlydir), its manifest, or one file of it. Exit code 0: all of it is whole, or was made so; 1: it is not, and where and why is said. " +
			"With --fix the last file is cut off where it is whole; what is cut off is kept in a file beside it. Stop the server first.",
		Example: `  larder aof check data/appendonlydir
  larder aof check --fix data/appendonlydir`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "cut off what is not whole at the end of the last file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		found, err := journal.Check(args[0], checkBase)
		if err != nil {
			return err
		}
		return tellFindings(cmd.OutOrStdout(), found, fix)
	}
	return cmd
}

// tellFindings prints a line a file. The error says that one is not whole.
func tellFindings(out io.Writer, found []journal.Finding, fix bool) error {
	var wrong error
	for i := range found {
		f := &found[i]
		if f.Err == nil {
			fmt.Fprintf(out, "%s: whole, %d bytes, %d commands\n", f.Path, f.Size, f.Commands)
			continue
		}
		fmt.Fprintf(out, "%s: %v\n", f.Path, f.Err)
		if !fix {
			wrong = errors.Join(wrong, fmt.Errorf("%s is whole up to offset %d of %d", f.Path, f.Whole, f.Size))
			continue
		}
		kept, err := f.Fix()
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		fmt.Fprintf(out, "%s: cut off at %d; the %d bytes behind it are in %s\n", f.Path, f.Whole, f.Size-f.Whole, kept)
	}
	return wrong
}

// checkBase reads an RDB file to its end.
func checkBase(from io.Reader, _ int64) (end int64, err error) {
	var scan rdb.Scanner
	buf, got := make([]byte, 256<<10), int64(0)
	for {
		_, state, err := scan.Next()
		switch {
		case err != nil:
			return 0, err
		case state == rdb.End:
			return got - int64(len(scan.Rest())), nil
		case state != rdb.More:
			continue
		}
		n, err := from.Read(buf)
		got += int64(n)
		scan.Feed(buf[:n])
		if errors.Is(err, io.EOF) && n == 0 {
			return 0, scan.Ended()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
}
