package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/configs"
	"larder/control/api/client"
)

func shadowCommand() *cobra.Command {
	cmd := serve(&cobra.Command{
		Use:   "shadow",
		Short: "Serve from an existing cache and try another cluster with a share of its traffic",
		Long: "Runs an endpoint in front of an existing Redis, and says a share of the commands to a second cluster too, without ever waiting for it. Replies are compared, and " +
			"differences that stay, latency and memory are told side by side (larder shadow report). When the new cluster is trusted and has the data (larder migrate), " +
			"larder shadow switch moves the clients to it at the same endpoint.",
		Example: `  larder shadow --listen 0.0.0.0:6379 --allow 10.0.0.0/8 --from redis://old-cache:6379 --to redis://larder:6379 --share 10%
  larder shadow report
  larder shadow switch -- larder migrate cutover`,
	}, configs.RoleShadow, app.Shadow)
	cmd.AddCommand(shadowReport(), shadowStop(), shadowStart(), shadowSwitch())
	return cmd
}

// shadowAPI is a running shadow.
type shadowAPI struct{ dir string }

func (a *shadowAPI) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.dir, "dir", "", "the `FOLDER` of the running shadow, if it was given one")
}

func shadowReport() *cobra.Command {
	var a shadowAPI
	var asJSON bool
	cmd := &cobra.Command{
		Use: "report", Short: "Tell what a running shadow has found", Args: cobra.NoArgs,
		Long: "Tells what a running shadow has found. Exit code 0: no difference was confirmed; 1: there are some, or nobody could be asked.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := a.ask(cmd.Context(), http.MethodGet, "")
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), state)
			} else {
				err = tellShadow(cmd.OutOrStdout(), state)
			}
			if err == nil && state.Report != nil && state.Report.Confirmed > 0 {
				return fmt.Errorf("%d differences were confirmed", state.Report.Confirmed)
			}
			return err
		},
	}
	a.flag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func tellShadow(w io.Writer, s app.ShadowState) error {
	if s.Switched != "" {
		fmt.Fprintf(w, "The clients at %s were moved to %s.\n", s.Endpoint, s.Switched)
	} else {
		fmt.Fprintf(w, "The clients at %s are served from %s; mirrored to %s.\n", s.Endpoint, s.From, s.To)
	}
	if s.Report == nil {
		return nil
	}
	return s.Report.Write(w)
}

func shadowStop() *cobra.Command {
	var a shadowAPI
	cmd := &cobra.Command{
		Use: "stop", Short: "End the mirroring; the clients are served as before", Args: cobra.NoArgs,
		Long: "Ends the mirroring, which must not go on while larder migrate fills the cluster that is tried: writes would come twice. The clients are served as before.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := a.ask(cmd.Context(), http.MethodPost, "/stop")
			return err
		},
	}
	a.flag(cmd)
	return cmd
}

func shadowStart() *cobra.Command {
	var a shadowAPI
	cmd := &cobra.Command{
		Use: "start [-- COMMAND ...]", Short: "Mirror again", Args: cobra.ArbitraryArgs,
		Long: "Mirrors again what was stopped. With a command the clients are held back while that runs, such as larder migrate cutover: when it has ended well both have the same data, " +
			"and every key is compared from then on.",
		Example: `  larder shadow start -- larder migrate cutover`,
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "/start"
			if len(args) > 0 {
				what = "/start-filled"
				if err := a.while(cmd, args); err != nil {
					return err
				}
			}
			_, err := a.ask(cmd.Context(), http.MethodPost, what)
			return err
		},
	}
	a.flag(cmd)
	return cmd
}

func shadowSwitch() *cobra.Command {
	var a shadowAPI
	var anyway bool
	cmd := &cobra.Command{
		Use: "switch [-- COMMAND ...]", Short: "Move the clients of a running shadow to the cluster that was tried", Args: cobra.ArbitraryArgs,
		Long: "Moves the clients of a running shadow to the cluster that was tried, at the same endpoint, for good. Their commands are held back meanwhile, none is refused. With a command, that " +
			"is run while none is under way, such as larder migrate cutover: if it fails, nothing is moved and the clients go on where they were. It may take 30 seconds. Without one " +
			"the cluster must have everything by the mirroring alone.",
		Example: `  larder shadow switch
  larder shadow switch -- larder migrate cutover`,
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "/switch"
			if len(args) > 0 {
				if err := a.while(cmd, args); err != nil {
					return err
				}
			}
			if anyway || len(args) > 0 {
				what = "/switch-anyway"
			}
			state, err := a.ask(cmd.Context(), http.MethodPost, what)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the clients at %s are served from %s now\n", state.Endpoint, state.Switched)
			return nil
		},
	}
	a.flag(cmd)
	cmd.Flags().BoolVar(&anyway, "anyway", false, "though the cluster may lack data")
	return cmd
}

// while holds the clients back and runs a command. If that fails they go on.
func (a *shadowAPI) while(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if _, err := a.ask(ctx, http.MethodPost, "/halt"); err != nil {
		return err
	}
	run := exec.CommandContext(ctx, args[0], args[1:]...)
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := run.Run(); err != nil {
		_, again := a.ask(context.WithoutCancel(ctx), http.MethodPost, "/release")
		return errors.Join(fmt.Errorf("%s: %w: the clients stay where they are", strings.Join(args, " "), err), again)
	}
	return nil
}

// ask asks the running shadow.
func (a *shadowAPI) ask(ctx context.Context, method, what string) (state app.ShadowState, err error) {
	dir := a.dir
	if dir == "" {
		if dir, err = app.ShadowFolder(); err != nil {
			return state, err
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, app.ShadowFile))
	if errors.Is(err, os.ErrNotExist) {
		return state, fmt.Errorf("no larder shadow runs on folder %s: start one, or say its --dir", dir)
	}
	var address client.Address
	if err == nil {
		err = json.Unmarshal(text, &address)
	}
	if err != nil {
		return state, fmt.Errorf("find the shadow: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, address.URL+"/v1/shadow"+what, http.NoBody)
	if err != nil {
		return state, err
	}
	r.Header.Set("Authorization", "Bearer "+address.Key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return state, fmt.Errorf("the shadow cannot be reached: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		return state, fmt.Errorf("the shadow says: %s", strings.TrimSpace(string(why)))
	}
	if err := json.NewDecoder(answer.Body).Decode(&state); err != nil {
		return state, fmt.Errorf("what the shadow answers cannot be read: %w", err)
	}
	return state, nil
}
