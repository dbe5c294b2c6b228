"""What applications in Python do, through redis-py, against the server at HOST PORT."""
import sys
import threading

import redis

host, port = sys.argv[1], int(sys.argv[2])
r = redis.Redis(host, port, decode_responses=True)
r.flushall()
assert r.set("k", "v", ex=100) and r.get("k") == "v" and 90 < r.ttl("k") <= 100

with r.pipeline(transaction=True) as p:
    assert p.set("a", 1).incr("a").get("a").execute() == [True, 2, "2"]

with r.pipeline() as p:
    p.watch("a")
    r.set("a", "other")
    p.multi()
    p.set("a", "mine")
    try:
        p.execute()
        raise AssertionError("a watched key changed and the transaction ran")
    except redis.WatchError:
        pass
assert r.transaction(lambda p: (p.multi(), p.set("a", "third")), "a") == [True]

assert r.hset("h", mapping={"f": 1, "g": 2}) == 2 and r.hgetall("h") == {"f": "1", "g": "2"}
assert r.rpush("l", "a", "b", "c") == 3 and r.lrange("l", 0, -1) == ["a", "b", "c"] and r.lmove("l", "{l}m", "LEFT", "RIGHT") == "a"
assert r.sadd("s", "x", "y") == 2 and r.sinter("s", "s") == {"x", "y"}
assert r.zadd("z", {"one": 1, "two": 2.5}) == 2 and r.zrange("z", 0, -1, withscores=True) == [("one", 1.0), ("two", 2.5)]
assert r.geoadd("geo", (13.361389, 38.115556, "Palermo")) == 1 and r.pfadd("p", "a", "b") == 1 and r.pfcount("p") == 2
assert r.setbit("bits", 7, 1) == 0 and r.bitcount("bits") == 1

listener = r.pubsub()
listener.subscribe("news")
listener.psubscribe("n*")
assert [listener.get_message(timeout=10)["type"] for _ in range(2)] == ["subscribe", "psubscribe"]
assert r.publish("news", "hello") == 2
assert sorted(listener.get_message(timeout=10)["type"] for _ in range(2)) == ["message", "pmessage"]
listener.close()

popped = []
waiter = threading.Thread(target=lambda: popped.append(redis.Redis(host, port, decode_responses=True).blpop("queue", 10)))
waiter.start()
r.rpush("queue", "job")
waiter.join(10)
assert popped == [("queue", "job")], popped

add = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
assert add(keys=["n"], args=[5]) == 5 and add(keys=["n"], args=[5]) == 10
one = r.xadd("stream", {"f": "v"})
assert r.xgroup_create("stream", "g", "0") and r.xreadgroup("g", "c", {"stream": ">"}) == [["stream", [(one, {"f": "v"})]]]
assert r.xpending("stream", "g")["pending"] == 1 and r.xack("stream", "g", one) == 1
with r.lock("lock", timeout=10):
    assert not r.lock("lock", blocking=False).acquire()
assert sorted(r.scan_iter()) == sorted(r.keys())
assert r.info("server")["redis_version"] == "7.2.4" and r.client_id() > 0
assert r.acl_whoami() == "default"

# Who looks after the server.
assert r.config_set("maxmemory-samples", 7) and r.config_get("maxmemory-samples") == {"maxmemory-samples": "7"}
assert r.config_set("slowlog-log-slower-than", 0) and r.slowlog_reset()
r.set("slow", "v")
assert any(e["command"].startswith(b"SET slow") for e in r.slowlog_get(10)) and r.slowlog_len() > 0
assert r.config_set("slowlog-log-slower-than", 10000) and r.execute_command("LATENCY", "LATEST") == []
info = r.info()
assert info["db0"]["keys"] == r.dbsize() and info["used_memory"] > 0 and info["role"] == "master"
assert r.info("commandstats")["cmdstat_set"]["calls"] > 0
assert r.memory_usage("k") > 0 and r.memory_stats()["keys.count"] >= r.dbsize()
assert r.role()[0] == "master" and r.config_resetstat()
assert any(c["user"] == "default" for c in r.client_list())
r.swapdb(0, 3)
assert r.dbsize() == 0 and redis.Redis(host, port, db=3).dbsize() > 0
r.swapdb(0, 3)

assert r.acl_setuser("reader", enabled=True, passwords=["+secret"], commands=["+@read", "+ping", "+client|setinfo"], keys=["k*"])
reader = redis.Redis(host, port, username="reader", password="secret", decode_responses=True)
assert reader.get("k") == "v" and r.acl_getuser("reader")["enabled"]
for refused in (lambda: reader.set("k", "w"), lambda: reader.get("other")):
    try:
        refused()
        raise AssertionError("done without the right to do it")
    except redis.exceptions.NoPermissionError:
        pass
assert {e["object"] for e in r.acl_log()} >= {"set", "other"} and r.acl_log_reset()
assert r.acl_deluser("reader") == 1 and r.acl_users() == ["default"]
print("redis-py: ok")
