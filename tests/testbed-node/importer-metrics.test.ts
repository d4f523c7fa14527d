import { expect, test } from '@jest/globals';
import { parseProgress } from '../../hack/testbed/node/importer-metrics.ts';

test('the progress of an importer is read from its metrics', () => {
  const metrics = [
    '# TYPE kubevirt_cdi_import_progress_total counter',
    'kubevirt_cdi_import_progress_total{ownerUID="0-1"} 42.5',
    'other{ownerUID="0-1"} 7',
  ].join('\n');
  expect(parseProgress(metrics)).toBe(42.5);
});

test('metrics without progress tell none', () => {
  expect(parseProgress('go_goroutines 8\n')).toBeUndefined();
});
