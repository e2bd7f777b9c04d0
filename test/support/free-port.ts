// A TCP port nobody listens on, for servers and applications that a test starts.
// Another process can take it before it is used: whoever starts a server must be ready to try again.

import { type AddressInfo, createServer } from "node:net";

/** A port that was free on 127.0.0.1 a moment ago, as the kernel chose it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
