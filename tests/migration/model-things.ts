/** Any object of the model's target cluster. */
export interface Thing {
  readonly name: string;
  readonly uid: string;
  /** Carries the label of the import under test. */
  ours: boolean;
}

export interface ToyDataVolume extends Thing {
  percent: number;
  phase: string;
  checkpoints?: { current: string; previous: string }[];
  finalCheckpoint?: boolean;
}

export interface ToyClaim extends Thing {
  owner: { kind: 'DataVolume' | 'VirtualMachine' | 'none' | 'other'; uid?: string };
  whole: boolean;
  /** A converter has begun to write to it and has not ended; then how often one has come to its end. */
  half?: boolean;
  conversions?: number;
  /** The converter was made in the moment in which an importer began once more: it converts what is being written. */
  spoiled?: boolean;
  copied: string[];
  /** The number of writes that it holds; undefined: nothing whole yet. */
  content?: number;
  /** Made by CDI in place of one that was deleted. */
  readonly isRemade: boolean;
}

export interface ToyVm extends Thing {
  runStrategy: string;
  /** Of the VirtualMachineInstance. */
  instance: string;
}

/** How an importer ends that CDI has started over a disk that was done. */
export type ToyEnd = 'well' | 'badly';
export interface ToyImporter extends Thing {
  claim: string;
  phase: string;
  restarts: number;
  again?: { readonly end: ToyEnd; at: number };
}

/** Exactly the one that was meant. False: it is not there. */
export function remove<T extends Thing>(
  things: Map<string, T>,
  { name, uid }: { readonly name: string; readonly uid: string },
): boolean {
  return things.get(name)?.uid === uid && things.delete(name);
}
