import type { ConversionRecord } from '../../api/virtual-machine-import.ts';

/** What the conversion of a guest has found out about it. */
export type Converted = Pick<ConversionRecord, 'firmware' | 'bootDisk'>;
