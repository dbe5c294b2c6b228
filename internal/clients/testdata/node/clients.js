// What applications in Node.js do, through ioredis, node-redis and BullMQ, against the server at HOST PORT. Each part prints its name when it is done.
'use strict';
const assert = require('node:assert');

const [host, port, part] = [process.argv[2], Number(process.argv[3]), process.argv[4]];

async function ioredis() {
  const Redis = require('ioredis');
  const r = new Redis({ host, port });
  await r.flushall();
  assert.strictEqual(await r.set('k', 'v'), 'OK');
  assert.strictEqual(await r.get('k'), 'v');
  const done = await r.multi().set('a', 1).incr('a').lpush('{a}l', 'x', 'y').exec();
  assert.deepStrictEqual(done, [[null, 'OK'], [null, 2], [null, 2]]);
  const piped = await r.pipeline().hset('h', { f: 1, g: 2 }).hgetall('h').zadd('z', 1, 'one', 2, 'two').zrange('z', 0, -1, 'WITHSCORES').exec();
  assert.deepStrictEqual(piped.map((p) => p[1]), [2, { f: '1', g: '2' }, 2, ['one', '1', 'two', '2']]);

  const sub = new Redis({ host, port });
  const heard = new Promise((resolve) => sub.on('message', (channel, text) => resolve([channel, text])));
  await sub.subscribe('news');
  await r.publish('news', 'hello');
  assert.deepStrictEqual(await heard, ['news', 'hello']);

  const blocked = new Redis({ host, port });
  const popped = blocked.blpop('queue', 10);
  await r.rpush('queue', 'job');
  assert.deepStrictEqual(await popped, ['queue', 'job']);

  r.defineCommand('add', { numberOfKeys: 1, lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1])' });
  assert.strictEqual(await r.add('n', 5), 5);
  assert.strictEqual(await r.add('n', 5), 10);

  const id = await r.xadd('s', '*', 'f', 'v');
  await r.xgroup('CREATE', 's', 'g', '0');
  const read = await r.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', 's', '>');
  assert.deepStrictEqual(read, [['s', [[id, ['f', 'v']]]]]);
  assert.strictEqual(await r.xack('s', 'g', id), 1);
  let scanned = 0;
  for await (const keys of r.scanStream()) scanned += keys.length;
  assert.strictEqual(scanned, await r.dbsize());
  for (const c of [r, sub, blocked]) c.disconnect();
}

async function nodeRedis() {
  const { createClient } = require('redis');
  const r = createClient({ socket: { host, port } });
  await r.connect();
  await r.flushAll();
  await r.set('k', 'v', { EX: 100 });
  assert.strictEqual(await r.get('k'), 'v');
  assert.deepStrictEqual(await r.multi().set('a', '1').incr('a').get('a').exec(), ['OK', 2, '2']);
  await r.hSet('h', { f: '1', g: '2' });
  assert.deepStrictEqual({ ...(await r.hGetAll('h')) }, { f: '1', g: '2' });
  await r.zAdd('z', [{ score: 1.5, value: 'a' }, { score: 2, value: 'b' }]);
  assert.deepStrictEqual(await r.zRangeWithScores('z', 0, -1), [{ value: 'a', score: 1.5 }, { value: 'b', score: 2 }]);
  await r.sAdd('set', ['x', 'y']);
  assert.strictEqual(await r.sIsMember('set', 'x'), true);

  const sub = r.duplicate();
  await sub.connect();
  const heard = new Promise((resolve) => sub.pSubscribe('n*', (text, channel) => resolve([channel, text])).then(() => r.publish('news', 'hello')));
  assert.deepStrictEqual(await heard, ['news', 'hello']);

  const watching = r.duplicate();
  await watching.connect();
  await watching.watch('k');
  await r.set('k', 'changed');
  await assert.rejects(watching.multi().set('k', 'mine').exec());
  assert.strictEqual(await r.get('k'), 'changed');

  const blocked = r.duplicate();
  await blocked.connect();
  const popped = blocked.brPop('queue', 10);
  await r.lPush('queue', 'job');
  assert.deepStrictEqual({ ...(await popped) }, { key: 'queue', element: 'job' });
  assert.strictEqual(await r.eval('return ARGV[1]', { keys: [], arguments: ['x'] }), 'x');
  const id = await r.xAdd('s', '*', { f: 'v' });
  const [stream] = await r.xRead({ key: 's', id: '0' });
  assert.strictEqual(stream.messages[0].id, id);
  for (const c of [r, sub, watching, blocked]) await c.disconnect();
}

async function bullmq() {
  const { Queue, Worker, QueueEvents, FlowProducer } = require('bullmq');
  const connection = { host, port };
  const prefix = '{bull}'; // all keys of a queue in one slot, as BullMQ wants it of a cluster
  const queue = new Queue('work', { connection, prefix });
  const events = new QueueEvents('work', { connection, prefix });
  const done = new Set();
  const failed = new Set();
  const worker = new Worker('work', async (job) => {
    if (job.data.fail && job.attemptsMade < 1) throw new Error('once');
    return job.data.n * 2;
  }, { connection, prefix, concurrency: 5 });
  const jobs = 60;
  const all = new Promise((resolve) => {
    events.on('completed', ({ jobId, returnvalue }) => {
      done.add(jobId);
      assert.ok(Number(returnvalue) % 2 === 0);
      if (done.size === jobs) resolve();
    });
    worker.on('failed', (job) => failed.add(job.id));
  });
  await events.waitUntilReady();
  await worker.waitUntilReady();
  await queue.addBulk(Array.from({ length: jobs - 10 }, (_, n) => ({ name: 'double', data: { n }, opts: { priority: n % 3 } })));
  for (let n = 0; n < 5; n++) await queue.add('late', { n }, { delay: 100 });
  for (let n = 0; n < 5; n++) await queue.add('again', { n, fail: true }, { attempts: 3, backoff: 10 });
  await all;
  assert.strictEqual(failed.size, 5);
  const counts = await queue.getJobCounts('completed', 'failed', 'waiting', 'active', 'delayed');
  assert.deepStrictEqual(counts, { completed: jobs, failed: 0, waiting: 0, active: 0, delayed: 0, paused: 0 });
  const flow = new FlowProducer({ connection, prefix });
  const tree = await flow.add({ name: 'parent', queueName: 'work', data: { n: 1 }, children: [{ name: 'child', queueName: 'work', data: { n: 2 } }] });
  await tree.job.waitUntilFinished(events, 10000);
  assert.deepStrictEqual(Object.values(await tree.job.getChildrenValues()), [4]);
  await queue.obliterate({ force: true });
  for (const c of [worker, events, queue, flow]) await c.close();
}

const parts = { ioredis, nodeRedis, bullmq };
parts[part]().then(() => { console.log(`${part}: ok`); process.exit(0); }, (err) => { console.error(err); process.exit(1); });
setTimeout(() => { console.error(`${part}: still not done after 60 s`); process.exit(2); }, 60000);
