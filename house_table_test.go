package house_test

// row is a row of the house's table: folders with one job, and what they may import of ours. A package belongs to the longest folder above
// it; inside a row imports are free; a name means the folder and all below it.
type row struct {
	folders []string
	may     []string
	not     []string // taken out of may
}

// product rooms, in the order of the arrows: what stands lower may know what stands higher.
var table = []row{
	{folders: []string{"protocol/command"}},
	{folders: []string{"protocol/encoding"}},
	{folders: []string{"protocol/resp"}, may: []string{"protocol/encoding"}},
	{folders: []string{"protocol/client"}, may: []string{"protocol/command", "protocol/resp"}},
	{folders: []string{"protocol/errands"}},
	{folders: []string{"protocol/memcache"}, may: []string{"protocol/command"}},
	{folders: []string{"algebra"}},
	{folders: []string{"router"}, may: []string{"protocol"}},
	{folders: []string{"access"}, may: []string{"protocol/command"}},
	{folders: []string{"access/acl"}, may: []string{"access", "protocol"}},
	{folders: []string{"loop"}},
	{folders: []string{"process"}},
	{folders: []string{"metrics"}, may: []string{"protocol/command"}},
	{folders: []string{"metrics/slow"}, may: []string{"metrics", "protocol"}},
	{folders: []string{"engine/memory"}},
	{folders: []string{"engine/store"}, may: []string{"protocol/encoding", "algebra", "engine/memory"}},
	{folders: []string{"engine/zsets"}, may: []string{"engine/store", "protocol/encoding"}},
	{folders: []string{"engine/geo"}},
	{folders: []string{"engine/sets"}, may: []string{"protocol/encoding", "engine/store"}},
	{folders: []string{"engine/script"}, may: []string{"protocol/encoding"}},
	{folders: []string{"engine/hashes"}, may: []string{"engine/store", "protocol/encoding"}},
	{folders: []string{"engine/streams"}, may: []string{"protocol/encoding", "engine/store"}},
	{folders: []string{"engine/lists"}, may: []string{"engine/store", "protocol/encoding"}},
	{folders: []string{"engine/commands"}, may: []string{"protocol", "algebra", "engine/store", "engine/hashes", "engine/lists", "engine/sets", "engine/zsets", "engine/geo", "engine/streams"}},
	{folders: []string{"engine"}, may: []string{"engine", "protocol", "algebra", "router", "access", "loop", "process", "metrics", "persistence"}},
	{folders: []string{"persistence"}, may: []string{"protocol", "process"}},
	{folders: []string{"backends"}, may: []string{"protocol", "router"}},
	{
		folders: []string{"proxy"},
		may:     []string{"protocol", "algebra", "router", "access", "loop", "process", "metrics", "backends"},
		not:     []string{"backends/registry"},
	},
	{folders: []string{"control/controller"}, may: []string{"router"}},
	{folders: []string{"control"}, may: []string{"control", "router", "access", "backends", "persistence", "protocol", "process"}},
	{folders: []string{"console"}, may: []string{"control/api/client"}},
	{folders: []string{"configs"}, may: []string{"proxy", "engine", "control", "backends", "persistence", "access", "router", "loop"}},
	{folders: []string{"cmd/larder", "cmd/app"}, may: everything, not: []string{"internal", "bench"}},
	{folders: []string{"internal", "bench"}, may: everything, not: []string{"configs"}},
	{folders: []string{"docs"}},
}

// everything is what a row may import that may import all; rows without a table entry have no room at all.
var everything = []string{
	"protocol", "algebra", "router", "access", "loop", "process", "metrics", "engine", "persistence", "backends", "proxy", "control", "console", "configs", "cmd",
	"internal", "bench",
}

// adapters are the forms of an interface that only those who wire the house may name: everyone else is handed the interface.
var (
	adapters = []string{"backends/registry/consul", "backends/registry/embedded", "persistence/s3", "persistence/dir"}
	wirers   = []string{"cmd", "configs"}
)

// doors says in which rooms an outside library may be named. A new library gets its door here, by a decision.
var doors = map[string][]string{
	"unsafe": {"engine/memory"},

	"github.com/panjf2000/gnet":               {"loop"},
	"github.com/hashicorp/consul":             {"backends/registry/consul"},
	"github.com/minio/minio-go":               {"persistence/s3"},
	"github.com/aws/aws-sdk-go-v2":            {"persistence/s3"},
	"github.com/spf13/viper":                  {"configs"},
	"github.com/go-viper/mapstructure":        {"configs"},
	"go.yaml.in/yaml":                         {"configs"},
	"github.com/spf13/cobra":                  {"cmd", "configs"},
	"github.com/spf13/pflag":                  {"cmd", "configs"},
	"github.com/tidwall/resp":                 {"backends"},
	"github.com/gaissmai/bart":                {"access"},
	"filippo.io/age":                          {"persistence"},
	"github.com/klauspost/compress":           {"persistence", "backends/registry"},
	"github.com/zeebo/xxh3":                   {"engine/store"},
	"github.com/prometheus/client_golang":     impure,
	"golang.org/x/sync":                       impure,
	"golang.org/x/sys":                        {"loop", "process", "engine/memory", "persistence/files", "cmd", "bench"},
	"github.com/HdrHistogram/hdrhistogram-go": {"internal", "bench"},
	"github.com/redis/go-redis":               {"internal", "bench"},
	"github.com/redis/rueidis":                {"internal", "bench"},
	"github.com/anishathalye/porcupine":       {"internal"},
	"go.uber.org/goleak":                      {"internal"},
	"pgregory.net/rapid":                      {"internal"},
}

// impure are the rooms that may run things: a library without a door of its own enters there, and never a pure room.
var impure = []string{"loop", "process", "metrics", "engine", "persistence", "backends", "proxy", "control", "console", "configs", "cmd", "internal", "bench"}

// pure rooms compute and nothing else.
var pure = []string{"protocol", "algebra", "router", "access", "engine/store", "engine/hashes", "engine/lists", "engine/sets", "engine/zsets", "engine/geo", "engine/streams", "engine/commands", "control/controller"}

// tooLong are the functions (folder/file.go:name) and files that may be longer than the rest, each with its reason.
var tooLong = map[string]string{
	"protocol/command/docs_generic.go:genericDocs":       "a table as one literal, a line a fact",
	"protocol/command/docs_zset.go:zsetDocs":             "a table as one literal, a line a fact",
	"protocol/command/docs_geo.go:geoDocs":               "a table as one literal, a line a fact",
	"protocol/command/docs_hash.go:plainHashDocs":        "a table as one literal, a line a fact",
	"protocol/command/docs_string.go:stringDocs":         "a table as one literal, a line a fact",
	"protocol/command/docs_connection.go:connectionDocs": "a table as one literal, a line a fact",
}
