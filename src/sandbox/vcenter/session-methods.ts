import { rfc3339 } from '../../runtime/clock.ts';
import { refArg, textArg, type CallContext, type Handlers, type SessionContext } from './service-context.ts';
import { escapeName } from './inventory.ts';
import { invalidArgument, invalidLogin, notAuthenticated } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { MoRef, type VimObject, type VimValue } from './vim-value.ts';

/** Calls that need no login (fact: vs 1.3). */
export const openMethods: Handlers<CallContext> = {
  RetrieveServiceContent: ({ about }) => serviceContent(about),
  Login: login,
};

export const sessionMethods: Handlers<SessionContext> = {
  CurrentTime: ({ clock }) => rfc3339(clock.now()),
  Logout: ({ session, sessions, trace, call }) => {
    sessions.end(session, notAuthenticated(call.on, 'System.View'));
    trace.add({ who: session.userName, what: 'Logout', on: 'vcenter' });
    return undefined;
  },
  SessionIsActive: (context) => {
    const key = textArg(context, 'sessionID');
    return context.sessions.live.some((session) => session.key === key);
  },
  HasPrivilegeOnEntity: hasPrivileges,
  FindByUuid: (context) => findAllByUuid(context)[0],
  FindAllByUuid: findAllByUuid,
  FindByInventoryPath: findByPath,
};

/** Managers have ids of their own; a client must take them from here (fact: vs 1.3). */
export const managers: Readonly<Record<string, MoRef>> = {
  propertyCollector: new MoRef('PropertyCollector', 'propertyCollector'),
  viewManager: new MoRef('ViewManager', 'ViewManager'),
  sessionManager: new MoRef('SessionManager', 'SessionManager'),
  authorizationManager: new MoRef('AuthorizationManager', 'AuthorizationManager'),
  taskManager: new MoRef('TaskManager', 'TaskManager'),
  customFieldsManager: new MoRef('CustomFieldsManager', 'CustomFieldsManager'),
  searchIndex: new MoRef('SearchIndex', 'SearchIndex'),
  fileManager: new MoRef('FileManager', 'FileManager'),
  virtualDiskManager: new MoRef('VirtualDiskManager', 'virtualDiskManager'),
};

function serviceContent(about: VimObject): VimObject {
  return vim('ServiceContent', { rootFolder: new MoRef('Folder', 'group-d1'), about, ...managers });
}

/** fact: vs 1.3: a second login in one session is a fault (which one: inferred). */
function login(context: CallContext): VimValue {
  const { account, sessions, trace } = context;
  const user = textArg(context, 'userName');
  if (context.session !== undefined) throw invalidLogin();
  if (!account.accepts(user, textArg(context, 'password'), user)) throw invalidLogin();
  const session = sessions.open(account.displayName);
  context.setCookie(session);
  trace.add({ who: account.displayName, what: 'Login', on: 'vcenter' });
  return session.describe(account.displayName);
}

/** fact: vs 1.5: booleans in the order of the request. */
function hasPrivileges(context: SessionContext): VimValue {
  const entity = refArg(context, 'entity');
  const privileges = context.call.args['privId'] as readonly string[];
  if (entity === undefined) throw invalidArgument('entity');
  const object = context.registry.require(entity, 'ManagedEntity');
  return privileges.map((privilege) => context.privileges.allows(privilege, object));
}

/** fact: vs 1.5: BIOS uuids are not unique: FindByUuid answers with the first one found. */
function findAllByUuid(context: SessionContext): readonly MoRef[] {
  const datacenter = refArg(context, 'datacenter');
  if (datacenter !== undefined) context.registry.require(datacenter, 'Datacenter');
  const wanted = textArg(context, 'uuid').toLowerCase();
  const { vmSearch, instanceUuid } = context.call.args;
  const vmPath = instanceUuid === true ? 'config.instanceUuid' : 'config.uuid';
  const [objects, path] =
    vmSearch === true
      ? [context.vms.all.map(({ object }) => object), vmPath]
      : [context.inventory.hosts, 'hardware.systemInfo.uuid'];
  return objects.filter((object) => object.text(path).toLowerCase() === wanted).map(({ ref }) => ref);
}

/** "Datacenter/vm/folder/name", with or without a slash in front. */
function findByPath(context: SessionContext): VimValue | undefined {
  const names = textArg(context, 'inventoryPath')
    .split('/')
    .filter((name) => name !== '');
  let object = context.inventory.root;
  for (const name of names) {
    const child = [...object.children].find((each) => [name, escapeName(name)].includes(each.text('name')));
    if (child === undefined) return undefined;
    object = child;
  }
  return object.ref;
}
