// Writes each 10 ms, a lane for each of LANES (comma-separated) over a connection of its own, to the first of ADDRS that is there, until its input ends.
// It tells each deed in a line: internal/failures, ParseDeed.
'use strict';
const Redis = require('ioredis');

const [addrs, lanes] = [process.argv[2].split(','), process.argv[3].split(',')];
const every = 10;
let stopped = false;
process.stdin.on('end', () => { stopped = true; }).resume();

const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(lane) {
  const [host, port] = addrs[0].split(':');
  const r = new Redis({ host, port: Number(port), lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, connectTimeout: 2000, commandTimeout: 8000 });
  r.on('error', () => {});
  try {
    await r.connect();
  } catch (e) {
    r.disconnect();
    addrs.push(addrs.shift());
    throw new Error('NOTSENT ' + e.message);
  }
  process.stdout.write(`${lane} connect 0 ${now()} ${now()} =ok\n`);
  return r;
}

const deeds = {
  set: async (r, key, value) => (await r.set(key, value, 'GET')) ?? '',
  incr: (r, key) => r.incr(key),
  push: (r, key, value) => r.rpush(key, value),
  multi: async (r, key, value) => {
    const all = await r.multi().incr(key + ':n').lpush(key, value).exec();
    for (const [err] of all) if (err) throw err;
    return all.map((one) => one[1]).join(',');
  },
};

async function run(lane) {
  const values = { set: 0, incr: 0, push: 0, multi: 0 };
  const kinds = Object.keys(deeds);
  let r = null;
  for (let i = 0; !stopped; i++) {
    const kind = kinds[i % kinds.length];
    const value = ++values[kind];
    const called = now();
    let said;
    try {
      r ??= await open(lane);
      said = '=' + await deeds[kind](r, `${lane}:${kind}`, value);
    } catch (e) {
      said = '!' + String(e.message).replaceAll('\n', ' ');
      if (r && e.name !== 'ReplyError') {
        r.disconnect();
        r = null;
        addrs.push(addrs.shift());
      }
    }
    process.stdout.write(`${lane} ${kind} ${value} ${called} ${now()} ${said}\n`);
    await pause(Math.max(0, every - (now() - called) / 1000));
  }
  if (r) r.disconnect();
}

Promise.all(lanes.map(run));
