export type TestbedErrorCode =
  | 'DaemonEnded'
  | 'DaemonNotReady'
  | 'DaemonUnknown'
  | 'NotEstablished'
  | 'UnknownKind'
  | 'RequestUnknown'
  | 'ControlFailed';

/** A part of the testbed did not come up, ended, or cannot do what it was asked. `code` is stable. */
export class TestbedError extends Error {
  readonly code: TestbedErrorCode;

  constructor(code: TestbedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TestbedError';
    this.code = code;
  }
}
