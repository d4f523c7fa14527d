const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const step = 1024;

/** "512 B", "1.5 MiB", "256 MiB": two figures below ten, whole numbers above. Binary units, as Kubernetes and CDI count. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.6 KiB would be shown as "1024 KiB".
  while (unit < units.length - 1 && (unit === 0 ? value >= step : Math.round(value) >= step)) {
    value /= step;
    unit += 1;
  }
  const number = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${number} ${units[unit] ?? ''}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** "0.4 s", "12 s", "3 min 20 s", "2 h 05 min", "3 d 04 h": two parts at most. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${padded(hours % 24)} h`;
}

/** For what runs on a screen: whole seconds, so that it changes once a second. */
export function formatElapsed(ms: number): string {
  const whole = Math.floor(Math.max(0, ms) / 1000);
  return whole < 60 ? `${whole} s` : formatDuration(whole * 1000);
}

/** Whole percents; 100 is said only when all is done. */
export function formatPercent(done: number, total: number): string {
  if (total <= 0) return '';
  if (done >= total) return '100%';
  return `${Math.min(99, Math.floor((done / total) * 100))}%`;
}

/** "1 disk", "5 disks". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function padded(number: number): string {
  return String(number).padStart(2, '0');
}
