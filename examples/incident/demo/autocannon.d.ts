// The part of autocannon 9 that the demo uses; the package brings no types.
// https://github.com/mcollina/autocannon#api

declare module "autocannon" {
  export interface LoadRequest {
    readonly method: "GET" | "POST";
    readonly path: string;
  }

  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests a second on each connection, sent one after another at the start of each second. */
    readonly connectionRate: number;
    /** In seconds. */
    readonly duration: number;
    /** Each connection sends these in turn, over and over. */
    readonly requests: readonly LoadRequest[];
  }

  interface Result {
    readonly non2xx: number;
    readonly errors: number;
  }

  interface Run extends Promise<Result> {
    on(event: "response", listener: () => void): this;
  }

  export default function autocannon(options: Options): Run;
}
