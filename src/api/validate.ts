import { Compile } from 'typebox/compile';
import { choice, object, optional } from '../model/schema.ts';
import { definitions, type KindDefinition } from './definitions.ts';
import { apiVersionOf, resourceName, type ResourceKind } from './meta.ts';
import { openList, openMap, openText } from './open-schema.ts';

/** One thing that is wrong with an object; `path` is written as in `spec.map[0].source`, and is "" for the object itself. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** As far as a writer fills it in; a server checks the rest. */
const MetadataSchema = object({
  name: optional(openText()),
  generateName: optional(openText()),
  namespace: optional(openText()),
  labels: optional(openMap()),
  annotations: optional(openMap()),
  finalizers: optional(openList(openText())),
});

function compile({ kind, spec, status, specRequired }: KindDefinition) {
  return Compile(
    object({
      apiVersion: choice([apiVersionOf(kind)]),
      kind: choice([kind.kind]),
      metadata: MetadataSchema,
      spec: specRequired ? spec : optional(spec),
      status: optional(status),
    }),
  );
}

const validators: ReadonlyMap<string, ReturnType<typeof compile>> = new Map(
  definitions.map((definition) => [resourceName(definition.kind), compile(definition)]),
);

/**
 * What is wrong with an object of one of the kinds that Gantry defines, by the same schema that its CRD carries; empty when nothing is.
 * Unknown fields are no problem here, and rules that compare with an older object are the API server's. Messages never repeat a value
 * from the object, since it might be secret.
 *
 * @throws when the kind is none of ours.
 */
export function validate(kind: ResourceKind, candidate: unknown): readonly Problem[] {
  const validator = validators.get(resourceName(kind));
  if (validator === undefined)
    throw new Error(`No schema for ${resourceName(kind)}: it is not defined here.`);
  if (validator.Check(candidate)) return [];
  return validator.Errors(candidate).flatMap(problems);
}

type SchemaError = ReturnType<ReturnType<typeof compile>['Errors']>[number];

function problems(error: SchemaError): readonly Problem[] {
  const path = fieldPath(error.instancePath);
  if (error.keyword === 'required')
    return error.params.requiredProperties.map((name) => ({
      path: path === '' ? name : `${path}.${name}`,
      message: 'is required',
    }));
  // A map whose value is wrong is told a second time this way; the value itself has its own line.
  if (error.keyword === 'additionalProperties') return [];
  if (error.keyword === 'enum')
    return [{ path, message: `must be one of: ${error.params.allowedValues.join(', ')}` }];
  return [{ path, message: error.message }];
}

/** "/spec/map/0/source" to "spec.map[0].source"; what is no identifier stands in brackets and quotes. */
function fieldPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, token) => {
      if (/^\d+$/.test(token)) return `${path}[${token}]`;
      if (!/^[A-Za-z_]\w*$/.test(token)) return `${path}[${JSON.stringify(token)}]`;
      return path === '' ? token : `${path}.${token}`;
    }, '');
}
