import { describeEachLine, describeEachPhase, linesOf } from '../support/every-line.ts';
import { coldWay } from '../support/ways.ts';

describeEachLine(coldWay, await linesOf(coldWay));
describeEachPhase(coldWay);
