// Figures and names as people read them.

import type { PeerAddress, Site } from "../../../agent/model/incident";

/** `312 ms`, `2.40 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export const count = (value: number): string => value.toLocaleString("en-US");

/** In the reader's own time zone, to the millisecond. */
export function clockTime(epochMs: number): string {
  const time = new Date(epochMs);
  const pad = (value: number, digits: number): string => `${value}`.padStart(digits, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => pad(part, 2));
  return `${clock.join(":")}.${pad(time.getMilliseconds(), 3)}`;
}

export const dateAndTime = (epochMs: number): string =>
  `${new Date(epochMs).toLocaleDateString("en-CA")} ${clockTime(epochMs)}`;

export function place(site: Site | null): string {
  if (site === null) return "";
  const { file, line, column } = site;
  return [file, line, line === null ? null : column].filter((part) => part !== null).join(":");
}

export const address = (peer: PeerAddress | null): string => {
  if (peer === null) return "";
  return `${peer.host.includes(":") ? `[${peer.host}]` : peer.host}:${peer.port}`;
};
