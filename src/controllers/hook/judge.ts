import type { ConditionDraft } from '../../api/conditions.ts';
import type { HookSpec } from '../../api/hook.ts';

/** Conditions of a Hook (forklift-api.md 1.11); `Ready` where it could be run. Pure. */
export function judgeHook(spec: HookSpec): readonly ConditionDraft[] {
  const found = rules.flatMap((rule) => rule(spec));
  return found.length > 0 ? found : [ready];
}

type Rule = (spec: HookSpec) => readonly ConditionDraft[];

/** A Hook is a playbook in a pod, or a job template of an automation platform. */
const execution: Rule = ({ image, playbook, aap }) => {
  const isLocal = isGiven(image) || isGiven(playbook);
  const type = 'InvalidHookExecute';
  if (aap === undefined) {
    return isLocal
      ? []
      : [critical(type, 'NotSet', 'The Hook has nothing to run. Set spec.image, or spec.aap.')];
  }
  if (isLocal)
    return [
      critical(type, 'NotSet', 'A Hook is run in a pod or by spec.aap, not by both. Remove one of them.'),
    ];
  return aap.jobTemplateId > 0
    ? []
    : [critical(type, 'NotSet', 'The Hook names no job template. Set spec.aap.jobTemplateId.')];
};

const image: Rule = ({ image: name, playbook }) => {
  if (!isGiven(name)) {
    return isGiven(playbook)
      ? [critical('InvalidImage', 'NotSet', 'The Hook names no image for its playbook. Set spec.image.')]
      : [];
  }
  return /^\S+$/.test(name)
    ? []
    : [critical('InvalidImage', 'NotValid', `"${name}" is no name of an image. Correct spec.image.`)];
};

const playbook: Rule = ({ playbook: text }) =>
  !isGiven(text) || isBase64(text)
    ? []
    : [
        critical(
          'InvalidPlaybook',
          'DataError',
          'The playbook is not in base64. Encode it and set spec.playbook anew.',
        ),
      ];

const rules: readonly Rule[] = [execution, image, playbook];

/** As encoders write it, perhaps broken into lines. */
function isBase64(text: string): boolean {
  const bare = text.replace(/\s/g, '');
  return bare.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(bare);
}

const ready: ConditionDraft = { type: 'Ready', category: 'Required', message: 'The hook is ready.' };

function critical(type: string, reason: string, message: string): ConditionDraft {
  return { type, category: 'Critical', reason, message };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
