package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"larder/control/api"
	"larder/control/controller"
)

// Clusters lists the clusters' names.
func (c *Client) Clusters(ctx context.Context) ([]string, error) {
	var answer api.ClusterList
	err := c.ask(ctx, http.MethodGet, "/v1/clusters", nil, &answer)
	return answer.Clusters, err
}

// ClusterDetails tells of each cluster.
func (c *Client) ClusterDetails(ctx context.Context) ([]api.Cluster, error) {
	var answer api.ClusterList
	err := c.ask(ctx, http.MethodGet, "/v1/clusters", nil, &answer)
	return answer.Details, err
}

// Cluster tells of one.
func (c *Client) Cluster(ctx context.Context, name string) (told api.Cluster, err error) {
	return told, c.ask(ctx, http.MethodGet, of(name), nil, &told)
}

// CreateCluster begins one.
func (c *Client) CreateCluster(ctx context.Context, want api.Wish) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/clusters", want, &t)
}

// ModifyCluster begins to change one.
func (c *Client) ModifyCluster(ctx context.Context, name string, change api.Change) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPatch, of(name), change, &t)
}

// DeleteCluster begins to delete one with all that it has; final, if it is not empty, is a snapshot that is taken before.
func (c *Client) DeleteCluster(ctx context.Context, name, final string) (t controller.Task, err error) {
	path := of(name)
	if final != "" {
		path += "?" + url.Values{"final_snapshot": {final}}.Encode()
	}
	return t, c.ask(ctx, http.MethodDelete, path, nil, &t)
}

// Failover begins to have other nodes be the primaries of shards.
func (c *Client) Failover(ctx context.Context, name string, want api.Failover) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, of(name, "failover"), want, &t)
}

// Topology tells who has which slots.
func (c *Client) Topology(ctx context.Context, cluster string) (t api.Topology, err error) {
	return t, c.ask(ctx, http.MethodGet, of(cluster, "topology"), nil, &t)
}

// Nodes lists a cluster's nodes; with an empty name those of all.
func (c *Client) Nodes(ctx context.Context, cluster string) ([]api.Node, error) {
	path := "/v1/nodes"
	if cluster != "" {
		path = of(cluster, "nodes")
	}
	var answer api.Nodes
	err := c.ask(ctx, http.MethodGet, path, nil, &answer)
	return answer.Nodes, err
}

// ReplaceNode begins to replace a node by a new one.
func (c *Client) ReplaceNode(ctx context.Context, node string) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/nodes/"+url.PathEscape(node)+"/replace", nil, &t)
}

// DrainNode begins to replace a node by one on another host.
func (c *Client) DrainNode(ctx context.Context, node string) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/nodes/"+url.PathEscape(node)+"/drain", nil, &t)
}

// NodeTypes lists them, the smallest first.
func (c *Client) NodeTypes(ctx context.Context) ([]api.NodeType, error) {
	var answer api.NodeTypes
	err := c.ask(ctx, http.MethodGet, "/v1/node-types", nil, &answer)
	return answer.NodeTypes, err
}

// Hosts lists them.
func (c *Client) Hosts(ctx context.Context) ([]api.Host, error) {
	var answer api.Hosts
	err := c.ask(ctx, http.MethodGet, "/v1/hosts", nil, &answer)
	return answer.Hosts, err
}

// DrainHost begins to move a host's nodes elsewhere.
func (c *Client) DrainHost(ctx context.Context, host string) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/hosts/"+url.PathEscape(host)+"/drain", nil, &t)
}

// UndrainHost has a host used again.
func (c *Client) UndrainHost(ctx context.Context, host string) error {
	return c.ask(ctx, http.MethodDelete, "/v1/hosts/"+url.PathEscape(host)+"/drain", nil, nil)
}

// Endpoints lists them.
func (c *Client) Endpoints(ctx context.Context) ([]api.Endpoint, error) {
	var answer api.Endpoints
	err := c.ask(ctx, http.MethodGet, "/v1/endpoints", nil, &answer)
	return answer.Endpoints, err
}

// PointEndpoint has an endpoint lead to a cluster.
func (c *Client) PointEndpoint(ctx context.Context, endpoint, cluster string) (e api.Endpoint, err error) {
	return e, c.ask(ctx, http.MethodPut, "/v1/endpoints/"+url.PathEscape(endpoint), api.Point{Cluster: cluster}, &e)
}

// DeleteEndpoint removes one.
func (c *Client) DeleteEndpoint(ctx context.Context, endpoint string) error {
	return c.ask(ctx, http.MethodDelete, "/v1/endpoints/"+url.PathEscape(endpoint), nil, nil)
}

// Groups lists the parameter groups.
func (c *Client) Groups(ctx context.Context) ([]api.Group, error) {
	var answer api.Groups
	err := c.ask(ctx, http.MethodGet, "/v1/parameters", nil, &answer)
	return answer.Groups, err
}

// Group tells of one.
func (c *Client) Group(ctx context.Context, name string) (g api.Group, err error) {
	return g, c.ask(ctx, http.MethodGet, "/v1/parameters/"+url.PathEscape(name), nil, &g)
}

// ChangeGroup changes one, or makes it.
func (c *Client) ChangeGroup(ctx context.Context, name string, change api.GroupChange) (g api.Group, err error) {
	return g, c.ask(ctx, http.MethodPatch, "/v1/parameters/"+url.PathEscape(name), change, &g)
}

// DeleteGroup deletes one that no cluster names.
func (c *Client) DeleteGroup(ctx context.Context, name string) error {
	return c.ask(ctx, http.MethodDelete, "/v1/parameters/"+url.PathEscape(name), nil, nil)
}

// Events lists what happened to a cluster, the oldest first.
func (c *Client) Events(ctx context.Context, cluster string) ([]api.Event, error) {
	var answer api.Events
	err := c.ask(ctx, http.MethodGet, of(cluster, "events"), nil, &answer)
	return answer.Events, err
}

// AllEvents lists what happened in all, later than a time, the oldest first.
func (c *Client) AllEvents(ctx context.Context, since time.Time) ([]api.Event, error) {
	path := "/v1/events"
	if !since.IsZero() {
		path += "?since=" + url.QueryEscape(since.Format(time.RFC3339Nano))
	}
	var answer api.Events
	err := c.ask(ctx, http.MethodGet, path, nil, &answer)
	return answer.Events, err
}

// FleetTasks lists what is and was done to clusters, nodes and hosts, the newest first.
func (c *Client) FleetTasks(ctx context.Context) ([]controller.Task, error) {
	var answer api.FleetTasks
	err := c.ask(ctx, http.MethodGet, "/v1/tasks", nil, &answer)
	return answer.Tasks, err
}

// FleetTask gives such a task when it is over, or after a time.
func (c *Client) FleetTask(ctx context.Context, id string, wait time.Duration) (t controller.Task, err error) {
	return t, c.ask(ctx, http.MethodGet, "/v1/tasks/"+url.PathEscape(id)+fmt.Sprintf("?wait=%g", wait.Seconds()), nil, &t)
}
