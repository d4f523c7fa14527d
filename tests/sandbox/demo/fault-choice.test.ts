import { describe, expect, test } from '@jest/globals';
import { parseFault } from '../../../src/sandbox/demo/fault-choice.ts';

describe('a fault that is asked for', () => {
  test.each([
    ['vcenter-down@copy', { name: 'vcenter-down', when: 'copy' }],
    ['kill-controller@12.5', { name: 'kill-controller', when: 12.5 }],
    ['api-outage@0', { name: 'api-outage', when: 0 }],
  ])('%p is understood', (text, choice) => {
    expect(parseFault(text)).toEqual(choice);
  });

  test.each([
    ['disk-on-fire@copy', 'there is no fault "disk-on-fire"', 'importer-crash'],
    ['toString@copy', 'there is no fault "toString"', 'vcenter-down'],
    ['vcenter-down', '"" is no time', 'vcenter-down@WHEN'],
    ['vcenter-down@', '"" is no time', 'cutover'],
    ['vcenter-down@noon', '"noon" is no time', 'seconds'],
    ['vcenter-down@-1', '"-1" is no time', 'seconds'],
    ['vcenter-down@copy@3', '"copy@3" is no time', 'pause'],
    ['', 'there is no fault ""', 'NAME@WHEN'],
  ])('%p is refused, and what would be right is said', (text, wrong, right) => {
    expect(() => parseFault(text)).toThrow(wrong);
    expect(() => parseFault(text)).toThrow(right);
  });
});
