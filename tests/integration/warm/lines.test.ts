import { describeEachLine, linesOf } from '../../support/every-line.ts';
import { warmWay } from '../../support/ways.ts';

describeEachLine(warmWay, await linesOf(warmWay));
