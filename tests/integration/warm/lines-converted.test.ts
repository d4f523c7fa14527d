import { describeEachLine, linesOf } from '../../support/every-line.ts';
import { convertedWarmWay } from '../../support/ways.ts';

describeEachLine(convertedWarmWay, await linesOf(convertedWarmWay));
