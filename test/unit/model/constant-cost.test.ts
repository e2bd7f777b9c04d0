import { expect, test } from "@jest/globals";
import { isBlocking, isConstantCost } from "../../../agent/model/constant-cost";

test.each(["GET", "SET", "TTL", "EXPIRE", "INCR", "HGET", "LLEN", "ZSCORE", "PING"])(
  "%s costs the server the same however much it holds",
  (command) => {
    expect(isConstantCost(command)).toBe(true);
    expect(isBlocking(command)).toBe(false);
  },
);

test.each(["MGET", "LRANGE", "KEYS", "ZADD", "DEL", "EVALSHA", "EXEC", "CONFIG", "OTHER", "ttl"])(
  "%s is not taken for a command of constant cost",
  (command) => {
    expect(isConstantCost(command)).toBe(false);
    expect(isBlocking(command)).toBe(false);
  },
);

test.each(["BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "XREAD", "XREADGROUP", "WAIT", "WAITAOF"])(
  "%s may wait by its own wish, and is not of constant cost",
  (command) => {
    expect(isBlocking(command)).toBe(true);
    expect(isConstantCost(command)).toBe(false);
  },
);
