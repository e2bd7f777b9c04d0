// What else was unusual about the time of an incident: consequences or bystanders, told beside it and
// never as its cause. A storm of connections, memory that grows and commands that are given up are what
// people see first, and each fix of them only eases the symptoms. Pure.

import type { Evidence } from "../model/incident";
import type { Surroundings } from "../model/surroundings";

/** Less than this of the past says nothing about what is usual. */
const usualSecondsMin = 5;
const timesUsual = 5;
const openedMin = 10;
const outstandingMin = 1000;
const grownMinBytes = 50e6;
const grownShare = 0.2;
const serversShown = 3;

export function bystanders(around: Surroundings): readonly Evidence[] {
  if (around.before.seconds < usualSecondsMin) return [];
  return [
    ...connectionsOpened(around),
    ...connectionsClosed(around),
    ...commandsOutstanding(around),
    ...commandsGivenUp(around),
    ...memoryGrown(around),
  ];
}

const told = (what: string, says: string, figures: Record<string, unknown>): Evidence => ({
  kind: "bystander",
  says: `beside it, and not its cause: ${says}`,
  what,
  ...figures,
});

const rate = (count: number, seconds: number): number => count / Math.max(seconds, 1);

function isUnusual(count: number, around: Surroundings, before: number): boolean {
  return rate(count, around.seconds) >= timesUsual * rate(before, around.before.seconds);
}

function connectionsOpened(around: Surroundings): readonly Evidence[] {
  const count = around.opened.reduce((sum, one) => sum + one.count, 0);
  const { before } = around;
  if (count < openedMin || !isUnusual(count, around, before.opened)) return [];
  const servers = around.opened.slice(0, serversShown).map(({ server }) => server);
  const says = `${count} connections were opened to ${servers.join(", ")} (${before.opened} in the ${before.seconds} s before)`;
  return [told("connections-opened", says, { count, servers, before: before.opened })];
}

function connectionsClosed({ closed, ...around }: Surroundings): readonly Evidence[] {
  const { before } = around;
  if (closed === 0 || !isUnusual(closed, { closed, ...around }, before.closed)) return [];
  const says = `${closed} connections were lost or closed (${before.closed} in the ${before.seconds} s before)`;
  return [told("connections-closed", says, { count: closed, before: before.closed })];
}

function commandsOutstanding({ openPeak, before }: Surroundings): readonly Evidence[] {
  if (openPeak < outstandingMin || openPeak < timesUsual * before.openPeak) return [];
  const says = `up to ${openPeak} commands were outstanding at once (${before.openPeak} at most before)`;
  return [told("commands-outstanding", says, { openPeak, before: before.openPeak })];
}

function commandsGivenUp(around: Surroundings): readonly Evidence[] {
  const { givenUp, before } = around;
  if (givenUp === 0 || !isUnusual(givenUp, around, before.givenUp)) return [];
  const says = `${givenUp} commands ended without a reply: time-out, lost connection or disconnect`;
  return [told("commands-given-up", says, { count: givenUp, before: before.givenUp })];
}

function memoryGrown({ rssBytes, before }: Surroundings): readonly Evidence[] {
  if (rssBytes === null || before.rssBytes === null) return [];
  const grown = rssBytes - before.rssBytes;
  if (grown < grownMinBytes || grown < before.rssBytes * grownShare) return [];
  const says = `the process grew by ${megabytes(grown)} MB to ${megabytes(rssBytes)} MB`;
  return [told("memory-grown", says, { rssBytes, grownBytes: grown })];
}

const megabytes = (count: number): number => Math.round(count / 1e6);
