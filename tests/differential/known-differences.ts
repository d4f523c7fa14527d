/** A difference between the sandbox and the real programs that stays, and why it may. */
export interface KnownDifference {
  readonly id: string;
  /** As in Difference.where, with `*` for any text: "api > * > * > body.spec.x". It covers all that is inside the place it names. */
  readonly where: string;
  readonly why: string;
}

/** A list that may only shrink: an entry that no longer differs fails the tests (differences.ts). */
export const knownDifferences: readonly KnownDifference[] = [
  {
    id: 'virtual-machine-no-template',
    where: 'virtual-machines > no-template.message',
    why: 'KubeVirt’s mutating webhook holds a VirtualMachine against its own schema before the API server does; both refuse it with 422',
  },
  {
    id: 'virtual-machine-half-a-socket',
    where: 'virtual-machines > half-a-socket.message',
    why: 'KubeVirt’s mutating webhook holds a VirtualMachine against its own schema before the API server does; both refuse it with 422',
  },
  {
    id: 'virtual-machine-number-where-text-belongs',
    where: 'virtual-machines > number-where-text-belongs.message',
    why: 'KubeVirt’s mutating webhook holds a VirtualMachine against its own schema before the API server does; both refuse it with 422',
  },
  {
    id: 'virtual-machine-257-volumes',
    where: 'virtual-machines > 257-volumes.message',
    why: 'the definition of KubeVirt has CEL rules, of which the server says that it did not come to them; the schema of the sandbox has none for it',
  },
  {
    id: 'virtual-machine-empty-claim-name',
    where: 'virtual-machines > volume-without-claim-name',
    why: 'KubeVirt’s webhook reads the object into its types and writes an empty claim name where there is none, before the schema asks for one; the sandbox refuses a volume that nobody could use',
  },
  {
    id: 'claim-spec-dump-another-mode',
    where:
      'api > a claim keeps its spec, and grows only where its class lets it and it is bound > another mode > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-another-class',
    where:
      'api > a claim keeps its spec, and grows only where its class lets it and it is bound > another class > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-another-volume-mode',
    where:
      'api > a claim keeps its spec, and grows only where its class lets it and it is bound > another volume mode > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-more-room-while-it-is-pending',
    where:
      'api > a claim keeps its spec, and grows only where its class lets it and it is bound > more room while it is pending > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-less-room',
    where:
      'api > a claim keeps its spec, and grows only where its class lets it and it is bound > less room > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-another-volume',
    where: 'api > a claim that is bound grows where its class lets it > another volume > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'claim-spec-dump-access-modes',
    where:
      'api > a strategic merge patch merges the lists that it knows, and only of kinds of Kubernetes > access modes, a list of its own > body.*',
    why: 'the server prints the difference as a dump of its Go types, of which the sandbox has none; the sentence before it is the same',
  },
  {
    id: 'duplicate-member-strict',
    where: 'api > a member that comes twice is told > strictly',
    why: 'JSON.parse keeps the last of two members of one name and says nothing; a decoder of our own would not find anything that Gantry could send',
  },
  {
    id: 'duplicate-member-warning',
    where: 'api > a member that comes twice is told > by default, of a config map > headers.warning',
    why: 'JSON.parse keeps the last of two members of one name and says nothing; a decoder of our own would not find anything that Gantry could send',
  },
  {
    id: 'other-version-warning',
    where:
      'api > an object must be of the kind and namespace that the path names > another version > headers.warning',
    why: 'the server decodes what is of no version that it knows against an empty schema, and warns of every field of it; the refusal is the same',
  },
  {
    id: 'other-version-patch-warning',
    where:
      'api > a merge patch sets, removes by null and replaces lists whole > another version > headers.warning',
    why: 'the server decodes what is of no version that it knows against an empty schema, and warns of every field of it; the refusal is the same',
  },
  {
    id: 'other-built-in-kind',
    where:
      'api > an object must be of the kind and namespace that the path names > another kind > body.message',
    why: 'the server names the Go types that it cannot convert; refused with 400 by both',
  },
  {
    id: 'aggregated-discovery',
    where:
      'api > a server tells its health, its version and what it serves > discovery in one piece, which kubectl asks for first',
    why: 'aggregated discovery is not served: clients fall back to one document for each group (design: sandbox.md, level one)',
  },
];
