import base from './jest.config.js';

/** The tests that run on the testbed, inside its namespaces (hack/testbed/test.ts). */
export default {
  ...base,
  testMatch: ['integration', 'testbed', 'differential'].map(
    (folder) => `<rootDir>/tests/${folder}/**/*.test.ts`,
  ),
  testPathIgnorePatterns: ['/node_modules/'],
  // Longer than the longest wait of a world, which tells what it saw.
  testTimeout: 360_000,
  // The controller of a world works on the whole cluster, so there is one at a time.
  maxWorkers: 1,
  // A controller that was killed stands still in the middle of something; as a process of its own it would be gone.
  forceExit: true,
  testSequencer: '<rootDir>/hack/testbed/suite/sequencer.ts',
  // test.ts tells the rest.
  reporters: ['default'],
};
