// Which Redis commands cost the server the same however much it holds, and which ones wait because
// they were asked to. Tables only; both threads; imports nothing.
//
// Source: redis 7.0.15, COMMAND DOCS: the commands whose complexity reads exactly O(1), containers
// such as CONFIG left out because the ledger keeps no subcommand. A huge value still takes long to
// send: "constant" is said of the server's work, not of the bytes.

const constantCost: ReadonlySet<string> = new Set([
  "ASKING",
  "DBSIZE",
  "DECR",
  "DECRBY",
  "ECHO",
  "EXPIRE",
  "EXPIREAT",
  "EXPIRETIME",
  "GET",
  "GETBIT",
  "GETEX",
  "GETSET",
  "HEXISTS",
  "HGET",
  "HINCRBY",
  "HINCRBYFLOAT",
  "HLEN",
  "HSETNX",
  "HSTRLEN",
  "INCR",
  "INCRBY",
  "INCRBYFLOAT",
  "LLEN",
  "LMOVE",
  "MOVE",
  "MULTI",
  "PERSIST",
  "PEXPIRE",
  "PEXPIREAT",
  "PEXPIRETIME",
  "PING",
  "PSETEX",
  "PTTL",
  "READONLY",
  "READWRITE",
  "RENAMENX",
  "RPOPLPUSH",
  "SCARD",
  "SELECT",
  "SET",
  "SETBIT",
  "SETEX",
  "SETNX",
  "SISMEMBER",
  "SMOVE",
  "STRLEN",
  "TIME",
  "TTL",
  "TYPE",
  "UNWATCH",
  "XLEN",
  "ZCARD",
  "ZSCORE",
]);

// redis 7.0.15, COMMAND flag "blocking"; WAITAOF came with 7.2.
const blocking: ReadonlySet<string> = new Set([
  "BLMOVE",
  "BLMPOP",
  "BLPOP",
  "BRPOP",
  "BRPOPLPUSH",
  "BZMPOP",
  "BZPOPMAX",
  "BZPOPMIN",
  "WAIT",
  "WAITAOF",
  "XREAD",
  "XREADGROUP",
]);

/** `command` in upper case, as the ledger has it. False for every command that is not in the table. */
export const isConstantCost = (command: string): boolean => constantCost.has(command);

/**
 * Whether the command may wait on the server by its own wish. XREAD and XREADGROUP do only with
 * BLOCK, an argument, and arguments are not recorded: they are taken as waiting.
 */
export const isBlocking = (command: string): boolean => blocking.has(command);
