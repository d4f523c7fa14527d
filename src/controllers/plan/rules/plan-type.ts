import { precopyScheduleAnnotation } from '../../../api/labels.ts';
import { scheduleFault } from '../../../migration/cron.ts';
import { conversionImage } from '../../../migration/freeze/conversion.ts';
import { convertsGuests, isWarm } from '../freeze-input.ts';
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

/** A schedule of rounds that nobody understands would be one that never comes. */
export const precopySchedule: PlanRule = ({ plan }) => {
  const schedule = plan.metadata.annotations?.[precopyScheduleAnnotation];
  if (schedule === undefined || schedule === '') return [];
  const fault = scheduleFault(schedule);
  if (fault === undefined) return [];
  const message = `Annotation ${precopyScheduleAnnotation} is "${schedule}", which is no schedule in cron's notation: ${fault}. Example: "0 */4 * * *", every four hours (UTC).`;
  return [critical('NotValid', 'ScheduleNotValid', message)];
};

export const conversionImageMissing =
  'Nobody has named the image that guests are converted by (virtio drivers, boot loader). Set VIRT_V2V_IMAGE in the environment of ' +
  'the controller, or spec.virtV2vImage in the Plan, to the virt-v2v image of Forklift; or set spec.skipGuestConversion to true: disks ' +
  'are then copied as they are, and with useCompatibilityMode the VM gets devices that every guest knows.';

/** Known before anything is touched: without its image no guest is ever converted. */
export const guestConversion: PlanRule = ({ plan, platform, conversion }) => {
  if (!convertsGuests(plan.spec, platform) || conversionImage(plan.spec, conversion) !== undefined) return [];
  return [critical('ConversionImageNotSet', 'NotSet', conversionImageMissing)];
};
