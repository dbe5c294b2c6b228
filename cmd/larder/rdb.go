package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/persistence/inspect"
)

func rdbCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rdb",
		Short: "Look into an RDB file",
		Long:  "Reads a dump of Redis (up to 8.6), of Valkey (up to 9.1) or of Larder, plain or compressed by zstd, and tells whether it is right and what is in it. FILE may be - for standard input. No server is needed, and nothing is changed.",
		Example: `  larder rdb check dump.rdb
  larder rdb stat --top 20 --prefix-depth 2 shard-0000.rdb.zst
  larder rdb keys --match 'user:*' dump.rdb | sort -n -k4 | tail
  ssh host cat /var/lib/redis/dump.rdb | larder rdb stat --json -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(rdbCheckCommand(), rdbStatCommand(), rdbKeysCommand())
	return cmd
}

func rdbCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a dump can be loaded",
		Long:  "Reads the whole file, all values and the checksum. Exit code 0: it is right; 1: it is not, and where and what to do is said.",
		Args:  cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return inspectFile(cmd, args[0], func(in io.Reader, o inspect.Options) error {
			s, err := inspect.Check(in, o)
			if asJSON {
				verdict := checked{OK: err == nil, Summary: s}
				if err != nil {
					verdict.Error = err.Error()
				}
				return errors.Join(err, printJSON(cmd.OutOrStdout(), verdict))
			}
			if err == nil {
				err = s.Print(cmd.OutOrStdout())
			}
			return err
		})
	}
	return cmd
}

// checked is what check says as JSON.
type checked struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	*inspect.Summary
}

func rdbStatCommand() *cobra.Command {
	var asJSON bool
	var o inspect.StatOptions
	cmd := &cobra.Command{
		Use:   "stat FILE",
		Short: "Count what is in a dump",
		Long:  "Counts keys by database and type, by when they expire and by prefix, and names the biggest. Bytes are those in the file; in memory a key takes more, by how much depends on the server.",
		Args:  cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&o.Top, "top", 10, "how many of the biggest keys and prefixes to print (`N`)")
	cmd.Flags().IntVar(&o.PrefixDepth, "prefix-depth", 1, "how many parts of a key, each up to a ':', are its prefix (`N`)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		const topMax = 100_000
		if o.Top < 0 || o.Top > topMax {
			return fmt.Errorf("--top %d: must be from 0 to %d", o.Top, topMax)
		}
		if o.PrefixDepth < 1 {
			return fmt.Errorf("--prefix-depth %d: must be at least 1", o.PrefixDepth)
		}
		return inspectFile(cmd, args[0], func(in io.Reader, each inspect.Options) error {
			o.Options = each
			s, err := inspect.Stat(in, o)
			switch {
			case err != nil:
				return err
			case asJSON:
				return printJSON(cmd.OutOrStdout(), s)
			}
			return s.Print(cmd.OutOrStdout())
		})
	}
	return cmd
}

func rdbKeysCommand() *cobra.Command {
	var asJSON bool
	var pattern string
	cmd := &cobra.Command{
		Use:   "keys FILE",
		Short: "List the keys of a dump",
		Long:  "Prints a line for each key, in the order of the file, parted by tabs: database, type, elements, bytes in the file, when it expires (UTC, or never), and the key in quotes.",
		Args:  cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	cmd.Flags().StringVar(&pattern, "match", "*", "only keys that a `PATTERN` matches, as in KEYS")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return inspectFile(cmd, args[0], func(in io.Reader, o inspect.Options) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			_, err := inspect.Keys(in, out, o, asJSON, pattern)
			return errors.Join(err, out.Flush())
		})
	}
	return cmd
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// inspectFile opens a file, or standard input, and shows a bar while it is read if a person looks on.
func inspectFile(cmd *cobra.Command, path string, look func(io.Reader, inspect.Options) error) error {
	in, size := cmd.InOrStdin(), int64(0)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	bar := app.NewBar(cmd.ErrOrStderr(), size)
	err := look(in, inspect.Options{Now: time.Now(), Progress: bar.Show})
	bar.Clear()
	if err != nil && path != "-" {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}
