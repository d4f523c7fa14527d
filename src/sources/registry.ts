import type { SourcePlatform } from './source.ts';
import { createVspherePlatform } from './vsphere/platform.ts';

/** The platforms that this build can read from. */
export interface SourceRegistry {
  /** undefined: no such platform, or not yet. */
  platform(type: string): SourcePlatform | undefined;
  readonly types: readonly string[];
}

/** One for the whole process: a platform remembers which logins were refused. */
export function createSourceRegistry(
  platforms: readonly SourcePlatform[] = [createVspherePlatform()],
): SourceRegistry {
  const byType = new Map<string, SourcePlatform>(platforms.map((platform) => [platform.type, platform]));
  return { platform: (type) => byType.get(type), types: [...byType.keys()] };
}
