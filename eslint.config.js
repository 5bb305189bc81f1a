import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Of two ways to say the same, the one that is said here. */
const DIALECT = [
  { selector: 'PrivateIdentifier', message: 'Say `private`, not `#`.' },
  { selector: 'CallExpression[callee.name="it"]', message: 'Say `test`, not `it`.' }
]

export default tseslint.config(
  { ignores: ['build', 'dist', 'node_modules', 'coverage', '**/*.generated.*'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true }
      ],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...DIALECT],
      'no-control-regex': 'off'
    }
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/conformance/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...DIALECT,
        {
          selector:
            'CallExpression:matches([callee.name=/^(mkdir|rm)Sync$/], [callee.property.name=/^(mkdir|rm)Sync$/]) Property[key.name="recursive"]',
          message:
            'Use makeDirectories or removeTree of src/sys: Node may try for ever, or remove what is mounted.'
        }
      ]
    }
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked }
)
