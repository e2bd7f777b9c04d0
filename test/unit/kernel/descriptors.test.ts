import { describe, expect, test } from "@jest/globals";
import { parseFdLink, readFdTarget } from "../../../agent/kernel/fd-target";
import { parseThreadSelf, readMainTid, readSelfTid } from "../../../agent/kernel/self-tid";
import { peerOfFd } from "../../../agent/kernel/socket-table";
import { must, recorded, TID, whyOf } from "./fixture";

describe("the link of a descriptor", () => {
  test.each([
    ["socket:[26391]", { kind: "socket", inode: 26391 }],
    ["pipe:[7]", { kind: "pipe", inode: 7 }],
    ["anon_inode:[eventpoll]", { kind: "anon", what: "eventpoll" }],
    ["anon_inode:inotify", { kind: "anon", what: "inotify" }],
    ["/srv/a b (deleted)", { kind: "file", path: "/srv/a b (deleted)" }],
    ["net:[4026531840]", { kind: "other", text: "net:[4026531840]" }],
    ["socket:[]", { kind: "other", text: "socket:[]" }],
    ["", { kind: "other", text: "" }],
  ])("%s", (link, target) => {
    expect(parseFdLink(link)).toEqual(target);
  });

  test("is gone when the descriptor is not open", () => {
    expect(whyOf(readFdTarget(recorded("sockets"), 99))).toBe("gone");
  });
});

describe("the peer of a descriptor", () => {
  const proc = recorded("sockets");

  test("of an accepted connection is its client, with what waits unread", () => {
    expect(must(peerOfFd(proc, 34))).toMatchObject({
      kind: "tcp",
      remoteHost: "127.0.0.1",
      rxQueueBytes: 18,
      txQueueBytes: 0,
    });
  });

  test("of a client is its server, by the port that the server listens on", () => {
    const server = must(peerOfFd(proc, 38));
    const client = must(peerOfFd(proc, 30));
    if (server.kind !== "tcp" || client.kind !== "tcp") throw new Error("not TCP");
    expect(server.remotePort).toBe(0);
    expect(client.remotePort).toBe(server.localPort);
  });

  test("of an IPv4 client at a dual-stack server is an IPv4 address", () => {
    expect(must(peerOfFd(proc, 36))).toMatchObject({ kind: "tcp", remoteHost: "127.0.0.1" });
    expect(must(peerOfFd(proc, 31))).toMatchObject({ kind: "tcp", remoteHost: "::1" });
  });

  test.each([
    [33, { kind: "unix", path: null }],
    [37, { kind: "unix", path: "/run/app.sock" }],
    [40, { kind: "file", path: "/var/lib/app/data.db" }],
    [41, { kind: "pipe", inode: 5001 }],
    [42, { kind: "anon", what: "eventpoll" }],
    [44, { kind: "socket", inode: 77 }],
  ])("of fd %d is %j", (fd, peer) => {
    expect(must(peerOfFd(proc, fd))).toEqual(peer);
  });

  test("is gone when the descriptor is not open", () => {
    expect(whyOf(peerOfFd(proc, 99))).toBe("gone");
  });

  test("is not called unknown when the tables could not be read", () => {
    // That tree has descriptors and no tables.
    expect(must(readFdTarget(recorded("idle-in-epoll"), 22)).kind).toBe("socket");
    expect(whyOf(peerOfFd(recorded("idle-in-epoll"), 22))).toBe("gone");
  });
});

describe("our own thread ids", () => {
  test("are those of this /proc", () => {
    expect(must(readSelfTid(recorded("running")))).toBe(TID);
    expect(must(readMainTid(recorded("running")))).toBe(TID);
    expect(must(parseThreadSelf("4242/task/4250"))).toBe(4250);
  });

  test("fail when the links are not what they ought to be", () => {
    expect(whyOf(readSelfTid(recorded("sockets")))).toBe("gone");
    expect(whyOf(parseThreadSelf("4242/task/"))).toBe("malformed");
  });
});
