import { describeEachPhase } from '../../support/every-line.ts';
import { isOnTestbed } from '../../support/needs.ts';
import { inSeconds } from '../../support/warm.ts';
import { warmWay, type Way } from '../../support/ways.ts';

/** Its rounds come quicker than simulated time can be looked at. */
const onTestbed: Way = { ...warmWay, migration: (world) => ({ cutover: inSeconds(world, 10) }) };

describeEachPhase(isOnTestbed ? onTestbed : warmWay, 0);
