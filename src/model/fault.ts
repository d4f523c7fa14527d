import type { SourceFault, SourceFaultKind } from './source-data.ts';

/** The only error that a Source throws. Foreign text in it has already been scrubbed of the secrets in use (see scrub.ts). */
export class SourceError extends Error {
  readonly fault: SourceFault;

  constructor(fault: SourceFault, options?: ErrorOptions) {
    super(fault.message, options);
    this.name = 'SourceError';
    this.fault = fault;
  }

  get code(): string {
    return this.fault.code;
  }

  get kind(): SourceFaultKind {
    return this.fault.kind;
  }
}

export function isSourceError(error: unknown, kind?: SourceFaultKind): error is SourceError {
  return error instanceof SourceError && (kind === undefined || error.kind === kind);
}
