export type GuestErrorCode =
  /** A package of Debian's cannot be had, or lacks something. */
  | 'GuestParts'
  /** The disk could not be made. */
  | 'GuestImage'
  /** The VirtualMachine asks for something that QEMU is not started with here. */
  | 'GuestDevice'
  /** It did not come up, or did not say what it saw. */
  | 'GuestBoot';

/** What was attempted, on what, and what to do next. */
export class GuestError extends Error {
  readonly code: GuestErrorCode;

  constructor(code: GuestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GuestError';
    this.code = code;
  }
}
