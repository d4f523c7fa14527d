import { describeEachWrite, writesOf } from '../../support/every-write.ts';
import { warmWay } from '../../support/ways.ts';

describeEachWrite(warmWay, await writesOf(warmWay), 120);
