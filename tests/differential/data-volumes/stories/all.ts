import type { Story } from '../story.ts';
import { coldStories } from './cold.ts';
import { refusalStories } from './refusals.ts';
import { troubleStories } from './trouble.ts';
import { warmStories } from './warm.ts';

export const stories: readonly Story[] = [
  ...coldStories,
  ...warmStories,
  ...troubleStories,
  ...refusalStories,
];
