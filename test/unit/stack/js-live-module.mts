// An ECMAScript module that blocks while it is evaluated and after that. Holds no test; see js-live-app.ts.

type Block = () => number;
const { block, arm } = globalThis as unknown as {
  block: Block;
  arm: (name: string) => Promise<void>;
};

await arm("topLevel");
block();

function exported(): number {
  return block() + 1;
}
await arm("moduleFunction");
exported();

const later = async (): Promise<number> => {
  await null;
  return block() + 1;
};
await arm("moduleAsync");
await later();

export {};
