import { describeEachPhase } from '../../support/every-line.ts';
import { warmWay } from '../../support/ways.ts';

describeEachPhase(warmWay, 4);
