import type { Json } from '../../model/vm.ts';
import type { ManagedObject } from './managed-object.ts';
import type { VimSession } from './session.ts';
import { continueRetrievePropertiesEx, retrievePropertiesEx, type FilterSpec } from './soap/requests.ts';
import { asList, asMoRef, asText, member } from './soap/values.ts';

/** The server may give less a page, never more (fact: vs 1.4). */
const pageSize = 250;

/** One read of properties, all its pages. A property that may not be read is missing from its object. */
export async function retrieve(
  session: VimSession,
  spec: FilterSpec,
  signal: AbortSignal,
): Promise<readonly ManagedObject[]> {
  const collector = session.content.propertyCollector;
  let page = await session.call(retrievePropertiesEx(collector, spec, pageSize), signal);
  const objects = [...objectsOf(page)];
  for (let token = tokenOf(page); token !== undefined; token = tokenOf(page)) {
    page = await session.call(continueRetrievePropertiesEx(collector, token), signal);
    objects.push(...objectsOf(page));
  }
  return objects;
}

function tokenOf(page: Json | undefined): string | undefined {
  return asText(member(page, 'token'));
}

function objectsOf(page: Json | undefined): readonly ManagedObject[] {
  return asList(member(page, 'objects')).flatMap((content) => {
    const ref = asMoRef(member(content, 'obj'));
    if (ref === undefined) return [];
    const properties = asList(member(content, 'propSet')).flatMap((property): [string, Json][] => {
      const name = asText(member(property, 'name'));
      const value = member(property, 'val');
      return name === undefined || value === undefined ? [] : [[name, value]];
    });
    return [{ ref, properties: Object.fromEntries(properties) }];
  });
}
