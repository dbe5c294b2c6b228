// Subscribers in Node.js, through ioredis and node-redis, against the endpoint at HOST PORT. Each part prints its name when it is done.
'use strict';
const assert = require('node:assert');

const [host, port, part] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const many = 200;

// expected are the messages of each of the channels, in order.
function expected() {
  const all = {};
  for (let c = 0; c < 5; c++) all[`c${c}`] = Array.from({ length: many }, (_, i) => `${c}:${i}`);
  return all;
}

// gather resolves when n messages have been noted.
function gather(n) {
  const got = {};
  let resolve;
  const done = new Promise((r) => { resolve = r; });
  const note = (channel, text) => {
    (got[channel] ??= []).push(text);
    if (--n === 0) resolve(got);
  };
  return { note, done };
}

async function ioredis() {
  const Redis = require('ioredis');
  const r = new Redis({ host, port });
  const sub = new Redis({ host, port });
  const byName = gather(5 * many);
  const byPattern = gather(5 * many);
  sub.on('message', byName.note);
  sub.on('pmessage', (pattern, channel, text) => byPattern.note(channel, text));
  assert.strictEqual(await sub.subscribe('c0', 'c1', 'c2', 'c3', 'c4'), 5);
  assert.strictEqual(await sub.psubscribe('c*'), 6);
  const sent = r.pipeline();
  for (let i = 0; i < many; i++) for (let c = 0; c < 5; c++) sent.publish(`c${c}`, `${c}:${i}`);
  assert.ok((await sent.exec()).every(([err, n]) => err === null && n === 2));
  assert.deepStrictEqual(await byName.done, expected());
  assert.deepStrictEqual(await byPattern.done, expected());
  assert.strictEqual(await sub.unsubscribe('c0', 'c1', 'c2', 'c3', 'c4'), 1);
  assert.strictEqual(await sub.punsubscribe('c*'), 0);
  assert.strictEqual(await sub.get('nosuch'), null);

  const shard = new Redis({ host, port });
  const heard = new Promise((resolve) => shard.on('smessage', (channel, text) => resolve([channel, text])));
  await shard.ssubscribe('orders');
  assert.strictEqual(await r.spublish('orders', 'one'), 1);
  assert.deepStrictEqual(await heard, ['orders', 'one']);
  assert.deepStrictEqual(await r.pubsub('SHARDCHANNELS'), ['orders']);
  for (const c of [r, sub, shard]) c.disconnect();
}

async function nodeRedis() {
  const { createClient } = require('redis');
  for (const RESP of [2, 3]) {
    const r = createClient({ socket: { host, port }, RESP });
    await r.connect();
    const sub = r.duplicate();
    await sub.connect();
    const byName = gather(5 * many);
    const byPattern = gather(5 * many);
    await sub.subscribe(['c0', 'c1', 'c2', 'c3', 'c4'], (text, channel) => byName.note(channel, text));
    await sub.pSubscribe('c*', (text, channel) => byPattern.note(channel, text));
    const counts = [];
    for (let i = 0; i < many; i++) for (let c = 0; c < 5; c++) counts.push(r.publish(`c${c}`, `${c}:${i}`));
    assert.ok((await Promise.all(counts)).every((n) => n === 2));
    assert.deepStrictEqual(await byName.done, expected());
    assert.deepStrictEqual(await byPattern.done, expected());
    const heard = new Promise((resolve) => { sub.sSubscribe('orders', (text) => resolve(text)).then(() => r.sPublish('orders', 'one')); });
    assert.strictEqual(await heard, 'one');
    assert.deepStrictEqual((await r.pubSubChannels()).sort(), ['c0', 'c1', 'c2', 'c3', 'c4']);
    await sub.unsubscribe(['c0', 'c1', 'c2', 'c3', 'c4']);
    await sub.pUnsubscribe('c*');
    await sub.sUnsubscribe('orders');
    assert.strictEqual(await r.publish('c0', 'nobody'), 0);
    for (const c of [r, sub]) await c.disconnect();
  }
}

({ ioredis, nodeRedis })[part]().then(() => console.log(`${part}: ok`), (err) => { console.error(err); process.exit(1); });
