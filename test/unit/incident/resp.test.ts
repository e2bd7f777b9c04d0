import { describe, expect, test } from "@jest/globals";
import { parseReply } from "../../../examples/incident/resp";

describe("parseReply", () => {
  test.each([
    ["+OK\r\n", "OK"],
    [":-2\r\n", -2],
    ["$-1\r\n", null],
    ["*-1\r\n", null],
    ["$0\r\n\r\n", ""],
    ["$4\r\na\r\nb\r\n", "a\r\nb"],
    ["*2\r\n$1\r\nk\r\n*1\r\n:5\r\n", ["k", [5]]],
    ["*0\r\n", []],
  ])("reads %j whole", (text, reply) => {
    expect(parseReply(text)).toEqual({ reply, end: text.length });
  });

  test("waits for the rest at every place where a reply can be cut", () => {
    const text = "*2\r\n$3\r\nkey\r\n:12\r\n";
    for (let end = 0; end < text.length; end += 1)
      expect(parseReply(text.slice(0, end))).toBeNull();
  });

  test("counts bytes, not characters", () => {
    const bytes = Buffer.from("$3\r\nné\r\n").toString("latin1");
    expect(parseReply(bytes)?.reply).toBe("né");
  });

  test("gives an error reply as an error, also inside a list", () => {
    expect(parseReply("-ERR no\r\n")?.reply).toEqual(new Error("ERR no"));
    expect(parseReply("*2\r\n:1\r\n-ERR no\r\n")?.reply).toEqual(new Error("ERR no"));
  });

  test("gives an error for what is not a reply", () => {
    expect(parseReply("HTTP/1.1 400 Bad Request\r\n")?.reply).toBeInstanceOf(Error);
  });
});
