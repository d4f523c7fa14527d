import { describeEachPhase } from '../../support/every-line.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { convertedWarmWay } from '../../support/ways.ts';

const simulated = sandboxOnly({ simulated: 'the converter, which writes where it says' });
simulated.describe('with a converted guest,', () => describeEachPhase(convertedWarmWay));
