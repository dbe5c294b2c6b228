package clients_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// calls are many that applications make; each goes on from what those before it left. Keys lie on all shards unless one server alone can do it.
var calls = []call{
	{"SET with options", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.SetArgs(ctx, "k", "v", redis.SetArgs{TTL: time.Minute})), said(c.SetNX(ctx, "k", "w", 0)), said(c.SetArgs(ctx, "k", "x", redis.SetArgs{Get: true, KeepTTL: true})), said(c.TTL(ctx, "k").Val() > time.Second)}
	}},
	{"GET of nothing", func(ctx context.Context, c *redis.Client) any { return c.Get(ctx, "none") }},
	{"MSET, MGET", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.MSet(ctx, "a", 1, "b", 2, "c", 3, "d", "x")), said(c.MGet(ctx, "a", "none", "b", "c", "d"))}
	}},
	{"INCR of a text", func(ctx context.Context, c *redis.Client) any { return c.Incr(ctx, "d") }},
	{"a list's command for a string", func(ctx context.Context, c *redis.Client) any { return c.LPush(ctx, "a", 1) }},
	{"BITFIELD", func(ctx context.Context, c *redis.Client) any {
		return c.BitField(ctx, "bits", "SET", "u8", 0, 255, "OVERFLOW", "FAIL", "INCRBY", "u8", 0, 1)
	}},
	{"hashes", func(ctx context.Context, c *redis.Client) any {
		c.HSet(ctx, "h", "f", 1, "g", "2.5")
		return []any{said(c.HGetAll(ctx, "h")), said(c.HMGet(ctx, "h", "f", "none")), said(c.HIncrByFloat(ctx, "h", "g", 0.25)), said(c.HExists(ctx, "h", "f"))}
	}},
	{"lists", func(ctx context.Context, c *redis.Client) any {
		c.RPush(ctx, "l", 1, 2, 3, 2)
		return []any{said(c.LPosCount(ctx, "l", "2", 0, redis.LPosArgs{})), said(c.LInsertAfter(ctx, "l", "1", "new")), said(c.LRange(ctx, "l", 0, -1)), said(c.LPopCount(ctx, "l", 2)), said(c.LMPop(ctx, "left", 1, "l"))}
	}},
	{"sets over shards", func(ctx context.Context, c *redis.Client) any {
		c.SAdd(ctx, "s1", 1, 2, 3)
		c.SAdd(ctx, "s2", 2, 3, 4)
		return []any{inAnyOrder(c.SInter(ctx, "s1", "s2").Result()), inAnyOrder(c.SUnion(ctx, "s1", "s2").Result()), inAnyOrder(c.SDiff(ctx, "s1", "s2").Result()), said(c.SInterCard(ctx, 1, "s1", "s2"))}
	}},
	{"sorted sets over shards", func(ctx context.Context, c *redis.Client) any {
		c.ZAdd(ctx, "z1", redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2, Member: "b"})
		c.ZAdd(ctx, "z2", redis.Z{Score: 10, Member: "b"}, redis.Z{Score: 0.5, Member: "c"})
		return []any{
			said(c.ZUnionWithScores(ctx, redis.ZStore{Keys: []string{"z1", "z2"}, Weights: []float64{1, 0.1}})), said(c.ZInterWithScores(ctx, &redis.ZStore{Keys: []string{"z1", "z2"}})),
			said(c.ZDiffWithScores(ctx, "z1", "z2")), said(c.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: "z1", Start: "-inf", Stop: "(2", ByScore: true})),
			said(c.ZRank(ctx, "z1", "none")), said(c.ZMScore(ctx, "z1", "a", "none")), said(c.ZPopMax(ctx, "z2")), said(c.BZPopMin(ctx, time.Second, "z2")),
		}
	}},
	{"places", func(ctx context.Context, c *redis.Client) any {
		c.GeoAdd(ctx, "g", &redis.GeoLocation{Name: "Palermo", Longitude: 13.361389, Latitude: 38.115556}, &redis.GeoLocation{Name: "Catania", Longitude: 15.087269, Latitude: 37.502669})
		q := redis.GeoSearchQuery{Longitude: 15, Latitude: 37, Radius: 200, RadiusUnit: "km", Sort: "ASC"}
		return []any{said(c.GeoDist(ctx, "g", "Palermo", "Catania", "km")), said(c.GeoPos(ctx, "g", "Palermo", "none")), said(c.GeoHash(ctx, "g", "Catania")), said(c.GeoSearchLocation(ctx, "g", &redis.GeoSearchLocationQuery{GeoSearchQuery: q, WithDist: true, WithHash: true}))}
	}},
	{"PFCOUNT over shards", func(ctx context.Context, c *redis.Client) any {
		c.PFAdd(ctx, "p1", 1, 2, 3)
		c.PFAdd(ctx, "p2", 3, 4)
		return c.PFCount(ctx, "p1", "p2")
	}},
	{"LCS over shards", func(ctx context.Context, c *redis.Client) any {
		c.MSet(ctx, "t1", "ohmytext", "t2", "mynewtext")
		return []any{said(c.LCS(ctx, &redis.LCSQuery{Key1: "t1", Key2: "t2"})), said(c.LCS(ctx, &redis.LCSQuery{Key1: "t1", Key2: "t2", Idx: true, WithMatchLen: true}))}
	}},
	{"streams", func(ctx context.Context, c *redis.Client) any {
		for _, id := range []string{"1-1", "1-2", "1-3"} {
			c.XAdd(ctx, &redis.XAddArgs{Stream: "st", ID: id, Values: []string{"f", id}})
		}
		c.XAdd(ctx, &redis.XAddArgs{Stream: "su", ID: "2-1", Values: []string{"f", "v"}})
		return []any{
			said(c.XGroupCreate(ctx, "st", "grp", "0")), said(c.XGroupCreateMkStream(ctx, "su", "grp", "0")), said(c.XGroupCreate(ctx, "st", "grp", "0")),
			said(c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "grp", Consumer: "me", Streams: []string{"st", "su", ">", ">"}, Count: 2, Block: -1})),
			said(c.XPending(ctx, "st", "grp")), said(c.XAck(ctx, "st", "grp", "1-1")), said(c.XRange(ctx, "st", "-", "+")),
			said(c.XRead(ctx, &redis.XReadArgs{Streams: []string{"su", "st", "0", "1-1"}, Block: -1})),
			said(c.XInfoGroups(ctx, "st")), said(c.XInfoStream(ctx, "su")), said(c.XTrimMaxLen(ctx, "st", 1)),
			said(c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "nogroup", Consumer: "me", Streams: []string{"st", "su", ">", ">"}, Block: -1})),
			said(c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "grp", Consumer: "me", Streams: []string{"su", ">"}, Block: time.Millisecond})),
			said(c.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: "su", Group: "grp", Consumer: "you", Start: "0"})),
		}
	}},
	{"SORT", func(ctx context.Context, c *redis.Client) any {
		c.RPush(ctx, "{so}", 3, 1, 2)
		c.MSet(ctx, "{so}1", "c", "{so}2", "b", "{so}3", "a")
		return []any{said(c.Sort(ctx, "{so}", &redis.Sort{Order: "DESC", Offset: 0, Count: 2})), said(c.Sort(ctx, "{so}", &redis.Sort{By: "{so}*", Alpha: true, Get: []string{"#", "{so}*"}}))}
	}},
	{"keys", func(ctx context.Context, c *redis.Client) any {
		return []any{inAnyOrder(c.Keys(ctx, "z*").Result()), said(c.Exists(ctx, "a", "b", "none", "a")), said(c.Del(ctx, "a", "b", "none")), said(c.Touch(ctx, "c", "none")), said(c.Type(ctx, "st")), said(c.DBSize(ctx)), said(c.ObjectEncoding(ctx, "h"))}
	}},
	{"SCAN", func(ctx context.Context, c *redis.Client) any {
		var all []string
		it := c.Scan(ctx, 0, "*", 3).Iterator()
		for it.Next(ctx) {
			all = append(all, it.Val())
		}
		return inAnyOrder(all, it.Err())
	}},
	{"DUMP, RESTORE", func(ctx context.Context, c *redis.Client) any {
		payload := c.Dump(ctx, "h").Val()
		return []any{said(c.Restore(ctx, "h2", 0, payload)), said(c.Restore(ctx, "h2", 0, payload)), said(c.RestoreReplace(ctx, "h2", time.Minute, payload)), said(c.HGetAll(ctx, "h2")), said(c.Restore(ctx, "h3", 0, "rubbish"))}
	}},
	{"expiry", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.Expire(ctx, "c", time.Minute)), said(c.ExpireNX(ctx, "c", time.Minute)), said(c.ExpireGT(ctx, "c", time.Hour)), said(c.Persist(ctx, "c")), said(c.TTL(ctx, "c")), said(c.TTL(ctx, "none")), said(c.ExpireAt(ctx, "c", time.Unix(1, 0))), said(c.Exists(ctx, "c"))}
	}},
	{"a pipeline", func(ctx context.Context, c *redis.Client) any {
		cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "q1", 1, 0)
			p.Incr(ctx, "q2")
			p.LPush(ctx, "q1", 1)
			p.Get(ctx, "q1")
			return nil
		})
		return allTold(cmds, err)
	}},
	{"a transaction", func(ctx context.Context, c *redis.Client) any {
		cmds, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "{tx}1", 1, 0)
			p.Incr(ctx, "{tx}2")
			p.LPush(ctx, "{tx}1", 1)
			p.Get(ctx, "{tx}1")
			return nil
		})
		return allTold(cmds, err)
	}},
	{"WATCH", func(ctx context.Context, c *redis.Client) any {
		return c.Watch(ctx, func(tx *redis.Tx) error {
			c.Set(ctx, "{tx}1", "other", 0)
			_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, "{tx}1", "mine", 0).Err() })
			return err
		}, "{tx}1")
	}},
	{"scripts", func(ctx context.Context, c *redis.Client) any {
		s := redis.NewScript("return {KEYS[1], ARGV[1], 1, false, redis.call('INCR', KEYS[1])}")
		return []any{said(s.Run(ctx, c, []string{"n"}, "x")), said(s.Exists(ctx, c)), said(c.EvalSha(ctx, strings.Repeat("f", 40), nil)), said(c.Eval(ctx, "return redis.error_reply('MINE failed')", nil)), said(c.Eval(ctx, "return nosuch.x", nil))}
	}},
	{"functions", func(ctx context.Context, c *redis.Client) any {
		text := "#!lua name=lib\nredis.register_function{function_name='f', callback=function(keys, args) return args end, flags={'no-writes'}}"
		return []any{
			said(c.FunctionLoadReplace(ctx, text)), said(c.FunctionLoad(ctx, text)), said(c.FCall(ctx, "f", []string{"k"}, "x")), said(c.FCallRO(ctx, "f", []string{"k"}, "y")),
			said(c.FunctionList(ctx, redis.FunctionListQuery{LibraryNamePattern: "l*", WithCode: true})), said(c.FunctionDelete(ctx, "lib")), said(c.FCall(ctx, "f", nil)),
		}
	}},
	{"publish and subscribe", func(ctx context.Context, c *redis.Client) any {
		sub := c.Subscribe(ctx, "news")
		defer sub.Close()
		out := []any{said(orWrong(sub.Receive(ctx))), said(sub.PSubscribe(ctx, "n*")), said(orWrong(sub.Receive(ctx))), said(c.Publish(ctx, "news", "hello")), said(orWrong(sub.Receive(ctx))), said(orWrong(sub.Receive(ctx)))}
		return append(out, said(c.PubSubNumSub(ctx, "news", "none")), said(c.PubSubNumPat(ctx)), said(c.PubSubChannels(ctx, "*")), said(c.Publish(ctx, "nobody", "x")))
	}},
	{"waiting", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.BLPop(ctx, time.Second, "empty")), said(c.XRead(ctx, &redis.XReadArgs{Streams: []string{"st", "$"}, Block: 20 * time.Millisecond}))}
	}},
	{"databases", func(ctx context.Context, c *redis.Client) any {
		c.Set(ctx, "moves", 1, 0)
		return []any{said(c.Move(ctx, "moves", 3)), said(c.Exists(ctx, "moves")), said(c.Do(ctx, "SELECT", 99)), said(c.Do(ctx, "SWAPDB", 0, 3)), said(c.Get(ctx, "moves")), said(c.Do(ctx, "SWAPDB", 0, 3))}
	}},
	{"configuration", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru")), said(c.ConfigGet(ctx, "maxmemory-pol*")), said(c.ConfigSet(ctx, "nosuch", "1")), said(c.ConfigSet(ctx, "maxmemory", "x")), said(c.ConfigSet(ctx, "maxmemory-policy", "noeviction")), said(c.ConfigResetStat(ctx))}
	}},
	{"users", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.ACLSetUser(ctx, "bob", "on", ">pw", "~b*", "+get", "+@list")), said(c.ACLWhoAmI(ctx)), said(c.ACLDryRun(ctx, "bob", "GET", "b")), said(c.ACLUsers(ctx)), said(c.ACLDelUser(ctx, "bob")), said(c.ACLLogReset(ctx)), said(c.ACLLog(ctx, 5))}
	}},
	{"of the server", func(ctx context.Context, c *redis.Client) any {
		return []any{
			said(c.Echo(ctx, "x")), said(c.Ping(ctx)), said(c.CommandGetKeys(ctx, "MSET", "a", 1, "b", 2)), said(c.CommandGetKeysAndFlags(ctx, "GET", "a")), said(orWrong(c.SlowLogGet(ctx, 0).Result())), said(c.MemoryUsage(ctx, "none")),
			said(c.ClientUnblock(ctx, 99999)), said(c.ClientKillByFilter(ctx, "ID", "99999")), said(c.ClientPause(ctx, time.Millisecond)), said(c.ClientUnpause(ctx)), said(c.Wait(ctx, 0, time.Millisecond)),
			said(c.Do(ctx, "NOSUCH", "x")), said(c.Do(ctx, "GET")), said(c.Do(ctx, "CONFIG", "NOSUCH")), said(c.Do(ctx, "OBJECT", "FREQ", "h")),
		}
	}},
	{"fields of CLIENT LIST", func(ctx context.Context, c *redis.Client) any {
		line, _, _ := strings.Cut(c.ClientList(ctx).Val(), "\n")
		var names []string
		for _, field := range strings.Fields(line) {
			if name, _, _ := strings.Cut(field, "="); !strings.HasPrefix(name, "lib-") { // from 7.2 on
				names = append(names, name)
			}
		}
		return inAnyOrder(names, nil)
	}},
	{"a row of COMMAND", func(ctx context.Context, c *redis.Client) any {
		rows, err := c.Command(ctx).Result()
		if err != nil {
			return err
		}
		return fmt.Sprintf("%+v %+v %+v", *rows["get"], *rows["mset"], *rows["zunionstore"])
	}},
	{"FLUSHDB, FLUSHALL", func(ctx context.Context, c *redis.Client) any {
		return []any{said(c.FlushDBAsync(ctx)), said(c.DBSize(ctx)), said(c.FlushAll(ctx))}
	}},
}

func allTold(cmds []redis.Cmder, err error) any {
	var all []any
	for _, cmd := range cmds {
		all = append(all, said(cmd))
	}
	return append(all, err)
}
