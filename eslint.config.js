// The house rules that a machine can hold: strict types, import walls, one source of time.
import tseslint from 'typescript-eslint';

/** Who may import whom. A folder that is not named here may import anything. */
const walls = {
  model: [],
  api: ['model'],
  kube: ['model', 'api'],
  runtime: ['model', 'api', 'kube'],
  sources: ['model', 'api', 'runtime'],
  inventory: ['model', 'api', 'runtime', 'sources'],
  migration: ['model', 'api'],
  target: ['model', 'api'],
  controllers: ['model', 'api', 'kube', 'runtime', 'sources', 'inventory', 'migration', 'target'],
  admission: ['model', 'api', 'kube'],
  cli: ['model', 'api', 'kube'],
};
const folders = [...Object.keys(walls), 'sandbox'];

/** A transport and a lease cannot do without time, and time and logging live in runtime: these two files are the exception. */
const timeAndLog = '(?!clock\\.ts$|log\\.ts$)';

function wall(folder, allowed) {
  const forbidden = folders.filter((other) => other !== folder && !allowed.includes(other));
  const patterns = forbidden.map((other) => ({
    regex:
      other === 'runtime' && folder === 'kube' ? `^(\\.\\./)+runtime/${timeAndLog}` : `^(\\.\\./)+${other}/`,
    message: `src/${folder} may import only: ${allowed.join(', ') || 'nothing outside itself'}.`,
  }));
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [...patterns, ...(folder === 'kube' ? [] : clientNode)] },
      ],
    },
  };
}
const clientNode = [
  {
    regex: '^@kubernetes/client-node',
    message: 'KubeConfig comes through src/kube/auth.ts and nothing else.',
  },
];
const timeGlobals = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'].map((name) => ({
  name,
  message: 'Time comes from the Clock that was passed in (runtime/clock.ts).',
}));
const dateNow = [
  { object: 'Date', property: 'now', message: 'Time comes from the Clock that was passed in.' },
  { object: 'performance', property: 'now', message: 'Time comes from the Clock that was passed in.' },
  { object: 'Math', property: 'random', message: 'Randomness is passed in.' },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'coverage/', 'manifests/'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // TypeBox and the raw objects of an API server are read through declared types; a generic that names one is its contract.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-restricted-globals': ['error', ...timeGlobals],
      'no-restricted-properties': ['error', ...dateNow],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
    },
  },
  ...Object.entries(walls).map(([folder, allowed]) => wall(folder, allowed)),
  {
    files: ['src/runtime/clock.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  { files: ['tests/**/*.ts', 'hack/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
