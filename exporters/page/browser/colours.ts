// One colour for each cause and for each part of a latency. Told apart also without colour sight
// (Okabe and Ito's palette), on a light and on a dark ground; every use has its name beside it.

const causeColours: Readonly<Record<string, string>> = {
  "sync-native-io": "#d55e00",
  "sync-native-cpu": "#e69f00",
  "sync-core-api": "#cc79a7",
  "module-load": "#9a6fb0",
  "js-cpu": "#b8a800",
  gc: "#009e73",
  "cpu-starved": "#0072b2",
  "page-fault": "#56b4e9",
  "process-stopped": "#5f6b7a",
  "server-slow": "#3b62c4",
  "network-slow": "#3f97a6",
  "client-queue": "#7a8f2a",
  "blocking-command": "#8a8a8a",
  unknown: "#8a8a8a",
};

/** A cause that this page does not know is shown as unknown ones are. */
export const causeColour = (cause: string): string => causeColours[cause] ?? "#8a8a8a";

export const blameParts = [
  { key: "queueMs", name: "queue", colour: "#7a8f2a" },
  { key: "networkMs", name: "network", colour: "#3f97a6" },
  { key: "serverMs", name: "server", colour: "#3b62c4" },
  { key: "loopMs", name: "loop", colour: "#d55e00" },
  { key: "intendedMs", name: "intended", colour: "#56b4e9" },
  { key: "unknownMs", name: "unknown", colour: "#8a8a8a" },
] as const;
