// A socket without a system behind it: answers each command that is written with a nil reply, in the next
// turn of the loop, all that came in one go in one chunk.

import { Duplex } from "node:stream";

/** In RESP each command begins with the count of its words, and no word of ours has a line that does. */
const commandStart = "*".charCodeAt(0);
const reply = "$-1\r\n";

export class ReplyStream extends Duplex {
  #waiting = 0;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 6379;
  readonly localPort = 50_000;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const byte of chunk) if (byte === commandStart) this.#answer();
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) {
      for (const byte of chunk) if (byte === commandStart) this.#answer();
    }
    done();
  }

  #answer(): void {
    if (this.#waiting++ > 0) return;
    setImmediate(() => {
      const replies = reply.repeat(this.#waiting);
      this.#waiting = 0;
      this.push(replies);
    });
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  setTimeout(): void {}
  ref(): void {}
  unref(): void {}
}
