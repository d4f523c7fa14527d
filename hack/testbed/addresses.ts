/**
 * Where everything listens inside a testbed. Each testbed has network, mount and process namespaces of its own, so these are constants and
 * two testbeds do not meet.
 */
export const bridge = 'tb0';
export const prefixLength = 16;

/** On the bridge, in the namespace in which the testbed and the tests run. */
export const hub = '10.77.0.1';
export const apiServerPort = 6443;
export const apiServerUrl = `https://${hub}:${apiServerPort}`;

/** One network namespace each: three of CDI's programs want port 8443 on every address (fact: testbed 7.2). */
export const programAddresses = {
  'cdi-controller': '10.77.0.2',
  'cdi-apiserver': '10.77.0.3',
  'virt-api': '10.77.0.4',
  'virt-controller': '10.77.0.5',
} as const;
export type NamespacedProgram = keyof typeof programAddresses;

/** How many test workers may serve a vCenter of their own at a time. */
export const workerCount = 8;

/** The address at which worker `id` (from 1, as JEST_WORKER_ID) serves its vCenter; on the bridge like the hub's. */
export function workerAddress(id: number): string {
  if (!Number.isInteger(id) || id < 1 || id > workerCount)
    throw new RangeError(`no address for worker ${id}: 1 to ${workerCount}`);
  return `10.77.1.${id}`;
}

/** The address of the `index`-th pod that was ever started, from 0; they come round again after 60,000. */
export function podAddress(index: number): string {
  const place = index % (240 * 250);
  return `10.77.${10 + Math.floor(place / 250)}.${1 + (place % 250)}`;
}
