"""Writes each 10 ms, a lane for each of LANES (comma-separated) over a connection of its own, to the first of ADDRS that is there, until its input ends.
It tells each deed in a line: internal/failures, ParseDeed."""
import sys
import threading
import time

import redis

addrs, lanes = sys.argv[1].split(","), sys.argv[2].split(",")
EVERY = 0.01
stopped = threading.Event()
out = threading.Lock()
# redis-py cuts these words off the errors that it has classes for.
WORDS = {redis.exceptions.ReadOnlyError: "READONLY ", redis.exceptions.BusyLoadingError: "LOADING ", redis.exceptions.ExecAbortError: "EXECABORT "}


def now():
    return time.time_ns() // 1000


def tell(lane, kind, value, called, said):
    with out:
        sys.stdout.write(f"{lane} {kind} {value} {called} {now()} {said}\n")
        sys.stdout.flush()


def connect(lane, addr):
    host, port = addr.split(":")
    r = redis.Redis(host, int(port), single_connection_client=True, socket_timeout=8, socket_connect_timeout=2, decode_responses=True)
    r.ping()
    tell(lane, "connect", 0, now(), "=ok")
    return r


def both(r, key, value):
    with r.pipeline(transaction=True) as p:
        return ",".join(map(str, p.incr(key + ":n").lpush(key, value).execute()))


DEEDS = {
    "set": lambda r, key, value: r.set(key, value, get=True),
    "incr": lambda r, key, value: r.incr(key),
    "push": lambda r, key, value: r.rpush(key, value),
    "multi": both,
}


def run(lane):
    values, kinds, r, at, i = dict.fromkeys(DEEDS, 0), list(DEEDS), None, 0, 0
    while not stopped.is_set():
        kind = kinds[i % len(kinds)]
        i += 1
        values[kind] += 1
        called = now()
        try:
            if r is None:
                try:
                    r = connect(lane, addrs[at % len(addrs)])
                except (redis.RedisError, OSError) as e:
                    at += 1
                    raise ConnectionRefusedError(f"NOTSENT {e}") from e
            reply = DEEDS[kind](r, f"{lane}:{kind}", values[kind])
            said = "=" + ("" if reply is None else str(reply))
        except (redis.RedisError, OSError) as e:
            said = "!" + WORDS.get(type(e), "") + (str(e).replace("\n", " ") or type(e).__name__)
            lost = isinstance(e, (redis.ConnectionError, redis.TimeoutError, OSError)) and not isinstance(e, redis.exceptions.BusyLoadingError)
            if r is not None and lost:
                r.connection.disconnect()
                r, at = None, at + 1
        tell(lane, kind, values[kind], called, said)
        time.sleep(max(0, EVERY - (now() - called) / 1e6))


threads = [threading.Thread(target=run, args=(lane,)) for lane in lanes]
for t in threads:
    t.start()
sys.stdin.read()
stopped.set()
for t in threads:
    t.join()
