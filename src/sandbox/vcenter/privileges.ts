import type { Faults } from '../world.ts';
import type { ManagedObject } from './managed-object.ts';
import { noPermission } from './vim-fault.ts';

/** What the account may not do. Everything else it may. */
export class Privileges {
  readonly #denied = new Set<string>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** On one object, or everywhere. Disposing gives the privilege back. */
  deny(privilege: string, on?: ManagedObject): Disposable {
    const entry = key(privilege, on);
    this.#denied.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#denied.delete(entry);
      },
    };
  }

  allows(privilege: string, on: ManagedObject): boolean {
    return !this.#denied.has(key(privilege)) && !this.#denied.has(key(privilege, on));
  }

  /** Throws NoPermission, which names the object and the privilege (fact: vs 1.6). */
  require(privilege: string, on: ManagedObject): void {
    if (this.allows(privilege, on) && !this.#faults.strikes('vcenter-denied', on.text('name'))) return;
    throw noPermission(on.ref, privilege);
  }
}

function key(privilege: string, on?: ManagedObject): string {
  return on === undefined ? privilege : `${privilege} ${on.id}`;
}
