/** The machine does not give what a testbed needs, or a tool of it failed. `code` is stable. */
export class CellError extends Error {
  readonly code:
    'RootNeeded' | 'ToolMissing' | 'NamespacesRefused' | 'CommandFailed' | 'FolderPathTooLong' | 'NotInCell';

  constructor(code: CellError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CellError';
    this.code = code;
  }
}
