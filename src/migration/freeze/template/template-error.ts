/** What can be wrong with a template. `Syntax` is found without data; the others when it is rendered. */
export type TemplateErrorCode =
  'Syntax' | 'UnknownFunction' | 'UnknownField' | 'UnknownVariable' | 'WrongArgument' | 'TooLong';

/** Thrown inside this folder only; `renderTemplate` turns it into a value. */
export class TemplateError extends Error {
  readonly code: TemplateErrorCode;
  /** Offset in the template, in characters from 0. */
  readonly at: number;

  constructor(code: TemplateErrorCode, at: number, message: string) {
    super(message);
    this.name = 'TemplateError';
    this.code = code;
    this.at = at;
  }
}
