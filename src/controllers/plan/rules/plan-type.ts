import { isWarm } from '../freeze-input.ts';
import { critical, type PlanRule } from './rule.ts';

/** Kinds of migration that this build, or this source, does not offer. */
export const migrationType: PlanRule = ({ plan, platform }) => {
  const { type } = plan.spec;
  if (type === 'live' || type === 'conversion') {
    const message = `Migrations of type ${type} are not offered yet. Set spec.type to cold.`;
    return [critical('MigrationTypeNotValid', 'NotSupported', message)];
  }
  if (isWarm(plan.spec) && platform?.traits.warm === 'none') {
    const message = `Warm migrations from a source of type ${platform.type} are not offered yet. Set spec.type to cold, and spec.warm to false.`;
    return [critical('WarmMigrationNotReady', 'NotSupported', message)];
  }
  return [];
};

/** Until guests can be converted, a Plan says that it does without. */
export const guestConversion: PlanRule = ({ plan, platform }) => {
  if (platform?.traits.conversion !== 'always' || plan.spec.skipGuestConversion === true) return [];
  const message =
    'The conversion of guests (virtio drivers, boot loader) is not offered yet. Set spec.skipGuestConversion to true: ' +
    'disks are then copied as they are, and with useCompatibilityMode the VM gets devices that every guest knows.';
  return [critical('NotValid', 'ConversionNotYet', message)];
};
