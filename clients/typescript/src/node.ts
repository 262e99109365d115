/** What only Node has: a cursor in a file. */

import { readFile, rename, writeFile } from "node:fs/promises";
import type { CursorStore } from "./events.js";

/** In a file, which is replaced as a whole. */
export class FileCursor implements CursorStore {
  constructor(private readonly path: string) {}

  async load(): Promise<string | undefined> {
    try {
      return (await readFile(this.path, "utf8")).trim() || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async save(cursor: string): Promise<void> {
    const beside = `${this.path}.${process.pid}`;
    await writeFile(beside, cursor);
    await rename(beside, this.path);
  }
}
