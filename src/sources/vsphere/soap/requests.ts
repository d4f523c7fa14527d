import type { MoRef } from './values.ts';
import { leaf, node, refElement, type VimRequest, type XmlElement } from './xml-encode.ts';

/** Every vim25 method that Gantry calls, its arguments in schema order (fact: vs 1.2b). */

export const serviceInstance: MoRef = { type: 'ServiceInstance', value: 'ServiceInstance' };

const call = (method: string, on: MoRef, ...args: readonly XmlElement[]): VimRequest => ({
  method,
  on,
  args,
});

export const retrieveServiceContent = (): VimRequest => call('RetrieveServiceContent', serviceInstance);

export const login = (sessionManager: MoRef, user: string, password: string): VimRequest =>
  call('Login', sessionManager, leaf('userName', user), leaf('password', password));

export const logout = (sessionManager: MoRef): VimRequest => call('Logout', sessionManager);

export const hasPrivilegeOnEntity = (
  authorizationManager: MoRef,
  entity: MoRef,
  sessionId: string,
  privileges: readonly string[],
): VimRequest =>
  call(
    'HasPrivilegeOnEntity',
    authorizationManager,
    refElement('entity', entity),
    leaf('sessionId', sessionId),
    ...privileges.map((privilege) => leaf('privId', privilege)),
  );

// ---- properties -----------------------------------------------------------------------------------------------------------------

export interface PropertySpec {
  readonly type: string;
  readonly paths: readonly string[];
}
export interface ObjectSpec {
  readonly obj: MoRef;
  readonly skip?: boolean;
  readonly selectSet?: readonly TraversalSpec[];
}
export interface TraversalSpec {
  readonly name: string;
  readonly type: string;
  readonly path: string;
  readonly skip: boolean;
}
export interface FilterSpec {
  readonly propSet: readonly PropertySpec[];
  readonly objectSet: readonly ObjectSpec[];
}

/** Everything that a container view shows, without the view itself. */
export const throughView = (view: MoRef): ObjectSpec => ({
  obj: view,
  skip: true,
  selectSet: [{ name: 'view', type: 'ContainerView', path: 'view', skip: false }],
});

function filterSpec(name: string, spec: FilterSpec): XmlElement {
  return node(name, [
    ...spec.propSet.map(({ type, paths }) =>
      node('propSet', [leaf('type', type), ...paths.map((path) => leaf('pathSet', path))]),
    ),
    ...spec.objectSet.map(({ obj, skip, selectSet = [] }) =>
      node('objectSet', [
        refElement('obj', obj),
        ...(skip === undefined ? [] : [leaf('skip', skip)]),
        ...selectSet.map((step) =>
          node(
            'selectSet',
            [
              leaf('name', step.name),
              leaf('type', step.type),
              leaf('path', step.path),
              leaf('skip', step.skip),
            ],
            'TraversalSpec',
          ),
        ),
      ]),
    ),
  ]);
}

/** `options` is mandatory, though it may be empty. */
export const retrievePropertiesEx = (collector: MoRef, spec: FilterSpec, maxObjects?: number): VimRequest =>
  call(
    'RetrievePropertiesEx',
    collector,
    filterSpec('specSet', spec),
    node('options', maxObjects === undefined ? [] : [leaf('maxObjects', maxObjects)]),
  );

export const continueRetrievePropertiesEx = (collector: MoRef, token: string): VimRequest =>
  call('ContinueRetrievePropertiesEx', collector, leaf('token', token));

export const createPropertyCollector = (collector: MoRef): VimRequest =>
  call('CreatePropertyCollector', collector);

export const destroyPropertyCollector = (collector: MoRef): VimRequest =>
  call('DestroyPropertyCollector', collector);

/** `partialUpdates`: false makes the server send a changed property whole. */
export const createFilter = (collector: MoRef, spec: FilterSpec, partialUpdates: boolean): VimRequest =>
  call('CreateFilter', collector, filterSpec('spec', spec), leaf('partialUpdates', partialUpdates));

/** `version` is "" at first. */
export const waitForUpdatesEx = (
  collector: MoRef,
  version: string,
  options: { readonly maxWaitSeconds: number; readonly maxObjectUpdates: number },
): VimRequest =>
  call(
    'WaitForUpdatesEx',
    collector,
    leaf('version', version),
    node('options', [
      leaf('maxWaitSeconds', options.maxWaitSeconds),
      leaf('maxObjectUpdates', options.maxObjectUpdates),
    ]),
  );

export const createContainerView = (
  viewManager: MoRef,
  container: MoRef,
  types: readonly string[],
): VimRequest =>
  call(
    'CreateContainerView',
    viewManager,
    refElement('container', container),
    ...types.map((type) => leaf('type', type)),
    leaf('recursive', true),
  );

export const destroyView = (view: MoRef): VimRequest => call('DestroyView', view);

// ---- power ----------------------------------------------------------------------------------------------------------------------

export const powerOnTask = (vm: MoRef): VimRequest => call('PowerOnVM_Task', vm);
export const powerOffTask = (vm: MoRef): VimRequest => call('PowerOffVM_Task', vm);
export const shutdownGuest = (vm: MoRef): VimRequest => call('ShutdownGuest', vm);

// ---- snapshots ------------------------------------------------------------------------------------------------------------------

/** Without the guest's memory: what is read is disks. */
export const createSnapshotTask = (
  vm: MoRef,
  name: string,
  description: string,
  quiesce: boolean,
): VimRequest =>
  call(
    'CreateSnapshot_Task',
    vm,
    leaf('name', name),
    leaf('description', description),
    leaf('memory', false),
    leaf('quiesce', quiesce),
  );

/** Its children stay, its delta is merged. */
export const removeSnapshotTask = (snapshot: MoRef): VimRequest =>
  call('RemoveSnapshot_Task', snapshot, leaf('removeChildren', false), leaf('consolidate', true));

export const consolidateDisksTask = (vm: MoRef): VimRequest => call('ConsolidateVMDisks_Task', vm);
