import { evaluate, type TemplateData } from './evaluate.ts';
import { parseTemplate, type Node } from './parser.ts';
import { TemplateError, type TemplateErrorCode } from './template-error.ts';

/**
 * Go's text/template, as far as names need it: fields, variables, pipelines, if, with, comments, trimming, and the functions of Forklift.
 * Nothing here throws: a template is a user's text.
 */
export type Template = (data: TemplateData) => Rendered;

export type Rendered =
  | { readonly text: string; readonly error?: undefined }
  | { readonly text?: undefined; readonly error: TemplateFault };

export interface TemplateFault {
  readonly code: TemplateErrorCode;
  /** Offset in the template, in characters from 0. */
  readonly at: number;
  /** One sentence with the position, for a condition. */
  readonly message: string;
}

/** Text longer than this is no template of a name. */
const longestTemplate = 2048;

/** Reads a template once, for any number of renderings. A template with a fault gives that fault for any data. */
export function compileTemplate(source: string): Template {
  const parsed = attempt(source, () => {
    if (source.length > longestTemplate) {
      throw new TemplateError('TooLong', longestTemplate, `is longer than ${longestTemplate} characters`);
    }
    return parseTemplate(source);
  });
  if ('error' in parsed) return () => parsed;
  const nodes: readonly Node[] = parsed.value;
  return (data) => {
    const rendered = attempt(source, () => evaluate(nodes, data));
    return 'error' in rendered ? rendered : { text: rendered.value };
  };
}

function attempt<T>(
  source: string,
  work: () => T,
): { readonly value: T } | { readonly error: TemplateFault } {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { code, at } = error;
    const before = source.slice(0, at).split('\n');
    const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    return { error: { code, at, message: `${where}: ${error.message}` } };
  }
}
