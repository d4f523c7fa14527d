import type { Json } from './json.ts';
import { isList, isObject, textOf } from './json.ts';

type Step = (value: Json) => readonly Json[];

/**
 * The first thing that a printer column's path leads to, or undefined. Knows what such paths use: names, escaped dots, indexes, [*],
 * ['name'] and [?(@.a.b=='x')]. Throws TypeError for anything else.
 */
export function readPath(path: string): (value: Json) => Json | undefined {
  const steps = parse(path);
  return (value) => {
    let found: readonly Json[] = [value];
    for (const step of steps) found = found.flatMap(step);
    return found[0];
  };
}

const token =
  /\.((?:\\.|[^.[\\])+)|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:'([^']*)'|"([^"]*)"|(\w+))\)\]|\['([^']*)'\]|\[(\d+|\*)\]/gy;

function parse(path: string): readonly Step[] {
  const steps: Step[] = [];
  const matcher = new RegExp(token);
  while (matcher.lastIndex < path.length) {
    const at = matcher.lastIndex;
    const match = matcher.exec(path);
    if (match === null) throw new TypeError(`unknown JSON path ${path} at ${at}`);
    const [, name, filter, single, double, bare, quotedName, index] = match;
    if (name !== undefined) steps.push(member(name.replaceAll(/\\(.)/g, '$1')));
    else if (quotedName !== undefined) steps.push(member(quotedName));
    else if (filter !== undefined)
      steps.push(matching(filter.slice(1).split('.'), single ?? double ?? bare ?? ''));
    else if (index === '*') steps.push((value) => (isList(value) ? value : []));
    else steps.push((value) => (isList(value) ? value.slice(Number(index), Number(index) + 1) : []));
  }
  return steps;
}

function member(name: string): Step {
  return (value) => {
    const found = isObject(value) ? value[name] : undefined;
    return found === undefined ? [] : [found];
  };
}

function matching(path: readonly string[], wanted: string): Step {
  const read = path.map(member);
  return (value) =>
    !isList(value)
      ? []
      : value.filter((item) => {
          const [found] = read.reduce<readonly Json[]>((values, step) => values.flatMap(step), [item]);
          return found !== undefined && textOf(found) === wanted;
        });
}
