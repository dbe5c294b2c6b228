package api

import (
	_ "embed" // the document
	"net/http"

	"larder/control"
	"larder/control/controller"
	"larder/control/migrate"
)

// route is a path of the API with what is asked and answered there. The OpenAPI document is made of these (openapi_test.go), so both say the same.
type route struct {
	method, path string
	does         string // in a few words
	query        []parameter
	body         any // a value of the request's type; nil: it has none
	status       int // of an answer that is no error
	answer       any // a value of its type; nil: bytes
	handle       http.HandlerFunc
}

// parameter is one of a path's query.
type parameter struct{ name, means string }

//go:embed openapi.json
var document []byte

// Document is the OpenAPI document of this API.
func Document() []byte { return document }

const (
	ofClusters   = "/v1/clusters"
	ofCluster    = "/v1/clusters/{cluster}"
	ofSnapshots  = "/v1/clusters/{cluster}/snapshots"
	ofMigrations = "/v1/clusters/{cluster}/migrations"
)

// nothing is the answer that says nothing but that it is done.
type nothing struct{}

func (s *server) routes() []route {
	all := []route{{
		method: "GET", path: "/v1/openapi.json", does: "This document", status: http.StatusOK, answer: map[string]any{},
		handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(document) // the one who asked has gone
		},
	}}
	for _, more := range [][]route{s.clusterRoutes(), s.nodeRoutes(), s.fleetRoutes(), s.snapshotRoutes(), s.taskRoutes(), s.migrationRoutes(), s.configRoutes()} {
		all = append(all, more...)
	}
	return all
}

const ok, accepted = http.StatusOK, http.StatusAccepted

func (s *server) clusterRoutes() []route {
	task := controller.Task{}
	return []route{
		{method: "GET", path: ofClusters, does: "List the clusters", status: ok, answer: ClusterList{}, handle: s.say(s.clusters)},
		{method: "POST", path: ofClusters, does: "Create a cluster", body: Wish{}, status: accepted, answer: task, handle: s.managed(s.createCluster)},
		{method: "GET", path: ofCluster, does: "Tell of a cluster", status: ok, answer: Cluster{}, handle: s.say(s.cluster)},
		{method: "PATCH", path: ofCluster, does: "Change a cluster", body: Change{}, status: accepted, answer: task, handle: s.managed(modifyCluster)},
		{
			method: "DELETE", path: ofCluster, does: "Delete a cluster with all that it has", query: []parameter{{"final_snapshot", "the name of a snapshot that is taken before; the cluster stays if it cannot be"}},
			status: accepted, answer: task, handle: s.managed(s.deleteCluster),
		},
		{method: "POST", path: ofCluster + "/failover", does: "Have other nodes be the primaries of shards", body: Failover{}, status: accepted, answer: task, handle: s.managed(failover)},
		{method: "GET", path: ofCluster + "/topology", does: "Tell who has which slots", status: ok, answer: Topology{}, handle: s.managed(topology)},
		{method: "GET", path: ofCluster + "/nodes", does: "List a cluster's nodes", status: ok, answer: Nodes{}, handle: s.managed(nodes)},
		{method: "GET", path: ofCluster + "/events", does: "List what has happened to a cluster", status: ok, answer: Events{}, handle: s.say(s.events)},
	}
}

func (s *server) nodeRoutes() []route {
	task := controller.Task{}
	return []route{
		{method: "GET", path: "/v1/nodes", does: "List the nodes of all clusters", status: ok, answer: Nodes{}, handle: s.managed(nodes)},
		{method: "POST", path: "/v1/nodes/{node}/replace", does: "Have a node replaced by a new one", status: accepted, answer: task, handle: s.managed(replaceNode)},
		{method: "POST", path: "/v1/nodes/{node}/drain", does: "Have a node replaced by one on another host", status: accepted, answer: task, handle: s.managed(drainNode)},
		{method: "GET", path: "/v1/hosts", does: "List the hosts", status: ok, answer: Hosts{}, handle: s.managed(hosts)},
		{method: "POST", path: "/v1/hosts/{host}/drain", does: "Have a host's nodes go elsewhere; it gets no more", status: accepted, answer: task, handle: s.managed(drainHost)},
		{method: "DELETE", path: "/v1/hosts/{host}/drain", does: "Use a host again that was drained", status: ok, answer: nothing{}, handle: s.managed(undrainHost)},
		{method: "GET", path: "/v1/node-types", does: "List the node types", status: ok, answer: NodeTypes{}, handle: s.say(nodeTypes)},
	}
}

func (s *server) fleetRoutes() []route {
	since := parameter{"since", "only what happened later than this time, in RFC 3339"}
	wait := parameter{"wait", "seconds, at most 30, to wait for the task's end"}
	return []route{
		{method: "GET", path: "/v1/endpoints", does: "List the endpoints", status: ok, answer: Endpoints{}, handle: s.managed(endpoints)},
		{method: "PUT", path: "/v1/endpoints/{endpoint}", does: "Point an endpoint to a cluster", body: Point{}, status: ok, answer: Endpoint{}, handle: s.managed(point)},
		{method: "DELETE", path: "/v1/endpoints/{endpoint}", does: "Delete an endpoint", status: ok, answer: nothing{}, handle: s.managed(deleteEndpoint)},
		{method: "GET", path: "/v1/parameters", does: "List the parameter groups", status: ok, answer: Groups{}, handle: s.managed(groups)},
		{method: "GET", path: "/v1/parameters/{group}", does: "Tell of a parameter group", status: ok, answer: Group{}, handle: s.managed(group)},
		{
			method: "PUT", path: "/v1/parameters/{group}", does: "Make a parameter group, or replace it; clusters that name it follow", body: controller.Group{}, status: ok,
			answer: Group{}, handle: s.managed(setGroup),
		},
		{
			method: "PATCH", path: "/v1/parameters/{group}", does: "Change a parameter group, or make it; clusters that name it follow", body: GroupChange{}, status: ok,
			answer: Group{}, handle: s.managed(changeGroup),
		},
		{method: "DELETE", path: "/v1/parameters/{group}", does: "Delete a parameter group that no cluster names", status: ok, answer: nothing{}, handle: s.managed(deleteGroup)},
		{method: "GET", path: "/v1/events", does: "List what has happened, in all", query: []parameter{since}, status: ok, answer: Events{}, handle: s.say(s.allEvents)},
		{method: "GET", path: "/v1/tasks", does: "List what is and was done to clusters, nodes and hosts", status: ok, answer: FleetTasks{}, handle: s.managed(fleetTasks)},
		{method: "GET", path: "/v1/tasks/{task}", does: "Tell of such a task", query: []parameter{wait}, status: ok, answer: controller.Task{}, handle: s.managed(fleetTask)},
	}
}

func (s *server) snapshotRoutes() []route {
	task := control.Task{}
	return []route{
		{method: "GET", path: "/v1/snapshots", does: "List the snapshots, those of clusters that are gone too", status: ok, answer: Snapshots{}, handle: s.say(s.listAll)},
		{method: "GET", path: "/v1/snapshots/{name}", does: "Tell of a snapshot, whatever cluster it is of", status: ok, answer: Snapshot{}, handle: s.say(s.showAny)},
		{method: "DELETE", path: "/v1/snapshots/{name}", does: "Delete a snapshot, whatever cluster it is of", status: ok, answer: nothing{}, handle: s.say(s.removeAny)},
		{method: "GET", path: ofSnapshots, does: "List the snapshots", status: ok, answer: Snapshots{}, handle: s.of(s.list)},
		{method: "POST", path: ofSnapshots, does: "Take a snapshot", body: Create{}, status: accepted, answer: task, handle: s.of(s.create)},
		{method: "GET", path: ofSnapshots + "/{name}", does: "Tell of a snapshot", status: ok, answer: Snapshot{}, handle: s.of(s.show)},
		{method: "DELETE", path: ofSnapshots + "/{name}", does: "Delete a snapshot", status: ok, answer: nothing{}, handle: s.of(s.remove)},
		{method: "POST", path: ofSnapshots + "/{name}/verify", does: "Read a snapshot back", status: accepted, answer: task, handle: s.of(s.verify)},
		{method: "POST", path: ofSnapshots + "/{name}/copy", does: "Copy a snapshot", body: Copy{}, status: accepted, answer: task, handle: s.of(s.copy)},
		{method: "GET", path: ofSnapshots + "/{name}/objects/{object}", does: "Give one of a snapshot's objects", status: ok, handle: s.of(s.object)},
		{method: "POST", path: ofCluster + "/restore", does: "Fill a running cluster", body: Restore{}, status: accepted, answer: task, handle: s.of(s.restore)},
	}
}

func (s *server) taskRoutes() []route {
	wait := parameter{"wait", "seconds, at most 30, to wait for the task's end"}
	return []route{
		{method: "GET", path: ofCluster + "/tasks", does: "List what is and was done with a cluster's data", status: ok, answer: Tasks{}, handle: s.of(s.tasks)},
		{method: "GET", path: ofCluster + "/tasks/{task}", does: "Tell of such a task", query: []parameter{wait}, status: ok, answer: control.Task{}, handle: s.of(s.task)},
		{method: "DELETE", path: ofCluster + "/tasks/{task}", does: "Cancel such a task", status: accepted, answer: nothing{}, handle: s.of(s.cancel)},
	}
}

func (s *server) migrationRoutes() []route {
	one := migrate.Migration{}
	return []route{
		{method: "GET", path: ofMigrations, does: "List the migrations into a cluster", status: ok, answer: Migrations{}, handle: s.migrator(migrations)},
		{method: "POST", path: ofMigrations, does: "Begin a migration", body: migrate.Request{}, status: accepted, answer: one, handle: s.migrator(beginMigration)},
		{method: "GET", path: ofMigrations + "/{migration}", does: "Tell of a migration", status: ok, answer: one, handle: s.migrator(migration)},
		{method: "DELETE", path: ofMigrations + "/{migration}", does: "End a migration, or let its source go", status: ok, answer: one, handle: s.migrator(abortMigration)},
		{method: "POST", path: ofMigrations + "/{migration}/cutover", does: "Stop the source's writes and have all", body: Cutover{}, status: ok, answer: one, handle: s.migrator(cutOver)},
	}
}
