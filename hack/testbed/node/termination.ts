import { open, type FileHandle } from 'node:fs/promises';
import type { NodeContainer } from './node-pod.ts';

/** What a kubelet takes at most. Fact: Kubernetes 1.36, pkg/kubelet/container/runtime.go. */
const longestMessageBytes = 4096;
const longestLogBytes = 2048;
const mostLogLines = 80;

/** Path in a container of the file for its last words. */
export function terminationPath(container: NodeContainer): string {
  return container.terminationMessagePath ?? '/dev/termination-log';
}

/** The last words of a container: its file, or after a failure, where the pod asks for it and the file is empty, the end of its log. */
export async function readTermination(
  container: NodeContainer,
  exitCode: number,
  files: { readonly message: string; readonly log: string },
): Promise<string> {
  const message = await readTail(files.message, longestMessageBytes);
  const wantsLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
  if (message !== '' || !wantsLog) return message;
  return lastLines(await readTail(files.log, longestLogBytes));
}

export function lastLines(text: string): string {
  const lines = text.split('\n');
  const count = mostLogLines + (text.endsWith('\n') ? 1 : 0);
  return lines.slice(-count).join('\n');
}

/** The last `bytes` of a file; '' where there is none. */
async function readTail(path: string, bytes: number): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
