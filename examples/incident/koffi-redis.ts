// The stand-in for syncredis.node where nothing can be compiled: socket, connect, write and read of the C
// library, called through koffi. They block the calling thread as hiredis does; nothing here is simulated.

import koffi from "koffi";
import { parseReply, type Reply } from "./resp";
import type { SyncConnection, SyncRedis } from "./syncredis";

const isMac = process.platform === "darwin";

// Linux: include/uapi/asm-generic/socket.h and bits/socket.h; macOS: sys/socket.h.
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = isMac ? 0xffff : 1;
const SO_RCVTIMEO = isMac ? 0x1006 : 20;
const SO_SNDTIMEO = isMac ? 0x1005 : 21;

/** More than any reply of the example. */
const replyBytesMax = 64 * 1024;

// The program itself has the C library loaded, under whatever name this system gives it.
const libc = koffi.load(null);
const socket = libc.func("int socket(int domain, int type, int protocol)");
const connectSocket = libc.func("int connect(int fd, const void *address, uint32_t length)");
const setOption = libc.func(
  "int setsockopt(int fd, int level, int name, const void *value, uint32_t length)",
);
const writeBytes = libc.func("intptr_t write(int fd, const void *bytes, size_t count)");
const readBytes = libc.func("intptr_t read(int fd, void *bytes, size_t count)");
const closeFd = libc.func("int close(int fd)");

/** What stands behind a `SyncConnection` of this client; `fd` is -1 once it was closed or lost. */
interface Connection {
  fd: number;
}

/** The client in terms of libc. */
export const koffiRedis: SyncRedis = {
  connect,
  close: (connection) => drop(own(connection)),
  get: (connection, key) => text(command(own(connection), ["GET", key])),
  ttl: (connection, key) => Number(command(own(connection), ["TTL", key])),
  blpop: (connection, key, seconds) => {
    const pair = command(own(connection), ["BLPOP", key, String(seconds)]);
    return Array.isArray(pair) ? text(pair[1] ?? null) : null;
  },
  rpush: (connection, key, item) => Number(command(own(connection), ["RPUSH", key, item])),
};

const own = (connection: SyncConnection) => connection as unknown as Connection;
const text = (reply: Reply) => (typeof reply === "string" ? reply : null);

function connect(host: string, port: number, connectMs: number, commandMs: number): SyncConnection {
  const connection: Connection = { fd: socket(AF_INET, SOCK_STREAM, 0) as number };
  if (connection.fd < 0) throw lastError("socket");
  const address = addressOf(host, port);
  setTimeLimit(connection, SO_SNDTIMEO, connectMs);
  setTimeLimit(connection, SO_RCVTIMEO, commandMs);
  if ((connectSocket(connection.fd, address, address.length) as number) < 0) {
    const error = lastError("connect");
    drop(connection);
    throw error;
  }
  return connection as unknown as SyncConnection;
}

/** struct sockaddr_in: family (on macOS a length byte before it), port, four bytes of address, padding. */
function addressOf(host: string, port: number): Buffer {
  const bytes = host.split(".").map(Number);
  if (bytes.length !== 4) throw new Error(`an IPv4 address was expected, not ${host}`);
  const address = Buffer.alloc(16);
  if (isMac) address.set([address.length, AF_INET]);
  else address.writeUInt16LE(AF_INET);
  address.writeUInt16BE(port, 2);
  address.set(bytes, 4);
  return address;
}

/** struct timeval on 64-bit systems: seconds, microseconds. */
function setTimeLimit(connection: Connection, option: number, limitMs: number): void {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.floor(limitMs / 1_000)));
  time.writeBigInt64LE(BigInt((limitMs % 1_000) * 1_000), 8);
  setOption(connection.fd, SOL_SOCKET, option, time, time.length);
}

function command(connection: Connection, words: readonly string[]): Reply {
  if (connection.fd < 0) throw new Error("the connection is closed");
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  const request = Buffer.from(`*${words.length}\r\n${parts.join("")}`);
  // A blocking socket takes a small request whole.
  if (writeBytes(connection.fd, request, request.length) !== request.length) {
    throw lost(connection, "write");
  }
  const reply = readReply(connection);
  if (reply instanceof Error) throw reply;
  return reply;
}

function readReply(connection: Connection): Reply | Error {
  const buffer = Buffer.alloc(replyBytesMax);
  let length = 0;
  while (length < replyBytesMax) {
    const count = readBytes(
      connection.fd,
      buffer.subarray(length),
      replyBytesMax - length,
    ) as number; // the call that blocks the loop
    if (count <= 0) throw lost(connection, "read");
    length += count;
    const parsed = parseReply(buffer.toString("latin1", 0, length));
    if (parsed !== null) return parsed.reply;
  }
  throw lost(connection, "read");
}

/** After an I/O error nobody knows which reply comes next: the connection is of no use any more. */
function lost(connection: Connection, call: string): Error {
  const error = lastError(call);
  drop(connection);
  return error;
}

function drop(connection: Connection): void {
  if (connection.fd >= 0) closeFd(connection.fd);
  connection.fd = -1;
}

function lastError(call: string): Error {
  const names = Object.entries(koffi.os.errno);
  const name = names.find(([, number]) => number === koffi.errno())?.[0];
  return new Error(`${call}: ${name ?? "the connection was lost"}`);
}
