import { describeEachWrite, writesOf } from '../support/every-write.ts';
import { coldWay } from '../support/ways.ts';

describeEachWrite(coldWay, await writesOf(coldWay));
