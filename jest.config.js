/** Tests run as native ES modules; swc strips the types, so a test starts in milliseconds. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  // They need a testbed (jest.testbed.config.js).
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tests/testbed/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testTimeout: 30_000,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/hack/closing-line-reporter.ts'],
};
