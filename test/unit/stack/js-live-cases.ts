// Ways in which a line of JavaScript comes to be on the stack, each ending in the same blocking call.
// Holds no test; js-live-app.ts runs them. Nothing here is for good style: each shape is one that
// applications have.

import { compileFunction, runInNewContext, Script } from "node:vm";

export interface LiveCase {
  run(): unknown;
  /** To be compiled by the tier under test before they block; the outermost last. */
  readonly hot?: readonly unknown[];
}

type Block = () => number;

export interface Compilers {
  /** Throws the function's optimized code away if the next call of `block` is the one that blocks. */
  discard(target: unknown): void;
  /** Neither compiled nor inlined. */
  keepApart(target: unknown): void;
}

/** `block` returns only when it is over; all that it returns is 0. */
export function casesOf(block: Block, compilers: Compilers): ReadonlyMap<string, LiveCase> {
  const cases = {
    ...functions(block),
    ...classes(block),
    ...callbacks(block),
    ...code(block),
    ...discarded(block, compilers),
  };
  return new Map<string, LiveCase>(Object.entries(cases));
}

function functions(block: Block): Record<string, LiveCase> {
  function declared(): number {
    return block() + 1;
  }
  const arrow = (): number => block() + 1;
  const inObject = {
    method: () => block() + 1,
    shorthand(): number {
      return block() + 1;
    },
    get getter(): number {
      return block() + 1;
    },
    set setter(_: number) {
      block();
    },
    [`computed${1}`](): number {
      return block() + 1;
    },
  };
  const assigned: Record<string, () => number> = {};
  assigned["late"] = (): number => block() + 1;
  assigned["deep"] = () => (() => block() + 1)();
  function descend(levels: number): number {
    return levels === 0 ? block() : descend(levels - 1) + 1;
  }
  function withDefault(value = block()): number {
    return value;
  }
  function* produce(): Generator<number> {
    yield 1;
    yield block();
  }
  const beforeAwait = async (): Promise<number> => {
    const result = block();
    await null;
    return result;
  };
  async function afterAwait(): Promise<number> {
    await null;
    return block() + 1;
  }
  async function* stream(): AsyncGenerator<number> {
    await null;
    yield block();
  }
  return {
    declared: { run: declared, hot: [declared] },
    arrow: { run: arrow, hot: [arrow] },
    method: { run: () => inObject.method() },
    shorthand: { run: () => inObject.shorthand() },
    getter: { run: () => inObject.getter },
    setter: {
      run: () => {
        inObject.setter = 1;
      },
    },
    computed: { run: () => (inObject as unknown as Record<string, () => number>)["computed1"]?.() },
    assigned: { run: () => assigned["late"]?.() },
    nameless: { run: () => assigned["deep"]?.() },
    recursion: { run: () => descend(12), hot: [descend] },
    defaultValue: { run: () => withDefault() },
    generator: { run: () => [...produce()] },
    beforeAwait: { run: beforeAwait },
    afterAwait: { run: afterAwait },
    asyncGenerator: {
      run: () =>
        stream()
          .next()
          .then(() => stream().next()),
    },
    bound: { run: declared.bind(null) },
  };
}

function classes(block: Block): Record<string, LiveCase> {
  class Till {
    static #total = 0;
    readonly open: boolean;
    readonly handler = (): number => block() + 1;
    constructor(opens: boolean) {
      this.open = opens && block() === 0;
    }
    ring(): number {
      return block() + 1;
    }
    get sum(): number {
      return block() + Till.#total;
    }
    #count(): number {
      return block() + 1;
    }
    counted(): number {
      return this.#count() + 1;
    }
    static open(): Till {
      return new Till(true);
    }
    static #audit(): number {
      return block() + 1;
    }
    static audited(): number {
      return Till.#audit() + 1;
    }
    toString(): string {
      return String(block());
    }
  }
  class BusyTill extends Till {
    readonly busy: boolean;
    constructor() {
      super(true);
      this.busy = this.open;
    }
    override ring(): number {
      return super.ring() + 1;
    }
  }
  const closed = new Till(false);
  function ringTwice(till: Till): number {
    return till.ring() * 2;
  }
  return {
    constructs: { run: () => new Till(true) },
    constructsDerived: { run: () => new BusyTill() },
    staticMethod: { run: () => Till.open() },
    classMethod: { run: () => ringTwice(closed), hot: [Till.prototype.ring, ringTwice] },
    inherited: { run: () => ringTwice(Object.create(closed)) },
    classGetter: { run: () => closed.sum },
    privateMethod: { run: () => closed.counted() },
    staticPrivate: { run: () => Till.audited() },
    classField: { run: () => closed.handler() },
    toText: { run: () => `${closed}` },
  };
}

function callbacks(block: Block): Record<string, LiveCase> {
  function mapped(): number[] {
    return [1, 2].map((value) => (value === 2 ? block() : value));
  }
  function loops(): number {
    let sum = 0;
    for (const value of [1, 2, 3]) sum += value === 3 ? block() : value;
    return sum;
  }
  function inner(value: number): number {
    return value + block();
  }
  function middle(value: number): number {
    return inner(value * 2) - 1;
  }
  function outer(): number {
    return middle(1) + middle(2);
  }
  function catches(): number {
    try {
      throw new Error("expected");
    } catch {
      return block() + 1;
    } finally {
      inner.name.at(0);
    }
  }
  const proxy = new Proxy({ value: 0 }, { get: () => block() });
  return {
    map: { run: mapped, hot: [mapped] },
    loop: { run: loops, hot: [loops] },
    nested: { run: outer, hot: [inner, middle, outer] },
    catches: { run: catches, hot: [catches] },
    sort: { run: () => [2, 1].sort((a, b) => block() + a - b) },
    replace: { run: () => "a".replace(/a/, () => String(block())) },
    reviver: { run: () => JSON.parse("1", () => block()) },
    executor: { run: () => new Promise<number>((resolve) => resolve(block())) },
    proxy: { run: () => proxy.value },
    reflect: { run: () => Reflect.apply(inner, null, [1]) },
    microtask: {
      run: () => new Promise<void>((resolve) => queueMicrotask(() => resolve(void block()))),
    },
    immediate: {
      run: () => new Promise<void>((resolve) => setImmediate(() => resolve(void block()))),
    },
    tick: {
      run: () => new Promise<void>((resolve) => process.nextTick(() => resolve(void block()))),
    },
  };
}

/** Optimized code that is thrown away while it is on the stack. */
function discarded(block: Block, { discard, keepApart }: Compilers): Record<string, LiveCase> {
  function leave(target: unknown): number {
    discard(target);
    return block();
  }
  function caller(): number {
    const before = leave(caller);
    return before + 1;
  }
  keepApart(leave);
  return { discarded: { run: caller, hot: [caller] } };
}

/** Code that was text a moment ago. Two-byte text, a CR LF and a byte order mark move columns. */
function code(block: Block): Record<string, LiveCase> {
  const text = "(block => function inText() {\n\n  return block() + 1; })";
  const strange = "\u2028(block => { /* ж */ return () =>\r\n  /* € */ block() + 1; })";
  const vmScript = new Script(text, { filename: "/srv/job.js", lineOffset: 10, columnOffset: 5 });
  const inScript = (vmScript.runInThisContext() as (b: Block) => Block)(block);
  const minified = `(b=>{let a=0;class c{d(){a+=b();return a}e=()=>this.d();static f(){return new c().e()}}return()=>c.f()})`;
  return {
    // biome-ignore lint/security/noGlobalEval: its frames say where the text was made
    // biome-ignore lint/complexity/noCommaOperator: an indirect eval, which runs in global scope
    eval: { run: () => (0, eval)(text)(block)() },
    evalNamed: {
      // biome-ignore lint/security/noGlobalEval: as above
      run: () => [1].map(() => eval(`${text}\n//# sourceURL=/srv/named.js`)(block)()),
    },
    newFunction: {
      run: () => new Function("block", "// first\n  return block() + 1")(block),
    },
    strange: { run: new Script(strange, { filename: "/srv/ж.js" }).runInThisContext()(block) },
    vmScript: { run: inScript, hot: [inScript] },
    vmContext: { run: () => runInNewContext(text)(block)() },
    vmFunction: {
      run: () => compileFunction("return 1 + block()", ["block"], { filename: "/srv/f.js" })(block),
    },
    minified: { run: new Script(minified, { filename: "/srv/min.js" }).runInThisContext()(block) },
  };
}
