import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileTemplate } from '../../src/migration/freeze/template/template.ts';

const data = {
  VmName: 'Web 01',
  PlanName: 'my-plan-with-a-long-name',
  DiskIndex: 3,
  Shared: false,
  Empty: '',
};
const render = (template: string) => {
  const { text, error } = compileTemplate(template)(data);
  return error === undefined ? text : `${error.code} ${error.at}`;
};

describe('a template', () => {
  test.each([
    // Fields, text, literals
    ['disk-{{.DiskIndex}}', 'disk-3'],
    ['{{ $.VmName }}', 'Web 01'],
    ['{{ "a\\tb" }}{{ `c\\d` }}{{ 1 }}{{ true }}', 'a\tbc\\d1true'],
    // Pipelines: what comes before is the last argument
    ['{{ .VmName | lower | replace " " "-" }}', 'web-01'],
    ['{{ trunc 7 (upper .PlanName) }}', 'MY-PLAN'],
    // Variables
    ['{{ $n := add .DiskIndex 1 }}{{ $n }}', '4'],
    ['{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ end }}{{ $x }}', 'b'],
    // Branches
    ['{{ if eq .DiskIndex 0 }}root{{ else if .Shared }}shared{{ else }}data{{ end }}', 'data'],
    ['{{ if not .Shared }}x{{ end }}', 'x'],
    ['{{ with .Empty }}never{{ else }}none{{ end }}{{ with .VmName }}{{ lower . }}{{ end }}', 'noneweb 01'],
    // Trimming and comments
    ['a  {{- /* why */ -}}  b {{- "c" -}} d', 'abcd'],
    ['{{- 3 -}}', '3'],
  ])('%s gives %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    [
      '{{ contains "lan" .PlanName }} {{ hasPrefix "my" .PlanName }} {{ hasSuffix "my" .PlanName }}',
      'true true false',
    ],
    [
      '{{ trim "  x " }}|{{ trimAll "$" "$5.00$" }}|{{ trimSuffix ".go" "f.go" }}|{{ trimPrefix "go." "go.f" }}',
      'x|5.00|f|f',
    ],
    [
      '{{ title "hello wo-rld" }} {{ untitle "Hello World" }} {{ initials "John Doe" }}',
      'Hello Wo-Rld hello world JD',
    ],
    [
      '{{ repeat 3 "ab" }} {{ substr 1 4 "abcdef" }} {{ substr -1 2 "abc" }} {{ nospace "a b  c" }}',
      'ababab bcd ab abc',
    ],
    ['{{ trunc 3 "abcdef" }} {{ trunc -3 "abcdef" }} {{ trunc 9 "abc" }}', 'abc def abc'],
    [
      '{{ add 1 2 3 }} {{ add1 5 }} {{ sub 5 3 }} {{ div 10 3 }} {{ mod 10 3 }} {{ mul 2 3 4 }}',
      '6 6 2 3 1 24',
    ],
    [
      '{{ max 1 5 3 }} {{ min 5 1 3 }} {{ floor 3.75 }} {{ ceil 3.25 }} {{ round 3.75159 2 }}',
      '5 1 3 4 3.75',
    ],
    ['{{ default "x" .Empty }} {{ default "x" .VmName }} {{ quote .VmName }}', 'x Web 01 "Web 01"'],
    [
      '{{ and .VmName .DiskIndex }} {{ or .Empty "b" }} {{ lt 1 2 }} {{ ge "b" "a" }} {{ ne 1 2 }}',
      '3 b true true true',
    ],
    ['{{ eq .DiskIndex 1 2 3 }} {{ len .VmName }} {{ print "a" 1 2 "b" }}', 'true 6 a1 2b'],
    [
      '{{ printf "%s-%03d-%-3s|%x|%q|%v|100%%" "d" .DiskIndex "a" 255 "q" true }}',
      'd-003-a  |ff|"q"|true|100%',
    ],
  ])('offers the functions of Go and of Forklift: %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test('does not compute what "and" and "or" need not know', () => {
    expect(render('{{ or true (div 1 0) }}{{ and false (div 1 0) }}')).toBe('truefalse');
  });

  test.each([
    ['{{ .VmName', 'Syntax 0'],
    ['{{ if }}x', 'Syntax 6'],
    ['{{ if true }}x', 'Syntax 3'],
    ['x{{ end }}', 'Syntax 4'],
    ['{{ (add 1 2 }}', 'Syntax 3'],
    ['{{ .VmName ; }}', 'Syntax 11'],
    ['{{ range .VmName }}{{ end }}', 'Syntax 3'],
    ['{{}}', 'Syntax 2'],
    ['{{ .Nope }}', 'UnknownField 3'],
    ['{{ .VmName.Length }}', 'UnknownField 3'],
    ['{{ .constructor }}', 'UnknownField 3'],
    ['{{ nope 1 }}', 'UnknownFunction 3'],
    ['{{ $x }}', 'UnknownVariable 3'],
    ['{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}', 'UnknownVariable 38'],
    ['{{ lower .DiskIndex }}', 'WrongArgument 3'],
    ['{{ trunc "a" 1 }}', 'WrongArgument 3'],
    ['{{ div 1 0 }}', 'WrongArgument 3'],
    ['{{ .VmName 1 }}', 'WrongArgument 3'],
    ['{{ printf "%d" "a" }}', 'WrongArgument 3'],
    ['{{ eq .VmName 1 }}', 'WrongArgument 3'],
    ['{{ repeat 100000 "x" }}', 'WrongArgument 3'],
    ['{{ replace "" (repeat 2000 "y") (repeat 2000 "x") }}', 'TooLong 3'],
  ])('%s is a fault with its place: %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test('tells line and column, and what would have been right', () => {
    const { error } = compileTemplate('a\n  {{ .Nam }}')(data);
    expect(error?.message).toBe(
      'line 2, column 6: there is no field ".Nam"; there are .VmName, .PlanName, .DiskIndex, .Shared, .Empty',
    );
  });

  test('never throws, whatever it says', () => {
    const pieces = fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      ' -}}',
      'if',
      'else',
      'end',
      'with',
      '.VmName',
      '$x',
      ':=',
      '|',
      '(',
      ')',
      '"',
      '`',
      '3',
      'add',
      'lower',
      'mustRegexReplaceAll',
      ' ',
      '/*',
      '*/',
      '.',
      'printf "%s"',
      'ü',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
        ),
        (template) => {
          const { text, error } = compileTemplate(template)(data);
          expect((text === undefined) !== (error === undefined)).toBe(true);
          if (error !== undefined) expect(error.at).toBeLessThanOrEqual(template.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('without actions is its own text', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }).filter((text) => !text.includes('{{')),
        (text) => {
          expect(compileTemplate(text)(data)).toEqual({ text });
        },
      ),
    );
  });

  test('nested without end is a fault and not an exhausted stack', () => {
    expect(render(`{{ ${'('.repeat(1000)}1${')'.repeat(1000)} }}`)).toMatch(/^Syntax /);
    expect(render('{{if 1}}'.repeat(200) + '{{end}}'.repeat(200))).toMatch(/^(Syntax|TooLong) /);
  });
});

describe('mustRegexReplaceAll', () => {
  const replace = (expression: string, text: string, replacement: string) =>
    compileTemplate('{{ mustRegexReplaceAll .Expression .Text .Replacement }}')({
      Expression: expression,
      Text: text,
      Replacement: replacement,
    });

  test.each([
    ['a(x*)b', '-ab-axxb-', '${1}W', '-W-xxW-'],
    ['a(x*)b', '-ab-axxb-', '$1W', '---'],
    ['(?P<first>\\w+) (\\w+)', 'John Doe', '$2-${first}', 'Doe-John'],
    ['[^a-z0-9]+', 'My VM!!01', '-', '-y-01'],
    ['(?i)vm', 'My VM vm', 'x', 'My x x'],
    ['^a|b$', 'aab ab', 'X', 'Xab aX'],
    ['\\bcat\\b', 'cat concat cat', 'dog', 'dog concat dog'],
    ['a{2,3}?', 'aaaaa', 'X', 'XXa'],
    ['[[:upper:]]', 'aBcD', '_', 'a_c_'],
    ['', 'abc', '-', '-a-b-c-'],
    ['b*', 'abc', '-', '-a-c-'],
    ['x', 'abc', '$$', 'abc'],
    ['b', 'abc', '$$1', 'a$1c'],
  ])('replaces %s in %s by %s', (expression, text, replacement, expected) => {
    expect(replace(expression, text, replacement).text).toBe(expected);
  });

  test.each(['(', ')', '[', 'a**', '*a', '(?=a)', '(?<!a)', '\\1', '\\pL', 'a{5,2}', '[z-a]', '\\', '(?s)a'])(
    'refuses %s',
    (expression) => {
      expect(replace(expression, 'abc', 'x').error?.code).toBe('WrongArgument');
    },
  );

  test('agrees with the expressions of JavaScript where both know the syntax', () => {
    const letter = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '^', '$', '\\b');
    const expressions = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        letter,
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
        fc
          .tuple(tie('node'), fc.constantFrom('*', '+', '?', '*?', '{1,2}'))
          .map(([a, times]) => `(?:${a}x)${times}`),
      ),
    })).node;
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x', '1', '-'), maxLength: 12 });
    fc.assert(
      fc.property(expressions, text, (expression, subject) => {
        const found = new RegExp(expression).exec(subject);
        const own = replace(`^(?:${expression})|x`, subject, '<$0>').text ?? '';
        expect(own.startsWith('<')).toBe(found?.index === 0 || subject.startsWith('x'));
        // Of one match both must see the same; of many, Go and JavaScript count empty ones differently.
        const first = new RegExp(`^(?:${expression})`).exec(subject);
        if (first !== null && first[0] !== '') expect(own.startsWith(`<${first[0]}>`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('takes no long time for expressions that would hold up an engine that goes back', () => {
    for (const expression of ['(a|a)*b', '(a*)*b', '(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)x']) {
      const result = replace(expression, 'a'.repeat(500), 'x');
      expect(result.error === undefined ? result.text : result.error.code).toMatch(
        /^(a{500}|x|WrongArgument)$/,
      );
    }
  });
});
