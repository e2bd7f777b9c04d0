// A server that nobody asks for anything.

import { createServer } from "node:http";

createServer().listen(0, "127.0.0.1");
