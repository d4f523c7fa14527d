import { TransportError } from '../../kube/transport.ts';
import type { Faults } from '../world.ts';
import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import { internalError, Refusal } from './refusal.ts';

/**
 * What a fault answers in place of the request, before it has any effect; undefined when none strikes. Throws TransportError when the
 * server cannot be reached at all.
 */
export function answerFault(
  faults: Faults,
  { method }: ServerRequest,
  subject: string,
): ServerAnswer | undefined {
  if (faults.strikes('api-outage', subject)) {
    throw new TransportError('ConnectFailed', `${subject}: connection refused`);
  }
  // fact: apiserver filters/maxinflight.go: plain text, and a second to wait.
  if (faults.strikes('api-too-many-requests', subject)) {
    return {
      status: 429,
      headers: { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' },
      body: 'Too many requests, please try again later.\n',
    };
  }
  if (faults.strikes('api-error', subject)) return refused(internalError('etcdserver: request timed out'));
  const changes = method === 'PUT' || method === 'PATCH' || method === 'DELETE';
  if (changes && faults.strikes('api-conflict', subject)) return refused(staleForEveryone(subject));
  return undefined;
}

function staleForEveryone(subject: string): Refusal {
  const [, resource = ''] = subject.split(' ');
  return new Refusal(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resource}: the object has been modified; please apply your changes to the latest version and try again`,
    { kind: resource },
  );
}
