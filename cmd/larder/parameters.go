package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
)

func parametersCommand() *cobra.Command {
	o := &operator{}
	return o.group("parameters", "Look after parameter groups",
		"A parameter group is what the nodes of clusters are set to: names and values as CONFIG SET takes them, and reserved-memory-percent, the share of a node's memory that its data does not get. "+
			"Clusters name a group (larder cluster create --parameters) and follow it when it changes.",
		`  larder parameters set small maxmemory-policy=allkeys-lru reserved-memory-percent=30
  larder parameters show small
  larder cluster modify orders --parameters small`,
		o.asks("list", "List the parameter groups", "", cobra.NoArgs, o.listGroups),
		o.asks("show GROUP", "Tell what a group has", "", cobra.ExactArgs(1), o.showGroup),
		o.setGroupCommand(),
		o.asks("delete GROUP", "Delete a group that no cluster names", "", cobra.ExactArgs(1), func(cmd *cobra.Command, c *client.Client, args []string) error {
			err := c.DeleteGroup(cmd.Context(), args[0])
			if err == nil && !o.json {
				fmt.Fprintf(cmd.OutOrStdout(), "parameter group %s is deleted\n", args[0])
			}
			return err
		}),
	)
}

func (o *operator) listGroups(cmd *cobra.Command, c *client.Client, _ []string) error {
	list, err := c.Groups(cmd.Context())
	if err != nil {
		return err
	}
	empty := "there are no parameter groups: larder parameters set GROUP NAME=VALUE makes one"
	return o.table(cmd, list, empty, "GROUP\tENGINE\tVALUES\tCLUSTERS\tDESCRIPTION", func(row func(string, ...any)) {
		for _, g := range list {
			row("%s\t%s\t%d\t%s\t%s", g.Name, g.Engine, len(g.Values), dash(strings.Join(g.Clusters, ", ")), g.Description)
		}
	})
}

func (o *operator) showGroup(cmd *cobra.Command, c *client.Client, args []string) error {
	g, err := c.Group(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return o.printGroup(cmd, g)
}

func (o *operator) printGroup(cmd *cobra.Command, g api.Group) error {
	return o.table(cmd, g, "group "+g.Name+" sets nothing", "PARAMETER\tVALUE", func(row func(string, ...any)) {
		for _, name := range slices.Sorted(maps.Keys(g.Values)) {
			row("%s\t%s", name, g.Values[name])
		}
	})
}

func (o *operator) setGroupCommand() *cobra.Command {
	var description string
	var remove []string
	cmd := o.asks("set GROUP NAME=VALUE…", "Set parameters of a group, which is made if there is none",
		"Sets parameters of a group; the others stay. All nodes of clusters that name it get them, without a restart.", cobra.MinimumNArgs(1), nil)
	cmd.Flags().StringVar(&description, "description", "", "what the group is for: a `TEXT`")
	cmd.Flags().StringSliceVar(&remove, "unset", nil, "take the parameter of that `NAME` out; may be given several times")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := o.find()
		if err != nil {
			return err
		}
		change := api.GroupChange{Set: map[string]string{}, Unset: remove}
		if cmd.Flags().Changed("description") {
			change.Description = &description
		}
		for _, word := range args[1:] {
			name, value, ok := strings.Cut(word, "=")
			if !ok || name == "" {
				return fmt.Errorf("%q: want NAME=VALUE", word)
			}
			change.Set[name] = value
		}
		g, err := c.ChangeGroup(cmd.Context(), args[0], change)
		if err != nil {
			return err
		}
		return o.printGroup(cmd, g)
	}
	return cmd
}
