/** A part of the testbed did not come up, or ended. `code` is stable. */
export class TestbedError extends Error {
  readonly code: 'DaemonEnded' | 'DaemonNotReady' | 'NotEstablished' | 'UnknownKind' | 'DaemonUnknown';

  constructor(code: TestbedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TestbedError';
    this.code = code;
  }
}
