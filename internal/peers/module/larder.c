/* A module for redis-server, for tests of commands that Larder's table lacks. The declarations are written down here from the documented interface
   (redis.io, "Modules API"): only what is used. */
#include <stddef.h>
#include <stdint.h>

typedef struct Ctx Ctx;
typedef struct String String;
typedef struct Reply Reply;
typedef struct Command Command;
typedef int (*Func)(Ctx *, String **, int);

enum { OK = 0, ERR = 1, API = 1 };

typedef struct { int version; size_t history, spec, arg; } InfoVersion;
typedef struct { const char *since, *changes; } History;
typedef struct {
  const char *notes;
  uint64_t flags;
  int begin; /* 1 unknown, 2 index, 3 keyword */
  union { struct { int pos; } index; struct { const char *keyword; int from; } keyword; } bs;
  int find; /* 1 unknown, 2 range, 3 number of keys */
  union { struct { int last, step, limit; } range; struct { int num, first, step; } keynum; } fk;
} KeySpec;
typedef struct Arg { const char *name; int type, spec; const char *token, *summary, *since; int flags; const char *deprecated; struct Arg *args; const char *shown; } Arg;
typedef struct {
  const InfoVersion *version;
  const char *summary, *complexity, *since;
  History *history;
  const char *tips;
  int arity;
  KeySpec *specs;
  Arg *args;
} Info;

static int (*Attribs)(Ctx *, const char *, int, int);
static int (*Create)(Ctx *, const char *, Func, const char *, int, int, int);
static Command *(*Get)(Ctx *, const char *);
static int (*CreateSub)(Command *, const char *, Func, const char *, int, int, int);
static int (*SetInfo)(Command *, const Info *);
static Reply *(*Call)(Ctx *, const char *, const char *, ...);
static int (*ReplyCall)(Ctx *, Reply *);
static int (*ReplyArray)(Ctx *, long);
static int (*ReplyNumber)(Ctx *, long long);
static int (*Arity)(Ctx *);
static int (*ToNumber)(const String *, long long *);
static int (*IsKeysRequest)(Ctx *);
static void (*KeyAt)(Ctx *, int);

static int set(Ctx *c, String **v, int n) { return n < 3 ? Arity(c) : ReplyCall(c, Call(c, "SET", "!ss", v[1], v[2])); }
static int get(Ctx *c, String **v, int n) { return n != 2 ? Arity(c) : ReplyCall(c, Call(c, "GET", "s", v[1])); }
static int put(Ctx *c, String **v, int n) { return n != 4 ? Arity(c) : ReplyCall(c, Call(c, "SET", "!ss", v[2], v[3])); }
static int pop(Ctx *c, String **v, int n) { return n != 3 ? Arity(c) : ReplyCall(c, Call(c, "LPOP", "!s", v[1])); }
static int count(Ctx *c, String **v, int n) { return n < 2 ? Arity(c) : ReplyCall(c, Call(c, "EXISTS", "v", v + 1, (size_t)(n - 1))); }
static int size(Ctx *c, String **v, int n) { (void)v; (void)n; return ReplyCall(c, Call(c, "DBSIZE", "")); }
static int none(Ctx *c, String **v, int n) { (void)v; (void)n; return ReplyNumber(c, 42); }

static int all(Ctx *c, String **v, int n) { /* m.all <number of keys> key ... */
  long long keys = 0;
  if (n < 3 || ToNumber(v[1], &keys) != OK || keys != n - 2) return Arity(c);
  ReplyArray(c, (long)keys);
  for (int i = 0; i < keys; i++) ReplyCall(c, Call(c, "GET", "s", v[2 + i]));
  return OK;
}

static int guess(Ctx *c, String **v, int n) { /* its key is the last argument, which only the server can tell */
  if (n < 2) return Arity(c);
  if (IsKeysRequest(c)) { KeyAt(c, n - 1); return OK; }
  return ReplyCall(c, Call(c, "GET", "s", v[n - 1]));
}

static int describe(Ctx *c, const char *name, const char *tips, int arity, KeySpec *specs) {
  static const InfoVersion version = {1, sizeof(History), sizeof(KeySpec), sizeof(Arg)};
  Info info = {&version, "a command of a test", NULL, NULL, NULL, tips, arity, specs, NULL};
  return SetInfo(Get(c, name), &info);
}

int RedisModule_OnLoad(Ctx *c, String **v, int n) {
  (void)v;
  (void)n;
  int (*api)(const char *, void *) = (int (*)(const char *, void *))((void **)c)[0];
  api("RedisModule_SetModuleAttribs", (void *)&Attribs);
  api("RedisModule_CreateCommand", (void *)&Create);
  api("RedisModule_GetCommand", (void *)&Get);
  api("RedisModule_CreateSubcommand", (void *)&CreateSub);
  api("RedisModule_SetCommandInfo", (void *)&SetInfo);
  api("RedisModule_Call", (void *)&Call);
  api("RedisModule_ReplyWithCallReply", (void *)&ReplyCall);
  api("RedisModule_ReplyWithArray", (void *)&ReplyArray);
  api("RedisModule_ReplyWithLongLong", (void *)&ReplyNumber);
  api("RedisModule_WrongArity", (void *)&Arity);
  api("RedisModule_StringToLongLong", (void *)&ToNumber);
  api("RedisModule_IsKeysPositionRequest", (void *)&IsKeysRequest);
  api("RedisModule_KeyAtPos", (void *)&KeyAt);
  Attribs(c, "larder", 1, API);

  KeySpec many[] = {{NULL, 1 | 16, 2, {.index = {1}}, 3, {.keynum = {0, 1, 1}}}, {0}};
  KeySpec each[] = {{NULL, 1 | 16, 2, {.index = {1}}, 2, {.range = {-1, 1, 0}}}, {0}};
  if (Create(c, "m.set", set, "write deny-oom", 1, 1, 1) || Create(c, "m.get", get, "readonly fast", 1, 1, 1) ||
      Create(c, "m.pop", pop, "write blocking", 1, 1, 1) || Create(c, "m.guess", guess, "readonly getkeys-api", 1, 1, 1) ||
      Create(c, "m.none", none, "readonly fast", 0, 0, 0) || Create(c, "m.size", size, "readonly", 0, 0, 0) ||
      Create(c, "m.count", count, "readonly", 1, -1, 1) || Create(c, "m.all", all, "readonly", 0, 0, 0) ||
      Create(c, "m.boss", none, "admin", 0, 0, 0) || Create(c, "m.box", NULL, "", 0, 0, 0))
    return ERR;
  if (CreateSub(Get(c, "m.box"), "put", put, "write", 2, 2, 1) || describe(c, "m.all", NULL, -3, many) ||
      describe(c, "m.count", "request_policy:multi_shard response_policy:agg_sum", -2, each) ||
      describe(c, "m.size", "request_policy:all_shards response_policy:agg_sum", 1, NULL))
    return ERR;
  return OK;
}
