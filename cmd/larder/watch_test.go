package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
	"larder/control/config"
	"larder/control/controller"
	"larder/control/migrate"
)

// answers stand for a controller's, one a request, the last for all others; nil: a packet that nobody answers.
type answers []any

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	next := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	status := http.StatusOK
	switch what := next.(type) {
	case nil:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case error:
		return nil, what
	case api.Problem:
		status = http.StatusBadRequest
	}
	text, err := json.Marshal(next)
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(text))}, err
}

// asker is a command with a client that gets answers.
func asker(ctx context.Context, list ...any) (cmd *cobra.Command, c *client.Client, out, problems *bytes.Buffer) {
	cmd, out, problems = &cobra.Command{}, &bytes.Buffer{}, &bytes.Buffer{}
	cmd.SetContext(ctx)
	cmd.SetOut(out)
	cmd.SetErr(problems)
	a := answers(list)
	return cmd, &client.Client{URL: "http://larder", HTTP: &http.Client{Transport: &a}}, out, problems
}

// TestWatchHearsNothing: an answer that does not come is asked for anew, and who hears nothing for long enough says so instead of waiting on.
func TestWatchHearsNothing(t *testing.T) {
	running := controller.Task{ID: "t", State: controller.TaskRunning}
	ended := controller.Task{ID: "t", State: controller.TaskDone}
	const most = awayMax + 2*(lookEvery+answerMax)
	synctest.Test(t, func(t *testing.T) {
		w := &work{operator: &operator{}}
		cmd, c, _, _ := asker(t.Context(), running, nil, ended)
		if task, err := w.watch(cmd, c, running); err != nil || task.State != controller.TaskDone {
			t.Error(task, err)
		}
		cmd, c, _, _ = asker(t.Context(), running, nil)
		begun := time.Now()
		if _, err := w.watch(cmd, c, running); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > most {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		cmd, c, _, _ = asker(t.Context(), api.Events{}, nil)
		begun = time.Now()
		if err := w.followEvents(cmd, c, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > most {
			t.Errorf("events: %v after %s", err, time.Since(begun))
		}
		cmd, c, _, _ = asker(t.Context(), control.Task{ID: "t", State: control.TaskRunning}, nil)
		begun = time.Now()
		if _, err := w.operator.follow(cmd, c, "main", control.Task{State: control.TaskRunning}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > most {
			t.Errorf("a task on data: %v after %s", err, time.Since(begun))
		}
		cmd, c, _, _ = asker(t.Context(), migrate.Migration{ID: "m", State: migrate.Running}, nil)
		begun = time.Now()
		if err := w.watchMigration(cmd, c, "main", migrate.Migration{State: migrate.Running}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > most {
			t.Errorf("a migration: %v after %s", err, time.Since(begun))
		}
	})
}

// TestTaken: what is said of a version, and the exit code's error, by what the gateways say of it.
func TestTaken(t *testing.T) {
	state := func(running ...config.Running) config.State { return config.State{Running: running} }
	refused := &config.Refusal{Version: 7, Error: "too much"}
	keys := strings.Fields("a b c d e f g h")
	own := map[string]config.Own{}
	for _, key := range keys {
		own[key] = config.Own{Value: "1", Source: "--set", First: true}
	}
	all := ""
	for _, key := range keys {
		all += "; but " + key + " is 1 there by --set on its command line, which goes first"
	}
	for _, c := range []struct {
		name     string
		answers  []any
		out, err string // parts of what is said; the error is the same with --json
		took     time.Duration
	}{
		{name: "all run it", answers: []any{state(config.Running{ID: "g", Version: 6}), state(config.Running{ID: "g", Version: 7})}, out: "version 7\n  g runs it\n", took: takenLook},
		{name: "settings of its own", answers: []any{state(config.Running{ID: "g", Version: 7, Own: own})}, out: "version 7\n  g runs it" + all + "\n"},
		{
			name: "one refuses it", answers: []any{state(config.Running{ID: "g", Version: 6, Refused: refused}, config.Running{ID: "h", Version: 7})},
			out: "version 7\n  g refuses it and runs version 6 on: too much\n  h runs it\n", err: "1 of 2 gateways refuse version 7",
		},
		{name: "a newer one", answers: []any{state(config.Running{ID: "g", Version: 8})}, out: "  g runs version 8, which somebody has written meanwhile\n"},
		{
			name: "a newer one is refused", answers: []any{state(config.Running{ID: "g", Version: 6, Refused: &config.Refusal{Version: 8, Error: "no"}})},
			out: "  g runs version 6 on, and refuses version 8, which somebody has written meanwhile: no\n",
		},
		{name: "one is silent", answers: []any{state(config.Running{ID: "g", Version: 6})}, out: "  g has not said that it runs it\n", took: takenWithin},
		{name: "a failure that passes", answers: []any{errors.New("reset"), state(config.Running{ID: "g", Version: 7})}, out: "  g runs it\n", took: takenLook},
		{name: "failures", answers: []any{errors.New("reset")}, err: "version 7 is written, and which gateways run it is not known: the appliance cannot be reached: ", took: takenWithin},
		{name: "no answer", answers: []any{nil}, err: "version 7 is written, and which gateways run it is not known: the appliance cannot be reached: ", took: takenWithin},
		{name: "it refuses to tell", answers: []any{api.Problem{Error: "not you"}}, err: "version 7 is written, and which gateways run it is not known: not you"},
	} {
		for _, asJSON := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				version := config.Version{Version: 7, Values: config.Values{}}
				for key := range own {
					version.Values[key] = "2"
				}
				cmd, client, out, _ := asker(t.Context(), c.answers...)
				begun := time.Now()
				err := (&operator{json: asJSON}).taken(cmd, client, version)
				if took := time.Since(begun); took != c.took {
					t.Errorf("%s: it takes %s", c.name, took)
				}
				if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: %v", c.name, err)
				}
				var told config.Version
				if asJSON && (json.Unmarshal(out.Bytes(), &told) != nil || told.Version != 7) || !asJSON && !strings.Contains(out.String(), c.out) {
					t.Errorf("%s: %s", c.name, out)
				}
			})
		}
	}
}

// TestMigrationIsWatched: who stops watching one is told that it goes on, and with --json has each state once.
func TestMigrationIsWatched(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithTimeout(t.Context(), migrationEvery*5/2)
			defer interrupt()
			m := migrate.Migration{ID: "m", State: migrate.Running}
			cmd, c, out, problems := asker(ctx, m)
			err := (&operator{json: asJSON}).watchMigration(cmd, c, "main", m)
			if err != nil || problems.String() != "larder: the migration goes on: larder migrate status, cutover, abort\n" {
				t.Error(err, problems)
			}
			if n := strings.Count(out.String(), `"id"`); asJSON && n != 3 || strings.Contains(out.String(), "migration m") {
				t.Errorf("%d states\n%s", n, out)
			}
		})
	}
}
