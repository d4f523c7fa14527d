import type { ManagedObject, ObjectParts } from './managed-object.ts';
import { PropertyCollector, serverPageSize } from './property-collector.ts';
import { objectContent, PropertyFilter, type MayRead } from './property-filter.ts';
import { PropertySelection } from './property-selection.ts';
import {
  numberArg,
  objectOf,
  refArg,
  textArg,
  type Handlers,
  type SessionContext,
} from './service-context.ts';
import type { OpenRetrieve } from './sessions.ts';
import { invalidArgument, requestCanceled } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { isVimObject, refsIn, type MoRef, type VimObject, type VimValue } from './vim-value.ts';
import { containedIn, ListMembers } from './views.ts';

/** The property collector and the views that feed it (fact: vs 1.4). */
export const propertyMethods: Handlers<SessionContext> = {
  CreatePropertyCollector: (context) => {
    const ref = own(context, 'PropertyCollector').ref;
    context.session.collectors.set(ref.id, new PropertyCollector(context.registry, context.clock));
    return ref;
  },
  DestroyPropertyCollector: (context) => {
    const object = objectOf(context, context.call.on, 'PropertyCollector');
    if (!context.session.owns(object)) throw invalidArgument('_this');
    context.session.collectors.get(object.id)?.close(requestCanceled());
    context.session.collectors.delete(object.id);
    context.session.drop(object);
    return undefined;
  },
  CreateFilter: createFilter,
  DestroyPropertyFilter: (context) => {
    const object = objectOf(context, context.call.on, 'PropertyFilter');
    for (const collector of context.session.collectors.values()) collector.filters.delete(object.id);
    context.session.drop(object);
    return undefined;
  },
  WaitForUpdatesEx: (context) => {
    const options = context.call.args['options'];
    const given = isVimObject(options) ? options : undefined;
    const limits = {
      maxWaitSeconds: numberArg(given?.['maxWaitSeconds']),
      maxObjectUpdates: numberArg(given?.['maxObjectUpdates']),
    };
    return collectorOf(context).wait(textArg(context, 'version'), limits, context.signal);
  },
  CancelWaitForUpdates: (context) => {
    collectorOf(context).cancelWaits();
    return undefined;
  },
  RetrievePropertiesEx: retrieve,
  RetrieveProperties: retrieveAll,
  ContinueRetrievePropertiesEx: (context) => {
    const open = takeToken(context);
    return retrievePage(context, open);
  },
  CancelRetrievePropertiesEx: (context) => {
    takeToken(context);
    return undefined;
  },
  CreateContainerView: createContainerView,
  CreateListView: (context) => {
    const members = new ListMembers(context.registry);
    members.add(refsIn(context.call.args['obj']));
    const view = own(context, 'ListView', { computed: { view: () => members.present } });
    context.session.lists.set(view.id, members);
    return view.ref;
  },
  ModifyListView: (context) => {
    const view = objectOf(context, context.call.on, 'ListView');
    const members = context.session.lists.get(view.id);
    members?.add(refsIn(context.call.args['add']));
    members?.remove(refsIn(context.call.args['remove']));
    view.touch('view');
    return undefined;
  },
  ResetListView: (context) => {
    const view = objectOf(context, context.call.on, 'ListView');
    const members = context.session.lists.get(view.id);
    const wanted = refsIn(context.call.args['obj']);
    members?.reset(wanted);
    view.touch('view');
    return wanted.filter((ref) => context.registry.find(ref) === undefined);
  },
  DestroyView: (context) => {
    const view = objectOf(context, context.call.on, 'View');
    context.session.lists.delete(view.id);
    context.session.drop(view);
    return undefined;
  },
};

/** A new object of this session. */
function own(context: SessionContext, type: string, parts: ObjectParts = {}): ManagedObject {
  return context.session.own(context.registry.add(type, context.session.newId(), parts));
}

/** The default collector is there without being made; each session has its own. */
function collectorOf(context: SessionContext): PropertyCollector {
  const { on } = context.call;
  objectOf(context, on, 'PropertyCollector');
  const existing = context.session.collectors.get(on.id);
  if (existing !== undefined) return existing;
  const made = new PropertyCollector(context.registry, context.clock);
  context.session.collectors.set(on.id, made);
  return made;
}

function mayReadOf(context: SessionContext): MayRead {
  return (object) => context.privileges.allows('System.Read', object);
}

/** Throws ManagedObjectNotFound when a root of the filter is not there, or belongs to another session. */
function selectionOf(context: SessionContext, spec: VimValue | undefined): PropertySelection {
  if (!isVimObject(spec)) throw invalidArgument('spec');
  const roots = (spec['objectSet'] as readonly VimObject[]).flatMap((set) => refsIn(set['obj']));
  for (const root of roots) objectOf(context, root, root.type);
  return new PropertySelection(spec);
}

function createFilter(context: SessionContext): MoRef {
  const collector = collectorOf(context);
  const { spec, partialUpdates } = context.call.args;
  const selection = selectionOf(context, spec);
  const { ref } = own(context, 'PropertyFilter');
  const wanted = { selection, partialUpdates: partialUpdates === true };
  collector.addFilter(new PropertyFilter(ref, wanted, context.registry, mayReadOf(context)));
  return ref;
}

function createContainerView(context: SessionContext): MoRef {
  const ref = refArg(context, 'container');
  if (ref === undefined) throw invalidArgument('container');
  const container = objectOf(context, ref, 'ManagedEntity');
  const type = context.call.args['type'] as readonly string[];
  const recursive = context.call.args['recursive'] === true;
  const view = own(context, 'ContainerView', {
    properties: { container: ref, type, recursive },
    computed: { view: () => containedIn(container, type, recursive) },
  });
  return view.ref;
}

function retrieve(context: SessionContext): VimObject | undefined {
  const { args } = context.call;
  const options = args['options'];
  const wanted = isVimObject(options) ? numberArg(options['maxObjects']) : undefined;
  const pageSize = Math.max(1, Math.min(wanted ?? serverPageSize, serverPageSize));
  const { selection, objects } = selected(context);
  // fact: inferred: nothing selected is an answer without returnval.
  return objects.length === 0 ? undefined : retrievePage(context, { selection, rest: objects, pageSize });
}

/** The call of old, without pages: what CDI's importer still makes (fact: testbed 6, govmomi 0.23.1). */
function retrieveAll(context: SessionContext): readonly VimObject[] {
  const { selection, objects } = selected(context);
  return objects.map((object) => objectContent(selection, object, mayReadOf(context)));
}

function selected(context: SessionContext): Pick<OpenRetrieve, 'selection'> & {
  readonly objects: readonly ManagedObject[];
} {
  const [spec, second] = context.call.args['specSet'] as readonly VimValue[];
  if (second !== undefined) throw invalidArgument('specSet');
  const selection = selectionOf(context, spec);
  return { selection, objects: selection.objects(context.registry) };
}

/** fact: vs 1.4: a token as long as there is more. An object that went away between two pages is left out. */
function retrievePage(context: SessionContext, { selection, rest, pageSize }: OpenRetrieve): VimObject {
  const page = rest.slice(0, pageSize).filter((object) => context.registry.has(object));
  const later = rest.slice(pageSize);
  const objects = page.map((object) => objectContent(selection, object, mayReadOf(context)));
  if (later.length === 0) return vim('RetrieveResult', { objects });
  const token = context.session.newId();
  context.session.retrieves.set(token, { selection, rest: later, pageSize });
  return vim('RetrieveResult', { token, objects });
}

function takeToken(context: SessionContext): OpenRetrieve {
  const token = textArg(context, 'token');
  const open = context.session.retrieves.get(token);
  if (open === undefined) throw invalidArgument('token');
  context.session.retrieves.delete(token);
  return open;
}
