// The closed list of causes, as the incident schema names them.

export const causes = [
  "sync-native-io",
  "sync-native-cpu",
  "sync-core-api",
  "module-load",
  "js-cpu",
  "gc",
  "cpu-starved",
  "page-fault",
  "process-stopped",
  "server-slow",
  "network-slow",
  "client-queue",
  "blocking-command",
  "unknown",
] as const;

export type Cause = (typeof causes)[number];
