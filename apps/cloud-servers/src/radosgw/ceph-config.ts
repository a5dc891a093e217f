/** The configuration of a cluster of one, as its programs read it. Pure. */

/** Where a cluster of one keeps its files and listens, on the loopback interface. */
export interface CephSettings {
  /** Absolute; everything that the cluster writes is in it. */
  readonly directory: string;
  /** Names the cluster: a UUID. */
  readonly clusterId: string;
  readonly monitorPort: number;
  readonly gatewayPort: number;
}

/**
 * One monitor, one store that keeps objects in memory, one gateway. There is one copy of everything, and pools are as small
 * as they can be.
 */
export function cephConfig({ directory, clusterId, monitorPort, gatewayPort }: CephSettings): string {
  const options: Readonly<Record<string, string | number | boolean>> = {
    fsid: clusterId,
    "mon host": monitorAddress(monitorPort),
    "public addr": "127.0.0.1",
    "cluster addr": "127.0.0.1",
    keyring: `${directory}/keyring`,
    "run dir": directory,
    "admin socket": `${directory}/$name.$pid.asok`,
    "log file": `${directory}/$name.log`,
    "crash dir": directory,
    "mon data": `${directory}/mon`,
    "osd data": `${directory}/osd`,
    "rgw data": `${directory}/rgw`,
    "rgw frontends": `beast endpoint=127.0.0.1:${gatewayPort}`,
    "osd objectstore": "memstore",
    "memstore device bytes": 4 * 2 ** 30,
    // What was deleted is freed while the cluster lives, not hours later.
    "rgw gc obj min wait": 30,
    "rgw gc processor period": 30,
    "osd pool default size": 1,
    "osd pool default min size": 1,
    "mon allow pool size one": true,
    "osd pool default pg num": 8,
    "osd crush chooseleaf type": 0,
    "auth allow insecure global id reclaim": false,
  };
  const lines = Object.entries(options).map(([name, value]) => `${name} = ${String(value)}\n`);
  return `[global]\n${lines.join("")}`;
}

/** As the programs write it. */
export function monitorAddress(port: number): string {
  return `[v2:127.0.0.1:${port}]`;
}
